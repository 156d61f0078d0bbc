"""What a credential looks like in a text, and what could drive a terminal: patterns alone.

Each runs in linear time, as what it reads may come from a hostile server.
"""

from __future__ import annotations

import re
from typing import Final

from gqlauth._secret import MASK

# The last word of a name under which a secret stands: client_secret, refreshToken, X-Api-Key.
_NAME: Final = (
    r"(?:secret|passw(?:or)?d|passphrase|pwd|token(?:[_-]?hint)?|assertion|api[_-]?key"
    r"|(?:private|access|subscription)[_-]?key|code[_-]?verifier|device[_-]?code|saml[_-]?response"
    r"|authorization|cookie|credentials?|signature)"
)
SENSITIVE: Final = re.compile(rf"{_NAME}\Z", re.IGNORECASE)
# Under these names several secrets stand, or the number of them.
SENSITIVE_PLURAL: Final = re.compile(
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
# What Python and JSON write where there is no secret, and what a `Secret` shows of itself.
_NO_VALUE: Final = r"(?!(?:None|null|true|false)\b|Secret\()"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


# Each pattern with what to put in place of its matches.
PATTERNS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
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
    # "client_secret": "…" in JSON, and as Python writes a dict; and without quotes around the name.
    (_compiled(rf"({_NAME}(?:\\*[\"'])?\s*:\s*b?){_QUOTED}"), _MASK_QUOTED),
    (_compiled(rf"({_NAME}s?\\*[\"']\s*:\s*\[)[^\]]+"), rf"\g<1>{MASK}"),
    (_compiled(rf"({_NAME}\\*[\"']\s*:\s*)-?\d[\d.e+-]*"), rf"\g<1>{MASK}"),
    # <access_token>…
    (_compiled(rf"(<[\w:-]{{0,40}}{_NAME}>)[^<]+"), rf"\g<1>{MASK}"),
    # Authorization: Bearer …
    (
        _compiled(
            rf"(?<![\w.])((?:(?:proxy-)?authorization|(?:set-)?cookie)\s*:\s*(?:{_SCHEME}\s+)?)"
            r"[^\r\n\"']+"
        ),
        rf"\g<1>{MASK}",
    ),
    # X-Auth-Token: … where one word is all that follows; several are a sentence.
    (
        _compiled(
            r"(?<![\w.])((?:[\w-]{0,40}-(?:token|secret|password|signature)|(?:[\w-]{0,40}-)?"
            rf"(?:api|access|subscription)-?key)\s*:\s*(?:{_SCHEME}\s+)?)"
            r"[^\s\"']+(?=[ \t]*(?:[,;\r\n\"']|\Z))"
        ),
        rf"\g<1>{MASK}",
    ),
    # client_secret: … where one long word is all that follows; several are a sentence.
    (
        _compiled(rf"({_NAME}[ \t]*:[ \t]+)[^\s\"'<>,;]{{8,}}(?=[ \t]*(?:[,;\r\n]|\Z))"),
        rf"\g<1>{MASK}",
    ),
    # client_secret = "…", client_secret=…
    (_compiled(rf"({_NAME}\s*=\s*){_QUOTED}"), _MASK_QUOTED),
    (
        _compiled(
            rf"({_NAME}[ \t]*=[ \t]*(?:{_SCHEME}[ \t]+)?){_NO_VALUE}[^&\s\"'<>]+",
        ),
        rf"\g<1>{MASK}",
    ),
    # The same, and JSON and headers, within what was URL-encoded.
    (
        _compiled(rf"({_NAME}(?:%2[27])?(?:\+|%20)?%3[AD](?:\+|%2[027])*)[^&\s\"'<>]+"),
        rf"\g<1>{MASK}",
    ),
    (
        _compiled(rf"\b({_SCHEME}\s+)(?!{_NO_CREDENTIAL})[^\s\"',;<>]{{6,}}"),
        rf"\g<1>{MASK}",
    ),
    # The password in a URL, and what stands in its place and is too long for a user's name.
    (_compiled(r"(://[^/\s:@?#]*:)[^/\s?#\"'<>]+@"), rf"\g<1>{MASK}@"),
    (_compiled(r"(://)[^/\s:@?#\"'<>]{20,}@"), rf"\g<1>{MASK}@"),
    # JWTs and their like: base64url of a text that begins with {" . No IGNORECASE here.
    (re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*"), MASK),
)
# An authorization code in a form; the `code` of an error must stay.
CODE: Final = re.compile(r"(?P<before>[?&]?)(?<![\w-])code=(?P<value>[^&\s\"'<>]*)(?P<after>&?)")

# C0 with DEL, C1, marks that turn the direction of text around, line separators, surrogates that
# no stream can encode, and the invisible tags.
CONTROL: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
    r"\U000e0000-\U000e007f]"
)
