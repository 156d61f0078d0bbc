"""HTTP servers on real loopback sockets, each in a thread of its own."""

from __future__ import annotations

import json
import socket
import ssl
import sys
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tests.support.certificates import Certificate


@attrs.frozen
class Request:
    """What came in."""

    method: str
    path: str
    #: By lower-case names.
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode(), keep_blank_values=True)


@attrs.frozen
class Answer:
    """What goes out."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    #: What follows the body, each as it comes; the connection then ends.
    pieces: Iterable[bytes] = ()


def json_answer(value: object, status: int = 200, **headers: str) -> Answer:
    """Return an answer of JSON; a header's name is written with ``_`` for ``-``."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    content_type = {"Content-Type": "application/json"}
    return Answer(status, json.dumps(value).encode(), {**content_type, **named})


class _Server(ThreadingHTTPServer):
    # The stdlib's queue of five resets the connections of many who come at once.
    request_queue_size = 128
    #: How many connections there were.
    connections = 0

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection."""
        self.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of what goes wrong; but that whoever asked has left is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class HttpServer:
    """A server that answers what `respond` returns, and remembers what it was asked."""

    def __init__(self, respond: Callable[[Request], Answer]) -> None:
        self.respond = respond
        self.requests: list[Request] = []
        self._server = _Server(("127.0.0.1", 0), self._handler())
        # Whoever closes it does not wait for connections that a client keeps.
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def connections(self) -> int:
        """Return how many connections there were."""
        return self._server.connections

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # As a body in a packet of its own is held back until the header's is confirmed.
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, self.rfile.read(length))
                server.requests.append(request)
                answer = server.respond(request)
                # Which brings a Date of its own.
                begin = self.send_response_only if "Date" in answer.headers else self.send_response
                begin(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.pieces:
                    self.send_header("Connection", "close")
                elif "Content-Length" not in answer.headers:
                    self.send_header("Content-Length", str(len(answer.body)))
                with suppress(ConnectionError):  # whoever asked may have left
                    self.end_headers()
                    self.wfile.write(answer.body)
                    for piece in answer.pieces:
                        self.wfile.write(piece)

            do_GET = do_POST = do_PUT = _serve  # noqa: N815 - the stdlib's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the stdlib's
                pass

        return Handler


@contextmanager
def http_server(respond: Callable[[Request], Answer]) -> Iterator[HttpServer]:
    """Run a server that answers what `respond` returns."""
    server = HttpServer(respond)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def tls_server(respond: Callable[[Request], Answer], own: Certificate) -> Iterator[HttpServer]:
    """Run the same by TLS, with a certificate of its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate_file, own.key_file)
    server = HttpServer(respond)
    server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
    server.url = f"https://127.0.0.1:{server.port}"
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def token_endpoint(
    *script: Answer, token: str = "token-{}-of-the-server", expires_in: object = 3600
) -> Iterator[HttpServer]:
    """Run a token endpoint: it answers with `script` in order, and then with new tokens."""
    answers = list(script)
    given = 0

    def respond(_request: Request) -> Answer:
        nonlocal given
        if answers:
            return answers.pop(0)
        given += 1
        text = token.format(given)
        return json_answer({"access_token": text, "token_type": "Bearer", "expires_in": expires_in})

    with http_server(respond) as server:
        yield server


def unused_port() -> int:
    """Return a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
