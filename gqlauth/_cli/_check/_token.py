"""A token, asked for as it will be: by the service, with its tries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gqlauth._answer import shown
from gqlauth._cli._check._step import Outcome, failed, warned
from gqlauth._cli._show import duration
from gqlauth.errors import GqlAuthError, TokenError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gqlauth._cli._check._subject import Subject
    from gqlauth._cli._check._watched import Seen
    from gqlauth._token import Token

#: Seconds by which two clocks may differ before that is worth telling.
SKEW: Final = 30.0


async def token(subject: Subject) -> Outcome:
    """Ask for a new token."""
    service, method = subject.service, subject.method
    service.seen.clear()
    try:
        got = await service.token(subject.endpoint.name, refresh=True)
    except GqlAuthError as error:
        asked = error if isinstance(error, TokenError) else None
        return failed(
            error,
            subject.endpoint.name,
            method=method,
            status=asked and asked.status,
            tries=asked and asked.tries,
        )
    subject.token = got
    answers = [one for one in service.seen if one.method == "POST"]
    status = answers[-1].status if answers else None
    outcome = Outcome(
        detail=", ".join(_told(subject, got, method, answers)),
        facts={
            "method": method,
            "status": status,
            "tries": len(answers) or None,
            "token_type": got.token_type or got.header_name,
            "expires_in": None if got.expires_in is None else int(got.expires_in),
            "scopes": None if got.scopes is None else [shown(one, ()) for one in got.scopes],
            "fingerprint": got.fingerprint,
        },
    )
    return warned(outcome, (*_not_granted(subject, got), *_skewed(answers)))


def _told(subject: Subject, got: Token, method: str | None, answers: list[Seen]) -> Iterator[str]:
    yield subject.auth.type if method is None else method
    if answers:
        tries = "1 try" if len(answers) == 1 else f"{len(answers)} tries"
        yield f"{answers[-1].status} after {tries}"
    yield "has no end" if got.expires_in is None else f"lives {duration(got.expires_in)}"
    yield f"fingerprint {got.fingerprint}"


def _not_granted(subject: Subject, got: Token) -> Iterator[str]:
    missing = [] if got.scopes is None else missing_scopes(subject, got.scopes)
    if missing:
        yield f"not granted, though asked for: {' '.join(missing)}"


def missing_scopes(subject: Subject, granted: tuple[str, ...]) -> list[str]:
    """Return the scopes that are asked for and are not `granted`."""
    asked = getattr(subject.auth.strategy, "scopes", ())
    asked = asked.split() if isinstance(asked, str) else asked
    return [scope for scope in asked if scope not in granted]


def _skewed(answers: list[Seen]) -> Iterator[str]:
    skew = answers[-1].skew if answers else None
    if skew is not None and abs(skew) >= SKEW:
        how = "ahead of" if skew > 0 else "behind"
        yield f"this machine's clock is {duration(abs(skew))} {how} the server's"
