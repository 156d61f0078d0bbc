"""Redaction: what keeps a secret that slipped through out of logs, errors and terminals.

It is the last of three walls, and masks too much rather than too little. Three ways lead to a
mask: the name that a value stands under, the shape of a text, and a value that is known. Every
pattern runs in linear time, as what it reads may come from a hostile server.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping
from logging import LogRecord
from typing import Any, Final

from gqlauth._secret import MASK, Secret

#: Characters of one text that are kept; the rest is cut.
LONGEST: Final = 16_384
#: A shorter value is not looked for: it would be found everywhere.
SHORTEST_KNOWN: Final = 6
#: Containers within containers that are walked; what lies deeper is redacted as text.
DEEPEST: Final = 8

# The last word of a name under which a secret stands: client_secret, refreshToken, X-Api-Key.
_NAME: Final = (
    r"(?:secret|passw(?:or)?d|passphrase|token|assertion|api[_-]?key|private[_-]?key"
    r"|code[_-]?verifier|device[_-]?code|authorization|cookie|credentials?)"
)
_SENSITIVE: Final = re.compile(rf"{_NAME}\Z", re.IGNORECASE)
# Under these names several secrets stand, or the number of them.
_SENSITIVE_PLURAL: Final = re.compile(
    r"(?:secrets|passwords|tokens|cookies|api[_-]?keys)\Z", re.IGNORECASE
)

# The beginning of a quoted text as JSON and Python write it, or as a text that is quoted itself
# holds it: all but the closing quote, which may be missing where it was cut.
_QUOTED: Final = (
    r"(?:(\")(?:[^\"\\]|\\.)*|(')(?:[^'\\]|\\.)*"
    r"|(\\+\")(?:[^\"\\]|\\+[^\"\\])*|(\\+')(?:[^'\\]|\\+[^'\\])*)"
)
# With what stands before as the first group; of the kinds of quotes, one is there.
_MASK_QUOTED: Final = rf"\g<1>\g<2>\g<3>\g<4>\g<5>{MASK}"
_SCHEME: Final = r"(?:Bearer|Basic|DPoP|Digest|Negotiate)"
# What follows the name of a scheme in prose and in WWW-Authenticate.
_NO_CREDENTIAL: Final = (
    r"(?:(?:access|auth|authentication|authorization|challenge|credentials?|error|header|realm"
    r"|scheme|scope|tokens?)(?:[.,;:)]?(?:\s|\Z)|[\"']|=\\*[\"']))"
)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


# Each pattern with what to put in place of its matches.
_PATTERNS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    # A private key in PEM, also where its line ends are escaped.
    (
        _compiled(
            r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[^-]|-(?!----))*"
            r"(?:-----END [A-Z ]{0,40}KEY-----)?"
        ),
        MASK,
    ),
    # ("client_secret", "…") and (b'Set-Cookie', b'…'), as httpcore prints headers.
    (
        _compiled(rf"(\(b?[\"'][\w-]{{0,40}}{_NAME}[\"'],\s*b?){_QUOTED}"),
        _MASK_QUOTED,
    ),
    # "client_secret": "…" in JSON, and as Python writes a dict.
    (_compiled(rf"({_NAME}\\*[\"']\s*:\s*b?){_QUOTED}"), _MASK_QUOTED),
    (_compiled(rf"({_NAME}\\*[\"']\s*:\s*)-?\d[\d.e+-]*"), rf"\g<1>{MASK}"),
    # Authorization: Bearer …
    (
        _compiled(
            rf"(?<![\w.])((?:(?:proxy-)?authorization|(?:set-)?cookie|(?:x-)?api-key"
            rf"|x-auth-token|x-amz-security-token)\s*:\s*(?:{_SCHEME}\s+)?)[^\r\n\"']+"
        ),
        rf"\g<1>{MASK}",
    ),
    # client_secret = "…", client_secret=…
    (_compiled(rf"({_NAME}\s*=\s*){_QUOTED}"), _MASK_QUOTED),
    (_compiled(rf"({_NAME}=)[^&\s\"'<>]+"), rf"\g<1>{MASK}"),
    (
        _compiled(rf"\b({_SCHEME}\s+)(?!{_NO_CREDENTIAL})[^\s\"',;<>]{{6,}}"),
        rf"\g<1>{MASK}",
    ),
    # The password in a URL.
    (_compiled(r"(://[^/\s:@?#]*:)[^/\s?#\"'<>]+@"), rf"\g<1>{MASK}@"),
    # JWTs and their like: base64url of a text that begins with {" . No IGNORECASE here.
    (re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*"), MASK),
)
# An authorization code in a form; the `code` of an error must stay.
_CODE: Final = re.compile(r"(?P<before>[?&]?)(?<![\w-])code=(?P<value>[^&\s\"'<>]*)(?P<after>&?)")

# C0 with DEL, C1, marks that turn the direction of text around, line separators, surrogates that
# no stream can encode, and the invisible tags.
_CONTROL: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
    r"\U000e0000-\U000e007f]"
)
_SHORT_ESCAPES: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def escape_control(text: str) -> str:
    r"""Return `text` with all that could drive a terminal, or deceive an eye, made visible.

    Control characters, bidirectional overrides, line separators and the like come out as ``\n``,
    ``\x1b`` and ``\u202e``.
    """
    return _CONTROL.sub(_escape, text)


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
    for form in sorted({form for value in known for form in _forms(value)}, key=len, reverse=True):
        text = text.replace(form, MASK)
    rest = len(text) - LONGEST
    # A credential that the cut will halve is still whole for the patterns.
    text = text[: 2 * LONGEST]
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    text = _CODE.sub(_mask_code, text)
    return text if rest <= 0 else f"{text[:LONGEST]}… (cut)"


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
    if _SENSITIVE.search(name):
        return True
    return bool(_SENSITIVE_PLURAL.search(name)) and not isinstance(value, int | float)


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
    # Either may be what a renderer prints of it.
    texts = ((text, redact_text(text)) for text in (str(value), repr(value)))
    return next((redacted for text, redacted in texts if redacted != text), value)


def _redacted_text(value: str | bytes | bytearray) -> str | bytes | bytearray:
    text = value if isinstance(value, str) else value.decode("utf-8", "surrogateescape")
    redacted = redact_text(text)
    if redacted == text:
        return value
    return redacted if text is value else redacted.encode("utf-8", "surrogateescape")


def _redacted_mapping(value: Mapping[Any, Any], depth: int) -> Mapping[Any, Any]:
    items = list(value.items())
    masked = {key: redact(item, name=key, depth=depth + 1) for key, item in items}
    # The `code` of a token request is an authorization code.
    if "grant_type" in masked and "code" in masked:
        masked["code"] = MASK
    return value if all(masked[key] is item for key, item in items) else masked


def _redacted_items(value: Collection[Any], depth: int) -> Any:  # noqa: ANN401 - see redact
    items = list(value)
    # A pair may be a header, or a field: its first half is then the name of the second.
    name = items[0] if isinstance(value, tuple | list) and len(items) == 2 else None  # noqa: PLR2004
    masked = [
        redact(item, name=name if index else None, depth=depth + 1)
        for index, item in enumerate(items)
    ]
    if all(new is old for new, old in zip(masked, items, strict=True)):
        return value
    if isinstance(value, tuple):
        names = getattr(value, "_fields", None)
        return tuple(masked) if names is None else dict(zip(names, masked, strict=True))
    return masked


def _fields(value: object) -> Mapping[str, Any] | None:
    """Return what the ``repr`` of an attrs class or a dataclass shows; None for others."""
    cls = type(value)
    described: Iterable[Any] | None = getattr(cls, "__attrs_attrs__", None)
    if described is None:
        described = getattr(cls, "__dataclass_fields__", {}).values() or None
    if described is None:
        return None
    return {field.name: getattr(value, field.name) for field in described if field.repr}


def _redacted_fields(value: object, fields: Mapping[str, Any], depth: int) -> object:
    masked = {name: redact(item, name=name, depth=depth + 1) for name, item in fields.items()}
    if all(masked[name] is item for name, item in fields.items()):
        return value
    # As it would be printed; making another one may fail, and would run its code.
    shown = ", ".join(f"{name}={item!r}" for name, item in masked.items())
    return f"{type(value).__name__}({shown})"
