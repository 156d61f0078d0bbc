"""Two hundred callers with tokens of two seconds, and faults on both ways at once."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from gqlauth import AuthService, Secret
from gqlauth._options import AuthOptions
from tests.support.faults import tcp_proxy
from tests.support.figures import FIGURES
from tests.support.servers import client_secret
from tests.support.storm import Judge, Storm, TwoSeconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.faults import TcpProxy
    from tests.support.servers import Api, Provider

pytestmark = [
    pytest.mark.anyio,
    # What httpx and httpcore leave to the collector when a connection breaks; trio tells.
    pytest.mark.filterwarnings("ignore:.*Async generator 'http(x|core)\\."),
]

CALLERS = 200
#: Tokens that they share.
KEYS = 5
#: Seconds that it blows, and of each phase of it.
DURATION = 24.0
PHASE = 1.0
#: Seconds that an acquisition has, and each step of a request to the API.
ACQUISITION = 4.0
STEP = 1.0
#: Seconds that a caller may wait at the most: for a token; for connecting, sending and the answer;
#: and as the machine is busy. Where tokens ended on their way, once more.
LONGEST = ACQUISITION + 3 * STEP + 1.0

Faults = tuple[dict[str, Any], ...]


def some(share: float, *kinds: str, **settings: Any) -> Faults:
    """Return faults of these kinds, each for that share of the exchanges."""
    return tuple({"kind": kind, "share": share, **settings} for kind in kinds)


LATE = some(0.5, "latency", seconds=0.02, jitter=0.06)
RESETS = some(0.15, "reset_before", "reset_within", "reset_after")
#: What happens to token requests, and to those of the API, in turn.
PHASES: tuple[tuple[Faults, Faults], ...] = (
    ((), ()),
    (LATE, LATE),
    (RESETS, ()),
    ((), RESETS),
    (some(0.5, "stall"), ()),
    ((), some(0.1, "stall", "half_open")),
    (some(1.0, "reset_before"), ()),
    (some(0.3, "half_open", "bandwidth", rate=4000), some(0.3, "bandwidth", rate=40_000)),
    (
        some(0.1, "stall", "reset_before", "reset_within", "reset_after", "half_open"),
        some(0.05, "stall", "reset_before", "reset_within", "reset_after", "half_open"),
    ),
)


async def weather(tokens: TcpProxy, answers: TcpProxy) -> None:
    """Turn the faults, phase by phase, and end them."""
    end = time.monotonic() + DURATION
    for on_tokens, on_answers in itertools.cycle(PHASES):
        await anyio.to_thread.run_sync(tokens.set, *on_tokens)
        await anyio.to_thread.run_sync(answers.set, *on_answers)
        if time.monotonic() >= end:
            break
        await anyio.sleep(PHASE)
    tokens.set()
    answers.set()


@pytest.fixture
def warm_api(api: Api) -> Api:
    """Let the API get the keys of the authorization server, before hundreds ask at once."""
    credential = {"Authorization": "Bearer no.valid.jwt"}
    httpx.post(api.url, headers=credential, trust_env=False)
    return api


async def test_storm(
    provider: Provider,
    warm_api: Api,
    anyio_backend: str,
    record_property: Callable[[str, object], None],
) -> None:
    """No expired token is sent, nobody hangs, nothing is left over, nothing unforeseen is raised.

    And when it is over, all is well again.
    """
    api = warm_api
    refused = api.count("/graphql refused: expired token")
    asked = provider.requests("storm")
    tasks = len(anyio.get_running_tasks())
    with tcp_proxy(provider.token_url) as tokens, tcp_proxy(api.url) as answers:
        url = answers.through(api.url)
        judge = Judge()
        storm = Storm(url)
        async with (
            AuthService() as service,
            httpx.AsyncClient(transport=judge, timeout=httpx.Timeout(STEP)) as client,
            anyio.create_task_group() as callers,
        ):
            auths = []
            for key in range(KEYS):
                strategy = TwoSeconds(
                    ends=judge.ends,
                    token_url=tokens.through(provider.token_url),
                    client_id="storm",
                    client_secret=Secret(client_secret("storm") or ""),
                    scopes=("api:read",),
                    audience=api.audience,
                    params={"key": str(key)},
                )
                options = AuthOptions(timeout=ACQUISITION)
                auths.append(service.auth_for(strategy, url=url, options=options))
            callers.start_soon(storm.watch)
            for number in range(CALLERS):
                callers.start_soon(storm.call, client, auths[number % KEYS], number)
            await weather(tokens, answers)
            storm.is_over = True
            # A failure of the storm's last moments is remembered for a while.
            with anyio.fail_after(60):
                recovered = [await storm.recovers(client, auth) for auth in auths]
        counts = tokens.counts(), answers.counts()
    asked = provider.requests("storm") - asked
    refused = api.count("/graphql refused: expired token") - refused

    record_property(
        FIGURES,
        f"{anyio_backend}: {asked} token requests; {storm.figures()}\n"
        f"  requests whose token ended on its way: {refused}; "
        f"sent past its end by {judge.expired:.3f} s at most\n"
        f"  faults on the way to tokens: {counts[0]}\n"
        f"  faults on the way to the API: {counts[1]}",
    )
    # Between the look at the clock and the sending nothing is awaited.
    assert judge.expired <= storm.stood_still
    # The API allows no leeway: what it refuses as expired was sent in time, and came late.
    assert refused <= judge.overtaken
    assert all(recovered)
    assert storm.strange == []
    # Two tokens in a row that end on their way are a refusal, which callers see.
    assert refused or storm.outcomes.keys().isdisjoint({"401", "TokenRefusedError"})
    assert set(storm.outcomes) - {"200", "401", "given up", "TokenRefusedError"} <= {
        "TokenUnavailableError",
        "ConnectError",
        "ConnectTimeout",
        "ReadError",
        "ReadTimeout",
        "RemoteProtocolError",
        "WriteError",
        "WriteTimeout",
    }
    assert max(storm.seconds) < LONGEST * (2 if refused else 1)
    assert storm.outcomes["200"] > CALLERS * DURATION / 8
    assert asked < 4 * KEYS * DURATION
    assert len(anyio.get_running_tasks()) == tasks
