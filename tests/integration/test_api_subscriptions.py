"""``gql api``: subscriptions from servers as they really run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.servers import client_secret, graphql_ws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.servers import Api, Provider, Subscriptions

#: Whoever runs the tests in the background may have Ctrl-C ignored.
pytestmark = pytest.mark.usefixtures("interruptible")

TICK = "subscription { tick }"


@pytest.fixture(scope="module")
def node() -> Iterator[Subscriptions]:
    """Run the server by the libraries graphql-ws and graphql-yoga."""
    with graphql_ws() as running:
        yield running


class Project:
    """A project whose tokens are for the API, and ``gql`` in it."""

    def __init__(self, folder: Path, provider: Provider, audience: str) -> None:
        self._folder = folder
        self._provider = provider
        self._audience = audience

    def configure(self, url: str, settings: str = "", client_id: str = "basic") -> None:
        """Write a configuration."""
        (self._folder / "gqlauth.toml").write_text(
            f"""
            [endpoints.orders]
            url = "{url}"
            {settings}

            [endpoints.orders.auth]
            type = "client_credentials"
            token_url = "{self._provider.token_url}"
            client_id = "{client_id}"
            client_secret = {{ env = "CLIENT_SECRET" }}
            scopes = ["api:read"]
            audience = "{self._audience}"
            """,
            encoding="utf-8",
        )
        self._secret = client_secret(client_id) or ""

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run ``gql api`` until the end of the block."""
        with subprocess.Popen(
            [sys.executable, "-m", "gqlauth", "api", *arguments],
            cwd=self._folder,
            env={**os.environ, "CLIENT_SECRET": self._secret, "GQLAUTH_TRUST": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def ended(self, *arguments: str) -> tuple[str, str, int]:
        """Run it to its end; return what it has written, what it told, and its exit status."""
        with self.running(*arguments) as process:
            stdout, stderr = process.communicate(timeout=60)
        return stdout, stderr, process.returncode

    def heard(self, seconds: float, *arguments: str) -> tuple[list[int], str, int]:
        """Listen for so many seconds, and end it by Ctrl-C; return the numbers that came."""
        with self.running(TICK, "-q", ".data.tick", *arguments) as process:
            assert process.stdout is not None
            numbers = [int(process.stdout.readline())]
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                numbers.append(int(process.stdout.readline()))
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=60)
        numbers += map(int, stdout.split())
        return numbers, stderr, process.returncode


@pytest.fixture
def project(tmp_path: Path, provider: Provider, api: Api) -> Project:
    """Make a project."""
    return Project(tmp_path, provider, api.audience)


class TestYoga:
    """graphql-yoga answers by server-sent events."""

    def test_complete(self, node: Subscriptions, project: Project) -> None:
        """They come a line each, until the server says that it is complete."""
        project.configure(f"{node.origin}/yoga")

        lines = "".join(f'{{"data":{{"count":{at}}}}}\n' for at in (1, 2, 3))
        assert project.ended("subscription { count(to: 3) }") == (lines, "", 0)

    def test_interrupt(self, node: Subscriptions, project: Project) -> None:
        """They go on for as long as one listens, however short the endpoint's time-out is."""
        project.configure(f"{node.origin}/yoga", 'subscriptions = { transport = "sse" }')
        numbers, stderr, code = project.heard(0.5)

        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert (stderr, code) == ("\n", 130)

    def test_tokens_end(self, node: Subscriptions, project: Project, provider: Provider) -> None:
        """With tokens of 3 s, it goes on, no event is lost, and none comes twice."""
        before = provider.requests("storm")
        project.configure(f"{node.origin}/yoga", client_id="storm")
        numbers, stderr, code = project.heard(5)

        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert len(numbers) > 50
        assert (stderr, code) == ("\n", 130)
        assert provider.requests("storm") >= before + 3

    def test_error(self, node: Subscriptions, project: Project) -> None:
        """What the server refuses is told; there is no WebSocket either."""
        project.configure(f"{node.origin}/yoga")
        stdout, stderr, code = project.ended("subscription { nothing }")

        assert json.loads(stdout)["errors"]
        assert 'Cannot query field "nothing"' in stderr
        assert code == 1


class TestWebSocket:
    def test_graphql_ws(self, node: Subscriptions, project: Project) -> None:
        """A server that takes nothing else says so, and is then spoken to by WebSocket."""
        project.configure(node.url)

        lines = "".join(f'{{"data":{{"count":{at}}}}}\n' for at in (1, 2))
        assert project.ended("subscription { count(to: 2) }") == (lines, "", 0)

    def test_tokens_end(self, node: Subscriptions, project: Project, provider: Provider) -> None:
        """With tokens of 3 s, it goes on, no event is lost, and none comes twice."""
        before = provider.requests("storm")
        project.configure(node.url, 'subscriptions = { transport = "ws" }', "storm")
        numbers, stderr, code = project.heard(7)

        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert len(numbers) > 70
        assert (stderr, code) == ("\n", 130)
        assert provider.requests("storm") >= before + 3

    @pytest.mark.parametrize("first", ["/first", ""])
    def test_refused(self, node: Subscriptions, project: Project, first: str) -> None:
        """A token that is refused in ``connection_init`` is replaced, once."""
        url = f"{node.origin}/4403{first}{'/api' if first else ''}"
        project.configure(url, 'subscriptions = { transport = "ws" }')
        stdout, stderr, code = project.ended("subscription { count(to: 1) }")

        if first:
            assert (stdout, stderr, code) == ('{"data":{"count":1}}\n', "", 0)
        else:
            assert "the API rejected the token (4403 Forbidden)" in stderr
            assert (stdout, code) == ("", 4)


class TestStrawberry:
    """strawberry answers in parts, or speaks over WebSocket."""

    @pytest.mark.parametrize("settings", ['subscriptions = { transport = "ws" }', ""])
    def test_ticks(self, api: Api, project: Project, settings: str) -> None:
        """It is listened to, whatever way it answers."""
        project.configure(api.url, settings)
        numbers, stderr, code = project.heard(0.5)

        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert (stderr, code) == ("\n", 130)

    def test_tokens_end(self, api: Api, project: Project, provider: Provider) -> None:
        """With tokens of 3 s, it goes on, no event is lost, and none comes twice."""
        before = provider.requests("storm")
        project.configure(api.url, client_id="storm")
        numbers, stderr, code = project.heard(5)

        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert len(numbers) > 50
        assert (stderr, code) == ("\n", 130)
        assert provider.requests("storm") >= before + 3

    def test_hasura(self, api: Api, project: Project) -> None:
        """The token may stand where Hasura looks for it."""
        settings = 'transport = "ws", auth_in = "init", init_path = "headers.Authorization"'
        project.configure(api.at("hasura"), f"subscriptions = {{ {settings} }}")

        assert project.heard(0.2)[2] == 130
