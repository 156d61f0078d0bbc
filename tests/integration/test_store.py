"""The store on disk, as many processes of ``gql`` have it: one token request for all of them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
import pytest

from gqlauth._stores._seal import new_key
from tests.support.http_server import http_server, json_answer
from tests.support.servers import client_secret
from tests.support.slow_tokens import SlowTokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers import Api, Provider

ROOT: Final = Path(__file__).parents[2]
SCRIPT: Final = str(Path(sys.executable).with_name("gql"))
ASK: Final = ("api", "{ me { id } }")
CONFIG: Final = """\
[endpoints.orders]
url = "{api}"

[endpoints.orders.auth]
type = "client_credentials"
token_url = "{tokens}"
client_id = "post"
client_secret = {{ env = "POST_SECRET" }}
token_endpoint_auth_method = "client_secret_post"
scopes = ["api:read"]
timeout = {timeout}
"""
#: Seconds that any of this may take, on a machine that does other things, too.
LIMIT: Final = 300.0
#: A small disk that is full; no other process sees it.
FULL: Final = """
mount -t tmpfs -o size=64k,mode=700 none "$XDG_CACHE_HOME" || exit
mkdir -m 700 "$XDG_CACHE_HOME/gqlauth" "$XDG_CACHE_HOME/gqlauth/tokens"
cat /dev/zero > "$XDG_CACHE_HOME/fill" 2>&-
exec "$0" "$@"
"""
#: The same to who writes, where nobody may mount anything.
LIMITED: Final = 'ulimit -f 0; exec "$0" "$@"'


@attrs.frozen
class Gql:
    """Runs ``gql`` in one project, with one store."""

    folder: Path
    environment: dict[str, str]

    def start(self, *arguments: str, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*before, SCRIPT, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, before: tuple[str, ...] = ()) -> tuple[int, str]:
        """Return the exit status of a run, and what it says beside its answer."""
        with self.start(*arguments, before=before) as process:
            _, said = process.communicate(timeout=LIMIT)
        return process.returncode, said

    def configure(self, api: str, tokens: str, timeout: float = 200.0) -> None:
        text = CONFIG.format(api=api, tokens=tokens, timeout=timeout)
        (self.folder / "gqlauth.toml").write_text(text)


@pytest.fixture
def gql(tmp_path: Path) -> Gql:
    """Give ``gql`` with a store that is empty."""
    project, cache = tmp_path / "project", tmp_path / "cache"
    for folder in (project / ".git", cache):
        folder.mkdir(parents=True)
    kept = {name: text for name, text in os.environ.items() if not name.startswith("XDG_")}
    secret = client_secret("post")
    assert secret is not None
    ours = {
        "GQLAUTH_CACHE_KEY": new_key(),
        "GQLAUTH_TRUST": "1",
        "POST_SECRET": secret,
        "XDG_CACHE_HOME": str(cache),
    }
    return Gql(project, kept | ours)


@contextmanager
def one_that_hangs(gql: Gql, timeout: float) -> Iterator[tuple[SlowTokens, subprocess.Popen[str]]]:
    """Give a process that is in its flight, and will be there for ever."""
    tokens = SlowTokens()
    with (
        http_server(tokens) as server,
        http_server(lambda _: json_answer({"data": {}})) as api,
    ):
        gql.configure(api.url, server.url, timeout)
        with gql.start(*ASK) as process:
            try:
                assert tokens.asked.wait(LIMIT)
                yield tokens, process
            finally:
                tokens.gate.set()
                process.kill()


def test_fifty_at_once_make_one_token_request(gql: Gql, provider: Provider, api: Api) -> None:
    """With a store that has nothing yet; and each gets its answer."""
    gql.configure(api.at("apollo"), provider.token_url)
    before = provider.requests("post")
    processes = [gql.start(*ASK) for _ in range(50)]
    outcomes = [(*each.communicate(timeout=LIMIT), each.returncode) for each in processes]

    assert {(said, code) for _, said, code in outcomes} == {("", 0)}
    assert provider.requests("post") - before == 1


def test_a_loop_makes_one_token_request(gql: Gql, provider: Provider, api: Api) -> None:
    """Of a shell, as people write it."""
    gql.configure(api.at("apollo"), provider.token_url)
    before = provider.requests("post")
    loop = 'for i in $(seq 200); do "$0" "$@" || exit; done'

    assert gql(*ASK, before=("sh", "-c", loop)) == (0, "")

    assert provider.requests("post") - before == 1


def test_one_that_is_killed_delays_nobody(gql: Gql) -> None:
    """The system lets go of its lock, and what it left half done is no trouble."""
    with one_that_hangs(gql, 200.0) as (tokens, first):
        with gql.start(*ASK) as second:
            first.send_signal(signal.SIGKILL)
            _, said = second.communicate(timeout=LIMIT)

        assert (second.returncode, said) == (0, "")
        assert tokens.count == 2


def test_one_that_stands_still_delays_the_others_for_a_while(gql: Gql) -> None:
    """They wait for half of the time that they have, and then fetch for themselves."""
    with one_that_hangs(gql, 10.0) as (tokens, first):
        first.send_signal(signal.SIGSTOP)

        assert gql(*ASK) == (0, "")

        assert tokens.count == 2
        # What the second got is what all others have.
        assert gql(*ASK) == (0, "")
        assert tokens.count == 2
        first.send_signal(signal.SIGCONT)


def test_a_keyring_that_never_answers(gql: Gql, provider: Provider, api: Api) -> None:
    """It may ask a user who is not there: it delays an answer, and the end of nothing."""
    gql.configure(api.at("apollo"), provider.token_url, timeout=30.0)
    del gql.environment["GQLAUTH_CACHE_KEY"]
    gql.environment["PYTHON_KEYRING_BACKEND"] = "tests.support.keyrings.Silent"
    gql.environment["PYTHONPATH"] = str(ROOT)

    code, said = gql(*ASK)

    assert code == 0
    (line,) = said.splitlines()
    assert line.startswith("gql: warning: token store failed store=")
    assert 'why="it takes too long"' in line


def on_a_full_disk() -> tuple[str, ...]:
    """Return what runs a command on a disk that takes nothing more."""
    own = ("unshare", "--map-root-user", "--mount")
    if shutil.which("unshare") and not subprocess.run([*own, "true"], check=False).returncode:
        return (*own, "sh", "-c", FULL)
    return ("sh", "-c", LIMITED)


def test_a_full_disk(gql: Gql, provider: Provider, api: Api) -> None:
    """It is told in one line, and the request goes through."""
    gql.configure(api.at("apollo"), provider.token_url)
    before = provider.requests("post")

    code, said = gql(*ASK, before=on_a_full_disk())

    assert code == 0
    (line,) = said.splitlines()
    assert line.startswith("gql: warning: token store failed store=")
    assert 'why="No space left on device"' in line or 'why="File too large"' in line
    assert provider.requests("post") - before == 1


def test_a_disk_that_nobody_may_write(gql: Gql, provider: Provider, api: Api) -> None:
    """Not even root may, where the kernel keeps files of its own."""
    gql.configure(api.at("apollo"), provider.token_url)
    gql.environment["XDG_CACHE_HOME"] = "/proc/tokens"

    code, said = gql(*ASK)

    assert code == 0
    (line,) = said.splitlines()
    why = 'why="/proc/tokens/gqlauth/tokens cannot be made: '
    assert line.startswith(f"gql: warning: tokens are kept in memory alone {why}")
