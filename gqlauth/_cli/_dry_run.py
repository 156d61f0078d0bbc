"""``--dry-run``: the request as it would go out, with secrets masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gqlauth._cli import _json
from gqlauth._redact import escape_control, redact, redact_text
from gqlauth._secret import MASK, Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gqlauth._cli._send import Call
    from gqlauth._cli._uploads import Upload
    from gqlauth._config import EndpointAuthConfig


def dry_run(call: Call, body: dict[str, Any], uploads: Mapping[str, Upload]) -> Iterator[str]:
    """Yield the lines that show `call`, whose body is `body`. It asks nobody for anything.

    Of `uploads`, it reads none.
    """
    yield f"POST {escape_control(redact_text(call.endpoint.url))}"
    headers = call.endpoint.headers
    form = [("Content-Type", "multipart/form-data")] if uploads else []
    shown = [*form, *call.headers]
    given = {name.lower() for name, _ in shown}
    secret = {name.lower() for name, own in headers.items() if isinstance(own, Secret)}
    for name, value in shown:
        told = MASK if name.lower() in secret else _masked(name, value)
        yield f"{name}: {escape_control(told)}"
    for name, own in headers.items():
        if name.lower() in given:
            continue
        if isinstance(own, Secret):
            yield f"{name}: {MASK} ({own.source})"
        else:
            yield f"{name}: {escape_control(_masked(name, own))}"
    auth = call.endpoint.auth
    if auth is not None and call.authenticate:
        name = str(getattr(auth.strategy, "header_name", "Authorization"))
        if not {name.lower(), "authorization"} & given:
            yield f"{name}: {MASK} ({_source(auth)})"
            if getattr(auth.strategy, "dpop", False):
                yield f"DPoP: {MASK} (a proof for this request alone)"
    yield ""
    query = "\n".join(redact_text(line) for line in body["query"].split("\n"))
    yield "".join(_json.pretty(_json.write({**redact(body), "query": query})))
    if uploads:
        yield ""
    for place, upload in uploads.items():
        yield f"{place}: {escape_control(redact_text(f'@{upload.name}'))}"


def _masked(name: str, value: str) -> str:
    return str(redact(redact_text(value), name=name))


def _source(auth: EndpointAuthConfig) -> str:
    """Return where the credential is configured: ``gqlauth.toml:9 client_credentials``."""
    # A command's configuration always comes from a file.
    assert auth.place is not None
    problem = auth.place.problem("")
    return f"{problem.file}:{problem.line} {auth.type}"
