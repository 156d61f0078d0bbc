"""The URL of a Redis: where it is, and nothing that is secret."""

from __future__ import annotations

import re
from typing import Final, Self
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import attrs

#: What a Redis is named by: over TCP, over TLS, by a socket, and a cluster with and without TLS.
SCHEMES: Final = ("redis", "rediss", "redis+unix", "redis+cluster", "rediss+cluster")
#: The port where none is named.
PORT: Final = 6379

_HOST: Final = re.compile(r"\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+)")
_SOCKET: Final = "redis+unix"
_CLUSTER: Final = "+cluster"


@attrs.frozen
class RedisURL:
    """Where a Redis is, as a URL says it."""

    #: As it was written; it has no password in it.
    text: str
    #: Hosts with their ports; several for a cluster, of which one must be there at first.
    hosts: tuple[tuple[str, int], ...] = ()
    #: The path of a socket, instead.
    path: str | None = None
    username: str | None = None
    database: int = 0
    tls: bool = False
    cluster: bool = False

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Return what a URL says.

        Raises:
            ValueError: when it says nothing, or too much; its text does not quote the URL.

        """
        try:
            parts = urlsplit(text)
        except ValueError:
            raise ValueError("is no URL") from None
        if not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("is no URL")
        if parts.scheme not in SCHEMES:
            raise ValueError(f"a URL here begins with {', '.join(SCHEMES[:-1])} or {SCHEMES[-1]}")
        user, _, place = parts.netloc.rpartition("@")
        if ":" in user:
            raise ValueError('a URL here holds no password: set "password" beside it')
        username = unquote(user) or None
        if parts.scheme == _SOCKET:
            return cls(text, path=_path(parts, place), username=username, database=_queried(parts))
        if parts.query or parts.fragment:
            raise ValueError("a URL here has no query (?…) and no fragment (#…)")
        cluster = parts.scheme.endswith(_CLUSTER)
        hosts = tuple(_host(one) for one in place.split(","))
        if len(hosts) > 1 and not cluster:
            raise ValueError(f"only redis{_CLUSTER} has several hosts")
        database = parts.path.strip("/")
        if cluster and database:
            raise ValueError("a cluster has one database, which is not named")
        tls = parts.scheme.startswith("rediss")
        return cls(text, hosts, None, username, _number(database), tls, cluster)


def _path(parts: SplitResult, host: str) -> str:
    if host or not parts.path.strip("/") or parts.fragment:
        raise ValueError(f"the path of a socket is wanted: {_SOCKET}:///run/redis.sock")
    return unquote(parts.path)


def _queried(parts: SplitResult) -> int:
    """Return the database that ``?db=`` names: the path is the socket's."""
    found = parse_qs(parts.query, keep_blank_values=True)
    values = found.pop("db", ["0"])
    if found or len(values) > 1:
        raise ValueError("all that a query says here is the database: ?db=1")
    return _number(values[0])


def _number(text: str) -> int:
    if not text.isdecimal() and text:
        raise ValueError("a database is a number")
    return int(text or 0)


def _host(text: str) -> tuple[str, int]:
    found = _HOST.match(text)
    rest = "" if found is None else text[found.end() :]
    if found is None or not (rest == "" or rest[0] == ":"):
        raise ValueError("a host is wanted: redis://localhost:6379/0")
    port = rest[1:]
    if rest and not (port.isdecimal() and 0 < int(port) < 2**16):
        raise ValueError("a port is a number")
    return found["v6"] or found["name"], int(port or PORT)
