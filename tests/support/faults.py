"""The servers of ``fixtures/`` that break things: the TCP proxy, the hostile token endpoint."""

from __future__ import annotations

import json
import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import attrs
import httpx

from tests.support.servers import FIXTURES, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@attrs.frozen
class TcpProxy:
    """The proxy, as it runs."""

    origin: str
    port: int
    #: Where its faults are turned.
    control: int

    def through(self, url: str) -> str:
        """Return a URL of the server behind it, by way of the proxy."""
        parts = urlsplit(url)
        return self.origin + url.removeprefix(f"{parts.scheme}://{parts.netloc}")

    def set(self, *faults: dict[str, Any]) -> dict[str, int]:
        """Set what happens from now on, and return the counts so far."""
        return self._told(json.dumps(faults))

    def counts(self) -> dict[str, int]:
        """Return the counts so far: connections, exchanges, faults by kind."""
        return self._told("")

    def _told(self, line: str) -> dict[str, int]:
        with socket.create_connection(("127.0.0.1", self.control), timeout=10) as connection:
            connection.sendall(line.encode() + b"\n")
            with connection.makefile("rb") as answers:
                counts: dict[str, int] = json.loads(answers.readline())
        if "error" in counts:
            raise ValueError(counts["error"])
        return counts


@contextmanager
def tcp_proxy(url: str, *arguments: str) -> Iterator[TcpProxy]:
    """Run a proxy before the server of `url` until the end of the block."""
    command = (sys.executable, str(FIXTURES / "tcp_proxy"), "--with-stdin", *arguments)
    with running(*command, "--to", urlsplit(url).netloc) as addresses:
        yield TcpProxy(**addresses)  # type: ignore[arg-type]


@attrs.frozen
class HostileTokenEndpoint:
    """The hostile token endpoint, as it runs."""

    origin: str
    counts_url: str

    def token_url(self, mood: str) -> str:
        """Return the token URL of a mood, such as ``dribble`` or ``redirect/307``."""
        return f"{self.origin}/{quote(mood)}"

    def counts(self) -> dict[str, int]:
        """Return the requests so far, by mood; ``elsewhere``: those that must never be."""
        with httpx.Client(trust_env=False, verify=False) as client:
            counts: dict[str, int] = client.get(self.counts_url).raise_for_status().json()
        return counts


@contextmanager
def hostile_token_endpoint() -> Iterator[HostileTokenEndpoint]:
    """Run the hostile token endpoint until the end of the block."""
    folder = FIXTURES / "hostile_token_endpoint"
    with running(sys.executable, str(folder), "--with-stdin") as addresses:
        yield HostileTokenEndpoint(**addresses)
