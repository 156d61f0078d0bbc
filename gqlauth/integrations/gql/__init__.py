"""graphql-python/gql with the tokens of an `AuthService`: the extra ``gqlauth[gql]``.

`transport` and `aiohttp_middleware` are for requests.

Each name is imported when it is first used, as each needs another library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gqlauth.integrations.gql._aiohttp import aiohttp_middleware as aiohttp_middleware
    from gqlauth.integrations.gql._http import transport as transport

_HOMES = {
    "aiohttp_middleware": "_aiohttp",
    "transport": "_http",
}

#: What brings a library that is missing.
_WANTED = {"aiohttp": "gql[aiohttp]"}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - sorted() gives a list of the names


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the type is the name's own, see above
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
