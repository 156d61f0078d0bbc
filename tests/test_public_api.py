"""The public names: few, pinned, and imported when they are first used."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import gqlauth

PUBLIC = [
    "AuthOptions",
    "AuthService",
    "ConfigError",
    "EndpointAuth",
    "EndpointStatus",
    "GqlAuthError",
    "RedactingFilter",
    "Secret",
    "SecretError",
    "ServiceClosedError",
    "Strategy",
    "StrategyError",
    "Token",
    "TokenEndpoint",
    "TokenError",
    "TokenRefusedError",
    "TokenUnavailableError",
    "__version__",
    "redact_secrets",
]
HEAVY = {
    "anyio",
    "attrs",
    "cattrs",
    "click",
    "gqlauth_strategies",
    "httpcore",
    "httpcore2",
    "httpx",
    "httpx2",
    "importlib.metadata",
    "structlog",
    "tenacity",
    "trio",
    "yaml",
}


def modules_after(statement: str) -> set[str]:
    """Return what a fresh Python has imported after `statement`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport json, sys\nprint(json.dumps([*sys.modules]))"],
        capture_output=True,
        check=True,
        text=True,
    )
    return set(json.loads(done.stdout))


def written_for_type_checkers() -> dict[str, str]:
    """Return the names of the ``TYPE_CHECKING`` block with the modules they come from."""
    tree = ast.parse(Path(gqlauth.__file__).read_text(encoding="utf-8"))
    block = next(
        node for node in tree.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node)
    )
    names: dict[str, str] = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        assert node.module is not None
        for alias in node.names:
            assert alias.asname == alias.name, f"{alias.name} is not re-exported"
            names[alias.name] = node.module
    return names


def test_names_are_pinned() -> None:
    """The public names are these, and at most twenty."""
    assert gqlauth.__all__ == PUBLIC
    assert len(PUBLIC) <= 20


def test_type_checkers_see_the_same() -> None:
    """What type checkers read, and what is imported on demand, are the same names and homes."""
    assert written_for_type_checkers() == gqlauth._HOMES


@pytest.mark.parametrize("name", PUBLIC)
def test_each_name_is_there(name: str) -> None:
    """Each name is what its home defines under that name."""
    home = importlib.import_module(gqlauth._HOMES[name])

    assert getattr(gqlauth, name) is getattr(home, name)


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "__version__"])
def test_each_name_is_explained(name: str) -> None:
    """Each public name has a docstring."""
    assert getattr(gqlauth, name).__doc__


def test_names_are_imported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that was used is an attribute from then on, and is not looked up again."""
    monkeypatch.delitem(vars(gqlauth), "Secret", raising=False)

    first = gqlauth.Secret

    assert vars(gqlauth)["Secret"] is first


def test_star_import_gives_the_public_names() -> None:
    """A star import brings what is public, and nothing else."""
    names: dict[str, object] = {}
    exec("from gqlauth import *", names)

    assert sorted(names.keys() - {"__builtins__"}) == sorted(PUBLIC)


def test_dir_names_them_before_they_are_used() -> None:
    """`dir` names what can be had, also what was not imported yet."""
    assert set(PUBLIC) <= set(dir(gqlauth))


@pytest.mark.parametrize("name", ["Tokken", "_Token", "httpx"])
def test_unknown_name(name: str) -> None:
    """A name that is not there is an AttributeError, as anywhere."""
    with pytest.raises(AttributeError, match=f"^module 'gqlauth' has no attribute '{name}'$"):
        getattr(gqlauth, name)


def test_unknown_name_cannot_be_imported() -> None:
    """An import of a name that is not there is an ImportError."""
    with pytest.raises(ImportError, match="cannot import name 'Tokken'"):
        exec("from gqlauth import Tokken")


def test_submodules_can_be_imported() -> None:
    """`gqlauth.errors` is a module that users may import."""
    assert isinstance(importlib.import_module("gqlauth.errors"), ModuleType)


class TestImports:
    def test_importing_costs_next_to_nothing(self) -> None:
        """`import gqlauth` imports nothing that takes time, and none of its own modules."""
        imported = modules_after("import gqlauth")

        assert HEAVY & imported == set()
        assert {name for name in imported if name.startswith("gqlauth")} == {"gqlauth"}

    @pytest.mark.parametrize(
        ("name", "unneeded"),
        [
            ("Secret", HEAVY - {"attrs"}),
            ("Token", HEAVY - {"attrs"}),
            ("TokenError", HEAVY - {"attrs"}),
            ("redact_secrets", HEAVY - {"attrs"}),
            ("AuthService", HEAVY - {"anyio", "attrs", "cattrs"}),
        ],
    )
    def test_a_name_costs_what_it_needs(self, name: str, unneeded: set[str]) -> None:
        """Using one name imports what that name needs, and not what others do."""
        assert unneeded & modules_after(f"from gqlauth import {name}") == set()

    def test_logging_imports_structlog_when_somebody_listens(self) -> None:
        """An event that nobody listens to does not import structlog; one that is heard does."""
        unheard = "from gqlauth import _log\n_log.info('x')"
        heard = f"import logging\nlogging.basicConfig(level='INFO')\n{unheard}"

        assert "structlog" not in modules_after(unheard)
        assert "structlog" in modules_after(heard)

    @pytest.mark.parametrize(
        ("file", "located"), [("good/gqlauth.toml", False), ("bad/unknown_top_key.toml", True)]
    )
    def test_lines_are_looked_for_where_something_is_wrong(
        self, file: str, *, located: bool
    ) -> None:
        """A sound configuration is read once, and never searched for the lines of its keys."""
        path = Path(__file__).parents[1] / "fixtures" / "config" / file
        imported = modules_after(
            f"from gqlauth._config import load\nload({str(path)!r}, environ={{}})"
        )

        assert ("gqlauth._config._locate" in imported) is located

    def test_testing_imports_no_test_runner(self) -> None:
        """`gqlauth.testing` imports no test runner, and no strategy."""
        imported = modules_after("from gqlauth.testing import check_strategy")

        assert {"pytest", "unittest", "gqlauth_strategies"} & imported == set()
