"""The TLS of the token endpoint: a request that proves nobody shows it."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import anyio
import attrs

from gqlauth._answer import TryAgainError, shown
from gqlauth._cli._check._certificates import certificate_hint, certificate_trouble
from gqlauth._cli._check._step import Outcome, failed, skipped, warned
from gqlauth._cli._show import duration
from gqlauth._client_auth import Proof
from gqlauth._config._urls import is_loopback
from gqlauth._exchange import Exchange
from gqlauth._http import httpx
from gqlauth._http_body import read_body, streamed
from gqlauth._tries import lost
from gqlauth.errors import ConfigError, TokenError, TokenUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gqlauth._cli._check._subject import Subject

#: A certificate is soon at its end in the last tenth of its time, of two weeks at the most.
SOON: Final = 14 * 86_400.0
SOON_PART: Final = 1 / 10

_ACCEPT: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}


async def tls(subject: Subject) -> Outcome:
    """Connect to the token endpoint, and look at the certificate that it shows."""
    url = subject.token_url
    assert url is not None
    if urlsplit(url).scheme == "http":
        return _plain(url)
    options = subject.auth.options
    try:
        with anyio.fail_after(options.timeout):
            version, certificate = await _shaken(subject, url)
    except TimeoutError:
        error: TokenError = TokenUnavailableError(f"gave no answer within {options.timeout:g} s")
    except ConfigError as wrong:
        return failed(wrong, subject.endpoint.name)
    except TokenError as lost_by:
        error = lost_by
    else:
        return described(version, certificate, subject.service.now())
    proof = Proof(method="", certified=subject.client.certificate is not None)
    exchange = Exchange(url=url, proof=proof, headers={}, form={}, once=True)
    hint = certificate_hint(error, options.ca_file) or exchange.hint(error)
    trouble = certificate_trouble(error)
    if trouble:
        error = TokenUnavailableError(f"shows a certificate that is refused: {trouble}")
    return failed(attrs.evolve(error, url=exchange.shown_url), subject.endpoint.name, hint=hint)


def _plain(url: str) -> Outcome:
    if is_loopback(urlsplit(url).hostname or ""):
        return skipped("http, which does not leave this machine")
    return Outcome(
        state="warning",
        detail="http: who is between reads the secret, and the token",
        hint="use https",
    )


async def _shaken(subject: Subject, url: str) -> tuple[str, Mapping[str, Any]]:
    """Return the protocol, and the certificate as Python tells it, of a connection that serves.

    The request has nothing in it: that the endpoint refuses it, says nothing.
    """
    strategy, options = subject.auth.strategy, subject.auth.options
    http = await subject.service.http(url, strategy, options)
    limits = subject.service.tries(options).limits
    try:
        async with streamed(http, "GET", url, headers=_ACCEPT, limits=limits) as response:
            connection = response.extensions["network_stream"].get_extra_info("ssl_object")
            version, certificate = connection.version(), connection.getpeercert()
            await read_body(response)
    # An OSError is that of a TLS connection that breaks while it is read, on asyncio.
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        failure = lost(error)
        raise (failure.error if isinstance(failure, TryAgainError) else failure) from error
    return version, certificate or {}


def described(version: str, certificate: Mapping[str, Any], now: float) -> Outcome:
    """Return what a connection shows at the time `now`.

    Where the system verifies certificates, and not OpenSSL, Python tells nothing of them.
    """
    if not certificate:
        return Outcome(detail=version, facts={"protocol": version})
    subject = _name(certificate.get("subject", ())) or next(_hosts(certificate), "")
    issuer = _name(certificate.get("issuer", ()))
    ends = ssl.cert_time_to_seconds(certificate["notAfter"])
    left = ends - now
    told = f"ends in {duration(left)}" if left > 0 else f"ended {duration(-left)} ago"
    outcome = Outcome(
        detail=f"{version}, certificate of {subject} by {issuer}, {told}",
        facts={
            "protocol": version,
            "certificate_subject": subject,
            "certificate_issuer": issuer,
            "certificate_ends_at": int(ends),
        },
    )
    begins = ssl.cert_time_to_seconds(certificate["notBefore"])
    soon = left < min(SOON, (ends - begins) * SOON_PART)
    return warned(outcome, ["the certificate is to be renewed"] if soon else [])


def _name(parts: Any) -> str:  # noqa: ANN401 - as Python tells a certificate
    """Return the common name of a distinguished name, or else its last part."""
    pairs = [pair for part in parts for pair in part]
    common = [value for key, value in pairs if key == "commonName"]
    return shown((common or [value for _, value in pairs] or [""])[-1], ())


def _hosts(certificate: Mapping[str, Any]) -> Iterator[str]:
    for _, value in certificate.get("subjectAltName", ()):
        yield shown(value, ())
