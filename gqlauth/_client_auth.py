"""How a client proves itself to the token endpoint (RFC 6749, section 2.3).

The names are those of RFC 7591, section 2: ``client_secret_basic``, ``client_secret_post``,
``none``; and ``client_secret_basic_raw``, for servers that refuse a form-encoded Basic.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final, get_args
from typing import Literal as _Literal
from urllib.parse import quote

from gqlauth.errors import StrategyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gqlauth._secret import Secret

ClientAuthMethod = _Literal[
    "client_secret_basic", "client_secret_basic_raw", "client_secret_post", "none"
]
METHODS: Final[tuple[str, ...]] = get_args(ClientAuthMethod)


def method_for(method: str | None, client_secret: Secret | None) -> str:
    """Return the method to use: the one that was named, or what follows from the secret.

    Raises:
        StrategyError: for one that is not known, or that wants a secret where there is none.

    """
    if method is None:
        return "none" if client_secret is None else "client_secret_basic"
    if method not in METHODS:
        raise StrategyError(
            f'unknown token_endpoint_auth_method "{method}"; known: {", ".join(METHODS)}'
        )
    if method != "none" and client_secret is None:
        raise StrategyError(f'token_endpoint_auth_method "{method}" needs a client_secret')
    return method


def auth_headers(
    method: str, client_id: str | None, client_secret: Secret | None
) -> Mapping[str, str]:
    """Return the headers by which the client proves itself; `client_secret` is resolved."""
    if client_id is None or client_secret is None:
        return {}
    if method == "client_secret_basic":
        user = _form_encode(client_id).encode()
        return {"Authorization": _basic(user, _form_encode(client_secret.reveal()))}
    if method == "client_secret_basic_raw":
        # By itself: that it cannot be encoded must not be told with the secret beside it.
        user = client_id.encode()
        return {"Authorization": _basic(user, client_secret.reveal())}
    return {}


def auth_fields(
    method: str, client_id: str | None, client_secret: Secret | None
) -> Mapping[str, str | Secret]:
    """Return the form fields by which the client proves itself, or says who it is."""
    if client_id is None or method.startswith("client_secret_basic"):
        return {}
    if method == "client_secret_post" and client_secret is not None:
        return {"client_id": client_id, "client_secret": client_secret}
    return {"client_id": client_id}


def _form_encode(text: str) -> str:
    # RFC 6749, section 2.3.1. A space goes as %20, which servers read that decode a form as well
    # as those that decode a URL; a plus is only read by the former.
    return quote(text, safe="")


def _basic(user: bytes, password: str) -> str:
    return "Basic " + base64.b64encode(user + b":" + password.encode()).decode("ascii")
