"""What gqlauth costs, side by side with doing without it: ``nox -s bench``, or this folder.

``--quick`` measures less, to see that it works.
"""

from __future__ import annotations

import argparse
import platform
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from benchmarks.commands import command_line
from benchmarks.library import library


def main() -> None:
    """Run all benchmarks, and print ratios to the first of each table."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="measure less, to see that it works")
    quick = parser.parse_args().quick
    print(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    command_line(quick=quick)
    library(quick=quick)


main()
