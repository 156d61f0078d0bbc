"""The demo, as the README's first command runs it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

# What differs from one run to the next.
_CHANGING: Final = (
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"(?<=after 1 try, )[\d.]+ s", "TIME"),
    (r"(?<=fingerprint )[0-9a-f]{8}", "FINGERPRINT"),
    (r"(?m)/\S*/gqlauth\.toml$", "PATH"),
    (r"(?<=disk \()/\S*(?=/gqlauth/tokens)", "CACHE"),
)


def steady(text: str) -> str:
    for pattern, name in _CHANGING:
        text = re.sub(pattern, name, text)
    return text


def test_the_readme_shows_what_the_demo_prints() -> None:
    """Its output in README.md is that of a real run, but for ports and times."""
    ran = subprocess.run(
        [sys.executable, "-P", str(ROOT / "fixtures" / "demo")],
        capture_output=True,
        check=False,
        text=True,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", readme, re.DOTALL)
    assert steady(ran.stdout) in [steady(block) for block in blocks]
