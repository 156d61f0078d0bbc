"""What the issuer publishes of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gqlauth._answer import shown
from gqlauth._cli._check._certificates import certificate_hint
from gqlauth._cli._check._step import Outcome, failed, warned
from gqlauth.errors import GqlAuthError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gqlauth._cli._check._subject import Subject


async def discovery(subject: Subject) -> Outcome:
    """Ask the issuer where the token endpoint is."""
    issuer, auth, service = subject.issuer, subject.auth, subject.service
    assert issuer is not None
    try:
        subject.metadata = await service.discovered(issuer, auth.strategy, auth.options)
    except GqlAuthError as error:
        hint = certificate_hint(error, auth.options.ca_file)
        return failed(error, subject.endpoint.name, hint=hint, issuer=issuer)
    found = shown(service.seen[-1].url, ())
    listed = subject.metadata.auth_methods
    methods = None if listed is None else [shown(method, ()) for method in listed]
    outcome = Outcome(
        detail="\n".join(
            [
                found,
                f"token endpoint {subject.token_url}",
                "it does not say which methods of client authentication it takes"
                if methods is None
                else f"methods {', '.join(methods) or 'none'}",
            ]
        ),
        facts={
            "issuer": issuer,
            "metadata_url": found,
            "token_endpoint": subject.token_url,
            "token_endpoint_auth_methods_supported": methods,
        },
    )
    return warned(outcome, _unlisted(subject))


def _unlisted(subject: Subject) -> Iterator[str]:
    """Tell if the method that is used is none of those that are listed."""
    assert subject.metadata is not None
    listed, method = subject.metadata.auth_methods, subject.method
    if listed is not None and method is not None and method.removesuffix("_raw") not in listed:
        yield f"the client proves itself by {method}, which is not among them"
