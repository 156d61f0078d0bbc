"""docs/reliability.md: behind each promise there is a test."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
NAMED: Final = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE)))


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_named_test_exists(file: str, test: str) -> None:
    """Each test that the page names is there to be run."""
    text = (ROOT / file).read_text(encoding="utf-8")

    assert re.search(rf"^ *(?:async )?def {test}\(", text, re.MULTILINE)


def test_each_promise_names_its_test() -> None:
    """No bullet of the page promises anything without a test behind it."""
    promised = PAGE.partition("## What is not promised")[0]
    bullets = [line for line in promised.splitlines() if line.startswith("- ")]

    assert [bullet for bullet in bullets if "::test_" not in bullet] == []
