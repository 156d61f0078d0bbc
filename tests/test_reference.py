"""The references of the documentation: they are made of what they tell, and lack nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.reference import command_line, configuration, renewed

if TYPE_CHECKING:
    from collections.abc import Callable

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
