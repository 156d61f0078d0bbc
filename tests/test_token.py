"""`Token`: what proves a request, for how long, and never shown."""

from __future__ import annotations

import base64
import copy
import inspect
import json
import pickle
import traceback
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import attrs
import cattrs
import pytest

from gqlauth._secret import Secret
from gqlauth._token import Strategy, Token
from gqlauth.errors import Problem, SecretError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gqlauth._endpoint import TokenEndpoint

TEXT = "correct-horse-battery"
NOW = 1_800_000_000.0


def jwt(claims: object) -> str:
    """Return an unsigned JWT with these claims, or this text in their place."""
    text = claims if isinstance(claims, str) else json.dumps(claims)
    parts = ('{"alg":"none"}', text, "signature")
    return ".".join(base64.urlsafe_b64encode(one.encode()).decode().rstrip("=") for one in parts)


class Vault:
    """A source that gives one text."""

    def __init__(self, text: str) -> None:
        self.text = text

    async def read(self) -> str:
        return self.text

    def __str__(self) -> str:
        return "vault a"


class Line:
    """The place of a reference in a configuration file."""

    def problem(self, message: str) -> Problem:
        return Problem(message, file="gqlauth.toml", line=9, key="endpoints.prod.auth.token")


class TestHeader:
    @pytest.mark.parametrize(
        ("token", "name", "value"),
        [
            (Token("t"), "Authorization", "Bearer t"),
            (Token("t", token_type="DPoP"), "Authorization", "DPoP t"),
            (Token("t", token_type=""), "Authorization", "t"),
            (Token("t", token_type="", header_name="X-Api-Key"), "X-Api-Key", "t"),
            (Token("a b\tc"), "Authorization", "Bearer a b\tc"),
            (Token(Secret("t")), "Authorization", "Bearer t"),
        ],
    )
    def test_is_name_and_value(self, token: Token, name: str, value: str) -> None:
        """The header's value is the scheme, if there is one, and the text."""
        assert (token.header_name, token.header_value) == (name, value)

    def test_reveal_is_the_text_alone(self) -> None:
        """`reveal` gives the text without the scheme."""
        assert Token("t x", token_type="DPoP").reveal() == "t x"


class TestRefused:
    @pytest.mark.parametrize(
        "text",
        ["a\r\nX-Evil: 1", "a\n", "a\0", " a", "a ", "\ta", "a\x7f", "tökèn", "a\x85b", "\u202ea"],
    )
    def test_characters_that_no_header_may_carry(self, text: str) -> None:
        """A text that would break, or smuggle, a header is refused."""
        with pytest.raises(
            ValueError, match=r"^the token has characters that no header may carry$"
        ):
            Token(text)

    @pytest.mark.parametrize("text", ["", None, b"abc", 7])
    def test_what_is_no_text(self, text: Any) -> None:
        """A token is a text, and not empty."""
        with pytest.raises(ValueError, match=r"^the token is empty, or no text$"):
            Token(text)

    def test_token_type_is_one_for_all(self) -> None:
        """Ten thousand tokens of a server have the same text as their type."""
        one, other = (text.decode() for text in (b"Bearer", b"Bearer"))

        assert Token("t", token_type=one).token_type is Token("u", token_type=other).token_type

    def test_token_type_of_an_enumeration(self) -> None:
        """A type that is a text of a kind of its own stays what it is."""

        class Kind(StrEnum):
            DPOP = "DPoP"

        assert Token("t", token_type=Kind.DPOP).token_type is Kind.DPOP
        assert Token("t", token_type=Kind.DPOP).header_value == "DPoP t"

    @pytest.mark.parametrize("token_type", ["Bea\nrer", " Bearer", "Bearer ", "Bëarer"])
    def test_token_type(self, token_type: str) -> None:
        """A scheme that no header may carry is refused."""
        with pytest.raises(ValueError, match=r"^token_type has characters"):
            Token("t", token_type=token_type)

    @pytest.mark.parametrize("header_name", ["", "X Key", "X-Key:", "X\nKey", "Clé"])
    def test_header_name(self, header_name: str) -> None:
        """A name that no header may have is refused."""
        with pytest.raises(ValueError, match=r"^header_name is no name"):
            Token("t", header_name=header_name)

    @pytest.mark.parametrize("expires_in", ["300", True, float("nan"), float("inf"), object()])
    def test_lifetime_that_is_no_number(self, expires_in: Any) -> None:
        """A lifetime that nobody can count with is refused, and does not live for ever."""
        with pytest.raises(ValueError, match=r"^expires_in is no number of seconds$"):
            Token("t", expires_in=expires_in)

    @pytest.mark.parametrize("text", [TEXT + "\n", TEXT.encode()])
    def test_is_not_shown(self, text: Any) -> None:
        """What is refused stands neither in the error nor in the variables of its frame."""
        with pytest.raises(ValueError, match="the token") as raised:
            Token(text)
        told = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
        inside = told.stack[-1]

        assert inside.name == "__init__"
        assert TEXT not in f"{inside.locals} {raised.value}"

    @pytest.mark.parametrize("keyword", [{"header_name": ""}, {"expires_in": float("nan")}])
    def test_with_something_else_is_not_shown(self, keyword: dict[str, Any]) -> None:
        """A good text that comes with something bad is not shown either."""
        with pytest.raises(ValueError, match="no n") as raised:
            Token(TEXT, **keyword)
        told = traceback.TracebackException.from_exception(raised.value, capture_locals=True)

        assert TEXT not in f"{told.stack[-1].locals}"

    @pytest.mark.anyio
    async def test_secret_tells_its_source_and_place(self) -> None:
        """A secret that is no token is told by where it comes from, and not shown."""
        secret = await Secret.from_source(Vault(TEXT + "\n"), place=Line()).resolve()

        with pytest.raises(SecretError) as raised:
            Token(secret)

        assert str(raised.value) == (
            "gqlauth.toml:9: endpoints.prod.auth.token: "
            "the secret (vault a) has characters that no header may carry"
        )

    def test_secret_that_is_not_resolved(self) -> None:
        """A reference makes no token before it is resolved."""
        with pytest.raises(SecretError, match=r"\(vault a\) is a reference: resolve it first"):
            Token(Secret.from_source(Vault(TEXT)))


class TestNeverPrints:
    @pytest.mark.parametrize(
        "way",
        [
            repr,
            str,
            format,
            lambda token: "%s %r" % (token, token),  # noqa: UP031 - a way to print
            lambda token: f"{token} {token!r} {token=}",
            lambda token: json.dumps([token], default=str),
            lambda token: {name: getattr(token, name) for name in dir(token)},
            lambda token: {name: getattr(token, name) for name in type(token).__slots__},
            inspect.getmembers,
            copy.copy,
            copy.deepcopy,
            cattrs.unstructure,
            lambda token: attrs.asdict(Holder(token)),
        ],
    )
    def test_shown(self, way: Callable[[Token], object]) -> None:
        """Whatever shows a token does not show its text."""
        assert TEXT not in repr(way(Token(TEXT)))

    @pytest.mark.parametrize(
        "way",
        [
            pickle.dumps,
            json.dumps,
            vars,
            lambda token: token.__getstate__(),
            lambda token: token.__reduce_ex__(2),
            lambda token: f"{token:>40}",
        ],
    )
    def test_written_out(self, way: Callable[[Any], object]) -> None:
        """What would write a token out is refused, without showing it."""
        with pytest.raises(TypeError) as raised:
            way(Token(TEXT))

        assert TEXT not in str(raised.value)

    def test_shows_scheme_and_fingerprint(self) -> None:
        """A token is told by its scheme, or its header, and its fingerprint."""
        assert repr(Token("t")) == "Token(Bearer e3b98a4d…)"
        assert repr(Token("t", token_type="", header_name="X-Key")) == "Token(X-Key e3b98a4d…)"

    def test_dir_names_the_rest(self) -> None:
        """What may be shown is found by `dir`."""
        assert {"expires_at", "fingerprint", "reveal"} <= set(dir(Token("t")))


@attrs.frozen
class Holder:
    """Something that holds a token."""

    token: Token


def test_fingerprint_is_of_the_text() -> None:
    """The fingerprint is the first 8 hex digits of the SHA-256 of the text, without scheme."""
    assert Token("t").fingerprint == Token("t", token_type="").fingerprint == "e3b98a4d"


def test_copies_are_itself() -> None:
    """A copy of a token is that token."""
    token = Token("t")

    assert copy.copy(token) is token
    assert copy.deepcopy(token) is token


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Token("t", expires_in=5), True),
        (Token("t", header_name="authorization"), True),
        (Token("u"), False),
        (Token("t", token_type="DPoP"), False),
        (Token("t", header_name="X-Key"), False),
    ],
)
def test_same_text(other: Token, same: bool) -> None:  # noqa: FBT001 - a case
    """Two tokens are the same credential when they make the same header, whatever their life."""
    assert Token("t").same_text(other) is same


class TestLifetime:
    def test_is_unknown_at_first(self) -> None:
        """Until somebody says when it was asked for, a token has no end."""
        token = Token("t", expires_in=60)

        assert (token.issued_at, token.expires_at) == (None, None)

    def test_counts_from_when_it_was_asked_for(self) -> None:
        """A lifetime counts from the moment that is told, which both clocks tell."""
        token = Token("t", expires_in=60)

        assert token.issued(NOW, 5.0) is token
        assert (token.issued_at, token.issued_monotonic) == (NOW, 5.0)
        assert token.expires_at == NOW + 60

    def test_first_word_stands(self) -> None:
        """A token that was asked for cannot be made younger."""
        token = Token("t", expires_in=60).issued(NOW, 5.0).issued(NOW + 9, 14.0)

        assert (token.issued_at, token.issued_monotonic) == (NOW, 5.0)

    def test_without_any_is_for_ever(self) -> None:
        """A static credential has no end."""
        assert Token("t").issued(NOW, 5.0).expires_at is None

    def test_default_serves_where_none_is_told(self) -> None:
        """Where nobody tells a lifetime, it is the default."""
        assert Token("t").issued(NOW, 5.0, default_lifetime=300).expires_in == 300

    @pytest.mark.parametrize("expires_in", [60, 0, -1, 0.5, 1e308])
    def test_told_goes_before_default_and_jwt(self, expires_in: float) -> None:
        """What the answer tells goes before the JWT's word, and before the default."""
        token = Token(jwt({"exp": NOW + 900}), expires_in=expires_in)

        assert token.issued(NOW, 5.0, default_lifetime=300).expires_in == expires_in


class TestJwt:
    @pytest.mark.parametrize("exp", [NOW + 900, int(NOW) + 900])
    @pytest.mark.parametrize("default", [None, 300])
    def test_ends_when_it_says(self, exp: float, default: float | None) -> None:
        """A JWT lives as long as its `exp` says, where nothing else is told."""
        token = Token(jwt({"exp": exp})).issued(NOW, 5.0, default_lifetime=default)

        assert token.expires_at == NOW + 900

    def test_that_ended_has_the_default(self) -> None:
        """A JWT that was just given out and has ended shows a wrong clock: the default serves."""
        token = Token(jwt({"exp": NOW - 1})).issued(NOW, 5.0, default_lifetime=300)

        assert token.expires_in == 300

    def test_static_that_ended_has_ended(self) -> None:
        """A static JWT that has ended is over, as there is no default to go by."""
        assert Token(jwt({"exp": NOW - 1})).issued(NOW, 5.0).expires_in == -1

    @pytest.mark.parametrize(
        "text",
        [
            jwt({"exp": True}),
            jwt({"exp": "soon"}),
            jwt({"exp": None}),
            jwt({"exp": 0}),
            jwt({"exp": -5}),
            jwt({"exp": 253e9}),
            jwt('{"exp": NaN}'),
            jwt('{"exp": Infinity}'),
            jwt('{"exp": 1e999}'),
            jwt('{"exp": ' + "9" * 5000 + "}"),
            jwt({}),
            jwt([1]),
            jwt("no JSON"),
            jwt("[" * 100_000),
            jwt({"exp": NOW + 900}).rpartition(".")[0],
            jwt({"exp": NOW + 900}) + ".more.parts",
            "x" + jwt({"exp": NOW + 900}),
            "eyJ.A.c",
            "eyJ._w.c",
        ],
        ids=lambda text: text[:40],
    )
    def test_nonsense_tells_nothing(self, text: str) -> None:
        """What is no JWT, or has no date in it, tells no lifetime, and breaks nothing."""
        assert Token(text).issued(NOW, 5.0, default_lifetime=300).expires_in == 300


class TestStrategy:
    def test_is_whatever_fetches(self) -> None:
        """A strategy need not inherit: what has `fetch` is one."""

        class Acme:
            async def fetch(self, _endpoint: TokenEndpoint, /) -> Token:
                return Token("t")

        assert isinstance(Acme(), Strategy)
        assert not isinstance(object(), Strategy)
