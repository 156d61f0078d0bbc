"""The httpx clients that carry secrets: what the environment says of proxies, within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from gqlauth._config._urls import is_loopback
from gqlauth._tls import system_context
from gqlauth.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable


def http_client(urls: Iterable[str], **settings: Any) -> httpx.AsyncClient:  # noqa: ANN401 - httpx's own
    """Return an httpx client for requests to `urls`; `settings` are those of httpx.

    It takes proxies from the environment, but what is for this machine goes through no proxy:
    plain ``http`` is allowed there as it does not leave the machine. Where `settings` say nothing
    else by ``verify``, it trusts what the system trusts.

    Raises:
        ConfigError: when what the environment says cannot be used.

    """
    hosts = {host for url in urls if (host := loopback_host(url))}
    try:
        if settings.get("verify", True) is True:
            settings["verify"] = system_context()
        return httpx.AsyncClient(mounts={_pattern(host): None for host in hosts}, **settings)
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
