"""What a token says of itself, if it is a JWT: read, and never verified."""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import TYPE_CHECKING, Any, Final

from gqlauth._answer import shown
from gqlauth._cli._check._step import Outcome, skipped, warned
from gqlauth._cli._check._token import SKEW, missing_scopes
from gqlauth._cli._show import duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gqlauth._cli._check._subject import Subject

# Header, claims and signature (RFC 7515, section 3.1).
_PARTS: Final = 3
# What servers call the scopes: RFC 9068, section 2.2.3, and the habit of some.
_SCOPES: Final = ("scope", "scp")
# The year 9999: what is later has another unit, or is a mistake.
_LATEST: Final = 253e9


async def claims(subject: Subject) -> Outcome:
    """Hold the claims against what was asked for, and against this machine's clock.

    What is not as it was asked for is a warning: the API alone knows what it wants.
    """
    assert subject.token is not None
    said = read(subject.token.reveal())
    if said is None:
        return skipped("no JWT: only its server can read it")
    now = subject.service.now()
    facts = {
        "iss": _text(said.get("iss")),
        "aud": list(_texts(said.get("aud"))),
        "scopes": list(scopes_of(said)),
        **{name: _seconds(said, name) for name in ("iat", "nbf", "exp")},
    }
    hints = [*_odd(subject, said), *_untimely(said, now)]
    subject.odd_claims = bool(hints)
    return warned(Outcome(detail="\n".join(_told(facts, now)), facts=facts), hints)


def read(text: str) -> Mapping[str, Any] | None:
    """Return the claims of a JWT (RFC 7519), unverified; None for all that is not one."""
    parts = text.split(".")
    if len(parts) != _PARTS:
        return None
    try:
        header, said = (
            json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            for part in parts[:2]
        )
    except (binascii.Error, ValueError, RecursionError):
        return None
    return said if isinstance(header, dict) and isinstance(said, dict) else None


def scopes_of(said: Mapping[str, Any]) -> Iterator[str]:
    """Yield the scopes that claims tell, as a text of several or as a list."""
    for name in _SCOPES:
        for text in _texts(said.get(name)):
            yield from text.split()


def _odd(subject: Subject, said: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is not as it was asked for."""
    strategy = subject.auth.strategy
    issuer = getattr(strategy, "issuer", None)
    if issuer is not None and "iss" in said and said["iss"] != issuer:
        yield f"iss is not the issuer that is configured: {issuer}"
    audience = getattr(strategy, "audience", None)
    wanted = [*([] if audience is None else [audience]), *getattr(strategy, "resource", ())]
    there = list(_texts(said.get("aud")))
    lacking = [one for one in wanted if shown(one, ()) not in there]
    if lacking:
        yield f"aud lacks what was asked for: {' '.join(lacking)}"
    granted = tuple(scopes_of(said))
    missing = missing_scopes(subject, granted) if granted else []
    if missing:
        yield f"scope lacks what was asked for: {' '.join(missing)}"


def _untimely(said: Mapping[str, Any], now: float) -> Iterator[str]:
    """Yield what does not fit the time `now`, by this machine's clock."""
    issued, begins, ends = (_seconds(said, name) for name in ("iat", "nbf", "exp"))
    if ends is not None and ends <= now:
        yield "it has ended: is this machine's clock right?"
    if issued is not None and issued > now + SKEW:
        yield f"it was issued {duration(issued - now)} from now: this machine's clock is behind"
    elif begins is not None and begins > now + SKEW:
        yield f"it is valid only in {duration(begins - now)}, unless this machine's clock is behind"


def _told(facts: Mapping[str, Any], now: float) -> Iterator[str]:
    yield "read, and not verified"
    if facts["iss"] is not None:
        yield f"iss {facts['iss']}"
    if facts["aud"]:
        yield f"aud {' '.join(facts['aud'])}"
    if facts["scopes"]:
        yield f"scope {' '.join(facts['scopes'])}"
    ends = facts["exp"]
    if ends is None:
        yield "has no end"
    else:
        left = ends - now
        yield f"ends in {duration(left)}" if left > 0 else f"ended {duration(-left)} ago"


def _texts(value: object) -> Iterator[str]:
    """Yield the text, or those of a list, as they may be shown."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            yield shown(item, ())


def _text(value: object) -> str | None:
    return next(_texts(value), None)


def _seconds(said: Mapping[str, Any], name: str) -> float | None:
    value = said.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    seconds = float(value) if abs(value) < _LATEST else math.nan
    return seconds if math.isfinite(seconds) else None
