"""The cache's key: what shapes a token, and no secret's value."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

import attrs
import pytest

from gqlauth import Secret
from gqlauth._key import _MARKS, cache_key
from gqlauth._options import AuthOptions
from gqlauth._secret_sources import EnvSource


@attrs.frozen
class Source:
    """Where a secret may come from; a key must never read it."""

    argv: tuple[str, ...]

    async def read(self) -> str:
        raise AssertionError("read for a key")

    def __str__(self) -> str:
        return f"command {self.argv[0]}"


class Colour(Enum):
    """A field of a plugin may be one."""

    RED = 1
    BLUE = 2


@attrs.frozen
class Inner:
    """So may another attrs class."""

    x: int = 1


@attrs.frozen
class Grant:
    """A strategy with a field of each kind."""

    scopes: Any = ("a", "b")
    resource: Any = ("x", "y")
    params: Any = attrs.field(factory=dict)
    secret: Any = None
    other: Any = None


def key(strategy: object = None, options: AuthOptions | None = None, **fields: Any) -> str:
    return cache_key(strategy or Grant(**fields), options or AuthOptions()).digest


def test_equal_strategies_have_one_key() -> None:
    """Whatever object they are."""
    assert key() == key()


def test_the_order_of_scopes_does_not_matter() -> None:
    """RFC 6749, section 3.3; their case does."""
    assert key(scopes=("b", "a")) == key()
    assert key(scopes=("B", "a")) != key()


def test_the_order_of_other_sequences_does() -> None:
    """Nobody says that it does not."""
    assert key(resource=("y", "x")) != key()


def test_the_order_of_a_mapping_and_of_a_set_does_not() -> None:
    """They have none."""
    assert key(params={"a": "1", "b": "2"}) == key(params={"b": "2", "a": "1"})
    assert key(other={"a", "b"}) == key(other={"b", "a"})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, ""),
        ("1", 1),
        (("a",), frozenset({"a"})),
        ({"a": "b"}, ("a", "b")),
        (Colour.RED, Colour.BLUE),
        (Path("a"), "a"),
        (Inner(1), Inner(2)),
        (b"a", "a"),
        (("ab", "c"), ("a", "bc")),
    ],
)
def test_different_values_have_different_keys(one: Any, other: Any) -> None:
    """Also where they are written alike."""
    assert key(other=one) != key(other=other)
    assert key(other=one) == key(other=one)


def test_a_reference_counts_by_where_it_leads() -> None:
    """No secret is read for a key: that may run a command."""
    one, same, other = (
        Secret.from_source(Source(("op", "read", name))) for name in ("a", "a", "b")
    )
    assert key(secret=one) == key(secret=same)
    assert key(secret=one) != key(secret=other)


def test_a_secret_given_in_code_counts_by_its_value() -> None:
    """Under a key of this process."""
    assert key(secret=Secret("abc")) == key(secret=Secret("abc"))
    assert key(secret=Secret("abc")) != key(secret=Secret("abd"))


def test_the_class_and_the_trusted_certificates_count() -> None:
    """Two grants with equal fields are two; and so are two servers."""

    @attrs.frozen
    class Other(Grant):
        """Another grant."""

    assert key(Other()) != key(Grant())
    assert key(options=AuthOptions(ca_file=Path("ca.pem"))) != key()


def test_how_a_token_is_got_does_not_count() -> None:
    """Two endpoints may differ in patience and share a token."""
    assert key(options=AuthOptions(timeout=1)) == key()


def test_a_class_that_cannot_be_compared_shares_with_itself_alone() -> None:
    """No sharing, and no mistake."""
    one, other = Plain(), Plain()
    assert key(one) == key(one)
    assert key(one) != key(other)


class Plain:
    """A strategy that is no attrs class."""


def test_a_later_object_is_another_though_it_lies_where_one_lay() -> None:
    """An address is given away again; the token of a tenant who is gone is not."""
    keys = {key(Plain()) for _ in range(50)}
    assert len(keys) == 50
    assert len({key(other=Plain()) for _ in range(50)}) == 50


def test_what_is_gone_leaves_nothing_behind() -> None:
    """As many strategies may come and go as there are requests."""
    before = len(_MARKS)
    one = Plain()
    key(one)
    assert len(_MARKS) == before + 1
    del one
    assert len(_MARKS) == before


def test_what_cannot_be_watched_shares_with_nothing() -> None:
    """Not even with itself, as nobody could tell when it is gone."""
    one = object()
    assert key(other=one) != key(other=one)


def lasts(strategy: object = None, **fields: Any) -> bool:
    return cache_key(strategy or Grant(**fields), AuthOptions()).lasting


def test_what_is_told_by_values_lasts() -> None:
    """Another process comes to the same key."""
    reference = Secret.from_source(Source(("op", "read", "a")))
    assert lasts(secret=reference, params={"a": ["b", Colour.RED, Path("/c")]}, other=Inner())


@pytest.mark.parametrize(
    "value", [Secret("s3cr3t"), [Secret("s3cr3t")], Plain(), object(), Path("c")]
)
def test_what_no_other_process_knows_does_not(value: object) -> None:
    """Neither a secret given in code, nor what is known by itself, nor a relative path."""
    assert not lasts(other=value)


def test_nor_does_what_a_class_made_in_passing_says() -> None:
    """Each script has classes of its own under the same names."""
    made = attrs.make_class("Made", ["x"])
    script = attrs.make_class("Script", ["x"])
    made.__module__ = script.__module__ = __name__
    assert lasts(made(1))
    made.__qualname__ = "function.<locals>.Made"
    script.__module__ = "__main__"
    assert [lasts(made(1)), lasts(script(1)), lasts(Plain())] == [False] * 3
    assert [lasts(other=made(1)), lasts(other=script(1))] == [False] * 2


def test_the_variables_of_its_secrets_are_told() -> None:
    """In another process, they may be others."""
    one, other = (Secret.from_source(EnvSource(name)) for name in ("ONE", "OTHER"))
    grant = Grant(secret=other, params={"a": one}, other=Secret.from_source(Source(("op",))))
    assert cache_key(grant, AuthOptions()).variables == ("ONE", "OTHER")
