"""What gqlauth costs, side by side with its peers: ``nox -s bench``, or this folder.

``--quick`` measures less, to see that it works; ``--only NAME`` measures one subject; ``--write
FILE`` puts what was measured into a page.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from benchmarks.subjects import SUBJECTS, measure

#: Between these, a page shows figures.
START = "<!-- measured -->"
END = "<!-- /measured -->"


def main() -> None:
    """Measure the subjects, and print a table for each, and whether its goals are reached."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="measure less, to see that it works")
    parser.add_argument("--only", choices=SUBJECTS, action="append", help="measure this subject")
    parser.add_argument("--write", type=Path, metavar="FILE", help="the page that shows it")
    arguments = parser.parse_args()
    machine = (
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} processors"
    )
    print(machine)
    tables = measure(arguments.only or SUBJECTS, quick=arguments.quick)
    if arguments.write is not None:
        write(arguments.write, [machine, *(line for one in tables for line in ("", *one.lines()))])


def write(page: Path, lines: list[str]) -> None:
    """Put `lines` between the two marks of `page`, in the place of what stood there."""
    before, start, rest = page.read_text(encoding="utf-8").partition(START)
    _, end, after = rest.partition(END)
    block = "\n".join(["", "```text", *lines, "```", ""])
    page.write_text(f"{before}{start}{block}{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
