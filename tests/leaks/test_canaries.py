"""The search itself: it finds every canary, in every encoding, if only a part of it."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.leaks.canaries import CANARIES, ENCODINGS, PIECE, Canary, Search, encoded

SEARCH = Search()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.what)
def test_finds_each_in_each_encoding(canary: Canary, encoding: str) -> None:
    """A canary is found in the midst of something else."""
    text = f"2026-11-24 gql: token {encoded(canary.text, encoding)} was sent"

    assert SEARCH(text) == {canary}


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.what)
def test_finds_a_part(canary: Canary) -> None:
    """What a snippet has cut off, or a wrapped line has left, is found."""
    for at in range(0, len(canary.core) - PIECE + 1, PIECE):
        part = canary.core[at : at + PIECE]
        if "\n" not in part:
            assert SEARCH(f"…{part}…") == {canary}


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.what)
def test_finds_what_stands_in_basic(canary: Canary) -> None:
    """A name and a colon before it change nothing."""
    for name in ("a", "ab", "abc"):
        basic = base64.b64encode(f"{name}:{canary.text}".encode()).decode()

        assert SEARCH(f"Authorization: Basic {basic}") == {canary}


def test_finds_nothing_else() -> None:
    """What holds no canary is clean: all of the documentation, and what begins each JWT."""
    for page in (Path(__file__).parents[2] / "docs").glob("*.md"):
        assert SEARCH(page.read_text(encoding="utf-8")) == set()
    assert SEARCH("eyJhbGciOiAiUlMyNTYiLCAi… -----BEGIN PRIVATE KEY----- %3D%22%2B%2F") == set()


def test_finds_it_again() -> None:
    """What was found once is found the next time; only what is clean is remembered."""
    line = f"token {CANARIES[0].text}"

    assert SEARCH(line) == SEARCH(line) == {CANARIES[0]}
