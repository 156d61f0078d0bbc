"""What the store on disk leaves behind: no token, no secret, and no key, in any encoding."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from gqlauth._stores._seal import Seal
from tests.leaks.canaries import ACCESS_TOKEN, CACHE_KEY, JWT
from tests.leaks.world import Leak, gives

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gqlauth import Token
    from tests.leaks.canaries import Canary
    from tests.leaks.world import World

ASK = ("api", "{ me }", "-vvv", "-e")
#: Those whose tokens a server grants, and those whose credential is read somewhere.
GRANTED = ("orders", "posted", "raw")
STATIC = ("bearer", "basic", "header")


@pytest.fixture
def stored(world: World) -> Callable[[], list[Path]]:
    """Switch the store on, and give what tells the tokens that are there."""
    world.monkeypatch.setenv("GQLAUTH_CACHE_KEY", CACHE_KEY.text)
    folder = world.root / "home" / ".cache" / "gqlauth" / "tokens"
    return lambda: sorted(folder.glob("*.sealed"))


@pytest.mark.parametrize("token", [ACCESS_TOKEN, JWT], ids=lambda token: token.what)
def test_no_file_holds_a_token(
    world: World, stored: Callable[[], list[Path]], token: Canary
) -> None:
    """Nor a secret, nor the key, be it fetched or found."""
    world.tokens.respond = lambda _: gives(token)
    for _ in range(2):
        for name in (*GRANTED, *STATIC):
            outcome = world(*ASK, name)
            assert (outcome.code, outcome.leaks) == (0, set())

    assert len(stored()) == len(GRANTED)
    raw = base64.b64decode(CACHE_KEY.text)
    assert not [path for path in stored() if raw in path.read_bytes()]


@pytest.mark.parametrize(
    "damage",
    [lambda data: b"", lambda data: data[:-3], lambda data: data[:8] + b"8 bytes!" + data[16:]],
    ids=["empty", "torn", "of another key"],
)
def test_nothing_is_told_of_what_cannot_be_opened(
    world: World, stored: Callable[[], list[Path]], damage: Callable[[bytes], bytes]
) -> None:
    """It is dropped, and the request goes on."""
    world(*ASK, "orders")
    (path,) = stored()
    path.write_bytes(damage(path.read_bytes()))

    outcome = world(*ASK, "orders")

    assert (outcome.code, outcome.leaks) == (0, set())
    assert "stored token dropped" in outcome.stderr


def test_nothing_is_told_of_a_key_that_is_none(world: World) -> None:
    """It may be a secret of something else."""
    world.monkeypatch.setenv("GQLAUTH_CACHE_KEY", CACHE_KEY.text[3:])

    outcome = world(*ASK, "orders")

    assert (outcome.code, outcome.leaks) == (0, set())
    assert "is no base64 of 32 bytes" in outcome.stderr


def test_one_that_seals_nothing_is_found(world: World, stored: Callable[[], list[Path]]) -> None:
    """The harness looks into the files."""

    def plain(_seal: Seal, _key: str, token: Token) -> bytes:
        return token.reveal().encode()

    world.monkeypatch.setattr(Seal, "sealed", plain)

    leaks = world(*ASK, "orders").leaks

    (path,) = stored()
    assert leaks == {Leak(ACCESS_TOKEN.what, str(path.relative_to(world.root)))}
