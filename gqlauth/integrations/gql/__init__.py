"""graphql-python/gql with the tokens of an `AuthService`: the extra ``gqlauth[gql]``.

`transport` and `aiohttp_middleware` are for requests, `WebsocketsTransport` and
`AIOHTTPWebsocketsTransport` for subscriptions, and `is_fatal`, `retry_connect` and `retry_execute`
for the session of gql that connects again by itself.

Each name is imported when it is first used, as each needs another library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gqlauth.integrations.gql._aiohttp import aiohttp_middleware as aiohttp_middleware
    from gqlauth.integrations.gql._aiohttp_websockets import (
        AIOHTTPWebsocketsTransport as AIOHTTPWebsocketsTransport,
    )
    from gqlauth.integrations.gql._http import transport as transport
    from gqlauth.integrations.gql._retrying import is_fatal as is_fatal
    from gqlauth.integrations.gql._retrying import retry_connect as retry_connect
    from gqlauth.integrations.gql._retrying import retry_execute as retry_execute
    from gqlauth.integrations.gql._websockets import WebsocketsTransport as WebsocketsTransport

_HOMES = {
    "AIOHTTPWebsocketsTransport": "_aiohttp_websockets",
    "WebsocketsTransport": "_websockets",
    "aiohttp_middleware": "_aiohttp",
    "is_fatal": "_retrying",
    "retry_connect": "_retrying",
    "retry_execute": "_retrying",
    "transport": "_http",
}

#: What brings a library that is missing.
_WANTED = {"aiohttp": "gql[aiohttp]"}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - sorted() gives a list of the names


if not TYPE_CHECKING:  # to whom a name that is not above is a mistake

    def __getattr__(name: str) -> object:
        from importlib import import_module  # noqa: PLC0415 - as in gqlauth itself

        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        except ModuleNotFoundError as error:
            library = (error.name or "").partition(".")[0]
            wanted = _WANTED.get(library, "gqlauth[gql]")
            raise ImportError(
                f"{name} needs the library {library}: pip install '{wanted}'", name=library
            ) from error
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
