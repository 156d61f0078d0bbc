"""The benchmarks, as tests run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def quick(*subjects: str, page: Path | None = None) -> str:
    """Return what a quick run prints of some subjects, and writes into `page`."""
    options = [option for name in subjects for option in ("--only", name)]
    options += [] if page is None else ["--write", str(page)]
    ran = subprocess.run(
        [sys.executable, "-P", str(ROOT / "benchmarks"), "--quick", *options],
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    assert ran.stderr == ""
    return ran.stdout
