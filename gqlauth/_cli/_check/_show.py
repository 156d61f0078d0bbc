"""What ``gql auth check`` shows: a table for people, and a document for machines."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

import click

from gqlauth._cli._failure import SUCCESS, clean
from gqlauth._redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from gqlauth._cli._check._course import Checked
    from gqlauth._cli._check._step import State, Step
    from gqlauth._cli._globals import Globals

_COLOURS: Final[Mapping[State, str]] = {
    "ok": "green",
    "warning": "yellow",
    "failed": "red",
    "skipped": "bright_black",
}
# Of a step: its name, its state, and how long it took.
_WIDTHS: Final = (13, 7, 7)
_INDENT: Final = " " * (2 + sum(_WIDTHS) + 2 * len(_WIDTHS))


def table(shown: Iterable[Checked], *, path: Path, settings: Globals) -> None:
    """Write a block for each endpoint, below the configuration file's name."""
    lines = [clean(str(path))]
    for one in shown:
        lines += ["", click.style(clean(one.name), bold=True)]
        for step in one.steps:
            lines += _rows(step)
    if len(lines) == 1:
        lines += ["", "no endpoint has auth: there is nothing to check"]
    click.echo("\n".join(lines), color=settings.colours(sys.stdout))


def _rows(step: Step) -> Iterator[str]:
    outcome = step.outcome
    name, state, seconds = _WIDTHS
    took = "" if outcome.state == "skipped" else f"{step.seconds:.2f} s"
    painted = click.style(f"{outcome.state:<{state}}", fg=_COLOURS[outcome.state])
    first, *more = [clean(line) for line in outcome.detail.splitlines()] or [""]
    yield f"  {step.name:<{name}}  {painted}  {took:>{seconds}}  {first}".rstrip()
    yield from (f"{_INDENT}{line}" for line in more)
    for line in outcome.hint.splitlines():
        yield f"{_INDENT}{click.style(f'hint: {clean(line)}', fg='yellow')}"


def document(shown: Iterable[Checked], *, path: Path) -> None:
    """Write the same as JSON."""
    told = {
        "version": 1,
        "config": str(path),
        "endpoints": [
            {
                "name": one.name,
                "url": one.url or None,
                "type": one.type or None,
                "ok": one.code == SUCCESS,
                "steps": [_step(step) for step in one.steps],
            }
            for one in shown
        ],
    }
    click.echo(json.dumps(_redacted(told), indent=2))


def _step(step: Step) -> dict[str, object]:
    outcome = step.outcome
    return {
        "name": step.name,
        "state": outcome.state,
        "seconds": round(step.seconds, 3),
        "detail": outcome.detail,
        "hint": outcome.hint or None,
        "facts": outcome.facts,
    }


def _redacted(value: object) -> object:
    """Return `value` with each of its texts redacted; by what it is, as the names are ours."""
    if isinstance(value, dict):
        return {name: _redacted(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item) for item in value]
    return redact_text(value) if isinstance(value, str) else value
