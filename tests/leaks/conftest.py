"""What the leak harness shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.leaks.world import World, data
from tests.support.http_server import http_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[World]:
    """Give a project full of canaries, whose servers run."""
    with http_server(data) as tokens, http_server(data) as api:
        yield World(tmp_path, monkeypatch, capfd, tokens, api)
