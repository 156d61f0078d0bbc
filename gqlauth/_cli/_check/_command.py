"""The command: which endpoints are checked, several at a time, and what is written of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from gqlauth._cli._check import _show
from gqlauth._cli._check._course import Checked, checked, unusable
from gqlauth._cli._failure import USAGE, say_problem, worst
from gqlauth._cli._load import ABREAST, UNTRUSTED, chosen, loaded, token_hosts
from gqlauth._cli._run import run
from gqlauth.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gqlauth._cli._globals import Globals
    from gqlauth._config import Endpoint


def check(
    settings: Globals,
    name: str | None,
    *,
    as_json: bool,
    probe_methods: bool,
    timeout: float | None,
) -> int:
    """Check the endpoint called `name`, or all that have auth, and return the exit status.

    Raises:
        ConfigError: when there is no configuration, or no such endpoint.

    """
    found = loaded(settings)
    about = chosen(found, name)
    sound = [one for one in about.sound if name is not None or one.auth is not None]
    if found.distrust:
        problems = (Problem(UNTRUSTED),)
        shown = [unusable(one, one.name, problems, probe_methods=probe_methods) for one in sound]
    else:
        shown = _checked(sound, probe_methods=probe_methods, timeout=timeout)
    shown += [
        # What is wrong with it may be that nobody knows yet what its variables say.
        unusable(None, broken, problems or (Problem(UNTRUSTED),), probe_methods=probe_methods)
        for broken, problems in about.broken.items()
    ]
    if as_json:
        _show.document(shown, path=found.found.path)
    else:
        _show.table(shown, path=found.found.path, settings=settings)
    for problem in about.others:
        say_problem(problem)
    codes = [one.code for one in shown]
    return worst([*codes, USAGE] if about.others else codes)


def _checked(
    endpoints: Sequence[Endpoint], *, probe_methods: bool, timeout: float | None
) -> list[Checked]:
    async def all_of_them() -> list[Checked]:
        limit = anyio.CapacityLimiter(ABREAST)
        told: dict[str, Checked] = {}

        async def one(endpoint: Endpoint) -> None:
            async with limit:
                told[endpoint.name] = await checked(
                    endpoint, probe_methods=probe_methods, within=timeout
                )

        async with anyio.create_task_group() as tasks:
            for endpoint in endpoints:
                tasks.start_soon(one, endpoint)
        return [told[endpoint.name] for endpoint in endpoints]

    return run(all_of_them, waiting_for=token_hosts(endpoints))
