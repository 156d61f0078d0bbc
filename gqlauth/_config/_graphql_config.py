"""What graphql-config's extension ``endpoints`` tells: endpoints, for all tools that read a file.

It goes from names to URLs, or to tables with ``url`` and ``headers``, and stands beside our part of
the file. https://the-guild.dev/graphql/config/docs says what variables look like there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from gqlauth._config._absent import is_none

if TYPE_CHECKING:
    from collections.abc import Iterator

    Keys: TypeAlias = tuple[str | int, ...]

#: The keys that lead to our part of such a file, and to its endpoints.
OURS: Final = ("extensions", "gqlauth")
THEIRS: Final = ("extensions", "endpoints")


class TheirText(str):
    """A text whose variables are written as graphql-config has them."""

    __slots__ = ()


def with_endpoints(ours: dict[Any, Any], theirs: object) -> tuple[dict[Any, Any], dict[Keys, Keys]]:
    """Return our part with the endpoints of `theirs`, and where that stands which came from there.

    An endpoint of ours that has no ``url`` is completed by theirs of its name: what we say is its
    authentication takes the place of an ``Authorization`` that other tools are told.
    """
    own = ours.get("endpoints", {})
    if not isinstance(own, dict) or not isinstance(theirs, dict):
        return ours, {}
    endpoints = dict(own)
    elsewhere: dict[Keys, Keys] = {}
    for name, entry in theirs.items():
        mine = own.get(name, {})
        if isinstance(mine, dict) and "url" not in mine:
            here, there = (*OURS, "endpoints", name), (*THEIRS, name)
            taken = dict(_taken(mine, entry, there))
            if "url" not in taken:  # it is for subscriptions alone, say
                continue
            if name not in own:
                elsewhere[here] = there
            endpoints[name], places = _completed(mine, taken)
            elsewhere |= {(*here, *keys): place for keys, place in places.items()}
    return {**ours, "endpoints": endpoints}, elsewhere


def _taken(mine: dict[Any, Any], entry: object, there: Keys) -> Iterator[tuple[str, Any]]:
    """Yield what an entry tells that is of use here, each with where it stands."""
    if isinstance(entry, str):
        yield "url", (TheirText(entry), there)
    if not isinstance(entry, dict):
        return
    for key in ("url", "allow_insecure_http"):
        if key in entry and key not in mine:
            yield key, (_their(entry[key]), (*there, key))
    headers = entry.get("headers")
    if isinstance(headers, dict):
        said = {str(name).lower() for name in _table(mine.get("headers"))}
        if not is_none(mine.get("auth", "none")):
            said.add("authorization")
        left = {key: _their(one) for key, one in headers.items() if str(key).lower() not in said}
        yield "headers", (left, (*there, "headers"))


def _completed(
    mine: dict[Any, Any], taken: dict[str, Any]
) -> tuple[dict[Any, Any], dict[Keys, Keys]]:
    """Return an endpoint of ours with what was taken from theirs, and where that stands."""
    table = {**{key: value for key, (value, _) in taken.items()}, **mine}
    places: dict[Keys, Keys] = {(key,): place for key, (_, place) in taken.items()}
    if "headers" in taken and isinstance(mine.get("headers"), dict):
        headers, there = taken["headers"]
        table["headers"] = {**headers, **mine["headers"]}
        del places["headers",]
        places |= {("headers", name): (*there, name) for name in headers}
    return table, places


def _table(value: object) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _their(value: object) -> object:
    return TheirText(value) if isinstance(value, str) else value
