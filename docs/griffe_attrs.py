"""What the page on the Python API is made of, and its parser, griffe, does not see by itself."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import griffe

if TYPE_CHECKING:
    import ast


class AttrsFields(griffe.Extension):
    """Reads the ``#:`` lines above an attribute, and the default in ``attrs.field(default=…)``.

    Of a class with ``__doc__ = Base.__doc__`` it takes the docstring of the base.
    """

    def __init__(self) -> None:
        self._heirs: list[griffe.Class] = []

    def on_attribute_instance(
        self,
        *,
        node: ast.AST | griffe.ObjectNode,  # noqa: ARG002 - what griffe gives
        attr: griffe.Attribute,
        agent: griffe.Visitor | griffe.Inspector,
        **kwargs: Any,  # noqa: ANN401, ARG002 - the same
    ) -> None:
        """Give `attr` its description, and the value that it has where it is not given."""
        lines = _lines_above(attr)
        if attr.docstring is None and lines:
            attr.docstring = griffe.Docstring(
                inspect.cleandoc("\n".join(lines)),
                parent=attr,
                parser=agent.docstring_parser,
                parser_options=agent.docstring_options,
            )
        if isinstance(attr.value, griffe.ExprCall) and str(attr.value.function) == "attrs.field":
            given = {
                each.name: each.value
                for each in attr.value.arguments
                if isinstance(each, griffe.ExprKeyword)
            }
            made = given.get("factory")
            attr.value = given.get("default", f"{made}()" if made else None)
        if isinstance(attr.parent, griffe.Class):
            attr.labels -= {"class-attribute", "instance-attribute"}
            if attr.name == "__doc__":
                self._heirs.append(attr.parent)

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:  # noqa: ANN401, ARG002 - the same
        """Let classes inherit their docstrings, now that their bases are known."""
        for heir in self._heirs:
            heir.docstring = heir.resolved_bases[0].docstring


def _lines_above(attr: griffe.Attribute) -> list[str]:
    """Return the ``#:`` lines that stand above an attribute."""
    if attr.lineno is None or isinstance(attr.filepath, list):
        return []
    above = list(attr.lines_collection[attr.filepath][: attr.lineno - 1])
    lines: list[str] = []
    while above and above[-1].lstrip().startswith("#:"):
        lines.insert(0, above.pop().lstrip().removeprefix("#:"))
    return lines
