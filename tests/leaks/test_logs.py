"""The library tells no secret, though an application logs all that anyone says."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import httpx
import pytest

from gqlauth import AuthService, GqlAuthError
from gqlauth._log_filter import RedactingFilter
from tests.leaks.listening import Everything, listening
from tests.leaks.states import STATES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.leaks.canaries import Canary
    from tests.leaks.world import World

pytestmark = pytest.mark.anyio


@pytest.fixture
def everything() -> Iterator[Everything]:
    """Log all that anyone says."""
    with listening() as handler:
        yield handler


async def used(world: World) -> None:
    """Use every endpoint, as an application does."""
    async with AuthService.from_config(world.project / "gqlauth.toml") as service:
        for endpoint in service.config.endpoints.values():
            async with service.client(endpoint.name) as client:
                try:
                    answer = await client.post(endpoint.url, json={"query": "{ me { id } }"})
                    await answer.aread()
                except (GqlAuthError, httpx.HTTPError):
                    logging.getLogger("application").exception("no answer")
        service.status()


def told(world: World, everything: Everything) -> set[Canary]:
    text = everything.text
    assert "httpcore" in text  # also as httpcore2
    assert "gqlauth" in text
    return world.search(text)


@pytest.mark.parametrize("state", ["valid", "valid, a JWT", "unset", "redirected"])
async def test_no_logger_tells_a_secret(world: World, everything: Everything, state: str) -> None:
    """Not even where nothing filters what httpx and httpcore say."""
    if state != "redirected":
        STATES[state].prepare(world)
    await used(world)

    assert told(world, everything) == set()


@pytest.mark.parametrize("state", [name for name, state in STATES.items() if state.of_servers])
async def test_the_filter_masks_what_servers_echo(
    world: World, everything: Everything, state: str
) -> None:
    """With the filter on the handler, an answer may hold what it likes."""
    everything.addFilter(RedactingFilter())
    STATES[state].prepare(world)
    await used(world)

    assert told(world, everything) == set()


@pytest.mark.parametrize("state", [name for name, state in STATES.items() if state.of_servers])
async def test_what_gqlauth_says_needs_no_filter(world: World, state: str) -> None:
    """Whatever servers echo: each of its events is redacted before anybody's handler has it."""
    STATES[state].prepare(world)
    with listening("gqlauth") as ours:
        await used(world)

    assert "token request" in ours.text
    assert world.search(ours.text) == set()


async def test_an_application_that_logs_it(world: World, everything: Everything) -> None:
    """What the harness must find, it finds: a header in the clear."""
    await used(world)
    sent = world.api.requests[0].headers["authorization"]
    logging.getLogger("application").debug("sent %s", sent)

    assert {canary.what for canary in told(world, everything)} == {"access token"}
