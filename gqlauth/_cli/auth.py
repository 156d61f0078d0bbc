"""``gql auth``: what there is to know of tokens, and the tokens themselves."""

from __future__ import annotations

import json
import math
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

import attrs
import click

from gqlauth._cli._auth_check import check
from gqlauth._cli._failure import (
    REFUSED,
    SUCCESS,
    UNAVAILABLE,
    USAGE,
    Failure,
    say,
    say_problem,
    worst,
)
from gqlauth._cli._globals import ENDPOINT, ENDPOINTS, Globals, Group
from gqlauth._cli._load import (
    ABREAST,
    UNTRUSTED,
    chosen,
    config,
    issuer_of,
    loaded,
    token_host,
    token_hosts,
)
from gqlauth._cli._run import run
from gqlauth.errors import ConfigError, GqlAuthError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from gqlauth._config import Endpoint, Loaded
    from gqlauth._status import EndpointStatus, State
    from gqlauth._token import Token
    from gqlauth.errors import Problem

_CODES: Final[Mapping[State, int]] = {
    "misconfigured": USAGE,
    "rejected": REFUSED,
    "failing": UNAVAILABLE,
    "unreachable": UNAVAILABLE,
}


@click.group(cls=Group)
def auth() -> None:
    """Show the state of authentication, and get tokens."""


auth.add_command(check)


@auth.command()
@ENDPOINTS
@click.option("--check", is_flag=True, help="Ask the authorization servers for tokens, too.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for machines.")
@click.pass_obj
def status(settings: Globals, endpoint: str | None, *, check: bool, as_json: bool) -> int:
    """Show each endpoint's authentication, and what is wrong with it.

    Nothing is asked over the network, no secret's command is run, and no token is shown.

    Exits with 2 where something is misconfigured; with --check also with 4 where a server
    refused, and with 5 where it could not be asked. What must be mended counts more than what
    may pass: 2, then 4, then 5.
    """
    from gqlauth._cli import _show  # noqa: PLC0415 - help shows none

    found = loaded(settings)
    shown = chosen(found, endpoint)
    statuses = [
        *_sound(found, shown.sound, check=check),
        *(_broken(name, problems) for name, problems in shown.broken.items()),
    ]
    if as_json:
        click.echo(json.dumps(_document(found.found.path, statuses), indent=2))
    else:
        _show.statuses(
            statuses,
            path=found.found.path,
            settings=settings,
            issuers={one.name: issuer for one in shown.sound if (issuer := issuer_of(one))},
        )
    for problem in shown.others:
        say_problem(problem)
    codes = [_CODES.get(one.state, SUCCESS) for one in statuses]
    return worst([*codes, USAGE] if shown.others else codes)


def _sound(found: Loaded, endpoints: Sequence[Endpoint], *, check: bool) -> list[EndpointStatus]:
    if found.distrust:
        return [_untrusted(endpoint) for endpoint in endpoints]
    from gqlauth._service import AuthService  # noqa: PLC0415 - help needs no service

    service = AuthService(found.config, short_lived=True)
    names = [one.name for one in endpoints]
    if names and service.has_store:
        # An event loop takes as long to import as all the rest.
        run(partial(service.recall, *names), waiting_for="the token store")
    statuses = {name: service.status(name)[0] for name in names}
    if not check:
        return list(statuses.values())

    import anyio  # noqa: PLC0415 - what is offline awaits nothing

    async def checked() -> list[EndpointStatus]:
        limit = anyio.CapacityLimiter(ABREAST)

        async def one(name: str) -> None:
            async with limit:
                statuses[name] = await service.check(name)

        async with service, anyio.create_task_group() as tasks:
            for name in statuses:
                tasks.start_soon(one, name)
        return list(statuses.values())

    return run(checked, waiting_for=token_hosts(endpoints))


def _untrusted(endpoint: Endpoint) -> EndpointStatus:
    """Return what an endpoint says of itself: not even whether its secrets are there is looked."""
    from gqlauth._report import report  # noqa: PLC0415 - help reports nothing

    status = report(endpoint, None, wall=0.0, error=ConfigError(UNTRUSTED))
    return attrs.evolve(status, state="misconfigured", error=UNTRUSTED)


def _broken(name: str, problems: Iterable[Problem]) -> EndpointStatus:
    from gqlauth._status import EndpointStatus  # noqa: PLC0415 - help has none

    # What is wrong with it may be that nobody knows yet what its variables say.
    error = "\n".join(str(problem) for problem in problems) or UNTRUSTED
    return EndpointStatus(name=name, url="", type="", state="misconfigured", error=error)


def _document(path: Path, statuses: Iterable[EndpointStatus]) -> dict[str, object]:
    from gqlauth._redact import redact_text  # noqa: PLC0415 - for this form only

    def shown(name: str, value: object) -> object:
        if isinstance(value, float):
            return math.floor(value) if math.isfinite(value) else None
        if isinstance(value, str):
            # Of an endpoint that could not be read, these are not known.
            return redact_text(value) if value or name not in {"url", "type"} else None
        return value

    return {
        "version": 1,
        "config": str(path),
        "endpoints": [
            {
                field.name: shown(field.name, getattr(one, field.name))
                for field in attrs.fields(type(one))
            }
            for one in statuses
        ],
    }


@auth.command()
@ENDPOINT
@click.option(
    "--min-ttl",
    type=click.FloatRange(min=0),
    default=60.0,
    metavar="SECONDS",
    help="Get a token that is valid so long at least; 60 unless told.",
)
@click.option("--refresh", is_flag=True, help="Get a new token, even if there is a valid one.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["raw", "header", "json"]),
    default="raw",
    show_default=True,
    help="The bare token, the header that carries it, or JSON.",
)
@click.pass_obj
def token(
    settings: Globals,
    endpoint: str | None,
    *,
    min_ttl: float,
    refresh: bool,
    form: Literal["raw", "header", "json"],
) -> None:
    """Print a token that is valid now, for pipes.

    This is the one command that shows a token.
    """
    from gqlauth._service import AuthService  # noqa: PLC0415 - help needs no service

    service = AuthService(config(settings), short_lived=True)
    chosen = service.endpoint(endpoint)

    async def written() -> str:
        async with service:
            got = await service.token(chosen.name, min_ttl=min_ttl, refresh=refresh)
            return _written(got, form, service.status(chosen.name)[0].scopes)

    click.echo(run(written, waiting_for=token_host(chosen)))


def _written(got: Token, form: Literal["raw", "header", "json"], scopes: tuple[str, ...]) -> str:
    if form == "raw":
        return got.reveal()
    if form == "header":
        return f"{got.header_name}: {got.header_value}"
    from time import time  # noqa: PLC0415 - for this form only

    ends = got.expires_at
    return json.dumps(
        {
            "access_token": got.reveal(),
            "token_type": got.token_type,
            "expires_at": None if ends is None else math.floor(ends),
            "expires_in": None if ends is None else math.floor(ends - time()),
            "scopes": scopes,
        }
    )


@auth.command()
@ENDPOINTS
@click.pass_obj
def clear(settings: Globals, endpoint: str | None) -> None:
    """Forget cached tokens: of one endpoint, or of all."""
    from gqlauth._service import AuthService  # noqa: PLC0415 - help needs no service

    service = AuthService(config(settings), short_lived=True)

    async def cleared() -> int:
        try:
            return await service.clear(endpoint)
        except ConfigError:
            raise
        except GqlAuthError as error:
            raise Failure(str(error), UNAVAILABLE) from None

    forgotten = run(cleared, waiting_for="the token store")
    if forgotten:
        say(f"forgot {forgotten} token{'' if forgotten == 1 else 's'}")
    else:
        say("there was no token to forget")


@auth.command()
@click.pass_obj
def types(settings: Globals) -> None:
    """List the values of auth.type: name, where it comes from, and what it is."""
    from gqlauth._cli import _show  # noqa: PLC0415 - help shows none

    _show.types(settings)
