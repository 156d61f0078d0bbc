"""What ``gql auth`` shows to people."""

from __future__ import annotations

import inspect
import math
import sys
from typing import TYPE_CHECKING, Final

import click

from gqlauth._cli._failure import clean
from gqlauth.errors import StrategyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from gqlauth._cli._globals import Globals
    from gqlauth._plugins import Plugin
    from gqlauth._status import EndpointStatus, State

_COLOURS: Final[Mapping[State, str]] = {
    "none": "bright_black",
    "empty": "yellow",
    "valid": "green",
    "refreshing": "green",
    "expired": "yellow",
    "failing": "red",
    "misconfigured": "red",
    "unreachable": "red",
    "rejected": "red",
}
_WORDS: Final[Mapping[State, str]] = {
    "none": "no authentication: requests go out bare",
    "empty": "no token yet",
}
# What a duration is told in: seconds of the unit, and up to which duration.
_UNITS: Final = ((1, 100, "s"), (60, 100 * 60, "min"), (3600, 48 * 3600, "h"))
_DAY: Final = 86_400


def statuses(
    shown: Sequence[EndpointStatus],
    *,
    path: Path,
    settings: Globals,
    issuers: Mapping[str, str] | None = None,
) -> None:
    """Write a block for each endpoint, below the configuration file's name.

    `issuers` are those of endpoints whose token endpoint is discovered, by the endpoint's name.
    """
    colours = settings.colours(sys.stdout)
    lines = [clean(str(path))]
    for status in shown:
        lines += ["", click.style(clean(status.name), bold=True)]
        for label, value in _rows(status, (issuers or {}).get(status.name)):
            first, *more = [clean(line) for line in value.splitlines()] or [""]
            if label == "state":
                first = click.style(first, fg=_COLOURS[status.state])
            lines += [f"  {label:<6}  {first}", *(f"{'':10}{line}" for line in more)]
    if not shown:
        lines += ["", "no endpoints"]
    click.echo("\n".join(lines), color=colours)


def _rows(status: EndpointStatus, issuer: str | None) -> Iterator[tuple[str, str]]:
    yield "state", _state(status)
    if status.error:
        yield "error", status.error
    if status.url:
        yield "url", status.url
    if status.type and status.state != "none":
        yield "auth", _auth(status, discovered=issuer is not None)
    if issuer is not None:
        yield "issuer", _issuer(status, issuer)
    if status.secret_source:
        yield "secret", status.secret_source
    if status.scopes:
        yield "scopes", " ".join(status.scopes)
    if status.fingerprint:
        yield "token", f"fingerprint {status.fingerprint}"
    # Of what cannot be used yet, there is none to keep.
    if status.type and status.state not in {"none", "misconfigured"}:
        detail = f" ({status.store_detail})" if status.store_detail else ""
        yield "store", f"{status.store}{detail}"


def _state(status: EndpointStatus) -> str:
    words = _WORDS.get(status.state, status.state)
    if status.fingerprint and status.state in {"valid", "refreshing", "expired"}:
        words += _end(status)
    return words


def _end(status: EndpointStatus) -> str:
    if status.expires_at is None or status.expires_in is None:
        return ", has no end"
    if status.expires_in <= 0:
        return f", ended {duration(-status.expires_in)} ago"
    text = f", ends in {duration(status.expires_in)}"
    if status.refresh_at is None:
        return text
    due = status.expires_in - (status.expires_at - status.refresh_at)
    return f"{text}, refresh due {'now' if due <= 0 else f'in {duration(due)}'}"


def _auth(status: EndpointStatus, *, discovered: bool) -> str:
    text = status.type
    if status.client_id:
        text += f" as {status.client_id}"
    return f"{text} at {status.token_url}" if status.token_url and not discovered else text


def _issuer(status: EndpointStatus, issuer: str) -> str:
    if status.token_url:
        return f"{issuer} → {status.token_url}"
    return issuer if status.checked else f"{issuer}, not asked yet"


def duration(seconds: float) -> str:
    """Return a duration as people tell it: ``42 s``, ``59 min``, ``3 h``, ``12 days``."""
    if not math.isfinite(seconds):
        return "ever"
    for unit, up_to, name in _UNITS:
        if seconds < up_to:
            return f"{round(seconds / unit)} {name}"
    return f"{round(seconds / _DAY)} days"


def types(settings: Globals) -> None:
    """Write a line for each strategy that is installed, or that claims to be one."""
    from gqlauth._registry import STRATEGIES  # noqa: PLC0415 - only this needs the registry

    plugins = [(clean(one.name), clean(str(one)), one) for one in STRATEGIES.installed()]
    longest_name = max((len(name) for name, _, _ in plugins), default=0)
    longest_source = max((len(source) for _, source, _ in plugins), default=0)
    for name, source, plugin in plugins:
        text, sound = _described(plugin)
        words = clean(text) if sound else click.style(clean(text), fg="red")
        line = f"{name:<{longest_name}}  {source:<{longest_source}}  {words}"
        click.echo(line.rstrip(), color=settings.colours(sys.stdout))


def _described(plugin: Plugin) -> tuple[str, bool]:
    """Return one line on what a plugin is, and whether it can be used."""
    from gqlauth._registry import STRATEGIES, strategy_class  # noqa: PLC0415 - as above

    try:
        chosen = STRATEGIES.find(plugin.name)
        if chosen != plugin:
            return f"not used: the name is that of {chosen}", False
        doc = inspect.getdoc(strategy_class(plugin.name))
    except StrategyError as error:
        return str(error), False
    return (doc or "").partition("\n")[0], True
