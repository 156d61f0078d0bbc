"""The repository: what is true of it as a whole."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import gqlauth

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

LAYOUT = {
    ".ci",
    ".gitignore",
    "benchmarks",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs",
    "examples",
    "fixtures",
    "gqlauth",
    "LICENSE",
    "noxfile.py",
    "pyproject.toml",
    "README.md",
    "SECURITY.md",
    "strategies",
    "tests",
    "zensical.toml",
}
SOURCES = [
    *sorted((ROOT / "gqlauth").rglob("*.py")),
    *sorted((ROOT / "strategies").rglob("*.py")),
]


def excluded_lines() -> list[str]:
    """Return each line that coverage is told to pass over, and where it stands."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(r"#\s*pragma: no (cover|branch)", line)
    ]


def test_version_is_the_installed_one() -> None:
    """`gqlauth.__version__` is the version of the distribution."""
    assert version("gqlauth") == gqlauth.__version__


def test_version_stands_in_one_place() -> None:
    """The version's text stands in ``_version.py`` and in no other source file."""
    homes = [
        path.name for path in SOURCES if gqlauth.__version__ in path.read_text(encoding="utf-8")
    ]

    assert homes == ["_version.py"]


def test_oldest_classifier_is_the_oldest_python() -> None:
    """The oldest Python of the classifiers is that of ``requires-python``, ruff and mypy."""
    named = [
        classifier.rpartition(" ")[2]
        for classifier in PROJECT["project"]["classifiers"]
        if classifier.startswith("Programming Language :: Python :: 3.")
    ]
    oldest = min(named, key=lambda text: [int(part) for part in text.split(".")])

    assert f">={oldest}" == PROJECT["project"]["requires-python"]
    assert f"py{oldest.replace('.', '')}" == PROJECT["tool"]["ruff"]["target-version"]
    assert oldest == PROJECT["tool"]["mypy"]["python_version"]


def test_top_level_is_fixed() -> None:
    """Nothing comes to the top of the tree unasked, and nothing goes."""
    # Outside of a checkout, such as in an unpacked archive, only what is missing can be told.
    names = {path.name for path in ROOT.iterdir()} & LAYOUT
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "-C", str(ROOT), "ls-files"], capture_output=True, check=True, text=True
        )
        names = {line.partition("/")[0] for line in listed.stdout.splitlines()}

    assert names == LAYOUT


def test_each_line_without_coverage_has_a_reason() -> None:
    """A ``no cover`` is followed by a dash and the reason."""
    bare = [line for line in excluded_lines() if not re.search(r"no (cover|branch) - \w+", line)]

    assert bare == []


def test_lines_without_coverage_are_few() -> None:
    """At most ten lines in the whole project are passed over by coverage."""
    excluded = excluded_lines()

    assert len(excluded) <= 10, excluded


def test_ignored_rules_have_reasons() -> None:
    """Each lint rule that is ignored for the whole project has a comment that says why."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    ignored = text.partition("[tool.ruff.lint]")[2].partition("ignore = [")[2].partition("\n]")[0]

    assert [line for line in ignored.strip().splitlines() if "#" not in line] == []


def test_changelog_has_a_place_for_what_is_to_come() -> None:
    """CHANGELOG.md begins with what is not released yet."""
    headings = re.findall(
        r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert headings[0] == "[Unreleased]"


@pytest.mark.parametrize("command", ["python3 noxfile.py", "python3 noxfile.py -s demo"])
def test_readme_has_the_two_commands(command: str) -> None:
    """README.md shows the one command that runs the demo, and the one that runs all tests."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()

    assert command in lines


def test_ci_runs_the_command_of_the_readme() -> None:
    """``.ci/run`` checks by the README's command, and by nothing else."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert "\npython3 noxfile.py " in script
