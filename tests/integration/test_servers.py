"""`tests.support.servers`: servers that start, tell their addresses, and stop."""

from __future__ import annotations

import subprocess
import sys

import httpx
import pytest

from tests.support.servers import (
    FIXTURES,
    ServerError,
    client_secret,
    graphql_api,
    oidc_provider,
    running,
)

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('{}', flush=True)
time.sleep(60)
"""


def test_two_providers_run_side_by_side() -> None:
    """Each provider listens on a port of its own, and is gone after its block."""
    with oidc_provider() as one, oidc_provider() as other:
        assert one.issuer != other.issuer

    for issuer in (one.issuer, other.issuer):
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{issuer}/jwks", trust_env=False)


def test_api_starts_without_its_issuer() -> None:
    """The API starts before the authorization server does, and says what it misses."""
    with graphql_api("http://127.0.0.1:9") as api:
        answer = httpx.post(api.url, headers={"Authorization": "Bearer opaque"}, trust_env=False)

    assert answer.status_code == 503


@pytest.mark.parametrize(
    ("program", "trouble"),
    [
        ("import time; time.sleep(60)", r"told no address within 0\.5 s"),
        ("raise SystemExit('no port is free')", r"told no address\nno port is free"),
        ("print('{}', flush=True)\nraise SystemExit(3)", r"ended with status"),
        (
            STUBBORN,
            r"did not stop within 0\.5 s",
        ),
    ],
    ids=["silent", "dead", "failed", "stubborn"],
)
def test_server_in_trouble_is_told_of(program: str, trouble: str) -> None:
    """What went wrong with a server is told, with what the server said."""
    limit = 0.5 if "60" in program else 30
    with (
        pytest.raises(ServerError, match=trouble),
        running(sys.executable, "-c", program, start=30 if "{}" in program else limit, stop=limit),
    ):
        pass


def test_body_that_fails_stops_the_server() -> None:
    """A server does not outlive a block that raises, and what was raised is what is seen."""
    with pytest.raises(LookupError), graphql_api("http://127.0.0.1:9") as api:
        raise LookupError

    with pytest.raises(httpx.ConnectError):
        httpx.get(api.counts_url, trust_env=False)


def test_secret_of_a_client_is_that_of_the_server() -> None:
    """`client_secret` reads the file that the authorization server reads."""
    assert client_secret("special:id+%") == "p%2Bq+r:s /=&"


@pytest.mark.parametrize(
    "arguments",
    [
        ("oidc_provider",),
        ("authlib_server",),
        ("graphql_api", "--issuer", "http://127.0.0.1:9"),
        ("graphql_ws",),
    ],
)
def test_server_ends_with_its_standard_input(arguments: tuple[str, ...]) -> None:
    """A server whose starter is gone stops by itself, and well."""
    script, *options = arguments
    with subprocess.Popen(
        [sys.executable, str(FIXTURES / script), "--with-stdin", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        process.stdin.close()

        assert process.wait(10) == 0
