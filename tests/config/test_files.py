"""The files of ``fixtures/config``: the good ones are equal, and all that is wrong in the bad."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gqlauth import ConfigError
from gqlauth._config import load
from tests.support.golden import GoldenExtension

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

FILES = Path(__file__).parents[2] / "fixtures" / "config"
GOOD = sorted(path.name for path in (FILES / "good").iterdir())
BAD = sorted(
    str(path.relative_to(FILES / "bad")) for path in (FILES / "bad").rglob("*") if path.is_file()
)


def told(name: str) -> str:
    try:
        return "\n".join(str(problem) for problem in load(name, environ={}).problems)
    except ConfigError as error:
        return f"cannot be read: {error}"


@pytest.mark.parametrize("name", GOOD)
def test_good(name: str) -> None:
    """In each format, and in each of its styles, they say the same."""
    example = load(FILES / "good" / "gqlauth.toml", environ={}).require()

    config = load(FILES / "good" / name, environ={}).require()

    assert config.endpoints == example.endpoints
    assert config.default_endpoint == "orders"


@pytest.mark.parametrize("name", BAD, ids=[name.replace("/", " ") for name in BAD])
def test_bad(name: str, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is wrong is told at once, each thing at its place, and no secret."""
    monkeypatch.chdir(FILES / "bad")

    text = told(name)

    assert text
    assert "s3cr3t" not in text
    assert snapshot.use_extension(GoldenExtension) == text + "\n"
