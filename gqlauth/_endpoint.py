"""`TokenEndpoint`: one form POST to the token endpoint, retried, bounded, parsed and explained."""

from __future__ import annotations

from functools import partial
from traceback import clear_frames
from typing import TYPE_CHECKING, Final, Protocol

import anyio
import attrs

from gqlauth._answer import Answer, TryAgainError
from gqlauth._client_auth import Client
from gqlauth._events import LOGGED
from gqlauth._exchange import Exchange, shown_url
from gqlauth._http import httpx
from gqlauth._http_body import read_body, streamed
from gqlauth._secret import Secret
from gqlauth._tries import Tries, lost
from gqlauth.errors import StrategyError, TokenError, TokenRefusedError, TokenUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from gqlauth._certificate import Certificate
    from gqlauth._clock import Clock
    from gqlauth._dpop import Possession, Prover
    from gqlauth._events import Events
    from gqlauth._exchange import Value
    from gqlauth._metadata import Metadata
    from gqlauth._options import AuthOptions
    from gqlauth._token import Token

# Statuses of a token endpoint that is none, or is none any more.
_MOVED: Final = frozenset({301, 302, 303, 307, 308, 404, 405, 410})


class Network(Protocol):
    """What requests for tokens go over; a service has one."""

    @property
    def possession(self) -> Possession:
        """Return what proves possession of the keys that tokens are bound to."""

    async def client(
        self, url: str, ca_file: Path | None, certificate: Certificate | None
    ) -> httpx.AsyncClient:
        """Return the client for requests to `url`.

        Raises:
            ConfigError: when `ca_file` or `certificate` cannot be used.

        """

    def turn(self, url: str) -> AbstractAsyncContextManager[object]:
        """Return what lets in as many requests to a server at once as it gets connections."""

    async def metadata(
        self, issuer: str, client: httpx.AsyncClient, tries: Tries, *, insecure: bool
    ) -> Metadata:
        """Return what `issuer` publishes of itself.

        Raises:
            TokenError: when that cannot be had, or cannot be true.

        """

    def moved(self, issuer: str) -> None:
        """Take note that the token endpoint is not where `issuer` said."""


class TokenEndpoint:
    """The token endpoint, as a strategy sees it: `grant` asks it for a token.

    It is made for one acquisition: discovery, client authentication, retries, the deadline and
    the errors are its business, not the strategy's. It reads these of the strategy's fields, as
    far as they are there: ``token_url`` or ``issuer``; ``client_id``, ``client_secret``,
    ``private_key``, ``key_id``, ``certificate_file``, ``certificate_key_file``,
    ``certificate_key_password``; ``token_endpoint_auth_method``,
    ``token_endpoint_auth_signing_alg``, ``assertion_audience``; ``dpop``, ``dpop_key``; and
    ``headers``.
    """

    __slots__ = (
        "_client",
        "_clock",
        "_dpop",
        "_dpop_key",
        "_events",
        "_headers",
        "_issuer",
        "_name",
        "_network",
        "_options",
        "_tries",
        "_url",
    )

    def __init__(  # noqa: PLR0913 - all but one by name
        self,
        strategy: object,
        *,
        options: AuthOptions,
        network: Network,
        clock: Clock,
        deadline: float,
        name: str = "",
        events: Events = LOGGED,
    ) -> None:
        self._url: str | None = getattr(strategy, "token_url", None)
        self._issuer: str | None = getattr(strategy, "issuer", None)
        self._client = Client.of(strategy)
        self._dpop: bool = getattr(strategy, "dpop", False)
        self._dpop_key: Secret | None = getattr(strategy, "dpop_key", None)
        self._headers: Mapping[str, str | Secret] = getattr(strategy, "headers", None) or {}
        self._options = options
        self._network = network
        self._clock = clock
        self._tries = Tries(clock, deadline, options.timeout)
        self._name = name
        self._events = events

    async def grant(self, form: Mapping[str, Value], *, once: bool = False) -> Token:
        """Ask for a token with the fields of `form`, and return it (RFC 6749, section 4).

        Secrets among the fields are resolved; a sequence is sent as a field repeated. Client
        authentication is added. What another try may mend is tried again, four times at the
        most, within the time that the acquisition has.

        With `once`, the request is one that must not be sent twice (a rotating refresh token, an
        authorization code): it is tried again only where nothing was sent.

        Raises:
            TokenRefusedError: when the endpoint refused, or gave no usable token.
            TokenUnavailableError: when it could not be reached, or asks for patience.
            SecretError: when a secret cannot be had.
            StrategyError: when the strategy has neither a ``token_url`` nor an ``issuer``, or
                its client authentication is impossible.
            ConfigError: when a certificate cannot be used.

        """
        certificate = self._client.certificate
        url, metadata = await self._asked()
        with anyio.move_on_after(self._tries.remaining()) as reading:
            exchange = Exchange(
                url=url,
                proof=await self._client.proof(url, metadata),
                headers={name: await _resolved(value) for name, value in self._headers.items()},
                form={name: await _resolved(value) for name, value in form.items()},
                once=once,
                prover=await self._prover(metadata),
            )
        if reading.cancelled_caught:
            raise self._unread(url, form)
        http = await self._network.client(url, self._options.ca_file, certificate)
        started = self._clock.monotonic()
        with anyio.move_on_after(self._tries.remaining()):
            try:
                return await self._tries.run("token request", partial(self._sent, exchange, http))
            except TokenError as error:
                if metadata is not None and error.status in _MOVED:
                    self._network.moved(metadata.issuer)
                raise self._told(exchange, started, error) from error.__cause__
        what = "gave no answer" if exchange.tries else "could not be asked"
        late = TokenUnavailableError(f"{what} within {self._options.timeout:g} s")
        raise self._told(exchange, started, late) from exchange.last

    async def _asked(self) -> tuple[str, Metadata | None]:
        """Return where the token is asked for, and what is known of the server."""
        if self._url is not None:
            return self._url, None
        if self._issuer is None:
            raise StrategyError("the strategy has no token_url and no issuer to ask for a token")
        certificate, ca_file = self._client.certificate, self._options.ca_file
        metadata = await self._network.metadata(
            self._issuer,
            await self._network.client(self._issuer, ca_file, certificate),
            self._tries,
            insecure=self._options.allow_insecure_http,
        )
        return metadata.token_url(certified=certificate is not None), metadata

    async def _prover(self, metadata: Metadata | None) -> Prover | None:
        """Return what proves possession of the key that the token is to be bound to, if any is."""
        if not self._dpop:
            return None
        listed = None if metadata is None else metadata.dpop_algs
        return await self._network.possession.prover(self._dpop_key, listed, self._clock)

    async def _sent(self, exchange: Exchange, http: httpx.AsyncClient) -> Token:
        """Wait for a turn, which the deadline bounds; send the request, and read the answer."""
        async with self._network.turn(exchange.url):
            try:
                try:
                    return await self._send(exchange, http)
                except TokenRefusedError as error:
                    if not exchange.wants_nonce(error):
                        raise
                # Nothing was taken of what was sent: this is the same try, as it should have been.
                return await self._send(exchange, http)
            except BaseException as error:
                _clear(error)
                raise

    async def _send(self, exchange: Exchange, http: httpx.AsyncClient) -> Token:
        """Send the request once, and read the answer to its end."""
        wall, monotonic = self._clock.wall(), self._clock.monotonic()
        exchange.prove(wall)
        self._events.request(self._name, exchange)
        try:
            async with streamed(
                http,
                "POST",
                exchange.url,
                content=exchange.body(),
                headers=exchange.request_headers(),
                limits=self._tries.limits,
            ) as response:
                body = await read_body(response)
        # An OSError is that of a TLS connection that breaks while it is read, on asyncio.
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            failure = lost(error, exchange.secrets(), once=exchange.once)
            exchange.last = failure.error if isinstance(failure, TryAgainError) else failure
            self._lost(exchange, monotonic, exchange.last)
            raise failure from None
        except BaseException as error:
            self._lost(exchange, monotonic, error)
            raise
        answer = Answer(
            exchange.shown_url,
            response.status_code,
            response.headers,
            body.content,
            body.trouble,
            exchange.secrets(),
        )
        elapsed = self._clock.monotonic() - monotonic
        exchange.answered(response.headers, self._clock.wall())
        failed: TokenError | None = None
        try:
            token = answer.token(self._clock.wall(), exchange.prover)
        except TokenError as error:
            failed = error
            raise
        except TryAgainError as again:
            failed = exchange.last = again.error
            if exchange.once:
                raise again.error from None
            raise
        finally:
            # Not before: the token is known only now, and so is not shown.
            self._events.answer(self._name, exchange, answer, elapsed, failed)
        return token.issued(wall, monotonic, default_lifetime=self._options.default_lifetime)

    def _lost(self, exchange: Exchange, started: float, error: BaseException) -> None:
        self._events.lost(self._name, exchange, self._clock.monotonic() - started, error)

    def _unread(self, url: str, form: Mapping[str, Value]) -> TokenError:
        """Return what is told where reading the secrets took all the time that there was."""
        own = (self._client.secret, self._client.private_key, self._dpop_key)
        values = (*own, *self._headers.values(), *form.values())
        read = [one.source for one in values if isinstance(one, Secret) and one.is_reference]
        slow = " or ".join(read) or "reading what proves the client"
        reason = f"could not be asked within {self._options.timeout:g} s: {slow} took too long"
        return TokenUnavailableError(reason, url=shown_url(url))

    def _told(self, exchange: Exchange, started: float, error: TokenError) -> TokenError:
        """Return `error` with what is known of the whole exchange."""
        return attrs.evolve(
            error,
            url=exchange.shown_url,
            tries=exchange.tries,
            elapsed=self._clock.monotonic() - started,
            hint=error.hint or exchange.hint(error),
        )


def _clear(error: BaseException) -> None:
    """Clear the variables of the frames below, which hold what was sent, and what came.

    A traceback that shows variables would show those of the HTTP client, too; its lines stay.
    """
    cancelled = anyio.get_cancelled_exc_class()
    below: BaseException | None = error
    while below is not None:
        clear_frames(below.__traceback__)
        # Who cancels may be handling an error just then, which trio takes for the context of this
        # one: its frames are not below, but wait, and to clear them would end them.
        below = None if isinstance(below, cancelled) else below.__context__


async def _resolved(value: Value) -> Value:
    return await value.resolve() if isinstance(value, Secret) else value
