"""How tokens are got, whatever the strategy, and where they are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import attrs

from gqlauth._redis_url import RedisURL
from gqlauth._secret import Secret

#: Where tokens may be kept, beside the URL of a Redis.
STORES: Final = ("auto", "memory", "disk")


def _is_a_store(_instance: object, field: attrs.Attribute[Any], value: str | None) -> None:
    # Never with the value: it may be a URL with a password in it.
    if value is None or value in STORES:
        return
    if "://" not in value:
        raise ValueError(f"{field.name}: expected {', '.join(STORES)} or redis://…")
    try:
        RedisURL.parsed(value)
    except ValueError as error:
        trouble = str(error)
    else:
        return
    raise ValueError(f"{field.name}: {trouble}")


@attrs.frozen(kw_only=True)
class AuthOptions:
    """The settings that every ``auth`` table may have beside its strategy's own."""

    #: Seconds for one whole acquisition: secrets, tries, pauses, answers.
    timeout: float = attrs.field(default=30.0, validator=attrs.validators.gt(0))
    #: A file of certificates (PEM) to trust for the token endpoint, instead of the system's.
    ca_file: Path | None = None
    #: Seconds before its end from which on a token is refreshed in the background, while it still
    #: serves; by default the lesser of 300 and a quarter of its lifetime.
    refresh_window: float | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.ge(0))
    )
    #: Seconds that a token lives whose answer does not say, and which is no JWT that does.
    default_lifetime: float = attrs.field(default=300.0, validator=attrs.validators.gt(0))
    #: Allow `http` to the token endpoint, on a host that is not loopback.
    allow_insecure_http: bool = False


@attrs.frozen(kw_only=True)
class CacheOptions:
    """The settings of the ``cache`` table: where tokens are kept."""

    #: Where tokens are kept: `memory`, `disk`, or `auto`, which is disk where there is a key to
    #: encrypt them with, else memory; or the URL of a Redis, without a password, such as
    #: `redis://localhost:6379/0`. By default `memory`; for the command line `auto`.
    store: str | None = attrs.field(default=None, validator=_is_a_store)
    #: The key that stored tokens are encrypted with: 32 bytes, in base64. By default it is kept in
    #: the system's keyring; for a Redis it must be given. The variable GQLAUTH_CACHE_KEY comes
    #: before either.
    key: Secret | None = None
    #: The password of the Redis.
    password: Secret | None = None
    #: A file of certificates (PEM) to trust for the Redis, instead of the system's.
    ca_file: Path | None = None
