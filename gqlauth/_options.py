"""How tokens are got, whatever the strategy, and where they are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import attrs

from gqlauth._secret import Secret

#: Where tokens may be kept.
STORES: Final = ("auto", "memory", "disk")


def _is_a_store(_instance: object, field: attrs.Attribute[Any], value: str | None) -> None:
    if value is not None and value not in STORES:
        # Without the value: it may be a URL with a password in it.
        raise ValueError(f"{field.name}: expected {', '.join(STORES[:-1])} or {STORES[-1]}")


@attrs.frozen(kw_only=True)
class AuthOptions:
    """The settings that every ``auth`` table may have beside its strategy's own."""

    #: Seconds for one whole acquisition: secrets, tries, pauses, answers.
    timeout: float = attrs.field(default=30.0, validator=attrs.validators.gt(0))
    #: A file of certificates (PEM) to trust for the token endpoint, instead of the usual ones.
    ca_file: Path | None = None
    #: Seconds before the end in which a token is refreshed while it still serves; None is
    #: ``min(300, lifetime / 4)``.
    refresh_window: float | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.ge(0))
    )
    #: The lifetime in seconds of a token whose answer tells none and which is no JWT.
    default_lifetime: float = attrs.field(default=300.0, validator=attrs.validators.gt(0))
    #: Allow ``http`` to a host that is not loopback, for the token endpoint.
    allow_insecure_http: bool = False


@attrs.frozen(kw_only=True)
class CacheOptions:
    """The settings of the ``cache`` table: where tokens are kept."""

    #: Where tokens are kept: `memory`, `disk`, or `auto`, which is disk where there is a key to
    #: encrypt them with, else memory. By default `memory`; for the command line `auto`.
    store: str | None = attrs.field(default=None, validator=_is_a_store)
    #: The key that stored tokens are encrypted with: 32 bytes, in base64. By default it is kept in
    #: the system's keyring. The variable GQLAUTH_CACHE_KEY comes before either.
    key: Secret | None = None
