"""The words in which ``gql auth`` tells states and times."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from gqlauth import EndpointStatus
from gqlauth._cli import _show
from gqlauth._cli._globals import Globals
from gqlauth._cli.auth import _document

if TYPE_CHECKING:
    from pathlib import Path


class TestWords:
    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (0, "0 s"),
            (99.4, "99 s"),
            (100, "2 min"),
            (3600, "60 min"),
            (6000, "2 h"),
            (90_000, "25 h"),
            (200_000, "2 days"),
            (math.inf, "ever"),
        ],
    )
    def test_durations(self, seconds: float, words: str) -> None:
        """Durations are told as people tell them."""
        assert _show.duration(seconds) == words

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"state": "valid"}, "valid, has no end"),
            (
                {"state": "valid", "expires_at": 1000.0, "expires_in": 600.0},
                "valid, ends in 10 min",
            ),
            (
                {
                    "state": "valid",
                    "expires_at": 1000.0,
                    "expires_in": 600.0,
                    "refresh_at": 700.0,
                },
                "valid, ends in 10 min, refresh due in 5 min",
            ),
            (
                {
                    "state": "refreshing",
                    "expires_at": 1000.0,
                    "expires_in": 200.0,
                    "refresh_at": 700.0,
                },
                "refreshing, ends in 3 min, refresh due now",
            ),
            (
                {"state": "expired", "expires_at": 1000.0, "expires_in": -60.0},
                "expired, ended 60 s ago",
            ),
            ({"state": "failing"}, "failing"),
        ],
    )
    def test_states(
        self,
        values: dict[str, Any],
        words: str,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """A token's state tells when it ends, and when its refresh is due."""
        status = EndpointStatus(
            name="orders", url="", type="bearer", fingerprint="0a1b2c3d", **values
        )

        _show.statuses([status], path=tmp_path, settings=Globals())

        assert f"  state   {words}\n" in capsys.readouterr().out

    def test_json_has_no_infinity(self, tmp_path: Path) -> None:
        """A lifetime that JSON cannot write is null."""
        status = EndpointStatus(
            name="orders", url="", type="bearer", state="valid", expires_in=math.inf
        )

        assert '"expires_in": null' in json.dumps(_document(tmp_path, [status]))
