"""The servers of ``fixtures/``, each in a process of its own, for tests and the demo."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from gqlauth._http import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

FIXTURES: Final = Path(__file__).resolve().parents[2] / "fixtures"

#: Seconds that a server may take until it listens: it may have its packages to install before.
START: Final = 180.0
#: Seconds that a server may take to stop.
STOP: Final = 10.0


class ServerError(Exception):
    """A server did not start, or did not stop well. It tells what the server said."""


@attrs.frozen
class Provider:
    """The authorization server, as it runs: its addresses, and its knobs."""

    issuer: str
    token_url: str
    jwks_uri: str
    introspection_url: str
    revocation_url: str

    def requests(self, client_id: str) -> int:
        """Return how many token requests of a client it answered so far, well or badly."""
        answer = _ask("GET", f"{self.issuer}/_test/requests")
        return sum(answer.get(client_id, {}).values())

    def revoke_opaque_tokens(self) -> int:
        """Revoke every opaque token; return how many there were."""
        revoked: int = _ask("POST", f"{self.issuer}/_test/revoke")["revoked"]
        return revoked

    def fail(self, *, times: int, status: int) -> None:
        """Answer that many token requests with `status` alone."""
        _ask("POST", f"{self.issuer}/_test/fail?times={times}&status={status}")


@attrs.frozen
class AuthlibServer:
    """The other authorization server, as it runs."""

    issuer: str
    token_url: str
    jwks_uri: str


@attrs.frozen
class Subscriptions:
    """The server for subscriptions, as it runs."""

    url: str
    origin: str


@attrs.frozen
class Api:
    """The GraphQL API, as it runs."""

    #: Where it says no by a 401; other dialects are at `at`.
    url: str
    origin: str
    #: What its tokens must be for.
    audience: str
    counts_url: str

    def at(self, dialect: str) -> str:
        """Return the URL of a dialect, such as ``apollo``."""
        return f"{self.origin}/{dialect}"

    def count(self, what: str) -> int:
        """Return a counter: ``mutations``, ``/apollo`` (requests), ``/apollo refused``."""
        count: int = _ask("GET", self.counts_url).get(what, 0)
        return count


def client_secret(client_id: str, server: str = "oidc_provider") -> str | None:
    """Return the made-up secret of a client that an authorization server knows, if it has one."""
    clients = json.loads((FIXTURES / server / "clients.json").read_text(encoding="utf-8"))
    (secret,) = [one.get("client_secret") for one in clients if one["client_id"] == client_id]
    return secret if secret is None else str(secret)


@contextmanager
def oidc_provider(*arguments: str) -> Iterator[Provider]:
    """Run the authorization server until the end of the block."""
    command = (sys.executable, str(FIXTURES / "oidc_provider"), "--with-stdin", *arguments)
    with running(*command) as addresses:
        yield Provider(**addresses)


@contextmanager
def authlib_server(*arguments: str) -> Iterator[AuthlibServer]:
    """Run the other authorization server until the end of the block."""
    command = (sys.executable, str(FIXTURES / "authlib_server"), "--with-stdin", *arguments)
    with running(*command) as addresses:
        yield AuthlibServer(**addresses)


@contextmanager
def graphql_api(issuer: str, *arguments: str) -> Iterator[Api]:
    """Run the GraphQL API, for tokens of `issuer`, until the end of the block."""
    command = (sys.executable, str(FIXTURES / "graphql_api"), "--with-stdin", *arguments)
    with running(*command, "--issuer", issuer) as addresses:
        yield Api(**addresses)


@contextmanager
def graphql_ws(*arguments: str, kills: bool = False) -> Iterator[Subscriptions]:
    """Run the server for subscriptions until the end of the block."""
    command = (sys.executable, str(FIXTURES / "graphql_ws"), "--with-stdin", *arguments)
    with running(*command, kills=kills) as addresses:
        yield Subscriptions(**addresses)


@contextmanager
def running(
    *command: str, start: float = START, stop: float = STOP, kills: bool = False
) -> Iterator[dict[str, str]]:
    """Run a server until the end of the block, and give the addresses that it prints.

    It is told to stop by SIGTERM, or with `kills` is killed. Its standard input ends when this
    process does.

    Raises:
        ServerError: when it prints none within `start` seconds, or when it takes more than `stop`
            seconds to stop or ends with a status that is not 0.

    """
    with ExitStack() as stack:
        log = stack.enter_context(tempfile.TemporaryFile())
        process = stack.enter_context(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        )
        stack.callback(process.kill)
        trouble, addresses = _started(process, start)
        if not trouble:
            yield addresses
            if kills:
                process.kill()
            else:
                trouble = _stopped(process, stop)
        if trouble:
            process.kill()
            process.wait()
            log.seek(0)
            said = log.read().decode(errors="replace")
            raise ServerError(f"{' '.join(command)} {trouble}\n{said}")


def _started(process: subprocess.Popen[bytes], limit: float) -> tuple[str, dict[str, str]]:
    """Return what went wrong, if anything did, and the addresses."""
    lines: list[bytes] = []
    stdout = process.stdout
    assert stdout is not None
    reader = threading.Thread(target=lambda: lines.append(stdout.readline()), daemon=True)
    reader.start()
    reader.join(limit)
    if not lines:
        process.kill()
        reader.join()
        return f"told no address within {limit:g} s", {}
    try:
        return "", json.loads(lines[0])
    except ValueError:
        return "told no address", {}


def _stopped(process: subprocess.Popen[bytes], limit: float) -> str:
    """Return what went wrong, if anything did."""
    process.terminate()
    try:
        status = process.wait(limit)
    except subprocess.TimeoutExpired:
        return f"did not stop within {limit:g} s"
    return f"ended with status {status}" if status else ""


def _ask(method: str, url: str) -> Any:
    with httpx.Client(trust_env=False, verify=False) as client:
        return client.request(method, url).raise_for_status().json()
