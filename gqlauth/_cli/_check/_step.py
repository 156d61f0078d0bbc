"""A step of a check, and what it came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import attrs

from gqlauth._cli._failure import SUCCESS, UNAVAILABLE, Failure, clean, exit_code
from gqlauth.errors import TokenError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gqlauth.errors import GqlAuthError

#: What to try where nobody answers, and where one does who has trouble.
UNREACHED: Final = (
    "can it be reached from this machine? The proxies of HTTPS_PROXY and NO_PROXY are used"
)
LATER: Final = "try again later"

State = Literal[
    "ok",
    "warning",  # it went well, and something about it is odd; that counts for no exit status
    "failed",
    "skipped",  # it does not apply, or another has failed that it rests on
]


@attrs.frozen(kw_only=True)
class Outcome:
    """What a step came to."""

    state: State = "ok"
    #: Lines for people; what came from a server is fit for a terminal in them.
    detail: str
    #: What to try next.
    hint: str = ""
    #: The exit status that it stands for.
    code: int = SUCCESS
    #: The same for machines, under names that stay.
    facts: Mapping[str, object] = attrs.field(factory=dict)


@attrs.frozen
class Step:
    """A step, how long it took in seconds, and what it came to."""

    name: str
    seconds: float
    outcome: Outcome


def skipped(why: str) -> Outcome:
    """Return what becomes of a step that does not run."""
    return Outcome(state="skipped", detail=why)


def warned(outcome: Outcome, hints: Iterable[str]) -> Outcome:
    """Return `outcome` with hints, and as a warning if there are any."""
    text = "\n".join(hints)
    return attrs.evolve(outcome, state="warning", hint=text) if text else outcome


def failed(
    error: GqlAuthError | Failure, endpoint: str, *, hint: str = "", **facts: object
) -> Outcome:
    """Return what `error` makes of a step; `hint` is for one that has none of its own."""
    own = error.hint if isinstance(error, TokenError | Failure) else ""
    code = exit_code(error)
    if code == UNAVAILABLE:
        hint = hint or (UNREACHED if getattr(error, "status", None) is None else LATER)
    # Below its name, nobody need be told which endpoint it is.
    lines = str(error).removeprefix(f"{endpoint}: ").splitlines()
    return Outcome(
        state="failed",
        detail="\n".join(clean(line) for line in lines),
        hint=clean(own or hint),
        code=code,
        facts=facts,
    )
