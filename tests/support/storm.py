"""Many callers of one API at once, while everything between them breaks; and what came of it."""

from __future__ import annotations

import base64
import json
import random
import time
from collections import Counter
from typing import TYPE_CHECKING

import anyio
import attrs
import httpx

from gqlauth import GqlAuthError, Token
from gqlauth_strategies import ClientCredentials

if TYPE_CHECKING:
    from gqlauth import TokenEndpoint

ME = {"query": "{ me { id } }"}
#: Seconds that a token is good for.
LIFETIME = 2.0


@attrs.frozen(kw_only=True)
class TwoSeconds(ClientCredentials):
    """Tokens that count as ending after two seconds, as the server's three may be that short.

    It counts in whole seconds, from the one in which the token was made.
    """

    #: Where it says when each token ends.
    ends: dict[str, float] = attrs.field(eq=False)

    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        given = await super().fetch(endpoint)
        token = Token(given.reveal(), expires_in=LIFETIME)
        assert given.issued_at is not None
        self.ends[token.header_value] = given.issued_monotonic + LIFETIME
        return token.issued(given.issued_at, given.issued_monotonic)


class Judge(httpx.AsyncHTTPTransport):
    """The network, which looks at when each token ends that is sent."""

    def __init__(self) -> None:
        # Nobody queues for a connection, with a token in hand that grows old.
        super().__init__(limits=httpx.Limits(max_connections=None))
        #: When each token ends by what its answer promised, by the monotonic clock.
        self.ends: dict[str, float] = {}
        #: Seconds by which a token had ended that was sent, at the most: by that, or by itself.
        self.expired = 0.0
        #: Requests whose token ended by itself while they were under way.
        self.overtaken = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        credential = request.headers["authorization"]
        end = expiry(credential)
        over = max(time.monotonic() - self.ends[credential], time.time() - end)
        self.expired = max(self.expired, over)
        try:
            return await super().handle_async_request(request)
        finally:
            self.overtaken += time.time() >= end


def expiry(credential: str) -> float:
    """Return the ``exp`` of a JWT, by the clock of the server, which is that of this machine."""
    claims = credential.split(".")[1]
    end: float = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"]
    return end


@attrs.define
class Storm:
    """Callers that ask until they are told to stop, and what they saw."""

    url: str
    #: Answers by status, failures by the name of their class.
    outcomes: Counter[str] = attrs.field(factory=Counter)
    #: What is no documented exception.
    strange: list[BaseException] = attrs.field(factory=list)
    #: Seconds that each request took that was not given up.
    seconds: list[float] = attrs.field(factory=list)
    #: Seconds that the event loop stood still at the most, as the machine had other things to do.
    stood_still: float = 0.0
    #: Nobody asks any more.
    is_over: bool = False

    async def watch(self) -> None:
        """Measure how long the event loop stands still."""
        while not self.is_over:
            before = time.monotonic()
            await anyio.sleep(0.01)
            self.stood_still = max(self.stood_still, time.monotonic() - before - 0.01)

    async def call(self, client: httpx.AsyncClient, auth: httpx.Auth, number: int) -> None:
        """Ask, pause, and ask again; now and then give up."""
        chance = random.Random(number)
        await anyio.sleep(3 * chance.random())
        while not self.is_over:
            if chance.random() < 0.05:
                with anyio.move_on_after(0.03) as scope:
                    await self.ask(client, auth)
                self.outcomes["given up"] += scope.cancelled_caught
            else:
                started = time.monotonic()
                await self.ask(client, auth)
                self.seconds.append(time.monotonic() - started)
            await anyio.sleep(chance.uniform(2.0, 4.0))

    async def ask(self, client: httpx.AsyncClient, auth: httpx.Auth) -> bool:
        """Ask once, and tell whether there was a good answer."""
        try:
            answer = await client.post(self.url, json=ME, auth=auth)
        except (GqlAuthError, httpx.TransportError) as error:
            self.outcomes[type(error).__name__] += 1
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            self.outcomes[type(error).__name__] += 1
            self.strange.append(error)
        else:
            self.outcomes[str(answer.status_code)] += 1
            return answer.is_success
        return False

    async def recovers(self, client: httpx.AsyncClient, auth: httpx.Auth) -> bool:
        """Ask until there is a good answer."""
        for _ in range(500):
            if await self.ask(client, auth):
                return True
            await anyio.sleep(0.1)
        return False

    def percentile(self, part: float) -> float:
        """Return the seconds that this part of all requests kept within."""
        return sorted(self.seconds)[min(int(len(self.seconds) * part), len(self.seconds) - 1)]

    def figures(self) -> str:
        """Return what came of it, for people."""
        outcomes = ", ".join(f"{count} {kind}" for kind, count in self.outcomes.most_common())
        times = ((name, self.percentile(part)) for name, part in (("p50", 0.5), ("p99", 0.99)))
        shown = ", ".join(f"{name} {seconds:.3f} s" for name, seconds in times)
        return (
            f"{outcomes}; {shown}, max {max(self.seconds):.3f} s; "
            f"the event loop stood still for at most {self.stood_still:.3f} s"
        )
