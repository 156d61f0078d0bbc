"""How a token is got, whatever the strategy: the settings that every ``auth`` table may have."""

from __future__ import annotations

from pathlib import Path

import attrs


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
