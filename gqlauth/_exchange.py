"""One token request: what is sent, and what may mend it when it is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import attrs

from gqlauth._client_auth import auth_fields, auth_headers
from gqlauth._secret import Secret
from gqlauth.errors import SecretError, TokenError

Value = str | Secret | Sequence[str]

# What a header may carry (RFC 9110, section 5.5); the obsolete bytes above ASCII are left out.
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e\t]*")

_HINTS: Final = {
    "invalid_scope": "check the scopes: the client may not have them, or the server not know them",
    "invalid_target": "check audience and resource",
    "unsupported_grant_type": "check token_url: it may be another endpoint of the server",
}


@attrs.define
class Exchange:
    """One token request with its tries. Secrets in it are resolved, and never kept as text."""

    url: str
    #: The method of client authentication.
    method: str
    client_id: str | None
    client_secret: Secret | None
    headers: Mapping[str, Value]
    form: Mapping[str, Value]
    #: The request must not be sent twice.
    once: bool
    tries: int = 0
    #: What the last try came to, if it failed in a way that another may mend.
    last: TokenError | None = None

    @property
    def shown_url(self) -> str:
        """Return the URL without what may be secret in it: userinfo, query, fragment."""
        try:
            parts = urlsplit(self.url)
        except ValueError:  # no URL at all; the request will say so
            return ""
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    def body(self) -> bytes:
        """Return the form (RFC 6749, appendix B): for the line that sends it, and no variable."""
        fields = {**self.form, **auth_fields(self.method, self.client_id, self.client_secret)}
        return urlencode(
            [(name, text) for name, value in fields.items() for text in _texts(value)],
            # A space as %20: servers read that which decode a form, and those which decode a URL.
            quote_via=quote,
        ).encode("ascii")

    def request_headers(self) -> dict[str, str]:
        """Return the headers: for the line that sends them, and no variable.

        Raises:
            SecretError: when a secret has characters that no header may carry.

        """
        return {
            "Accept": "application/json",
            # Nothing to inflate is nothing to blow up; what comes all the same is bounded.
            "Accept-Encoding": "identity",
            "Content-Type": "application/x-www-form-urlencoded",
            **{name: _header_value(name, value) for name, value in self.headers.items()},
            **auth_headers(self.method, self.client_id, self.client_secret),
        }

    def secrets(self) -> list[Secret]:
        """Return all that is sent and secret."""
        sent = (self.client_secret, *self.headers.values(), *self.form.values())
        return [value for value in sent if isinstance(value, Secret)]

    def hint(self, error: TokenError) -> str:
        """Return what is known to mend `error`, or nothing."""
        # Some servers refuse a client with a page or with nothing at all, and a 403 at times.
        refused = error.error == "invalid_client" or (
            not error.error and error.status in {401, 403}
        )
        if not refused:
            return _HINTS.get(error.error, "")
        if self.method == "none":
            return "the server may want a client_secret"
        others = {
            "client_secret_basic": '"client_secret_post"',
            "client_secret_basic_raw": '"client_secret_basic" or "client_secret_post"',
        }.get(self.method, '"client_secret_basic"')
        if self.method == "client_secret_basic" and self._encoding_matters():
            others += ' or "client_secret_basic_raw"'
        return f"the server may want token_endpoint_auth_method = {others}"

    def _encoding_matters(self) -> bool:
        """Tell whether Basic differs with and without the form-encoding of id and secret."""
        encoded, raw = (
            auth_headers(method, self.client_id, self.client_secret)
            for method in ("client_secret_basic", "client_secret_basic_raw")
        )
        return encoded != raw


def _texts(value: Value) -> Sequence[str]:
    if isinstance(value, Secret):
        return (value.reveal(),)
    return (value,) if isinstance(value, str) else value


def _header_value(name: str, value: Value) -> str:
    for text in _texts(value):
        if not _HEADER_VALUE.fullmatch(text):
            source = f" ({value.source})" if isinstance(value, Secret) else ""
            raise SecretError(
                f"header {name}: its value{source} has characters that no header may carry"
            )
    return ", ".join(_texts(value))
