"""``gql auth check``: the TLS of the token endpoint, which is never trusted without reason."""

from __future__ import annotations

import socket
import ssl
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from gqlauth import AuthOptions, Secret
from gqlauth._cli._check._course import checked
from gqlauth._cli._check._subject import Subject
from gqlauth._cli._check._tls import described, tls
from gqlauth._cli._check._watched import WatchedService
from gqlauth._config import Endpoint, EndpointAuthConfig
from gqlauth_strategies import ClientCredentials
from tests.support.certificates import VALID, Certificate, certificate
from tests.support.http_server import http_server, json_answer, tls_server, unused_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gqlauth._cli._check._step import Outcome
    from tests.support.http_server import Answer, HttpServer, Request

pytestmark = pytest.mark.anyio

DAY = 86_400
SUBJECT = {
    "subject": ((("countryName", "CH"),), (("commonName", "id.example.com"),)),
    "issuer": ((("organizationName", "Acme"),), (("commonName", "Acme R1"),)),
    "notBefore": "Jan  1 00:00:00 2026 GMT",
    "notAfter": "Apr  1 00:00:00 2026 GMT",
}
BEGINS, ENDS = 1_767_225_600, 1_775_001_600


def answer(request: Request) -> Answer:
    """Answer as a token endpoint, and as an API."""
    if request.method == "GET":
        assert request.body == b""
        assert "authorization" not in request.headers
        return json_answer({"error": "invalid_request"}, 400)
    return json_answer({"access_token": "t", "data": {"__typename": "Query"}})


async def steps(
    url: str, api: str, *, ca_file: Path | None = None, **options: Any
) -> dict[str, Outcome]:
    """Return what each step comes to."""
    auth = EndpointAuthConfig(
        type="client_credentials",
        strategy=ClientCredentials(
            token_url=f"{url}/token", client_id="orders-cli", client_secret=Secret("s3cr3t")
        ),
        options=AuthOptions(ca_file=ca_file, **{"timeout": 2.0, **options}),
    )
    endpoint = Endpoint(name="orders", url=f"{api}/graphql", auth=auth)
    told = await checked(endpoint, probe_methods=False, within=None)
    return {step.name: step.outcome for step in told.steps}


@pytest.fixture
def api() -> Iterator[HttpServer]:
    """Run an API that is content."""
    with http_server(answer) as running:
        yield running


@pytest.fixture
def authority(tmp_path: Path) -> Certificate:
    """Make the authority that the server is known by."""
    return certificate(tmp_path, "authority")


@pytest.fixture
def serve(tmp_path: Path, authority: Certificate) -> Any:
    """Run a token endpoint whose certificate is valid for so long."""

    def serve(valid: tuple[timedelta, timedelta] = VALID) -> Any:
        return tls_server(answer, certificate(tmp_path, "server", issuer=authority, valid=valid))

    return serve


async def test_valid(serve: Any, api: HttpServer, authority: Certificate) -> None:
    """Protocol, whose certificate it is, by whom, and how long it lasts."""
    with serve() as server:
        told = await steps(server.url, api.url, ca_file=authority.certificate_file)

    assert [request.method for request in server.requests] == ["GET", "POST"]
    assert told["tls"].state == "ok"
    assert told["tls"].detail == "TLSv1.3, certificate of server by authority, ends in 60 min"
    assert told["token"].state == told["api"].state == "ok"
    ends = certificate_end(authority)
    assert abs(told["tls"].facts.pop("certificate_ends_at") - ends) < 60  # type: ignore[attr-defined]
    assert told["tls"].facts == {
        "protocol": "TLSv1.3",
        "certificate_subject": "server",
        "certificate_issuer": "authority",
    }


def certificate_end(authority: Certificate) -> float:
    return authority.certificate.not_valid_after_utc.timestamp()


async def test_soon_at_its_end(serve: Any, api: HttpServer, authority: Certificate) -> None:
    """A certificate in the last tenth of its time is a warning."""
    with serve((timedelta(days=90), timedelta(days=8))) as server:
        told = await steps(server.url, api.url, ca_file=authority.certificate_file)

    assert told["tls"].state == "warning"
    assert told["tls"].hint == "the certificate is to be renewed"
    assert told["token"].state == "ok"


async def test_unknown_authority(serve: Any, api: HttpServer) -> None:
    """The reason, and what names the authority; no token is asked for."""
    with serve() as server:
        told = await steps(server.url, api.url)

    assert server.requests == api.requests == []
    assert told["tls"].state == "failed"
    assert told["tls"].code == 5
    assert "shows a certificate that is refused: unable to get local issuer" in told["tls"].detail
    assert told["tls"].hint.endswith("its certificate belongs into ca_file")
    assert told["token"].detail == "as tls failed"


async def test_another_authority(serve: Any, api: HttpServer, tmp_path: Path) -> None:
    """A `ca_file` that does not know it is named."""
    other = certificate(tmp_path, "other").certificate_file
    with serve() as server:
        told = await steps(server.url, api.url, ca_file=other)

    assert told["tls"].hint == f"who issued it is not in ca_file {other}"


@pytest.mark.parametrize(
    ("valid", "detail", "hint"),
    [
        (
            (timedelta(days=2), -timedelta(days=1)),
            "certificate has expired",
            "who runs the server must renew it",
        ),
        (
            (-timedelta(days=1), timedelta(days=2)),
            "not yet valid",
            "is this machine's clock right?",
        ),
    ],
    ids=["expired", "not yet valid"],
)
async def test_out_of_its_time(  # noqa: PLR0917 - fixtures come as arguments
    serve: Any,
    api: HttpServer,
    authority: Certificate,
    valid: tuple[timedelta, timedelta],
    detail: str,
    hint: str,
) -> None:
    """A certificate that has ended, or has not begun."""
    with serve(valid) as server:
        told = await steps(server.url, api.url, ca_file=authority.certificate_file)

    assert told["tls"].state == "failed"
    assert detail in told["tls"].detail
    assert hint in told["tls"].hint


async def test_another_host(serve: Any, api: HttpServer, authority: Certificate) -> None:
    """A certificate for another name."""
    with serve() as server:
        url = server.url.replace("127.0.0.1", "localhost")
        told = await steps(url, api.url, ca_file=authority.certificate_file)

    assert told["tls"].state == "failed"
    assert told["tls"].hint == "the certificate is for another host: is the URL right?"


async def test_of_the_issuer(serve: Any, api: HttpServer) -> None:
    """A certificate of the issuer that is refused is told where it is discovered."""
    with serve() as server:
        auth = EndpointAuthConfig(
            type="client_credentials",
            strategy=ClientCredentials(issuer=server.url, client_id="orders-cli"),
            options=AuthOptions(timeout=0.5),
        )
        endpoint = Endpoint(name="orders", url=f"{api.url}/graphql", auth=auth)
        told = await checked(endpoint, probe_methods=False, within=None)

    assert [step.outcome.state for step in told.steps] == ["ok", "failed", *["skipped"] * 4]
    assert told.steps[1].outcome.hint.endswith("its certificate belongs into ca_file")


async def test_of_the_api(serve: Any, authority: Certificate, monkeypatch: Any) -> None:
    """The API is known by its own `ca_file`, the system's store, or `SSL_CERT_FILE`."""
    with serve() as server:
        told = await steps(server.url, server.url, ca_file=authority.certificate_file)
        assert (told["api"].state, told["api"].code) == ("failed", 5)
        assert told["api"].hint.endswith("its certificate belongs into the endpoint's ca_file")

        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate_file))
        told = await steps(server.url, server.url)
        assert told["api"].state == "ok"


async def test_nobody_listens(api: HttpServer) -> None:
    """A port that nobody listens at."""
    told = await steps(f"https://127.0.0.1:{unused_port()}", api.url)

    assert (told["tls"].state, told["tls"].code) == ("failed", 5)
    assert "cannot be reached" in told["tls"].detail
    assert told["tls"].hint.startswith("can it be reached from this machine?")


@contextmanager
def listener(serve: Callable[[socket.socket], object]) -> Iterator[str]:
    """Run what `serve` does with each connection, and give its URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                kept.append(connection)
                serve(connection)

        kept: list[socket.socket] = []
        thread = Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.getsockname()[1]}"
        finally:
            # Or the thread would wait for ever.
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in kept:
                connection.close()


async def test_server_that_says_nothing(api: HttpServer) -> None:
    """It is given up within the time that there is."""
    with listener(lambda _: None) as url:
        told = await steps(url, api.url, timeout=0.2)

    assert (told["tls"].state, told["tls"].code) == ("failed", 5)
    assert "took too long" in told["tls"].detail


async def test_server_that_speaks_no_tls(api: HttpServer) -> None:
    """A server of plain http is none of https."""
    with http_server(answer) as server:
        told = await steps(server.url.replace("http:", "https:"), api.url)

    assert (told["tls"].state, told["tls"].code) == ("failed", 5)
    assert "cannot be reached" in told["tls"].detail


async def test_server_that_never_ends(
    tmp_path: Path, api: HttpServer, authority: Certificate
) -> None:
    """An answer that goes on and on is given up, too."""
    own = certificate(tmp_path, "server", issuer=authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate_file, own.key_file)

    def goes_on(connection: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as wrapped:
            while True:
                wrapped.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")

    with listener(goes_on) as url:
        told = await steps(url, api.url, ca_file=authority.certificate_file, timeout=0.3)

    assert (told["tls"].state, told["tls"].code) == ("failed", 5)
    assert "gave no answer within 0.3 s" in told["tls"].detail


async def test_certificates_that_are_gone(tmp_path: Path) -> None:
    """What cannot be used any more is a misconfiguration."""
    auth = EndpointAuthConfig(
        type="client_credentials",
        strategy=ClientCredentials(token_url="https://id.example.com/", client_id="orders-cli"),
        options=AuthOptions(ca_file=tmp_path / "gone.pem"),
    )
    endpoint = Endpoint(name="orders", url="https://orders.example.com/graphql", auth=auth)
    told = await tls(Subject(endpoint, WatchedService(endpoint)))

    assert (told.state, told.code) == ("failed", 2)
    assert "gone.pem cannot be used" in told.detail


async def test_http_elsewhere() -> None:
    """Plain http that was allowed is a warning."""
    auth = EndpointAuthConfig(
        type="client_credentials",
        strategy=ClientCredentials(token_url="http://id.example.com/token", client_id="orders-cli"),
        options=AuthOptions(allow_insecure_http=True),
    )
    endpoint = Endpoint(name="orders", url="https://orders.example.com/graphql", auth=auth)
    told = await tls(Subject(endpoint, WatchedService(endpoint)))

    assert (told.state, told.hint) == ("warning", "use https")


class TestDescribed:
    """In the words that people know certificates by."""

    @pytest.mark.parametrize(
        ("certificate", "now", "detail", "hint"),
        [
            (SUBJECT, BEGINS, "id.example.com by Acme R1, ends in 90 days", ""),
            (SUBJECT, ENDS - 10 * DAY, "ends in 10 days", ""),
            (SUBJECT, ENDS - 8 * DAY, "ends in 8 days", "the certificate is to be renewed"),
            (SUBJECT, ENDS + DAY, "ended 24 h ago", "the certificate is to be renewed"),
            ({**SUBJECT, "notBefore": "Jan  1 00:00:00 2016 GMT"}, ENDS - 20 * DAY, "20 days", ""),
            ({**SUBJECT, "issuer": ((("organizationName", "Acme"),),)}, BEGINS, "by Acme,", ""),
            (
                {**SUBJECT, "subject": (), "subjectAltName": (("DNS", "a.example.com"),)},
                BEGINS,
                "certificate of a.example.com by",
                "",
            ),
            ({**SUBJECT, "subject": ()}, BEGINS, "certificate of  by", ""),
            (
                {**SUBJECT, "subject": ((("commonName", "a\x1b[2J\nb"),),)},
                BEGINS,
                "certificate of a\\x1b[2J b by",
                "",
            ),
            ({}, BEGINS, "TLSv1.3", ""),
        ],
    )
    def test_certificates(
        self, certificate: dict[str, Any], now: float, detail: str, hint: str
    ) -> None:
        """Of any kind, and where the system does not tell."""
        told = described("TLSv1.3", certificate, now)

        assert detail in told.detail
        assert (told.hint, told.state) == (hint, "warning" if hint else "ok")
