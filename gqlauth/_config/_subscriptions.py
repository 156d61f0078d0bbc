"""How subscriptions come from an endpoint, as a configuration says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import SplitResult, urlsplit

import attrs

from gqlauth._config._findings import Finding
from gqlauth._config._urls import url_problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_AS_HTTP: Final = {"ws": "http", "wss": "https"}
_PORTS: Final = {"http": 80, "https": 443}


@attrs.frozen(kw_only=True)
class Subscriptions:
    """The ``subscriptions`` of an endpoint."""

    #: What they come over: `ws` (WebSocket), `sse` (server-sent events) or `multipart`. By default
    #: what the url's scheme says, else what the server answers.
    transport: Literal["ws", "sse", "multipart"] | None = None
    #: Where they are asked for, at an origin of the endpoint's. By default the endpoint's url.
    url: str | None = None
    #: Where the token stands over WebSocket: in a `header` of the handshake, in the payload of
    #: connection_init (`init`), or in `both`.
    auth_in: Literal["header", "init", "both"] = "both"
    #: The place in that payload, with dots between names, such as `headers.Authorization`. By
    #: default the name of the token's header.
    init_path: str | None = None

    @property
    def by_websocket(self) -> bool:
        """Tell whether they come over WebSocket."""
        return self.transport == "ws" or (self.transport is None and _is_ws(self.url))

    def findings(self, url: str, origins: Iterable[str], *, insecure: bool) -> Iterator[Finding]:
        """Yield what is wrong with it at an endpoint at `url`, with further `origins`."""
        if self.init_path is not None and not all(self.init_path.split(".")):
            yield Finding(("init_path",), "names with dots between them belong here")
        if self.url is None:
            return
        place = as_http(self.url)
        problem = url_problem(place, insecure=insecure)
        if problem is not None:
            yield Finding(("url",), problem)
        elif _origin(place) not in (known := set(map(_origin, (url, *origins)))):
            if None in known:
                return  # what is no URL is told at its own key
            message = "is at none of the endpoint's origins: name it in its origins"
            yield Finding(("url",), message)
        elif self.transport in {"sse", "multipart"} and _is_ws(self.url):
            yield Finding(("transport",), "this comes over http, and url begins with ws")


def as_http(url: str) -> str:
    """Return a URL in the words of HTTP, where it is one of WebSocket."""
    scheme, colon, rest = url.partition(":")
    return f"{_AS_HTTP.get(scheme.lower(), scheme)}{colon}{rest}"


def as_websocket(url: str) -> str:
    """Return a URL in the words of WebSocket, where it is one of HTTP."""
    return f"ws{url[4:]}" if url[:4].lower() == "http" else url


def _is_ws(url: str | None) -> bool:
    return url is not None and as_http(url) != url


def _origin(url: str) -> tuple[Any, ...] | None:
    try:
        parts: SplitResult = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
