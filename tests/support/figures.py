"""What tests measure, for who reads a run of them."""

from __future__ import annotations

from typing import Final

#: The property of a test under which it tells its figures: ``record_property(FIGURES, "…")``.
FIGURES: Final = "figures"
