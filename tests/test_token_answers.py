"""The answers of ``fixtures/token_answers``: what each proves is its name, and what it comes to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from gqlauth import Secret, TokenRefusedError
from gqlauth._answer import Answer, TryAgainError
from tests.support.golden import GoldenExtension

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from gqlauth import TokenError

FILES = Path(__file__).parents[1] / "fixtures" / "token_answers"
#: 15 January 2027, 08:00:00.
NOW = 1_800_000_000.0
SENT = Secret("not-the-secret")


def names(folder: str) -> list[str]:
    return sorted(path.stem for path in (FILES / folder).glob("*.http"))


def answer(folder: str, name: str) -> Answer:
    """Return an answer as it is written: status line, headers, an empty line, the body."""
    head, _, body = (FILES / folder / f"{name}.http").read_bytes().partition(b"\n\n")
    first, *lines = head.decode("ascii").splitlines()
    parted = (line.partition(": ") for line in lines)
    headers = httpx.Headers({name: value for name, _, value in parted})
    return Answer("https://id.example.com/token", int(first.split()[1]), headers, body, "", [SENT])


def told(error: TokenError) -> str:
    parts = (
        f"{type(error).__name__}: {error}",
        "" if error.retry_after is None else f"retry after {error.retry_after:g} s",
        f"hint: {error.hint}" if error.hint else "",
    )
    return "".join(f"{part}\n" for part in parts if part)


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(GoldenExtension)


@pytest.mark.parametrize("name", names("accepted"))
def test_accepted(name: str, golden: SnapshotAssertion) -> None:
    """It brings a token, though the answer be sloppy."""
    token = answer("accepted", name).token(NOW)

    assert token.header_value == "Bearer 2YotnFZFEjr1zCsicMWpAA"
    assert golden == f"expires_in {token.expires_in}, scopes {token.scopes}\n"


@pytest.mark.parametrize("name", names("refused"))
def test_refused(name: str, golden: SnapshotAssertion) -> None:
    """It is told at once, as no other try would mend it, and without the secret."""
    with pytest.raises(TokenRefusedError) as caught:
        answer("refused", name).token(NOW)

    assert SENT.reveal() not in str(caught.value)
    assert golden == told(caught.value)


@pytest.mark.parametrize("name", names("tried_again"))
def test_tried_again(name: str, golden: SnapshotAssertion) -> None:
    """It may be another one the next time; this is told if it is not."""
    with pytest.raises(TryAgainError) as caught:
        answer("tried_again", name).token(NOW)

    assert golden == told(caught.value.error)
