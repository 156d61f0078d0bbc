"""``--dry-run``: the request as it would go out, with secrets masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gqlauth._cli import _json
from gqlauth._cli._send import OF_A_BODY
from gqlauth._config import as_websocket
from gqlauth._graphql import asks_subscription
from gqlauth._redact import escape_control, redact, redact_text
from gqlauth._secret import MASK, Secret
from gqlauth._subscriptions._places import placed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gqlauth._cli._send import Call
    from gqlauth._cli._uploads import Upload
    from gqlauth._config import Subscriptions


def dry_run(call: Call, body: dict[str, Any], uploads: Mapping[str, Upload]) -> Iterator[str]:
    """Yield the lines that show `call`, whose body is `body`. It asks nobody for anything.

    Of `uploads`, it reads none.
    """
    chosen = _subscriptions(call, body)
    by_websocket = chosen is not None and chosen.by_websocket
    yield escape_control(redact_text(_asked(call, chosen)))
    headers = call.endpoint.headers
    form = [("Content-Type", "multipart/form-data")] if uploads else []
    shown = [*form, *call.headers]
    given = {name.lower() for name, _ in shown}
    secret = {name.lower() for name, own in headers.items() if isinstance(own, Secret)}
    for name, value in shown:
        if by_websocket and name.lower() in OF_A_BODY:
            continue
        told = MASK if name.lower() in secret else _masked(name, value)
        yield f"{name}: {escape_control(told)}"
    for name, own in headers.items():
        if name.lower() in given:
            continue
        if isinstance(own, Secret):
            yield f"{name}: {MASK} ({own.source})"
        else:
            yield f"{name}: {escape_control(_masked(name, own))}"
    credential = _credential(call, given)
    if credential and not (by_websocket and chosen and chosen.auth_in == "init"):
        yield f"{credential}: {MASK} ({_source(call)})"
        if getattr(_strategy(call), "dpop", False):
            yield f"DPoP: {MASK} (a proof for this request alone)"
    yield ""
    yield from map(_pretty, _messages(call, body, chosen, credential))
    if uploads:
        yield ""
    for place, upload in uploads.items():
        yield f"{place}: {escape_control(redact_text(f'@{upload.name}'))}"


def _messages(
    call: Call, body: dict[str, Any], chosen: Subscriptions | None, credential: str
) -> Iterator[dict[str, Any]]:
    """Yield what is sent: the body, or what goes over a WebSocket."""
    query = "\n".join(redact_text(line) for line in body["query"].split("\n"))
    shown = {**redact(body), "query": query}
    if chosen is not None and chosen.by_websocket:
        yield {"type": "connection_init", "payload": _init(call, chosen, credential)}
        yield {"id": "1", "type": "subscribe", "payload": shown}
    else:
        yield shown


def _pretty(value: object) -> str:
    return "".join(_json.pretty(_json.write(value)))


def _subscriptions(call: Call, body: dict[str, Any]) -> Subscriptions | None:
    """Return how the endpoint's subscriptions come, if that is what is asked for."""
    return call.endpoint.subscriptions if asks_subscription(body) else None


def _asked(call: Call, chosen: Subscriptions | None) -> str:
    """Return the method, and the place that is asked."""
    url = call.endpoint.url
    if chosen is None:
        return f"POST {url}"
    url = chosen.url or url
    return f"GET {as_websocket(url)}" if chosen.by_websocket else f"POST {url}"


def _strategy(call: Call) -> object:
    return None if call.endpoint.auth is None else call.endpoint.auth.strategy


def _credential(call: Call, given: set[str]) -> str:
    """Return the name of the header that the credential would stand in; empty where none does."""
    if call.endpoint.auth is None or not call.authenticate:
        return ""
    name = str(getattr(_strategy(call), "header_name", "Authorization"))
    return "" if {name.lower(), "authorization"} & given else name


def _init(call: Call, chosen: Subscriptions, credential: str) -> dict[str, Any]:
    """Return what ``connection_init`` carries, masked."""
    own = any(name.lower() == "authorization" for name, _ in call.headers)
    if chosen.auth_in == "header" or not (credential or own):
        return {}
    return dict(placed({}, chosen.init_path or credential or "Authorization", MASK))


def _masked(name: str, value: str) -> str:
    return str(redact(redact_text(value), name=name))


def _source(call: Call) -> str:
    """Return where the credential is configured: ``gqlauth.toml:9 client_credentials``."""
    auth = call.endpoint.auth
    # A command's configuration always comes from a file.
    assert auth is not None
    assert auth.place is not None
    problem = auth.place.problem("")
    return f"{problem.file}:{problem.line} {auth.type}"
