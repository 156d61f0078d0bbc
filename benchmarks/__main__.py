"""What gqlauth costs, side by side with its peers: ``nox -s bench``, or this folder.

``--quick`` measures less, to see that it works; ``--only NAME`` measures one subject.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from benchmarks.subjects import SUBJECTS, measure


def main() -> None:
    """Measure the subjects, and print a table for each, and whether its goals are reached."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="measure less, to see that it works")
    parser.add_argument("--only", choices=SUBJECTS, action="append", help="measure this subject")
    arguments = parser.parse_args()
    print(
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} processors"
    )
    measure(arguments.only or SUBJECTS, quick=arguments.quick)


main()
