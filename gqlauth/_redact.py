"""Redaction: what keeps a secret that slipped through out of logs, errors and terminals.

It is the last of three walls, and masks too much rather than too little. Three ways lead to a
mask: the name that a value stands under, the shape of a text, and a value that is known.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, MutableMapping
from logging import LogRecord
from typing import TYPE_CHECKING, Any, Final

from gqlauth._known import KNOWN, masked, spans_of
from gqlauth._patterns import CONTROL, is_sensitive, mask_patterns
from gqlauth._secret import MASK, Secret

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

#: Characters of one text that are kept; the rest is cut.
LONGEST: Final = 16_384
#: Characters that are dropped where a text was read to, as they may be half of a credential.
HALVED: Final = 1_024
#: Texts that are no longer than that are looked at without further ado.
SHORT: Final = 1_024
#: What stands where something was cut.
CUT: Final = "… (cut)"
#: Containers within containers that are walked; what lies deeper is cut.
DEEPEST: Final = 32
#: Characters that are read of one event, or what stands for them: a value counts as so many.
MOST_READ: Final = 1_000_000
A_VALUE: Final = 100

_PLAIN_CONTAINERS: Final = frozenset({dict, list, tuple, set, frozenset})
_SHORT_ESCAPES: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def escape_control(text: str) -> str:
    r"""Return `text` with all that could drive a terminal, or deceive an eye, made visible.

    Control characters, bidirectional overrides, line separators and the like come out as ``\n``,
    ``\x1b`` and ``\u202e``.
    """
    return CONTROL.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004 - the forms of Python's own escapes
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - as above


def redact_text(text: str, known: Iterable[str] = ()) -> str:
    """Return `text` with what looks like a credential masked, and with known values masked.

    Known are the `Secret` and `Token` objects that are alive, and the `known` values: each is found
    in plain, URL-encoded, JSON-escaped, HTML-escaped and base64 form, also within the base64 of
    ``Basic``, from 6 characters on. A text past `LONGEST` is cut, and not read much farther.
    """
    # A credential that the cut will halve is still whole for the patterns, and a known value that
    # would be halved for the patterns is still whole for the search.
    near = text[: 3 * LONGEST]
    spans = KNOWN.spans(near)
    for value in known:
        spans += spans_of(near, value)
    if not spans and len(text) <= LONGEST:
        return mask_patterns(text)
    shown = mask_patterns(masked(near, spans, MASK, 2 * LONGEST))
    if len(text) <= LONGEST:
        return shown
    # Where masks made little of it, its end is what stood at an end that no pattern has seen whole.
    end = LONGEST if len(text) <= 2 * LONGEST else min(LONGEST, max(0, len(shown) - HALVED))
    return shown[:end] + CUT


def mask_known(text: str, known: Iterable[str]) -> str:
    """Return `text` with the `known` values masked, and nothing else; see `redact_text`."""
    spans = [span for value in known for span in spans_of(text, value)]
    return masked(text, spans, MASK, len(text))


def redact_secrets(
    _logger: object, _name: str, event_dict: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Mask secrets in a structlog event: a processor, for any chain.

    It masks what stands under the name of a secret (``client_secret``, ``Authorization``,
    ``accessToken``…) in mappings, sequences, attrs classes, dataclasses and headers, however
    nested; what looks like a credential in any text; and the values of each `Secret` and `Token`
    that is alive, in whatever encoding. It never raises, and changes nothing else, but that what
    is very large is cut, and that an exception which was not rendered before comes out as text.
    Put it before what renders the event.
    """
    walk = _Walk()
    exc_info = event_dict.pop("exc_info", None)
    if exc_info:
        text = traceback_text(exc_info)
        if text:
            event_dict.setdefault("exception", text)
    for key in list(event_dict):
        # The record is for a processor that is still to come.
        if not issubclass(type(event_dict[key]), LogRecord):
            event_dict[key] = walk.redacted(event_dict[key], key)
        shown = redact(key)
        if shown is not key:
            event_dict[shown] = event_dict.pop(key)
    return event_dict


def redact(value: Any, *, name: object = None) -> Any:  # noqa: ANN401 - it is any
    """Return `value`, that stands under `name`, redacted; itself where nothing is to be masked."""
    return _Walk().redacted(value, name)


def traceback_text(exc_info: object) -> str:
    """Return the traceback that `exc_info` stands for, as the stdlib's logging takes it, or "".

    It is not redacted.
    """
    import traceback  # noqa: PLC0415 - for who has an exception to show

    try:
        error: object = exc_info
        if isinstance(exc_info, tuple):
            error = exc_info[1] if len(exc_info) > 1 else None
        elif not isinstance(exc_info, BaseException):
            error = sys.exception()
        if not isinstance(error, BaseException):
            return ""
        return "".join(traceback.format_exception(error)).rstrip("\n")
    except Exception:  # noqa: BLE001 - a log call must not fail; what cannot be read is not shown
        return f"{type(exc_info).__name__}: (it cannot be shown)"


def _is_secret(name: object, value: object) -> bool:
    if isinstance(name, bytes):
        name = name.decode("latin-1")
    return isinstance(name, str) and is_sensitive(name, several=not isinstance(value, int | float))


class _Walk:
    """One way through a value and all that is in it: so far, so deep, and in no circles."""

    __slots__ = ("_left", "_path")

    def __init__(self) -> None:
        # What may still be spent, on characters and on values.
        self._left = MOST_READ
        # The containers that hold what is looked at, by their identity.
        self._path: set[int] = set()

    def redacted(self, value: Any, name: object = None) -> Any:  # noqa: ANN401 - it is any
        """Return `value`, that stands under `name`, redacted; itself if nothing is to be masked."""
        # "no token" and "there is one" are no secrets, and a Secret shows just where it comes from.
        self._left -= A_VALUE
        kind = type(value)
        if value is None or kind is bool or kind is Secret:
            return value
        try:
            if name is not None and _is_secret(name, value):
                return MASK
            if kind is int or kind is float:
                return value
            if kind is str and len(value) <= SHORT and self._left > 0:
                # As it comes to in the end, sooner.
                self._left -= len(value)
                return mask_patterns(value) if not KNOWN.spans(value) else redact_text(value)
            return self._redacted(value)
        except Exception:  # noqa: BLE001 - a log call must not fail; what cannot be read is not shown
            return MASK

    def _redacted(self, value: Any) -> Any:  # noqa: ANN401 - see above
        if self._left <= 0:
            return CUT
        if isinstance(value, str | bytes | bytearray):
            self._left -= min(len(value), 3 * LONGEST)
            return _redacted_text(value)
        within: Callable[[Any], object]
        if isinstance(value, Mapping):
            within = self._mapping
        elif isinstance(value, list | tuple | set | frozenset):
            within = self._items
        elif hasattr(type(value), "__attrs_attrs__") or hasattr(
            type(value), "__dataclass_fields__"
        ):
            within = self._fields
        else:
            return self._whole(value)
        mark = id(value)
        if mark in self._path or len(self._path) >= DEEPEST:
            return CUT
        self._path.add(mark)
        try:
            return within(value)
        finally:
            self._path.discard(mark)

    def _mapping(self, value: Mapping[Any, Any]) -> object:
        masked: dict[Any, Any] = {}
        # The `code` of a token request is an authorization code.
        form = "grant_type" in value
        # A header, or a field, may be told by two: its name, and its value.
        called = value.get("name", value.get("key")) if "value" in value else None
        changed = False
        for key, item in value.items():
            if self._left <= 0:
                return masked | {"…": CUT}
            new_key = self.redacted(key)
            name = called if key == "value" and isinstance(called, str) else key
            new = MASK if form and key == "code" else self.redacted(item, name)
            changed = changed or new is not item or new_key is not key
            masked[new_key] = new
        return masked if changed else _as_it_prints(value)

    def _items(self, value: Collection[Any]) -> Any:  # noqa: ANN401 - see above
        names: tuple[str, ...] | None = getattr(value, "_fields", None)
        if names is not None:
            named = dict(zip(names, value, strict=True))
            masked_names = self._mapping(named)
            return _as_it_prints(value) if masked_names is named else masked_names
        # A pair may be a header, or a field: its first half is then the name of the second.
        pair = isinstance(value, tuple | list) and len(value) == 2  # noqa: PLR2004
        name = next(iter(value)) if pair else None
        masked: list[Any] = []
        changed = False
        for item in value:
            if self._left <= 0:
                masked.append(CUT)
                changed = True
                break
            new = self.redacted(item, name if masked else None)
            changed = changed or new is not item
            masked.append(new)
        if not changed:
            return _as_it_prints(value)
        return tuple(masked) if isinstance(value, tuple) else masked

    def _whole(self, value: object) -> object:
        # What structlog's renderers show of such an object.
        own: Any = getattr(type(value), "__structlog__", None)
        if own is not None:
            shown = own(value)
            redacted = self.redacted(shown)
            if redacted is not shown:
                return redacted
        return _redacted_whole(value)

    def _fields(self, value: object) -> object:
        fields = _fields(value)
        masked = {name: self.redacted(item, name) for name, item in fields.items()}
        changed = [name for name, item in fields.items() if masked[name] is not item]
        if not changed:
            return _redacted_whole(value)
        # As it prints itself: making another one may fail, and would run its code.
        shown = repr(value)
        for name in changed:
            shown = shown.replace(f"{name}={fields[name]!r}", f"{name}={masked[name]!r}")
        # A class that prints itself in its own way may show them elsewhere.
        return redact_text(shown, _texts_of([fields[name] for name in changed]))


def _as_it_prints(value: object) -> object:
    """Return a container that holds nothing to mask; redacted, if it prints more than it holds."""
    return value if type(value) in _PLAIN_CONTAINERS else _redacted_whole(value)


def _redacted_whole(value: object) -> object:
    # Either may be what a renderer prints of it.
    texts = ((text, redact_text(text)) for text in (str(value), repr(value)))
    return next((redacted for text, redacted in texts if redacted != text), value)


def _redacted_text(value: str | bytes | bytearray) -> str | bytes | bytearray:
    text = value if isinstance(value, str) else value.decode("utf-8", "surrogateescape")
    redacted = redact_text(text)
    if redacted == text:
        return value
    return redacted if text is value else redacted.encode("utf-8", "surrogateescape")


def _texts_of(values: Iterable[object]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _fields(value: object) -> dict[str, Any]:
    """Return what the ``repr`` of an attrs class or a dataclass shows."""
    cls = type(value)
    described: Iterable[Any] = getattr(cls, "__attrs_attrs__", ()) or (
        getattr(cls, "__dataclass_fields__", {}).values()
    )
    return {field.name: getattr(value, field.name) for field in described if field.repr is True}
