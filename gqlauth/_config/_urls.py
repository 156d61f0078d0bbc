"""What a URL must be, so that a token may be sent to it or asked of it."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlsplit

import attrs

from gqlauth._config._findings import Finding
from gqlauth.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import cattrs

#: What the setting is called that allows ``http`` to any host.
INSECURE: Final = "allow_insecure_http"

# What httpx refuses to read.
_LONGEST: Final = 65_536

_NO_HOST: Final = re.compile(r"[\s<>\"'\\^`{|}%,;!$&()*+=~]")
_IP_LIKE: Final = re.compile(r"\d+(?:\.\d+){3}")
# What of a URL is not shown: user name and password, and the query.
_SECRET: Final = re.compile(r"(?<=//).*@|[?#].*", re.DOTALL)


def url_findings(
    settings: Mapping[str, Any], names: Iterable[str], converter: cattrs.Converter
) -> Iterator[Finding]:
    """Yield what is wrong with those of the settings that are URLs, or lists of them."""
    insecure = settings.get(INSECURE) is True
    for name in names:
        value = settings.get(name)
        items = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, item in items:
            try:
                url = converter.structure(item, str)
            except (TypeError, ValueError):  # told where the setting is structured
                continue
            problem = url_problem(url, insecure=insecure)
            if problem is not None:
                yield Finding((name,) if index is None else (name, index), problem)


def check_urls(strategy: object, places: Iterable[str], *, insecure: bool) -> None:
    """Hold the URLs that are given in code to the rules of those that stand in a file.

    Raises:
        ConfigError: with all that is wrong with them.

    """
    named: dict[str, object] = {f"url {_SECRET.sub('', place)}": place for place in places}
    kind: Any = type(strategy)
    if attrs.has(kind):
        names = (field.name for field in attrs.fields(kind) if is_url_key(field.name))
        named |= {name: getattr(strategy, name) for name in names}
    problems = [
        f"{name}: {problem}"
        for name, place in named.items()
        if isinstance(place, str)
        if (problem := url_problem(place, insecure=insecure)) is not None
    ]
    if problems:
        raise ConfigError(*problems)


def is_url_key(name: str) -> bool:
    """Tell whether a strategy's field is, by its name, a URL that requests go to."""
    return name == "issuer" or name.endswith("_url")


def url_problem(url: str, *, insecure: bool = False) -> str | None:
    """Return what is wrong with `url`, without showing it; None where nothing is."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is no URL"
    problem = _form_problem(url, parts, port)
    if problem is not None or insecure or parts.scheme == "https":
        return problem
    if is_loopback(parts.hostname or ""):
        return None
    return f"http is for loopback hosts only: use https, or set {INSECURE} = true beside it"


def is_loopback(host: str) -> bool:
    """Tell whether `host` is this machine by its name (RFC 6761, section 6.3) or address."""
    host = host.rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _form_problem(url: str, parts: SplitResult, port: int | None) -> str | None:
    if parts.scheme not in {"http", "https"}:
        return "is no URL: it must begin with https://"
    # urlsplit drops some control characters in silence.
    shown = url.isprintable() and " " not in url
    if not parts.hostname or not shown or port == 0 or len(url) > _LONGEST:
        return "is no URL"
    if "@" in parts.netloc:
        return "a URL here holds no user name and no password"
    if not _is_host(url, parts.hostname, in_brackets=parts.netloc.startswith("[")):
        return "is no URL: its host is none"
    if parts.fragment:
        return "a URL here has no fragment (#…)"
    return None


def _is_host(url: str, host: str, *, in_brackets: bool) -> bool:
    if in_brackets or _IP_LIKE.fullmatch(host):
        try:
            return bool(ip_address(host))
        except ValueError:
            return False
    if _NO_HOST.search(host) or not host.strip(".") or "xn--" in host.split("."):
        return False
    if host.isascii() and "xn--" not in host:
        return True
    from gqlauth._http import httpx  # noqa: PLC0415 - few hosts have names of more than ASCII

    try:
        return bool(httpx.URL(url).host)
    except (httpx.InvalidURL, UnicodeError):
        return False
