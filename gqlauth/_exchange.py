"""One token request: what is sent, and what is known of it when it is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import attrs

from gqlauth import _dpop
from gqlauth._hints import Refusal
from gqlauth._secret import Secret
from gqlauth.errors import SecretError

if TYPE_CHECKING:
    from gqlauth._client_auth import Proof
    from gqlauth._dpop import Prover
    from gqlauth.errors import TokenError

Value = str | Secret | Sequence[str]

# What a header may carry (RFC 9110, section 5.5); the obsolete bytes above ASCII are left out.
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e\t]*")


@attrs.define
class Exchange:
    """One token request with its tries. Secrets in it are resolved, and never kept as text."""

    url: str
    #: What proves the client.
    proof: Proof
    headers: Mapping[str, Value]
    form: Mapping[str, Value]
    #: The request must not be sent twice.
    once: bool
    #: What proves possession of the key that the token is to be bound to; None for a bearer token.
    prover: Prover | None = None
    tries: int = 0
    #: What the last try came to, if it failed in a way that another may mend.
    last: TokenError | None = None
    #: The seconds by which this machine's clock was ahead of the server's when it last answered.
    skew: float = 0.0
    #: What proved the client in the last try, as fields of the form.
    proven: Mapping[str, str | Secret] = attrs.field(factory=dict)
    #: And what proved possession, as headers.
    possession: Mapping[str, Secret] = attrs.field(factory=dict)

    @property
    def method(self) -> str:
        """Return the method of client authentication."""
        return self.proof.method

    @property
    def shown_url(self) -> str:
        """Return the URL without what may be secret in it."""
        return shown_url(self.url)

    def prove(self, wall: float) -> None:
        """Make ready for another try at the time `wall`: what is signed is taken only once."""
        self.tries += 1
        self.proven = self.proof.fields(wall)
        if self.prover is not None:
            self.possession = {_dpop.HEADER: self.prover.token_proof(self.url)}

    def answered(self, headers: Mapping[str, str], wall: float) -> None:
        """Take note of what the headers of an answer tell at `wall`: a nonce, and the time."""
        if self.prover is not None:
            self.prover.token_nonces.heard(self.url, headers)
        try:
            date = parsedate_to_datetime(headers.get("date", "")).timestamp()
        except (ValueError, OverflowError):
            return
        self.skew = wall - date

    def body(self) -> bytes:
        """Return the form (RFC 6749, appendix B): for the line that sends it, and no variable."""
        fields = {**self.form, **self.proven}
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
            **self.proof.headers(),
            **{name: proof.reveal() for name, proof in self.possession.items()},
        }

    def secrets(self) -> list[Secret]:
        """Return all that is sent and secret."""
        sent = (
            self.proof.client_secret,
            *self.headers.values(),
            *self.form.values(),
            *self.proven.values(),
            *self.possession.values(),
        )
        return [value for value in sent if isinstance(value, Secret)]

    def wants_nonce(self, error: TokenError) -> bool:
        """Tell whether it failed as its proof had not the nonce that the server has told now."""
        return (
            self.prover is not None
            and error.error == _dpop.NONCE_WANTED
            and self.prover.token_nonces.last(self.url) is not None
        )

    def hint(self, error: TokenError) -> str:
        """Return what is known to mend `error`, or nothing."""
        possession = self.prover is not None
        return Refusal(error, self.url, self.proof, possession, self.skew).hint()


def shown_url(url: str) -> str:
    """Return `url` without what may be secret in it: userinfo, query, fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:  # no URL at all; the request will say so
        return ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


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
