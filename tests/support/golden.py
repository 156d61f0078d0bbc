"""Snapshots of what `gql` prints, one readable file each, under fixtures/golden."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

if TYPE_CHECKING:
    from syrupy.location import PyTestLocation

GOLDEN = Path(__file__).parents[2] / "fixtures" / "golden"


class GoldenExtension(SingleFileSnapshotExtension):
    """Keeps a text as it is, in a file named after the test, in a folder named after its module."""

    file_extension = "txt"
    _write_mode = WriteMode.TEXT

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(GOLDEN / test_location.basename)
