"""`TokenEndpoint`: one form POST to the token endpoint, retried, bounded, parsed and explained."""

from __future__ import annotations

import random
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Final

import anyio
import attrs
import httpx

from gqlauth import _events, _log
from gqlauth._answer import Answer, TryAgainError, shown
from gqlauth._client_auth import method_for
from gqlauth._exchange import Exchange
from gqlauth._http_body import read_body
from gqlauth._secret import Secret
from gqlauth.errors import StrategyError, TokenError, TokenRefusedError, TokenUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from tenacity import RetryCallState

    from gqlauth._clock import Clock
    from gqlauth._exchange import Value
    from gqlauth._options import AuthOptions
    from gqlauth._token import Token

#: Requests that one acquisition sends at the most.
TRIES: Final = 4
#: Seconds: the first pause is at most this long, each further one twice that, up to the other.
FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 8.0
#: Seconds for connecting, and for each piece of an answer, at the most, and as a part of the time
#: of the whole acquisition: a stalled try leaves time for another; the deadline bounds them all.
STALLED: Final = 10.0
STALLED_PART: Final = 1 / 2

# What fails before anything was sent, and so may be tried again whatever the request does.
_NOTHING_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class TokenEndpoint:
    """The token endpoint, as a strategy sees it: `grant` asks it for a token.

    It is made for one acquisition: client authentication, retries, the deadline and the errors
    are its business, not the strategy's. It reads ``token_url``, ``client_id``,
    ``client_secret``, ``token_endpoint_auth_method`` and ``headers`` from the strategy's fields.
    """

    __slots__ = (
        "_client",
        "_clock",
        "_deadline",
        "_headers",
        "_id",
        "_method",
        "_options",
        "_random",
        "_secret",
        "_turn",
        "_url",
    )

    def __init__(  # noqa: PLR0913 - it ties together what one acquisition has
        self,
        strategy: object,
        *,
        options: AuthOptions,
        client: Callable[[], httpx.AsyncClient],
        clock: Clock,
        deadline: float,
        turn: AbstractAsyncContextManager[object] | None = None,
    ) -> None:
        self._url: str | None = getattr(strategy, "token_url", None)
        self._id: str | None = getattr(strategy, "client_id", None)
        self._secret: Secret | None = getattr(strategy, "client_secret", None)
        self._method: str | None = getattr(strategy, "token_endpoint_auth_method", None)
        self._headers: Mapping[str, str | Secret] = getattr(strategy, "headers", None) or {}
        self._options = options
        self._client = client
        self._clock = clock
        self._deadline = deadline
        self._turn = nullcontext() if turn is None else turn
        # Not for secrecy, but so that a fleet does not come back in one beat.
        self._random = random.random

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
            StrategyError: when the strategy has no ``token_url``, or asks for a method of client
                authentication that is not known.

        """
        if self._url is None:
            raise StrategyError("the strategy has no token_url to ask for a token")
        exchange = Exchange(
            url=self._url,
            method=method_for(self._method, self._secret),
            client_id=self._id,
            client_secret=None if self._secret is None else await self._secret.resolve(),
            headers={name: await _resolved(value) for name, value in self._headers.items()},
            form={name: await _resolved(value) for name, value in form.items()},
            once=once,
        )
        started = self._clock.monotonic()
        limit = max(0.0, self._deadline - anyio.current_time())
        with anyio.move_on_after(limit):
            try:
                return await self._tried(exchange)
            except TokenError as error:
                raise self._told(exchange, started, error) from error.__cause__
        what = "gave no answer" if exchange.tries else "could not be asked"
        late = TokenUnavailableError(f"{what} within {self._options.timeout:g} s")
        raise self._told(exchange, started, late) from exchange.last

    async def _tried(self, exchange: Exchange) -> Token:
        # A static token needs none of it.
        from tenacity import AsyncRetrying, retry_if_exception_type  # noqa: PLC0415

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(TryAgainError),
            stop=self._stop,
            wait=self._pause,
            sleep=self._clock.sleep,
            before_sleep=_log_pause,
            reraise=True,
        )
        try:
            return await retrying(self._sent, exchange)
        except TryAgainError as again:
            raise again.error from again.error.__cause__

    async def _sent(self, exchange: Exchange) -> Token:
        """Wait for a turn, which the deadline bounds; send the request, and read the answer."""
        async with self._turn:
            return await self._send(exchange)

    async def _send(self, exchange: Exchange) -> Token:
        """Send the request once, and read the answer to its end."""
        client = self._client()
        # A connection of the pool is at hand, as it is this request's turn.
        stalled = min(STALLED, self._options.timeout * STALLED_PART)
        exchange.tries += 1
        wall, monotonic = self._clock.wall(), self._clock.monotonic()
        _events.token_request(exchange)
        try:
            async with client.stream(
                "POST",
                exchange.url,
                content=exchange.body(),
                headers=exchange.request_headers(),
                timeout=httpx.Timeout(stalled, pool=None),
                follow_redirects=False,
            ) as response:
                body = await read_body(response)
        # An OSError is that of a TLS connection that breaks while it is read, on asyncio.
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._lost(exchange, error) from None
        answer = Answer(
            exchange.shown_url,
            response.status_code,
            response.headers,
            body.content,
            body.trouble,
            exchange.secrets(),
        )
        elapsed = self._clock.monotonic() - monotonic
        try:
            token = answer.token(self._clock.wall())
        except TryAgainError as again:
            exchange.last = again.error
            if exchange.once:
                raise again.error from None
            raise
        finally:
            # Not before: the token is known only now, and so is not shown.
            _events.token_answer(answer, elapsed)
        return token.issued(wall, monotonic, default_lifetime=self._options.default_lifetime)

    def _lost(self, exchange: Exchange, error: Exception) -> TokenError | TryAgainError:
        """Return what a request comes to that got no whole answer."""
        told = partial(_told_of, secrets=exchange.secrets())
        _forget_request(error, told)
        lost: TokenError
        if isinstance(
            error, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError
        ):
            # Not with its text, which may quote a header.
            lost = TokenRefusedError(f"cannot be asked: {type(error).__name__}")
            again = False
        else:
            garbled = isinstance(error, httpx.RemoteProtocolError)
            what = "gave no valid answer" if garbled else "cannot be reached"
            lost = TokenUnavailableError(f"{what}: {told(_described(error))}")
            again = not exchange.once or isinstance(error, _NOTHING_SENT)
        lost.__cause__ = error
        exchange.last = lost
        return TryAgainError(lost) if again else lost

    def _pause(self, state: RetryCallState) -> float:
        """Return the seconds before the next try: full jitter, or what the server asks for."""
        asked = _failure(state).retry_after
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (state.attempt_number - 1))
        return self._random() * longest if asked is None else asked

    def _stop(self, state: RetryCallState) -> bool:
        """Tell whether to give up: no try is left, or the next would come after the deadline."""
        too_late = anyio.current_time() + state.upcoming_sleep >= self._deadline
        return too_late or state.attempt_number >= TRIES

    def _told(self, exchange: Exchange, started: float, error: TokenError) -> TokenError:
        """Return `error` with what is known of the whole exchange."""
        return attrs.evolve(
            error,
            url=exchange.shown_url,
            tries=exchange.tries,
            elapsed=self._clock.monotonic() - started,
            hint=error.hint or exchange.hint(error),
        )


async def _resolved(value: Value) -> Value:
    return await value.resolve() if isinstance(value, Secret) else value


def _failure(state: RetryCallState) -> TokenError:
    error = state.outcome.exception() if state.outcome is not None else None
    assert isinstance(error, TryAgainError)
    return error.error


def _log_pause(state: RetryCallState) -> None:
    error = _failure(state)
    _log.info(
        "token request failed, trying again",
        reason=error.reason,
        status=error.status,
        attempt=state.attempt_number,
        pause=round(state.upcoming_sleep, 3),
    )


def _described(error: Exception) -> str:
    late: dict[type[Exception], str] = {
        httpx.ConnectTimeout: "connecting took too long",
        httpx.ReadTimeout: "the answer took too long",
        httpx.WriteTimeout: "sending took too long",
    }
    broken: dict[type[Exception], str] = {
        httpx.ReadError: "the connection broke off",
        httpx.WriteError: "the connection broke off",
    }
    kind = type(error)
    text = late.get(kind) or str(error) or _refused_certificate(error)
    return text or broken.get(kind) or kind.__name__


def _refused_certificate(error: BaseException | None) -> str:
    """Return why a server's certificate was refused, which on trio only a cause tells."""
    from ssl import SSLError  # noqa: PLC0415 - an error has time

    while error is not None and not isinstance(error, SSLError):
        error = error.__cause__ or error.__context__
    return "" if error is None else str(error)


def _told_of(text: str, secrets: Sequence[Secret]) -> str:
    """Return what may be told of what a library says went wrong."""
    # h11 quotes the bytes that came, which may be those that were sent.
    return shown(text.partition(": bytearray(")[0], secrets)


def _forget_request(error: BaseException, told: Callable[[str], str]) -> None:
    """Drop what holds the request of `error`, and of what caused it: itself, frames, its text."""
    seen: BaseException | None = error
    while seen is not None:
        seen.__traceback__ = None
        seen.args = tuple(told(part) if isinstance(part, str) else part for part in seen.args)
        if isinstance(seen, httpx.RequestError):
            seen._request = None  # noqa: SLF001 - httpx has no way to take it back
        seen = seen.__cause__ or seen.__context__
