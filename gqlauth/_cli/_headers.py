"""Request headers that ``-H`` gives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click

from gqlauth._token import HEADER_NAME

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# RFC 9110, section 5.5.
_NO_VALUE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
#: Another value than the true one would leave the server waiting, or reading on too far.
_FRAMING: Final = frozenset({"connection", "content-length", "transfer-encoding"})


#: It tells what stands between the files.
_OF_UPLOADS: Final = frozenset({"content-type"})


def headers(texts: Iterable[str], *, uploads: bool = False) -> list[tuple[str, str]]:
    """Return names and values of the headers that `texts` write as ``Name: value``.

    Raises:
        click.UsageError: when one is no header, or is not to be set, also because of `uploads`;
            its value is not told.

    """
    own = _FRAMING | _OF_UPLOADS if uploads else _FRAMING
    return [_header(text, own) for text in texts]


def _header(text: str, own: Collection[str]) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    value = value.strip(" \t")
    if not colon:
        raise click.UsageError("-H: a header reads 'Name: value'")
    if not HEADER_NAME.fullmatch(name):
        raise click.UsageError("-H: a header's name has letters, digits and - before the colon")
    if name.lower() in own:
        raise click.UsageError(f"-H {name}: this header is gql's own to set")
    if _NO_VALUE.search(value):
        raise click.UsageError(f"-H {name}: its value has a control character")
    return name, value
