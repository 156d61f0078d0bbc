"""What a credential looks like in a text, and what could drive a terminal: patterns alone.

Each runs in linear time, as what it reads may come from a hostile server. Most texts hold nothing
of the kind, and most of what is logged is short: so a text is first searched for the plain words
that a credential stands beside, and a pattern is tried only there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from gqlauth._secret import MASK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The last word of a name under which a secret stands: client_secret, refreshToken, X-Api-Key.
# Without what parts its words, and by the part of it that texts are searched for.
_ENDINGS: Final = {
    "secret": ("secret",),
    "password": ("password",),
    "passwd": ("passwd",),
    "passphrase": ("passphrase",),
    "pwd": ("pwd",),
    "token": ("token",),
    "hint": ("tokenhint",),
    "assertion": ("assertion",),
    "key": (
        "apikey",
        "privatekey",
        "accesskey",
        "subscriptionkey",
        "secretkey",
        "signingkey",
        "encryptionkey",
    ),
    "verifier": ("codeverifier",),
    "code": ("devicecode",),
    "response": ("samlresponse",),
    "authorization": ("authorization",),
    "cookie": ("cookie",),
    "credential": ("credential",),
    "credentials": ("credentials",),
    "signature": ("signature",),
    "dpop": ("dpop",),
}
_SENSITIVE: Final = tuple(ending for endings in _ENDINGS.values() for ending in endings)
# Under these names several secrets stand, or the number of them.
_SENSITIVE_PLURAL: Final = ("secrets", "passwords", "tokens", "cookies", "apikeys")
_PARTING: Final = str.maketrans("", "", "_- ")
# Before the longest ending, with what parts its words, nothing of a name is of interest.
_LONGEST_ENDING: Final = 20

# The beginning of a quoted text as JSON and Python write it, or as a text that is quoted itself
# holds it: all but the closing quote, which may be missing where it was cut. Of the groups, the
# last that takes part is the end of what is kept.
_QUOTED: Final = (
    r"(?:(\")(?:[^\"\\]|\\.)*|(')(?:[^'\\]|\\.)*"
    r"|(\\+\")(?:[^\"\\]|\\+[^\"\\])*|(\\+')(?:[^'\\]|\\+[^'\\])*)"
)
_SCHEMES: Final = ("bearer", "basic", "dpop", "digest", "negotiate")
_SCHEME: Final = rf"(?:{'|'.join(_SCHEMES)})"
# What follows the name of a scheme in prose and in WWW-Authenticate.
_NO_CREDENTIAL: Final = (
    r"(?:(?:access|auth|authentication|authorization|challenge|credentials?|error|header|realm"
    r"|scheme|scope|tokens?)(?:[.,;:)]?(?:\s|\Z)|[\"']|=\\*[\"']))"
)
_HTML_QUOTE: Final = r"&(?:quot|\#0*3[49]|\#x0*2[27]);"
# What Python and JSON write where there is no secret, and what a `Secret` shows of itself.
_NO_VALUE: Final = r"(?!(?:None|null|true|false)\b|Secret\()"


class _Pattern:
    """A pattern that is compiled when it is first used.

    To compile all of them takes as long as to start Python, and most texts need few.
    """

    __slots__ = ("_flags", "_text", "match", "search", "sub")

    if TYPE_CHECKING:
        match: Callable[..., re.Match[str] | None]
        search: Callable[[str], re.Match[str] | None]
        sub: Callable[..., str]

    def __init__(self, text: str, flags: int = 0) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - one of the three, before it is set
        compiled = re.compile(self._text, self._flags)
        self.match, self.search, self.sub = compiled.match, compiled.search, compiled.sub
        return getattr(compiled, name)


def _compiled(pattern: str) -> _Pattern:
    return _Pattern(pattern, re.IGNORECASE | re.DOTALL)


# What follows the name of a secret, with a condition on what stands before its end, if there is
# one: each keeps its groups, and masks the rest of what it matches.
_AFTER_NAMES: Final[tuple[tuple[_Pattern | None, _Pattern], ...]] = (
    # ("client_secret", "…") and (b'Set-Cookie', b'…'), as httpcore prints headers.
    (_compiled(r"\(b?[\"'][\w-]*\Z"), _compiled(rf"([\"'],\s*b?){_QUOTED}")),
    # "client_secret": "…" in JSON, and as Python writes a dict; and without quotes around the name.
    (None, _compiled(rf"((?:\\*[\"'])?\s*:\s*b?){_QUOTED}")),
    (None, _compiled(r"(s?\\*[\"']\s*:\s*[\[{])[^\]}]+")),
    (None, _compiled(r"(\\*[\"']\s*:\s*)-?\d[\d.e+-]*")),
    # The same, with the quotes as some JSON writers escape them, and as HTML does.
    (None, _compiled(r"(\\+u0022\s*:\s*\\+u0022)(?:[^\\]|\\+u(?!0022)[0-9a-f]{4})+")),
    (None, _compiled(rf"({_HTML_QUOTE}\s*:\s*{_HTML_QUOTE})(?:(?!{_HTML_QUOTE}).)+")),
    # {"name": "Authorization", "value": "…"}, as headers and fields are listed.
    (None, _compiled(rf"(\\*[\"'],\s*\\*[\"']value\\*[\"']\s*:\s*b?){_QUOTED}")),
    # <access_token>…, <access_token type="…">…, <input name="access_token" value="…">
    (_compiled(r"<[\w:-]*\Z"), _compiled(r"([^<>]{0,200}>)[^<]+")),
    (None, _compiled(r"([\"']?\s+value\s*=\s*[\"']?)[^\"'\s<>]+")),
    # Authorization: Bearer …
    (
        _compiled(r"(?<![\w.])(?:authorization|cookie)\Z"),
        _compiled(rf"(\s*:\s*(?:{_SCHEME}\s+)?)[^\r\n\"']+"),
    ),
    # X-Auth-Token: … where one word is all that follows; several are a sentence.
    (
        _compiled(
            r"(?<![\w.])(?:[\w-]{0,40}-(?:token|secret|password|signature|dpop)|dpop"
            r"|(?:[\w-]{0,40}-)?(?:api|access|subscription)-?key)\Z"
        ),
        _compiled(
            rf"(\s*:\s*(?:{_SCHEME}\s+)?)[^\s\"']+(?=[ \t]*(?:[,;\r\n\"']|\Z))",
        ),
    ),
    # client_secret: … where one long word is all that follows; several are a sentence.
    (None, _compiled(r"([ \t]*:[ \t]+)[^\s\"'<>,;]{8,}(?=[ \t]*(?:[,;\r\n]|\Z))")),
    # client_secret = "…", client_secret=SecretStr(b'…'), client_secret=['…'], client_secret=…
    (None, _compiled(rf"(\s*=\s*(?:[\w.]{{1,40}}\()?b?){_QUOTED}")),
    (None, _compiled(r"(s?\s*=\s*[\[({])[^\])}]+")),
    (None, _compiled(rf"([ \t]*=[ \t]*(?:{_SCHEME}[ \t]+)?){_NO_VALUE}[^&\s\"'<>]+")),
    # The same, and JSON and headers, within what was URL-encoded.
    (
        None,
        _compiled(
            r"((?:(?:%(?:25)?2[27])?(?:\+|%20)?%(?:25)?3[AD]|%2[27]:)(?:\+|%(?:25)?2[027])*)"
            r"[^&\s\"'<>]+"
        ),
    ),
)
_WORDS: Final = tuple(_ENDINGS)
# Without one of these no name, scheme, URL or form has anything to hide.
_PARTED: Final = re.compile(r"[\s\"':=>%]")
# What stands right after a name where one of these may match.
_FOLLOWING: Final = frozenset("s\\\"':=%+>&")
# Before the end of a name, so much is looked at.
_BEFORE: Final = 64
_AFTER_SCHEMES: Final = _compiled(
    rf"\b({_SCHEME}(?:\s+|%20))(?!{_NO_CREDENTIAL})[^\s\"',;<>]{{6,}}"
)

# A private key in PEM, also where its line ends are escaped.
_PEM: Final = _compiled(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[^-]|-(?!----))*"
    r"(?:-----END [A-Z ]{0,40}KEY-----)?"
)
# The password in a URL, and what stands in its place and is too long for a user's name.
_URL_PASSWORD: Final = _compiled(r"(://[^/\s:@?#]*:)[^/\s?#\"'<>]+@")
_URL_USER: Final = _compiled(r"(://)[^/\s:@?#\"'<>]{20,}(?=@|:\*\*\*@)")
# JWTs and their like: base64url of a text that begins with {" . No IGNORECASE here.
_JWT: Final = _Pattern(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*")
# An authorization code in a form; the `code` of an error must stay.
_CODE: Final = _Pattern(
    r"(?P<before>[?&#]|&amp;|)(?<![\w-])code=(?P<value>[^&\s\"'<>]*)(?P<after>&?)"
)
# The same in a URL that stands in another's query.
_CODE_WITHIN: Final = _compiled(r"(%(?:3F|26|23)code%3D).+?(?=%26|%23|[&\s\"'<>]|\Z)")

# C0 with DEL, C1, marks that turn the direction of text around, line separators, surrogates that
# no stream can encode, and the invisible tags.
CONTROL: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
    r"\U000e0000-\U000e007f]"
)


def is_sensitive(name: str, *, several: bool = True) -> bool:
    """Tell whether a secret stands under `name`, however it is spelled.

    With `several`, also whether several do: under such a name may stand their number, too.
    """
    word = name.lower().replace("_", "").replace("-", "").replace(" ", "").replace(".", "")
    return word.endswith(_SENSITIVE) or (several and word.endswith(_SENSITIVE_PLURAL))


def mask_patterns(text: str) -> str:
    """Return `text` with what looks like a credential masked."""
    if "-----" in text:
        text = _PEM.sub(MASK, text)
    if _PARTED.search(text):
        text = _mask_after_names(text)
        if "://" in text and "@" in text:
            text = _URL_PASSWORD.sub(rf"\g<1>{MASK}@", text)
            text = _URL_USER.sub(rf"\g<1>{MASK}", text)
        if "code=" in text:
            text = _CODE.sub(_mask_code, text)
        if "code%3" in text:
            text = _CODE_WITHIN.sub(rf"\g<1>{MASK}", text)
    if "eyJ" in text:
        text = _JWT.sub(MASK, text)
    return text


def _mask_after_names(text: str) -> str:
    # Each character in its place: of one alone the lower case is two.
    lower = text.replace("\u0130", "i").lower()
    ends: list[int] = []
    for word in _WORDS:
        if word in lower:
            ends += _ends(lower, word)
    parts: list[str] = []
    done = 0
    for end in sorted(ends):
        found = None if end < done else _after_name(text, end)
        if found is not None:
            assert found.lastindex is not None
            parts += (text[done : found.end(found.lastindex)], MASK)
            done = found.end()
    if parts:
        text = "".join([*parts, text[done:]])
    for scheme in _SCHEMES:
        if scheme in lower and _stands_alone(lower, scheme):
            return _AFTER_SCHEMES.sub(rf"\g<1>{MASK}", text)
    return text


def _stands_alone(lower: str, scheme: str) -> bool:
    """Tell whether something follows the name of a scheme, somewhere."""
    at = lower.find(scheme) + len(scheme)
    while at >= len(scheme) and not (lower[at : at + 1].isspace() or lower.startswith("%20", at)):
        at = lower.find(scheme, at) + len(scheme)
    return at >= len(scheme)


def _ends(lower: str, word: str) -> Iterator[int]:
    """Give where names end that end in `word`, where a secret may follow."""
    endings = _ENDINGS[word]
    at = lower.find(word)
    while at >= 0:
        end = at + len(word)
        after = lower[end : end + 1]
        if (after in _FOLLOWING or after.isspace()) and (
            endings[0] == word
            or lower[max(0, end - _LONGEST_ENDING) : end].translate(_PARTING).endswith(endings)
        ):
            yield end
        at = lower.find(word, end)


def _after_name(text: str, end: int) -> re.Match[str] | None:
    """Return what follows a name that ends there, if it is a secret."""
    before = text[max(0, end - _BEFORE) : end]
    for condition, pattern in _AFTER_NAMES:
        if condition is None or condition.search(before):
            found = pattern.match(text, end)
            if found is not None:
                return found
    return None


def _mask_code(match: re.Match[str]) -> str:
    if not match["value"] or not (match["before"] or match["after"]):
        return match[0]
    return f"{match['before']}code={MASK}{match['after']}"
