"""The methods of client authentication that the configured credentials allow, each tried once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from gqlauth._cli._check._step import Outcome, warned
from gqlauth._cli._failure import USAGE, clean, exit_code, worst
from gqlauth._client_auth import auth_headers
from gqlauth.errors import GqlAuthError, StrategyError, TokenError

if TYPE_CHECKING:
    from gqlauth._cli._check._subject import Subject
    from gqlauth._client_auth import Client

TAKEN: Final = "taken"


async def methods(subject: Subject) -> Outcome:
    """Ask for a token by each method, and tell which the server takes."""
    results: dict[str, str] = {}
    codes: list[int] = []
    for method in await _allowed(subject):
        client = _by(subject.client, method)
        try:
            await subject.service.tried(subject.auth.strategy, client, subject.auth.options)
        except StrategyError as error:
            # It was not even asked for, and what another method wants counts for nothing.
            results[method] = _told(error)
        except GqlAuthError as error:
            results[method] = _told(error)
            codes.append(exit_code(error))
        else:
            results[method] = TAKEN
    return _outcome(subject.method, results, codes)


async def _allowed(subject: Subject) -> list[str]:
    """Return the methods that a client has what they want for; of those that send the same, one."""
    client = subject.client
    allowed = []
    if client.private_key is not None:
        allowed.append("private_key_jwt")
    if client.certificate is not None:
        # By a certificate both send the same; how the server knows it is the server's business.
        of_its_own = subject.method == "self_signed_tls_client_auth"
        allowed.append("self_signed_tls_client_auth" if of_its_own else "tls_client_auth")
    if client.secret is not None:
        basic, raw = "client_secret_basic", "client_secret_basic_raw"
        secret = await client.secret.resolve()
        encoded, plain = (auth_headers(one, client.id, secret) for one in (basic, raw))
        allowed += [basic, raw] if encoded != plain else [basic]
        allowed += ["client_secret_post", "client_secret_jwt"]
    return allowed or ["none"]


def _by(client: Client, method: str) -> Client:
    """Return the same client, which proves itself by `method`."""
    algorithm = client.signing_alg or ""
    fits = algorithm.startswith("HS") == (method == "client_secret_jwt")
    return attrs.evolve(client, method=method, signing_alg=algorithm or None if fits else None)


def _told(error: GqlAuthError) -> str:
    """Return why there was no token, without what is the same each time."""
    if isinstance(error, TokenError):
        error = attrs.evolve(error, url="", tries=0)
    return clean(str(error))


def _outcome(current: str | None, results: dict[str, str], codes: list[int]) -> Outcome:
    taken = [method for method, result in results.items() if result == TAKEN]
    widest = max(map(len, results))
    outcome = Outcome(
        detail="\n".join(f"{method:<{widest}}  {result}" for method, result in results.items()),
        facts={
            "methods": [
                {"method": method, "taken": result == TAKEN, "detail": result}
                for method, result in results.items()
            ]
        },
    )
    if not taken:
        hint = "the server takes none of them: does it know the client, and what proves it?"
        return attrs.evolve(outcome, state="failed", hint=hint, code=worst(codes) or USAGE)
    if current in taken:
        return outcome
    return warned(outcome, [f'set token_endpoint_auth_method = "{taken[0]}"'])
