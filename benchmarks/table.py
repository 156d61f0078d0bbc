"""What a benchmark prints: a table a subject, with the goals below its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: Stands where a subject has no such figure.
NOTHING: Final = "-"


@attrs.frozen
class Column:
    """A figure of each row: its key, what stands above it, and how it is written."""

    figure: str
    header: str
    written: Callable[[float], str]


@attrs.frozen
class Goal:
    """A figure that is to be no more than a limit."""

    what: str
    found: float
    limit: float
    written: Callable[[float], str]

    @property
    def reached(self) -> bool:
        """Tell whether it is."""
        return self.found <= self.limit

    def __str__(self) -> str:
        verdict = "reached" if self.reached else "NOT reached"
        return (
            f"{self.what}: at most {self.written(self.limit)}; "
            f"{self.written(self.found)}: {verdict}"
        )


@attrs.frozen
class Table:
    """What one subject comes to."""

    title: str
    columns: tuple[Column, ...]
    #: The figures of each row, by its name; a row without figures tells why in its name.
    rows: Mapping[str, Mapping[str, float]]
    goals: tuple[Goal, ...] = ()
    notes: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """Yield what is printed of it."""
        cells = [
            [name, *(self._cell(figures, column) for column in self.columns)]
            for name, figures in self.rows.items()
        ]
        heads = ["", *(column.header for column in self.columns)]
        widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
        yield self.title
        for first, *others in (heads, *cells):
            shown = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
            yield "  ".join([f"  {first:<{widths[0]}}", *shown]).rstrip()
        yield from (f"  {note}" for note in self.notes)
        yield from (f"  Goal: {goal}" for goal in self.goals)

    @staticmethod
    def _cell(figures: Mapping[str, float], column: Column) -> str:
        found = figures.get(column.figure)
        return NOTHING if found is None else column.written(found)
