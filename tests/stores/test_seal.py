"""`Seal`: a token as bytes that tell nothing, and that nobody can change or swap."""

from __future__ import annotations

import base64
import json
import os
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from gqlauth import Secret, Token
from gqlauth._key import CacheKey
from gqlauth._stores._seal import SKEW, OthersTokenError, Seal, UnsealedError, new_key
from gqlauth.testing import FrozenClock

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = "correct-horse-battery"
PLACE = CacheKey("ab" * 32)
KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def seal(clock: FrozenClock) -> Seal:
    return Seal(Secret(KEY), clock)


def issued(clock: FrozenClock, **fields: Any) -> Token:
    token = Token(TEXT, **{"expires_in": 600.0, **fields})
    return token.issued(clock.wall(), clock.monotonic())


def shape(token: Token) -> dict[str, object]:
    names = ("token_type", "header_name", "scopes", "expires_in", "issued_at")
    return {"text": token.reveal(), **{name: getattr(token, name) for name in names}}


def told(seal: Seal, data: bytes, place: CacheKey = PLACE) -> str:
    """Return why `data` is no token."""
    with pytest.raises(UnsealedError) as caught:
        seal.opened(place, data)
    return str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"scopes": ("orders:read", "orders:write")},
        {"scopes": ()},
        {"token_type": "DPoP"},
        {"token_type": "", "header_name": "X-Api-Key"},
        {"expires_in": -1.5},
    ],
)
def test_a_token_comes_back_whole(seal: Seal, clock: FrozenClock, fields: dict[str, Any]) -> None:
    """What comes out is what went in."""
    token = issued(clock, **fields)

    opened = seal.opened(PLACE, seal.sealed(PLACE, token))

    assert shape(token) == shape(opened)


def test_it_is_as_old_as_it_is(seal: Seal, clock: FrozenClock) -> None:
    """By the monotonic clock, too, of which another process has another one."""
    sealed = seal.sealed(PLACE, issued(clock))
    clock.advance(100.0)
    clock.now_monotonic = 7.0

    opened = seal.opened(PLACE, sealed)

    assert opened.issued_at == clock.wall() - 100.0
    assert opened.issued_monotonic == 7.0 - 100.0


def test_a_clock_that_is_a_little_behind_counts_from_now(seal: Seal, clock: FrozenClock) -> None:
    """Where another machine's clock is ahead, the token is as old as can be told: new."""
    sealed = seal.sealed(PLACE, issued(clock))
    clock.now_wall -= SKEW

    opened = seal.opened(PLACE, sealed)

    assert (clock.wall(), clock.monotonic()) == (opened.issued_at, opened.issued_monotonic)


def test_a_clock_that_was_set_back_tells_no_age(seal: Seal, clock: FrozenClock) -> None:
    """A token that is yet to be issued is none."""
    sealed = seal.sealed(PLACE, issued(clock))
    clock.now_wall -= SKEW + 1.0

    assert told(seal, sealed) == "is yet to be issued: the clock was set back"


def test_nothing_of_it_can_be_read(seal: Seal, clock: FrozenClock) -> None:
    """Neither the token nor what stands around it, and no two are alike."""
    token = issued(clock, scopes=("orders:read",))

    first, second = seal.sealed(PLACE, token), seal.sealed(PLACE, token)

    for part in (b"correct", b"orders", b"Bearer", b"600"):
        assert part not in first
    assert first[16:] != second[16:]


@pytest.mark.parametrize("position", range(16, 16 + 12 + 40))
def test_a_changed_bit_is_seen(seal: Seal, clock: FrozenClock, position: int) -> None:
    """Be it one of the nonce or of the ciphertext."""
    data = bytearray(seal.sealed(PLACE, issued(clock)))
    data[position] ^= 1

    assert told(seal, bytes(data)) == "is torn, was changed, or is in another's place"


def test_it_fits_its_own_place_only(seal: Seal, clock: FrozenClock) -> None:
    """One token's bytes are of no use in another's place."""
    data = seal.sealed(PLACE, issued(clock))

    assert told(seal, data, CacheKey("cd" * 32)) == "is torn, was changed, or is in another's place"


def test_it_is_of_no_use_to_who_has_other_secrets(
    seal: Seal, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where they stand in variables, those are to be the same; which they were is told nowhere."""
    place = CacheKey("ab" * 32, variables=("ACME", "OTHER"))
    monkeypatch.setenv("ACME", "s3cr3t")
    data = seal.sealed(place, issued(clock))
    assert seal.opened(place, data).reveal() == TEXT

    monkeypatch.setenv("OTHER", "")
    with pytest.raises(OthersTokenError, match="was got with another value of ACME, OTHER"):
        seal.opened(place, data)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: b"", "is torn"),
        (lambda data: data[:20], "is torn"),
        (lambda data: data[:40], "is torn, was changed, or is in another's place"),
        (lambda data: b"GQL" + data[3:], "is torn"),
        (lambda data: os.urandom(100), "is torn"),
        (lambda data: data[:7] + b"\x02" + data[8:], "is of another version of gqlauth"),
        (lambda data: data[:8] + bytes(8) + data[16:], "was sealed with another key"),
    ],
    ids=["empty", "no header", "no end", "no magic", "noise", "version", "key"],
)
def test_what_is_no_token_says_why(
    seal: Seal, clock: FrozenClock, change: Callable[[bytes], bytes], expected: str
) -> None:
    """So that who reads the log knows what happened to the file."""
    assert told(seal, change(seal.sealed(PLACE, issued(clock)))) == expected


def test_another_key_opens_nothing(seal: Seal, clock: FrozenClock) -> None:
    """And it is told that it is the key."""
    sealed = Seal(Secret(new_key()), clock).sealed(PLACE, issued(clock))

    assert told(seal, sealed) == "was sealed with another key"


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"{}",
        b"\xff",
        json.dumps({"text": "a\nb"}).encode(),
        json.dumps(
            {
                "text": "a\nb",
                "token_type": "Bearer",
                "header_name": "Authorization",
                "scopes": None,
                "issued_at": 0,
                "expires_in": 1,
            }
        ).encode(),
    ],
)
def test_what_holds_no_token_is_told_without_its_text(
    seal: Seal, monkeypatch: pytest.MonkeyPatch, clock: FrozenClock, content: bytes
) -> None:
    """Where somebody with the key wrote nonsense; the error leads to no variable that holds it."""
    monkeypatch.setattr("gqlauth._stores._seal._content", lambda *_: content)
    sealed = seal.sealed(PLACE, issued(clock))

    with pytest.raises(UnsealedError, match="holds no token") as caught:
        seal.opened(PLACE, sealed)

    shown = "".join(
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    )
    assert caught.value.__context__ is None
    assert TEXT not in shown


class TestKey:
    def test_a_new_one_is_good(self, clock: FrozenClock) -> None:
        """What is made here is what is wanted here."""
        seal = Seal(Secret(new_key()), clock)

        assert seal.opened(PLACE, seal.sealed(PLACE, issued(clock))).reveal() == TEXT

    @pytest.mark.parametrize(
        "text",
        [
            KEY,
            f" {KEY}\n",
            KEY.rstrip("="),
            base64.urlsafe_b64encode(b"\xfb" * 32).decode(),
            base64.b64encode(b"\xfb" * 32).decode(),
        ],
    )
    def test_any_base64_of_32_bytes_will_do(self, clock: FrozenClock, text: str) -> None:
        """With either alphabet, padded or not, with a line's end or without."""
        seal = Seal(Secret(text), clock)

        assert seal.opened(PLACE, seal.sealed(PLACE, issued(clock))).reveal() == TEXT

    @pytest.mark.parametrize(
        "text", ["x", KEY[:-8], KEY + "AAAA", "*" * 44, "ä" * 44, "not the key of anything at all"]
    )
    def test_anything_else_will_not(self, clock: FrozenClock, text: str) -> None:
        """It is told what is wanted, and not what came."""
        with pytest.raises(ValueError, match=r"^is no base64 of 32 bytes$"):
            Seal(Secret(text), clock)

    def test_it_is_nowhere_to_be_seen(self, seal: Seal) -> None:
        """No attribute of a seal gives its key away."""
        values = [getattr(seal, name) for name in Seal.__slots__]

        assert KEY not in repr(values)
        assert bytes(range(32)) not in values
