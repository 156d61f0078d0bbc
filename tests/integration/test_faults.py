"""`fixtures/tcp_proxy`: each fault is a real one, seen from the socket of a client."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.faults import TcpProxy, tcp_proxy
from tests.support.http_server import Answer, Request, http_server, unused_port

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
BODY = b"x" * 2000


def respond(request: Request) -> Answer:
    """Answer some paths, and close the connection after others."""
    return Answer(200, BODY, {"Connection": "close"} if request.path == "/close" else {})


@pytest.fixture(scope="module")
def proxy() -> Iterator[TcpProxy]:
    """Run a proxy before a server that answers."""
    with http_server(respond) as server, tcp_proxy(server.url) as running:
        yield running


@pytest.fixture
def connection(proxy: TcpProxy) -> Iterator[socket.socket]:
    """Connect to the proxy, which has no faults yet."""
    proxy.set()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as opened:
        yield opened


def ask(connection: socket.socket) -> bytes:
    """Send a request, and return the answer, or what there is of it when it ends."""
    connection.sendall(REQUEST)
    answer = b""
    while not answer.endswith(BODY):
        piece = connection.recv(65536)
        if not piece:
            break
        answer += piece
    return answer


def timed(connection: socket.socket) -> float:
    """Return the seconds that a whole answer takes."""
    started = time.monotonic()
    assert ask(connection).endswith(BODY)
    return time.monotonic() - started


def test_nothing_happens_without_a_fault(connection: socket.socket) -> None:
    """What is said passes, exchange by exchange on one connection."""
    assert ask(connection) == ask(connection)


def test_latency_holds_pieces_back(proxy: TcpProxy, connection: socket.socket) -> None:
    """There and back, with some more at random."""
    proxy.set({"kind": "latency", "seconds": 0.1, "jitter": 0.1})

    assert 0.2 <= timed(connection) < 1.5


def test_bandwidth_is_limited(proxy: TcpProxy, connection: socket.socket) -> None:
    """Two kilobytes at ten kilobytes a second take a fifth of one."""
    proxy.set({"kind": "bandwidth", "rate": 10_000})

    assert timed(connection) >= 0.2


def test_stalled_connection_says_nothing(proxy: TcpProxy, connection: socket.socket) -> None:
    """It takes the request, and stays open; also once the fault is over."""
    proxy.set({"kind": "stall"})
    connection.sendall(REQUEST)
    connection.settimeout(0.3)

    with pytest.raises(TimeoutError):
        connection.recv(1)
    proxy.set()
    with pytest.raises(TimeoutError):
        ask(connection)


def test_reset_before_the_answer(proxy: TcpProxy, connection: socket.socket) -> None:
    """Not a byte of the answer comes."""
    proxy.set({"kind": "reset_before"})

    with pytest.raises(ConnectionResetError):
        ask(connection)


def test_reset_within_the_answer(proxy: TcpProxy, connection: socket.socket) -> None:
    """The first bytes come, and then the reset."""
    proxy.set({"kind": "reset_within", "size": 12})
    connection.sendall(REQUEST)

    assert connection.recv(65536) == b"HTTP/1.1 200"
    with pytest.raises(ConnectionResetError):
        connection.recv(65536)


def test_reset_after_the_answer(proxy: TcpProxy, connection: socket.socket) -> None:
    """The answer comes whole; what is said later meets a connection that is gone."""
    proxy.set({"kind": "reset_after", "seconds": 0.05})

    assert ask(connection).endswith(BODY)
    with pytest.raises(ConnectionResetError):
        connection.recv(1)


def test_half_open_connection_never_closes(proxy: TcpProxy, connection: socket.socket) -> None:
    """The server closes after its answer, and the client is not told."""
    proxy.set({"kind": "half_open"})
    connection.sendall(REQUEST.replace(b"POST /", b"POST /close"))
    while not connection.recv(65536).endswith(BODY):
        pass
    connection.settimeout(0.3)

    with pytest.raises(TimeoutError):
        connection.recv(1)
    with pytest.raises(TimeoutError):
        ask(connection)


def test_fault_strikes_its_share(proxy: TcpProxy, connection: socket.socket) -> None:
    """Of many exchanges about so many are struck, and they are counted."""
    before = proxy.set({"kind": "latency", "seconds": 0.0, "share": 0.5})
    for _ in range(40):
        ask(connection)
    after = proxy.counts()

    assert after["exchanges"] - before["exchanges"] == 40
    assert 8 <= after["latency"] - before.get("latency", 0) <= 32


def test_server_that_is_away_resets(proxy: TcpProxy) -> None:
    """Where nobody listens behind it, the client sees the connection end."""
    with (
        tcp_proxy(f"http://127.0.0.1:{unused_port()}") as lonely,
        pytest.raises(httpx.NetworkError),
    ):
        httpx.get(lonely.through("http://anywhere/path"), trust_env=False)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "magic"},
        {"kind": "stall", "size": 1, "colour": "red"},
        {"kind": "stall", "share": 2},
    ],
    ids=["kind", "setting", "share"],
)
def test_fault_that_is_none_is_told(proxy: TcpProxy, fault: dict[str, object]) -> None:
    """A mistake in a test is not taken for a quiet network."""
    with pytest.raises(ValueError, match=r"kind|colour|shares"):
        proxy.set(fault)
