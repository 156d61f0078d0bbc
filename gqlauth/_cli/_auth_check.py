"""``gql auth check``: every step against the real servers, each timed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gqlauth._cli._globals import CHECKED, Command, timeout_option

if TYPE_CHECKING:
    from gqlauth._cli._globals import Globals


@click.command(cls=Command)
@CHECKED
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for machines.")
@click.option(
    "--probe-methods",
    is_flag=True,
    help="Try each method of client authentication that the credentials allow: this sends the "
    "secret to the configured token endpoint by each method, once.",
)
@timeout_option("Give up each step after so many seconds.")
@click.pass_obj
def check(
    settings: Globals,
    endpoint: str | None,
    *,
    as_json: bool,
    probe_methods: bool,
    timeout: float | None,
) -> int:
    """Try every step against the real servers.

    Each step is timed, and has its state, and what to try next where it failed.

    Secrets are read; the issuer is asked for its metadata, and the token endpoint for its
    certificate and for a new token; the claims of that are read, and not verified, if it is a
    JWT; and the API is asked { __typename }. No redirect is followed, and no token is shown.

    --probe-methods is for diagnostics alone: it asks for a token by each method of client
    authentication that the configured credentials allow, one after another. The secret goes to
    the configured token endpoint by each of them, once each, and no refusal is tried again. A
    server that counts failed attempts will count these.

    Exits with 2 where something is misconfigured, with 4 where a server refused, with 1 where the
    API answered with another error, and with 5 where a server could not be asked, or is in
    trouble. What must be mended counts more than what may pass: 2, then 4, then 1, then 5. A
    warning counts for none.
    """
    from gqlauth._cli._check import _command  # noqa: PLC0415 - help checks nothing

    return _command.check(
        settings, endpoint, as_json=as_json, probe_methods=probe_methods, timeout=timeout
    )
