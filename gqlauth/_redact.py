"""Redaction: what keeps a secret that slipped through out of logs, errors and terminals.

It is the last of three walls, and masks too much rather than too little. Three ways lead to a
mask: the name that a value stands under, the shape of a text, and a value that is known.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping
from logging import LogRecord
from typing import Any, Final

from gqlauth._patterns import CODE, CONTROL, PATTERNS, SENSITIVE, SENSITIVE_PLURAL
from gqlauth._secret import MASK, Secret

#: Characters of one text that are kept; the rest is cut.
LONGEST: Final = 16_384
#: A shorter value is not looked for: it would be found everywhere.
SHORTEST_KNOWN: Final = 6
#: Containers within containers that are walked; what lies deeper is redacted as text.
DEEPEST: Final = 8

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
    """Return `text` with what looks like a credential masked, and with the `known` values masked.

    A known value is found in plain, URL-encoded, JSON-escaped, HTML-escaped and base64 form, also
    within the base64 of ``Basic``, from 6 characters on. A text past `LONGEST` is cut.
    """
    # The known first, on the whole: a cut may halve what could then not be found.
    text = mask_known(text, known)
    rest = len(text) - LONGEST
    # A credential that the cut will halve is still whole for the patterns.
    text = text[: 2 * LONGEST]
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    text = CODE.sub(_mask_code, text)
    return text if rest <= 0 else f"{text[:LONGEST]}… (cut)"


def mask_known(text: str, known: Iterable[str]) -> str:
    """Return `text` with the `known` values masked, and nothing else; see `redact_text`."""
    for form in sorted({form for value in known for form in _forms(value)}, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def _mask_code(match: re.Match[str]) -> str:
    if not match["value"] or not (match["before"] or match["after"]):
        return match[0]
    return f"{match['before']}code={MASK}{match['after']}"


def _forms(value: str) -> Iterator[str]:
    """Give the forms in which `value` may appear in a text."""
    if len(value) < SHORTEST_KNOWN:
        return
    # Nothing of this is paid for where no secret was sent.
    import html  # noqa: PLC0415
    import json  # noqa: PLC0415
    from urllib.parse import quote, quote_plus  # noqa: PLC0415

    data = value.encode("utf-8", "surrogatepass")
    quoted = quote(data, safe="")
    yield value
    yield quoted
    yield quote(data)
    yield quote_plus(data)
    yield re.sub("%..", lambda escape: escape[0].lower(), quoted)
    escaped = json.dumps(value)[1:-1]
    yield escaped
    yield escaped.replace("/", r"\/")
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield repr(value)[1:-1]
    yield html.escape(value)
    yield from _base64_forms(data)
    # client_secret_basic encodes twice.
    yield from _base64_forms(quoted.encode("ascii"))


def _base64_forms(data: bytes) -> Iterator[str]:
    """Give the base64 of `data` wherever it stands in what was encoded.

    Three bytes become four characters, so there are three ways for it to fall; of each, the
    characters that `data` alone decides.
    """
    import base64  # noqa: PLC0415 - as above

    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode("ascii")
        form = encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        yield form
        yield form.replace("+", "-").replace("/", "_")


def redact_secrets(
    _logger: object, _name: str, event_dict: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Mask secrets in a structlog event: a processor, for any chain.

    It masks what stands under the name of a secret (``client_secret``, ``Authorization``,
    ``accessToken``…) in mappings, sequences, attrs classes, dataclasses and headers, however
    nested, and what looks like a credential in any text. It never raises, and changes nothing
    else. Put it after what renders exceptions, and before what renders the event.
    """
    for key in list(event_dict):
        # Either is for a processor that is still to come.
        if key != "exc_info" and not isinstance(event_dict[key], LogRecord):
            event_dict[key] = redact(event_dict[key], name=key)
    return event_dict


def redact(value: Any, *, name: object = None, depth: int = 0) -> Any:  # noqa: ANN401 - it is any
    """Return `value`, that stands under `name`, redacted; itself where nothing is to be masked."""
    try:
        if _is_secret(name, value):
            return MASK
        return _redacted(value, depth)
    except Exception:  # noqa: BLE001 - a log call must not fail; what cannot be read is not shown
        return MASK


def _is_secret(name: object, value: object) -> bool:
    if isinstance(name, bytes):
        name = name.decode("latin-1")
    # "no token" and "there is one" are no secrets, and a Secret shows just where it comes from.
    if not isinstance(name, str) or value is None or isinstance(value, bool | Secret):
        return False
    if SENSITIVE.search(name):
        return True
    return bool(SENSITIVE_PLURAL.search(name)) and not isinstance(value, int | float)


def _redacted(value: Any, depth: int) -> Any:  # noqa: ANN401 - see redact
    if value is None or isinstance(value, bool | int | float | Secret):
        return value
    if isinstance(value, str | bytes | bytearray):
        return _redacted_text(value)
    if depth < DEEPEST:
        if isinstance(value, Mapping):
            return _redacted_mapping(value, depth)
        if isinstance(value, list | tuple | set | frozenset):
            return _redacted_items(value, depth)
        fields = _fields(value)
        if fields is not None:
            return _redacted_fields(value, fields, depth)
    return _redacted_whole(value)


def _redacted_whole(value: object, known: Iterable[str] = ()) -> object:
    # Either may be what a renderer prints of it.
    texts = ((text, redact_text(text, known)) for text in (str(value), repr(value)))
    return next((redacted for text, redacted in texts if redacted != text), value)


def _redacted_text(value: str | bytes | bytearray) -> str | bytes | bytearray:
    text = value if isinstance(value, str) else value.decode("utf-8", "surrogateescape")
    redacted = redact_text(text)
    if redacted == text:
        return value
    return redacted if text is value else redacted.encode("utf-8", "surrogateescape")


def _redacted_mapping(value: Mapping[Any, Any], depth: int) -> Mapping[Any, Any]:
    items = list(value.items())
    masked = [
        (redact(key, depth=depth + 1), redact(item, name=key, depth=depth + 1))
        for key, item in items
    ]
    # The `code` of a token request is an authorization code.
    if "grant_type" in value:
        masked = [(key, MASK if key == "code" else item) for key, item in masked]
    if all(new[0] is old[0] and new[1] is old[1] for new, old in zip(masked, items, strict=True)):
        return value
    return dict(masked)


def _redacted_items(value: Collection[Any], depth: int) -> Any:  # noqa: ANN401 - see redact
    names: tuple[str, ...] | None = getattr(value, "_fields", None)
    items = list(value)
    if names is not None:
        named = dict(zip(names, items, strict=True))
        masked_names = _redacted_mapping(named, depth)
        return value if masked_names is named else masked_names
    # A pair may be a header, or a field: its first half is then the name of the second.
    name = items[0] if isinstance(value, tuple | list) and len(items) == 2 else None  # noqa: PLR2004
    masked = [
        redact(item, name=name if index else None, depth=depth + 1)
        for index, item in enumerate(items)
    ]
    if all(new is old for new, old in zip(masked, items, strict=True)):
        return value
    return tuple(masked) if isinstance(value, tuple) else masked


def _fields(value: object) -> dict[str, Any] | None:
    """Return what the ``repr`` of an attrs class or a dataclass shows; None for others."""
    cls = type(value)
    described: Iterable[Any] | None = getattr(cls, "__attrs_attrs__", None)
    if described is None:
        described = getattr(cls, "__dataclass_fields__", {}).values() or None
    if described is None:
        return None
    return {field.name: getattr(value, field.name) for field in described if field.repr is True}


def _redacted_fields(value: object, fields: Mapping[str, Any], depth: int) -> object:
    masked = {name: redact(item, name=name, depth=depth + 1) for name, item in fields.items()}
    changed = [name for name, item in fields.items() if masked[name] is not item]
    if not changed:
        return _redacted_whole(value)
    # As it prints itself: making another one may fail, and would run its code.
    shown = repr(value)
    for name in changed:
        shown = shown.replace(f"{name}={fields[name]!r}", f"{name}={masked[name]!r}")
    # A class that prints itself in its own way may show them elsewhere.
    return redact_text(shown, [fields[name] for name in changed if isinstance(fields[name], str)])
