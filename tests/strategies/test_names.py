"""The names of the strategies, each imported when it is first asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import gqlauth_strategies


def test_one_is_imported_without_the_others() -> None:
    """A configuration seldom has more than one, and a command waits for each."""
    program = (
        "import sys; from gqlauth_strategies import Bearer;"
        "print(*(name for name in sys.modules if name.startswith('gqlauth_strategies.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    assert "gqlauth_strategies.bearer" in done.stdout
    assert "gqlauth_strategies.basic" not in done.stdout


def test_all_are_named() -> None:
    """Before they are used, too."""
    assert set(gqlauth_strategies.__all__) <= set(dir(gqlauth_strategies))


def test_unknown_name() -> None:
    """A name that is not there is an AttributeError, as anywhere."""
    with pytest.raises(AttributeError, match="'gqlauth_strategies' has no attribute 'Berer'"):
        _ = gqlauth_strategies.Berer  # type: ignore[attr-defined]
