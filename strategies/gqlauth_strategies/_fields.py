"""What the fields of strategies may hold. No message shows a value that may be secret."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from gqlauth import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

    import attrs

# RFC 9110, section 5.6.2.
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# RFC 9110, section 5.5, without the obsolete bytes above ASCII.
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e\t]*")
# Headers that say how a message is framed or routed: the HTTP client's business (RFC 9110,
# section 7.6.1).
_FRAMING: Final = re.compile(
    r"host|content-.*|connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade",
    re.IGNORECASE,
)
_SPACE_OR_CONTROL: Final = re.compile(r"[\s\x00-\x1f\x7f]")


def texts(value: Iterable[str]) -> tuple[str, ...]:
    """Return a list of texts as a tuple: what a field of several converts its value with.

    Raises:
        TypeError: for one text, which would fall into its letters.

    """
    if isinstance(value, str):
        raise TypeError("a list of texts is wanted, and this is one text")
    return tuple(value)


def tables(value: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Return a list of tables as a tuple: what a field of several converts its value with.

    Raises:
        TypeError: for one table, which would fall into its keys.

    """
    if isinstance(value, Mapping):
        raise TypeError("a list of tables is wanted, and this is one table")
    return tuple(value)


def text(_instance: object, field: attrs.Attribute[Any], value: str | None) -> None:
    """Refuse an empty text; None is for a field that may be left out."""
    if value is not None and not value.strip():
        raise ValueError(f"{field.name}: is empty")


def secret(_instance: object, field: attrs.Attribute[Any], value: Secret | None) -> None:
    """Refuse what is no `Secret`; None is for a field that may be left out."""
    if value is not None and not isinstance(value, Secret):
        raise TypeError(f"{field.name}: a Secret is wanted, not {type(value).__name__}")


def scope_names(_instance: object, field: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
    """Refuse a scope that the form would take for several, or for none."""
    for scope in value:
        if not scope or _SPACE_OR_CONTROL.search(scope):
            raise ValueError(f'{field.name}: "{scope}" is not one scope; list each by itself')


def resources(_instance: object, field: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
    """Refuse what is no resource indicator (RFC 8707, section 2)."""
    for resource in value:
        if not resource or _SPACE_OR_CONTROL.search(resource) or "#" in resource:
            raise ValueError(
                f'{field.name}: "{resource}" is no URI without a fragment (RFC 8707, section 2)'
            )


def details(
    _instance: object, field: attrs.Attribute[Any], value: tuple[Mapping[str, Any], ...]
) -> None:
    """Refuse what are no authorization details (RFC 9396, section 2)."""
    for number, detail in enumerate(value, start=1):
        if not isinstance(detail.get("type"), str) or not detail["type"]:
            raise ValueError(f"{field.name}: number {number} has no type (RFC 9396, section 2)")
        try:
            json.dumps(detail, allow_nan=False)
        except (TypeError, ValueError):
            raise ValueError(
                f"{field.name}: number {number} holds what JSON has not, such as a date: "
                "put it in quotes"
            ) from None


def header_name(_instance: object, field: attrs.Attribute[Any], value: str) -> None:
    """Refuse what is no name of a header, and headers that are the HTTP client's business."""
    if not _TOKEN.fullmatch(value):
        raise ValueError(f'{field.name}: "{value}" is no name of a header')
    if _FRAMING.fullmatch(value):
        raise ValueError(f"{field.name}: {value} is set by the HTTP client, and by nobody else")


def headers(
    instance: object, field: attrs.Attribute[Any], value: Mapping[str, str | Secret]
) -> None:
    """Refuse names that `header_name` refuses, one that comes twice, and impossible values."""
    seen: set[str] = set()
    for name, held in value.items():
        header_name(instance, field, name)
        if name.lower() in seen:
            raise ValueError(f"{field.name}: {name} is there twice")
        seen.add(name.lower())
        if not isinstance(held, Secret) and not _HEADER_VALUE.fullmatch(held):
            raise ValueError(f"{field.name}: {name} has characters that no header may carry")
