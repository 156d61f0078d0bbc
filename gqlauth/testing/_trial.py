"""The trial of a strategy on one event loop, with an authorization server in this process."""

from __future__ import annotations

import copy
from contextlib import aclosing, suppress
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, Final

import anyio
import attrs

from gqlauth._endpoint import TokenEndpoint
from gqlauth._http import httpx
from gqlauth._key import cache_key
from gqlauth._options import AuthOptions
from gqlauth._secret import Secret
from gqlauth._service import AuthService
from gqlauth._token import Token
from gqlauth._token_clients import TokenClients
from gqlauth.errors import GqlAuthError, TokenError, TokenUnavailableError
from gqlauth.testing._clock import FrozenClock
from gqlauth.testing._server import AuthorizationServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from gqlauth._token import Strategy
    from gqlauth.testing._server import Script

_API: Final = "https://api.example.com/graphql"
_OPTIONS: Final = AuthOptions()
#: A shorter secret may stand in a text by chance.
_TELLING: Final = 6


class Trial:
    """The trial of one strategy, on one event loop."""

    def __init__(
        self, strategy: Strategy, server: Callable[[], AuthorizationServer] | None
    ) -> None:
        self._strategy = strategy
        self._make = server
        #: Whether it asks a server for its token.
        self._asks = False

    async def findings(self) -> list[str]:
        """Return what is wrong, each in words that go on from the strategy's name."""
        unusable = await self._unusable()
        if unusable:
            return [unusable]
        trials = [self._key, self._shown]
        if self._asks:
            trials += [self._kept, self._refused, self._down, self._cancelled]
        return [finding for trial in trials if (finding := await trial())]

    async def _unusable(self) -> str:
        """Try it as its users do: by a service, with a client of httpx."""
        server = self._server()
        got: list[httpx.Headers] = []

        def answer(request: httpx.Request) -> httpx.Response:
            got.append(request.headers)
            return httpx.Response(200, json={"data": {}})

        try:
            async with AuthService(token_transport=server, clock=FrozenClock()) as service:
                auth = service.auth_for(self._strategy, url=_API, name="api")
                api = httpx.MockTransport(answer)
                async with httpx.AsyncClient(auth=auth, transport=api) as client:
                    await client.post(_API, json={"query": "{ __typename }"})
        except GqlAuthError as error:
            return f"it gives no token: {error}"
        self._asks = bool(server.requests)
        return ""

    async def _key(self) -> str:
        """See that a copy has the same key, and that a fetch does not change it."""
        if not attrs.has(type(self._strategy)):
            return ""  # it shares with none but itself
        before = cache_key(self._strategy, _OPTIONS).digest
        try:
            other = cache_key(copy.deepcopy(self._strategy), _OPTIONS).digest
        except Exception as error:  # noqa: BLE001 - a field may raise anything; it is told
            return f"it cannot be copied: {type(error).__name__}: {error}"
        if other != before:
            return "a copy of it does not share its token: a field is of a type that has no value"
        await self._outcome(self._server())
        if cache_key(self._strategy, _OPTIONS).digest != before:
            return "a fetch changes its fields, and so what its token is known by"
        return ""

    async def _kept(self) -> str:
        """See that each fetch asks anew, and keeps what the server says of the lifetime."""
        server = self._server()
        token = await self._outcome(server)
        if not isinstance(token, Token):
            return f"it gives a token once, and then {_ends(token)}"
        if not server.requests:
            return "its second fetch asks nobody: keeping tokens is gqlauth's business"
        if isinstance(server.expires_in, int | float) and token.expires_in is None:
            return "its token has no `expires_in`, though the server told one: it never ends"
        return ""

    async def _refused(self) -> str:
        """See that a refusal is a `TokenError`, with no secret in it, nor on its way."""
        error = await self._outcome(self._server({"error": "invalid_grant"}))
        if not isinstance(error, TokenError):
            return f"where the server refuses, it {_ends(error)}: let the TokenError pass"
        secrets = await self._secrets()
        if _shows(f"{error!s} {error!r}", secrets):
            return "its error shows a secret where the server refuses"
        for frame, _ in walk_tb(error.__traceback__):
            if frame.f_globals.get("__name__") == type(self._strategy).__module__:
                for variable, value in frame.f_locals.items():
                    if _shows(repr(value), secrets):
                        where = f"`{variable}` of `{frame.f_code.co_name}`"
                        return f"a traceback shows a secret, in the variable {where}"
        return ""

    async def _down(self) -> str:
        """See that a server which is down is a `TokenUnavailableError`."""
        error = await self._outcome(self._server(503))
        if not isinstance(error, TokenUnavailableError):
            return f"where the server is down, it {_ends(error)}: let the TokenError pass"
        return ""

    async def _cancelled(self) -> str:
        """See that a fetch which is cancelled ends."""
        server = self._server()
        server.gate = anyio.Event()
        went_on = False

        async def fetched() -> None:
            nonlocal went_on
            with suppress(Exception):  # which is no end by cancellation either
                await self._fetched(server)
            went_on = bool(server.requests)
            server.arrived.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fetched)
            await server.arrived.wait()
            tasks.cancel_scope.cancel()
            # For one that is shielded, or this would wait for ever.
            server.gate.set()
        return "it goes on when it is cancelled" if went_on else ""

    async def _shown(self) -> str:
        """See that its text shows no secret."""
        shown = f"{self._strategy!r} {self._strategy!s}"
        return "its `repr` shows a secret" if _shows(shown, await self._secrets()) else ""

    def _server(self, otherwise: Script | None = None) -> AuthorizationServer:
        """Return a new server, which answers all by `otherwise` if that is given."""
        if self._make is None:
            issuer = getattr(self._strategy, "issuer", None)
            server = AuthorizationServer() if issuer is None else AuthorizationServer(issuer=issuer)
        else:
            server = self._make()
        if otherwise is not None:
            server.script, server.otherwise = [], otherwise
        return server

    async def _fetched(self, server: AuthorizationServer) -> Token:
        """Fetch, with nothing around the strategy."""
        clock = FrozenClock()
        async with aclosing(TokenClients(server)) as network:
            endpoint = TokenEndpoint(
                self._strategy,
                options=_OPTIONS,
                network=network,
                clock=clock,
                deadline=anyio.current_time() + _OPTIONS.timeout,
            )
            return await self._strategy.fetch(endpoint)

    async def _outcome(self, server: AuthorizationServer) -> object:
        """Return what a fetch returns, or what it raises."""
        try:
            return await self._fetched(server)
        except Exception as error:  # noqa: BLE001 - it is looked at
            return error

    async def _secrets(self) -> list[str]:
        """Return the texts of the secrets among its fields, which is what must not be shown."""
        strategy: Any = self._strategy
        if not attrs.has(type(strategy)):
            return []
        values = attrs.asdict(strategy, recurse=False).values()
        read = [await value.resolve() for value in values if isinstance(value, Secret)]
        return [secret.reveal() for secret in read if len(secret.reveal()) >= _TELLING]


def _shows(text: str, secrets: list[str]) -> bool:
    return any(secret in text for secret in secrets)


def _ends(outcome: object) -> str:
    if isinstance(outcome, Exception):
        return f"raises {type(outcome).__name__}"
    return f"returns a {type(outcome).__name__}"
