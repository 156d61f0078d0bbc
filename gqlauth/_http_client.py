"""The httpx clients that carry secrets: what the environment says of proxies, within bounds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from gqlauth._certificate import Certificate, Shown
from gqlauth._config._urls import is_loopback
from gqlauth._http import httpx
from gqlauth._request_headers import EndpointHeaders
from gqlauth._tls import own_context, system_context
from gqlauth.errors import ConfigError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterable

    from gqlauth._config import Endpoint
    from gqlauth._portal import Portal

    Hook = Callable[[httpx.Request], Awaitable[None]]

C = TypeVar("C", httpx.AsyncClient, httpx.Client)


def endpoint_client(
    endpoint: Endpoint,
    auth: httpx.Auth | None,
    *,
    timeout: float | None,
    **settings: Any,  # noqa: ANN401 - httpx's own
) -> httpx.AsyncClient:
    """Return an httpx client for requests to `endpoint`; see `AuthService.client`.

    It authenticates by `auth`; without, it shows no certificate either.

    Raises:
        ConfigError: when a ``ca_file``, or what the environment says, cannot be used.

    """
    hooks, own = _own_settings(endpoint, auth, timeout)
    client = http_client(_places(endpoint), event_hooks={"request": hooks}, **own, **settings)
    return _with_headers(endpoint, client)


def sync_endpoint_client(
    endpoint: Endpoint,
    auth: httpx.Auth | None,
    portal: Portal,
    *,
    timeout: float | None,
    **settings: Any,  # noqa: ANN401 - httpx's own
) -> httpx.Client:
    """Return the like of `endpoint_client` for threads, which come to the service by `portal`."""
    hooks, own = _own_settings(endpoint, auth, timeout)

    async def prepare(request: httpx.Request) -> None:
        for one in hooks:
            await one(request)

    def hook(request: httpx.Request) -> None:
        portal.call(partial(prepare, request))

    own |= {"event_hooks": {"request": [hook]}}
    return _with_headers(endpoint, _made(httpx.Client, _places(endpoint), {**own, **settings}))


def _places(endpoint: Endpoint) -> tuple[str, ...]:
    return (endpoint.url, *endpoint.origins)


def _own_settings(
    endpoint: Endpoint, auth: httpx.Auth | None, timeout: float | None
) -> tuple[list[Hook], dict[str, Any]]:
    """Return the hooks of requests to `endpoint`, and further settings of its client."""
    hooks, context = setup(endpoint, authenticate=auth is not None)
    own = {"auth": auth, "timeout": endpoint.timeout if timeout is None else timeout}
    return hooks, own if context is None else {**own, "verify": context}


def _with_headers(endpoint: Endpoint, client: C) -> C:
    for header in endpoint.headers:
        client.headers.pop(header, None)  # what httpx puts on each request by itself gives way
    return client


def setup(endpoint: Endpoint, *, authenticate: bool) -> tuple[list[Hook], ssl.SSLContext | None]:
    """Return what prepares a request to an endpoint, and the TLS that it goes over.

    The latter is None where nothing but what the system trusts is asked for.

    Raises:
        ConfigError: when the endpoint's ``ca_file``, or what the environment names, cannot be read.

    """
    hooks: list[Hook] = [EndpointHeaders(endpoint.headers, _places(endpoint))]
    auth = endpoint.auth if authenticate else None
    certificate = None if auth is None else Certificate.of(auth.strategy)
    if certificate is None and endpoint.ca_file is None:
        return hooks, None
    context = own_context(endpoint.ca_file)
    if certificate is not None:
        hooks.append(Shown(certificate, context))
    return hooks, context


class Borrowed(httpx.AsyncBaseTransport):
    """The connections of another client, which whoever lends it closes."""

    def __init__(self, lend: Callable[[], Awaitable[httpx.AsyncClient]]) -> None:
        """Borrow the connections of what `lend` returns, for each request."""
        self._lend = lend

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, as httpx calls it."""
        client = await self._lend()
        # What its `send` would ask, which would log each request once more; but it is httpx's own.
        choose = getattr(client, "_transport_for_url", None)
        if choose is None:
            return await client.send(request, auth=None, stream=True)
        response: httpx.Response = await choose(request.url).handle_async_request(request)
        return response


def http_client(urls: Iterable[str], **settings: Any) -> httpx.AsyncClient:  # noqa: ANN401 - httpx's own
    """Return an httpx client for requests to `urls`; `settings` are those of httpx.

    It takes proxies from the environment, but what is for this machine goes through no proxy:
    plain ``http`` is allowed there as it does not leave the machine. Where `settings` say nothing
    else by ``verify``, it trusts what the system trusts.

    Raises:
        ConfigError: when what the environment says cannot be used.

    """
    return _made(httpx.AsyncClient, urls, settings)


def _made(made: type[C], urls: Iterable[str], settings: dict[str, Any]) -> C:
    hosts = {host for url in urls if (host := loopback_host(url))}
    try:
        if settings.get("verify", True) is True:
            settings["verify"] = system_context()
        return made(mounts={_pattern(host): None for host in hosts}, **settings)
    except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
        # Not with its text, which may quote a proxy's password, nor with the error itself.
        kind = type(error).__name__
    raise ConfigError(
        f"the environment's proxy or certificates cannot be used ({kind}): look at HTTP_PROXY, "
        "HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR"
        + ("; a SOCKS proxy needs: pip install 'httpx[socks]'" if kind == "ImportError" else "")
    )


def loopback_host(url: str) -> str:
    """Return the host of `url` if it is this machine, else nothing."""
    try:
        host = httpx.URL(url).host
    except httpx.InvalidURL:  # told where it is requested
        return ""
    return host if is_loopback(host) else ""


def _pattern(host: str) -> str:
    return f"all://[{host}]" if ":" in host else f"all://{host}"
