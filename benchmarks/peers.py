"""The peers: each made to do what gqlauth does, in the way that its own documentation shows.

They are installed in the session that measures, and nowhere else: a peer that is not there is
named, and left out.
"""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from importlib.util import find_spec
from time import time
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from gqlauth._http import LIBRARIES, httpx

if TYPE_CHECKING:
    from collections.abc import Iterable

AUTHLIB: Final = "Authlib"
HTTPX_AUTH: Final = "httpx-auth"
REQUESTS: Final = "requests-oauth2client"

_MODULES: Final = {
    AUTHLIB: "authlib",
    HTTPX_AUTH: "httpx_auth",
    REQUESTS: "requests_oauth2client",
}
CLIENT_ID: Final = "orders-cli"
CLIENT_SECRET: Final = "made-up-for-benchmarks"
#: Seconds before the end of a token from which the peers get another, where the default would be
#: longer than a short token lives.
LEEWAY: Final = 0.5


def present(names: Iterable[str] = _MODULES) -> list[str]:
    """Return those of the peers that are installed."""
    return [name for name in names if find_spec(_MODULES[name]) is not None]


def absent() -> list[str]:
    """Return those of the peers that are not installed."""
    return [name for name in _MODULES if name not in present()]


def authlib(token_url: str, **options: Any) -> Any:  # noqa: ANN401 - it has no types of its own
    """Return Authlib's client, which is an ``httpx.AsyncClient`` with tokens."""
    # It prefers httpx2; all are measured on one library, as they share transports.
    others = dict.fromkeys(set(LIBRARIES) - {httpx.__name__})
    with warnings.catch_warnings(), patch.dict(sys.modules, others):
        import_module("authlib.deprecate")  # sets its own filter, which is to come first
        warnings.simplefilter("ignore")  # that httpx is old
        module = import_module("authlib.integrations.httpx_client")
    return module.AsyncOAuth2Client(
        CLIENT_ID,
        CLIENT_SECRET,
        token_endpoint=token_url,
        grant_type="client_credentials",
        **options,
    )


async def authlib_token(client: Any) -> None:  # noqa: ANN401 - as above
    """Make sure that the client has a token: the first by itself, and each further one."""
    if client.token is None:
        await client.fetch_token()
    else:
        await client.ensure_active_token(client.token)


def httpx_auth(token_url: str, client: httpx.Client, **options: Any) -> Any:  # noqa: ANN401
    """Return httpx-auth's authentication, whose token requests go through `client`.

    By default it makes a client for each token request, and an SSL context with it.
    """
    module = import_module("httpx_auth")
    return module.OAuth2ClientCredentials(
        token_url, CLIENT_ID, CLIENT_SECRET, client=client, **options
    )


async def httpx_auth_token(auth: Any) -> None:  # noqa: ANN401 - as above
    """Do what the authentication does for each request, but for the request."""
    flow = auth.async_auth_flow(httpx.Request("POST", "https://orders.example.com/graphql"))
    try:
        await anext(flow)
    finally:
        await flow.aclose()


def requests_auth(token_url: str, **options: Any) -> Any:  # noqa: ANN401 - as above
    """Return requests-oauth2client's authentication, for threads."""
    module = import_module("requests_oauth2client")
    client = module.OAuth2Client(
        token_endpoint=token_url, auth=(CLIENT_ID, CLIENT_SECRET), testing=True
    )
    return module.OAuth2ClientCredentialsAuth(client, **options)


def httpx_auth_lookup(auth: Any) -> None:  # noqa: ANN401 - as above
    """Look its token up, as the authentication does for each request."""
    import_module("httpx_auth").OAuth2.token_cache.get_token(
        auth.state, early_expiry=auth.early_expiry, on_missing_token=auth.request_new_token
    )


def httpx_auth_expire(auth: Any) -> None:  # noqa: ANN401 - as above
    """Give it a token that has expired."""
    import_module("httpx_auth").OAuth2.token_cache.tokens[auth.state] = ("old", time() - 1, None)


def requests_expired() -> Any:  # noqa: ANN401 - as above
    """Return a token of requests-oauth2client's that has expired."""
    return import_module("requests_oauth2client").BearerToken("old", expires_in=-1)
