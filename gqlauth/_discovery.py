"""What an authorization server publishes of itself: asked for, judged, and kept for an hour.

RFC 8414 says where an OAuth server does, and OpenID Connect Discovery where an OpenID provider
does; many do so at one of both places alone, so both are looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

import anyio
import attrs

from gqlauth import _log
from gqlauth._answer import TryAgainError, retry_after, shown
from gqlauth._config._urls import is_loopback, url_problem
from gqlauth._http import httpx
from gqlauth._http_body import read_body, streamed
from gqlauth._metadata import Metadata
from gqlauth._tries import lost
from gqlauth.errors import TokenError, TokenRefusedError, TokenUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from gqlauth._tries import Tries

#: Seconds for which metadata is used before it is asked for again.
KEPT: Final = 3600.0
#: Issuers whose metadata is kept; the first to come is the first to go.
MOST: Final = 1000

_SUFFIXES: Final = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
_LATER: Final = frozenset({408, 425, 429})


class _NotHereError(Exception):
    """There is no metadata at one place, which says nothing of another."""


@attrs.define
class _Asking:
    """One search for the metadata of an issuer."""

    issuer: str
    client: httpx.AsyncClient
    insecure: bool
    tries: Tries
    #: Where it is asked for now, and how often it was in all.
    url: str = ""
    count: int = 0
    last: TokenError | None = None


class _Flight:
    """One search that is under way, and what it came to; nothing where it was given up."""

    __slots__ = ("done", "error", "metadata")

    def __init__(self) -> None:
        self.done = anyio.Event()
        self.metadata: Metadata | None = None
        self.error: TokenError | None = None


class Discovery:
    """The metadata of issuers, each asked for by one flight at a time."""

    def __init__(self) -> None:
        # With the end of its time, by the monotonic clock.
        self._kept: dict[Hashable, tuple[Metadata, float]] = {}
        self._flights: dict[Hashable, _Flight] = {}

    def known(self, issuer: str) -> Metadata | None:
        """Return what was found of `issuer` last, if anything was, however old it is."""
        found = (one for one, _ in reversed(self._kept.values()) if one.issuer == issuer)
        return next(found, None)

    def forget(self, issuer: str) -> None:
        """Ask `issuer` again the next time: what it published is no longer so."""
        for key in [key for key, (one, _) in self._kept.items() if one.issuer == issuer]:
            del self._kept[key]

    async def metadata(
        self, issuer: str, client: httpx.AsyncClient, tries: Tries, *, insecure: bool
    ) -> Metadata:
        """Return the metadata of `issuer`, by `client`.

        With `insecure`, ``http`` is allowed to any host.

        Raises:
            TokenRefusedError: when it has none, or such as cannot be true.
            TokenUnavailableError: when it could not be reached, or not in time.

        """
        # Who trusts other certificates, or shows one, is told by nobody else.
        key = (issuer, client, insecure)
        while True:
            kept = self._kept.get(key)
            if kept is not None and tries.clock.monotonic() < kept[1]:
                return kept[0]
            flight = self._flights.get(key)
            if flight is None:
                asking = _Asking(issuer, client, insecure, tries)
                return await self._fly(key, tries, partial(_found, asking))
            with anyio.move_on_after(tries.remaining()):
                await flight.done.wait()
            if flight.metadata is not None:
                return flight.metadata
            if flight.error is not None:
                raise flight.error.for_endpoint("")
            if not flight.done.is_set():
                late = TokenUnavailableError(f"gave no answer within {tries.timeout:g} s")
                raise attrs.evolve(late, asked="issuer", url=issuer)
            # It was given up by who began it, for a reason of their own.

    async def _fly(
        self, key: Hashable, tries: Tries, find: Callable[[], Awaitable[Metadata]]
    ) -> Metadata:
        flight = self._flights[key] = _Flight()
        try:
            flight.metadata = await find()
        except TokenError as error:
            # A time that is over is the time of who began it; others may have more.
            if tries.remaining() > 0:
                flight.error = error.with_traceback(None)
            raise
        finally:
            del self._flights[key]
            flight.done.set()
        self._kept.pop(key, None)
        self._kept[key] = flight.metadata, tries.clock.monotonic() + KEPT
        while len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]
        return flight.metadata


def well_known_urls(issuer: str) -> tuple[str, ...]:
    """Return where `issuer` may publish its metadata, in the order in which to look.

    RFC 8414, section 3.1, puts the well-known part between host and path; OpenID Connect
    Discovery, section 4, at the end.
    """
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    oauth, openid = _SUFFIXES
    return tuple(
        urlunsplit((parts.scheme, parts.netloc, where, "", ""))
        for where in (oauth + path, path + openid)
    )


async def _found(asking: _Asking) -> Metadata:
    """Return what is found at one place or the other, within the time that there is."""
    started = asking.tries.clock.monotonic()
    _log.info("looking for metadata", issuer=asking.issuer)
    with anyio.move_on_after(asking.tries.remaining()):
        try:
            return await _looked_for(asking)
        except TokenError as error:
            raise _told(asking, error, started) from error.__cause__
    late = TokenUnavailableError(f"gave no answer within {asking.tries.timeout:g} s")
    raise _told(asking, late, started) from asking.last


async def _looked_for(asking: _Asking) -> Metadata:
    missing = []
    for url in well_known_urls(asking.issuer):
        asking.url = url
        try:
            return await asking.tries.run("discovery", partial(_asked, asking))
        except _NotHereError as error:
            missing.append(f"{urlsplit(url).path} {error}")
    raise TokenRefusedError(
        f"publishes no metadata: {', '.join(missing)}",
        hint="set token_url instead of issuer, or check issuer: each of its characters counts",
    )


async def _asked(asking: _Asking) -> Metadata:
    """Ask at one place, once."""
    asking.count += 1
    _log.debug("discovery request", url=asking.url, attempt=asking.count)
    try:
        async with streamed(
            asking.client,
            "GET",
            asking.url,
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            limits=asking.tries.limits,
        ) as response:
            body = await read_body(response)
    # An OSError is that of a TLS connection that breaks while it is read, on asyncio.
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        failure = lost(error)
        asking.last = failure.error if isinstance(failure, TryAgainError) else failure
        raise failure from None
    status = response.status_code
    _log.debug("discovery answer", url=asking.url, status=status)
    if status in _LATER or status >= 500:  # noqa: PLR2004 - server errors
        wait = retry_after(response.headers.get("retry-after"), asking.tries.clock.wall())
        asking.last = TokenUnavailableError("is unavailable", status=status, retry_after=wait)
        raise TryAgainError(asking.last)
    if response.has_redirect_location:
        raise _NotHereError("redirects, which is not followed")
    if status != httpx.codes.OK:
        raise _NotHereError(f"gave {status}")
    if body.trouble:
        raise _NotHereError(f"gave an answer that {body.trouble}")
    try:
        fields = json.loads(body.content.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        raise _NotHereError("gave an answer that is no JSON") from None
    return _judged(asking, fields)


def _judged(asking: _Asking, fields: object) -> Metadata:
    """Return what a document says, if it may be believed (RFC 8414, sections 3.3 and 6)."""
    if not isinstance(fields, Mapping):
        raise TokenRefusedError("gave metadata that is no JSON object")
    issuer = fields.get("issuer")
    if issuer != asking.issuer:
        raise _other_issuer(asking.issuer, issuer)
    aliases = fields.get("mtls_endpoint_aliases")
    alias = aliases.get("token_endpoint") if isinstance(aliases, Mapping) else None
    token_endpoint = _endpoint(asking, "token_endpoint", fields.get("token_endpoint"))
    if token_endpoint is None:
        raise TokenRefusedError("gave metadata without a token_endpoint")
    return Metadata(
        issuer=asking.issuer,
        token_endpoint=token_endpoint,
        mtls_token_endpoint=_endpoint(asking, "mtls_endpoint_aliases.token_endpoint", alias),
        auth_methods=_texts(fields.get("token_endpoint_auth_methods_supported")),
        signing_algs=_texts(fields.get("token_endpoint_auth_signing_alg_values_supported")),
        dpop_algs=_texts(fields.get("dpop_signing_alg_values_supported")),
    )


def _other_issuer(wanted: str, issuer: object) -> TokenRefusedError:
    if not isinstance(issuer, str):
        return TokenRefusedError("gave metadata without an issuer")
    told = shown(issuer, ())
    # A slash at the end is all that people see no difference in.
    near = issuer.rstrip("/") == wanted.rstrip("/")
    return TokenRefusedError(
        f'gave metadata of another issuer, "{told}"',
        hint=f'set issuer = "{told}"' if near else "",
    )


def _endpoint(asking: _Asking, name: str, url: Any) -> str | None:  # noqa: ANN401 - from outside
    """Return the URL that a document names; None where it names none."""
    if url is None:
        return None
    problem = "is no text" if not isinstance(url, str) else _problem(asking, url)
    if problem is not None:
        raise TokenRefusedError(f"gave metadata whose {name} {problem}")
    return str(url)


def _problem(asking: _Asking, url: str) -> str | None:
    problem = url_problem(url, insecure=asking.insecure)
    if problem is not None or asking.insecure or urlsplit(url).scheme == "https":
        return problem
    # Nobody else may point to what listens on this machine.
    if is_loopback(urlsplit(asking.issuer).hostname or ""):
        return None
    return "is http on this machine, and the issuer is elsewhere"


def _texts(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        return None
    return tuple(item for item in value if isinstance(item, str))


def _told(asking: _Asking, error: TokenError, started: float) -> TokenError:
    """Return `error` with what is known of the whole search."""
    return attrs.evolve(
        error,
        asked="issuer",
        url=asking.url,
        tries=asking.count,
        elapsed=asking.tries.clock.monotonic() - started,
    )
