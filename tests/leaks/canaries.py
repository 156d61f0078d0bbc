"""Secrets that exist to be looked for, and the search for them in every encoding.

It shares no code with the redactor: what that one forgets must be found here.
"""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: So many characters of a canary in a row are a leak: no part of a secret may be told either.
PIECE: Final = 8
_HEX: Final = re.compile(rf"[0-9a-fA-F]{{{2 * PIECE},}}")


@attrs.frozen
class Canary:
    """A made-up secret."""

    what: str
    # A traceback that shows variables shows a canary, too; that would be no leak of ours.
    text: str = attrs.field(repr=False)
    #: The part that nothing else has: not what each JWT begins with, nor each private key.
    part: str = attrs.field(default="", repr=False)

    @property
    def core(self) -> str:
        return self.part or self.text


def _segment(value: object) -> str:
    encoded = base64.urlsafe_b64encode(json.dumps(value).encode()).decode()
    return encoded.rstrip("=")


_CLAIMS: Final = _segment({"sub": "q7Zk-X2vR", "jti": "mB9wT4nL"})
_SIGNATURE: Final = "Hs5Yd0JcQx8uVbE3aPfG7rMkWnZt1oLi"
_PEM_LINES: Final = (
    "x9Jm3VqLw7RtYb5NcZdK8pHsGf2XaQeU4iOkTgWnMrBvCyPzDuSj6lEhA1oIF0x9",
    "Tq8Wz4Ej7Rn2Ym5Lk9Xc3Vb6Np1Hd0Gs8Fa4Jo7Ki2Ue5Qt9Zr3Cw6Bx1My0Lv8P",
)

CLIENT_SECRET: Final = Canary("client secret", 'kX7/vQ2+pL9&wZ4=tR8"mN3\\jB6 é5%dF')
POSTED_SECRET: Final = Canary("secret in a file", "yH3?sC8#gU1/oE6+aT9=iK2;nW5:qJ7<zP4>")
PARAMETER: Final = Canary("secret parameter", "Vd4|Lm8~Rk2^Xs6`Bp0!Gf3(Nj7)Yw1{Qh5}")
HEADER_KEY: Final = Canary("secret header", "Ux6-Ja1_Wb9.Fe3~Kr7'Oc2*Zi5\"Tn8\\Mv4")
SHARED_KEY: Final = Canary("secret header of token requests", "Sk6.Wp3-Lg9_Rc4!Ty8~Md1*Vz5'Hn2|Bq7")
BEARER: Final = Canary("bearer token", "Pz2Lw8.Gy5-Dk1_Xr7~Bt4+Qn9/Hs3Vj6==")
PASSWORD: Final = Canary("password", "Rf5:Yk2 Nq8/Wd3+Zc7&Js1=Ga6ß'Lx4\"Eo9")
API_KEY: Final = Canary("API key", "Ic8.Tm3-Bh6_Sw1~Ke5+Dx9/Uv2=Fp7,Ay4")
ACCESS_TOKEN: Final = Canary("access token", "Oj1Mr6.Ct9-Xe4_Hb8~Zl2+Nu5/Kw7Vf3==")
JWT: Final = Canary(
    "access token that is a JWT",
    f"{_segment({'alg': 'RS256', 'typ': 'at+jwt'})}.{_CLAIMS}.{_SIGNATURE}",
    f"{_CLAIMS}.{_SIGNATURE}",
)
PROXY_PASSWORD: Final = Canary("password of a proxy", "Eq4/Bz9+Tj2@Hx6:Wn1%Rc8=Sd5&Lg7")
PRIVATE_KEY: Final = Canary(
    "private key",
    "-----BEGIN PRIVATE KEY-----\n{}\n{}\n-----END PRIVATE KEY-----".format(*_PEM_LINES),
    "\n".join(_PEM_LINES),
)
CACHE_KEY: Final = Canary("key of stored tokens", "e5FJoyhRn4DECgtlAoJfuQvL4j0P87r5eg96jW35Gig=")
REDIS_PASSWORD: Final = Canary("password of a Redis", "Jd7@Vm2/Xq9:Tb4+Ls6%Gw1=Yh8&Ck3")
PLAIN: Final = Canary("secret that stands in a file", "Qw7Er3Zx9Cv5Bn1Mk8Jh4Gf6Ds2Ap0")
#: No `Secret` ever holds this one, so that no redactor knows it.
PLANTED: Final = Canary("planted secret", "Zg8Vn2Hc6Ty4Ls9Bw1Xk7Dp3Rm5Jf0Qa")

CANARIES: Final = (
    CLIENT_SECRET,
    POSTED_SECRET,
    PARAMETER,
    HEADER_KEY,
    SHARED_KEY,
    BEARER,
    PASSWORD,
    API_KEY,
    ACCESS_TOKEN,
    JWT,
    PROXY_PASSWORD,
    PRIVATE_KEY,
    CACHE_KEY,
    REDIS_PASSWORD,
    PLAIN,
    PLANTED,
)

#: How a text may come to be written, each by its name. Some bring several forms.
ENCODINGS: Final = (
    "plain",
    "URL-encoded",
    "URL-encoded in lower case",
    "URL-encoded, with slashes",
    "form-encoded",
    "JSON-escaped",
    "JSON-escaped, in UTF-8",
    "JSON-escaped, with slashes",
    "JSON in JSON",
    "as Python writes it",
    "as Python writes bytes",
    "HTML-escaped",
    "base64",
    "base64, one byte after",
    "base64, two bytes after",
    "base64url",
    "base64url, one byte after",
    "base64url, two bytes after",
    "base64 of the URL-encoded",
    "base64 of the URL-encoded, one byte after",
    "base64 of the URL-encoded, two bytes after",
    "hex",
    "hex in capitals",
    "in capitals",
    "in lower case",
    "with a line broken",
)


def encoded(text: str, encoding: str) -> str:
    """Return `text` in an encoding of `ENCODINGS`."""
    base, _, modifier = encoding.partition(", ")
    if base.startswith("base64"):
        data = quote(text, safe="").encode() if "of the" in base else text.encode()
        before = {"one byte after": 1, "two bytes after": 2}.get(modifier, 0)
        done = base64.b64encode(b":" * before + data).decode()
        return done.translate(str.maketrans("+/", "-_")) if base == "base64url" else done
    forms: dict[str, Callable[[], str]] = {
        "plain": lambda: text,
        "URL-encoded": lambda: quote(text, safe=""),
        "URL-encoded in lower case": lambda: re.sub(
            "%..", lambda found: found[0].lower(), quote(text, safe="")
        ),
        "URL-encoded, with slashes": lambda: quote(text),
        "form-encoded": lambda: quote_plus(text),
        "JSON-escaped": lambda: json.dumps(text)[1:-1],
        "JSON-escaped, in UTF-8": lambda: json.dumps(text, ensure_ascii=False)[1:-1],
        "JSON-escaped, with slashes": lambda: json.dumps(text)[1:-1].replace("/", r"\/"),
        "JSON in JSON": lambda: json.dumps(json.dumps(text))[3:-3],
        "as Python writes it": lambda: repr(text)[1:-1],
        "as Python writes bytes": lambda: repr(text.encode())[2:-1],
        "HTML-escaped": lambda: html.escape(text),
        "hex": lambda: text.encode().hex(),
        "hex in capitals": lambda: text.encode().hex().upper(),
        "in capitals": text.upper,
        "in lower case": text.lower,
        "with a line broken": lambda: f"{text[: len(text) // 2]}\n{text[len(text) // 2 :]}",
    }
    return forms[encoding]()


class Search:
    """Finds canaries in texts, whole or in part."""

    def __init__(self, canaries: Iterable[Canary] = CANARIES) -> None:
        self._pieces: dict[int, dict[str, Canary]] = {PIECE: {}, 2 * PIECE: {}}
        for canary in canaries:
            for piece in _pieces_of(canary):
                self._pieces[len(piece)][piece] = canary
        self._clean: set[str] = set()

    def __call__(self, text: str) -> set[Canary]:
        """Return the canaries that `text` tells, if only `PIECE` characters of one."""
        found: set[Canary] = set()
        # Most of what many runs print is the same.
        for line in text.splitlines():
            if line not in self._clean:
                told = set(self._in_line(line))
                found |= told
                if not told:
                    self._clean.add(line)
        return found

    def _in_line(self, line: str) -> Iterator[Canary]:
        known = self._pieces[PIECE].get
        for at in range(len(line) - PIECE + 1):
            canary = known(line[at : at + PIECE])
            if canary is not None:
                yield canary
        known = self._pieces[2 * PIECE].get
        for digits in _HEX.finditer(line):
            for at in range(digits.start(), digits.end() - 2 * PIECE + 1):
                canary = known(line[at : at + 2 * PIECE])
                if canary is not None:
                    yield canary


def _pieces_of(canary: Canary) -> Iterator[str]:
    for encoding in ENCODINGS:
        # Two digits a character; and eight of them in a row are found in many a time and address.
        length = 2 * PIECE if encoding.startswith("hex") else PIECE
        for line in encoded(canary.core, encoding).splitlines():
            # The edges of base64 depend on what stands beside.
            form = line.rstrip("=")[2:-2] if encoding.startswith("base64") else line
            for at in range(len(form) - length + 1):
                yield form[at : at + length]
