"""What the tests of values share: one value of a file, as a type asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gqlauth._config._converter import converter_for
from gqlauth._config._document import read
from gqlauth._config._findings import findings

if TYPE_CHECKING:
    from tests.config.conftest import Project


def made(project: Project, kind: Any, value: str) -> Any:
    """Return what a value in a TOML file is as a `kind`."""
    document = read(project.file(f"value = {value}"))
    return converter_for(document, project.environ).structure(document.data["value"], kind)


def told(project: Project, kind: Any, value: str) -> list[tuple[tuple[str | int, ...], str]]:
    """Return what is wrong with a value as a `kind`, each thing by its keys."""
    try:
        made(project, kind, value)
    except Exception as error:  # noqa: BLE001 - findings takes any
        return [(found.keys, found.message) for found in findings(error)]
    raise AssertionError("nothing is wrong")
