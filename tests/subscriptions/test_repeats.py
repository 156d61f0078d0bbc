"""`Repeats`: what a new connection brings though the old one has brought it."""

from __future__ import annotations

import pytest

from gqlauth._subscriptions._repeats import Repeats


@pytest.mark.parametrize(
    ("seen", "held", "expected"),
    [
        ("", "", ""),
        ("abc", "", ""),
        ("abc", "cde", "c"),
        ("abc", "bcd", "bc"),
        ("abc", "ab", "abc"),
        ("abc", "def", ""),
        ("aaa", "aaa", "a"),
        ("aba", "aba", "a"),
        ("abc", "acb", ""),
    ],
)
def test_what_comes_again(seen: str, held: str, expected: str) -> None:
    """What comes again is the shortest end of what was seen that the rest begins with."""
    repeats = Repeats.of(seen, held)

    assert [repeats.has(event) for event in expected] == [True] * len(expected)
    assert not any(map(repeats.has, "xabc"))


@pytest.mark.parametrize(
    ("seen", "held", "expected"), [("abc", "cd", ""), ("abc", "bcd", "bc"), ("aaa", "aaa", "")]
)
def test_so_many_at_least(seen: str, held: str, expected: str) -> None:
    """Where fewer may be chance, none come again."""
    repeats = Repeats.of(seen, held, least=2)

    assert [repeats.has(event) for event in expected] == [True] * len(expected)
    assert not any(map(repeats.has, "xabc"))


def test_another_event_ends_it() -> None:
    """What differs from what was to come again is new, and so is all that follows."""
    repeats = Repeats.of("abc", "ab")

    assert [repeats.has(event) for event in "axbc"] == [True, False, False, False]
