"""The references of the documentation: they are made of what they tell, and lack nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import gqlauth
import gqlauth_strategies
from gqlauth import events, sync, testing
from gqlauth.integrations import gql, otel
from tests.support.reference import command_line, configuration, renewed

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

DOCS: Final = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize(
    ("page", "parts"), [("configuration", configuration), ("command-line", command_line)]
)
def test_tables_are_made_of_what_they_tell(
    page: str, parts: Callable[[], dict[str, str]], pytestconfig: pytest.Config
) -> None:
    """Each key, and each option, stands on its page, as the schema and the commands have it."""
    path = DOCS / f"{page}.md"
    text = path.read_text(encoding="utf-8")
    made = renewed(text, parts())
    if pytestconfig.getoption("update_snapshots"):
        path.write_text(made, encoding="utf-8")
        text = made

    assert text == made


def test_a_part_without_a_place_is_told() -> None:
    """A command that has no place on its page yet fails, and so does a place that has no part."""
    text = "<!-- made of the commands: gql api -->\n\n<!-- end -->\n"

    assert "\n\noptions\n\n" in renewed(text, {"gql api": "options"})
    with pytest.raises(ValueError, match="places for"):
        renewed(text, {"gql api": "options", "gql auth": "more"})
    with pytest.raises(ValueError, match="places for"):
        renewed(text, {})


@pytest.mark.parametrize(
    "module",
    [gqlauth, sync, events, gql, otel, testing, gqlauth_strategies],
    ids=lambda module: module.__name__,
)
def test_python_api_lacks_no_name(module: ModuleType) -> None:
    """Each public name stands on the page on the Python API, under its module, and no other."""
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## {module.__name__}\n")[2].partition("\n## ")[0]
    told = re.findall(rf"^::: {re.escape(module.__name__)}\.(\w+)$", section, re.MULTILINE)

    assert sorted(told) == sorted(public(module) - {"__version__"})


def public(module: ModuleType) -> set[str]:
    """Return what a module offers: what it says, or else what it defines."""
    own = {
        name
        for name, value in vars(module).items()
        if name[0] != "_" and getattr(value, "__module__", None) == module.__name__
    }
    aliases = {name for name in getattr(module, "__annotations__", {}) if name[0] != "_"}
    return set(getattr(module, "__all__", own | aliases))
