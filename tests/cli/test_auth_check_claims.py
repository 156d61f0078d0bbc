"""``gql auth check``: the claims of a token, read and never verified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gqlauth import Secret, Token
from gqlauth._cli._check._claims import claims
from gqlauth._cli._check._subject import Subject
from gqlauth._cli._check._watched import WatchedService
from gqlauth._config import Endpoint, EndpointAuthConfig
from gqlauth.testing import FrozenClock
from gqlauth_strategies import ClientCredentials
from tests.support.jwt import jwt

if TYPE_CHECKING:
    from gqlauth._cli._check._step import Outcome

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000
API = "https://orders.example.com"


async def read(text: str, **fields: Any) -> Outcome:
    """Return what becomes of a token that was asked for with these fields."""
    known: dict[str, Any] = {"token_url": "https://id.example.com/token", "client_id": "cli"}
    strategy = ClientCredentials(**{**known, "client_secret": Secret("s3cr3t"), **fields})
    auth = EndpointAuthConfig(type="client_credentials", strategy=strategy)
    endpoint = Endpoint(name="orders", url=API, auth=auth)
    service = WatchedService(endpoint)
    service._clock = FrozenClock(NOW)
    subject = Subject(endpoint, service, token=Token(text))
    outcome = await claims(subject)
    assert subject.odd_claims == (outcome.state == "warning")
    return outcome


@pytest.mark.parametrize(
    "text",
    [
        "opaque",
        "a.b",
        "a.b.c.d.e",
        "eyJh.!!!.c",
        "eyJhIjoxfQ.W10.c",  # a list
        "W10.eyJhIjoxfQ.c",  # a header that is a list
        jwt(a=1).replace("eyJh", "eyJ", 1),
    ],
)
async def test_no_jwt(text: str) -> None:
    """What cannot be read is left to its server."""
    assert (await read(text)).state == "skipped"


async def test_all_is_as_asked_for() -> None:
    """Issuer, audience, scopes and times, for people and for machines."""
    issuer = "https://id.example.com"
    text = jwt(
        iss=issuer, aud=[API, "urn:a"], scope="a b c", iat=NOW, nbf=NOW, exp=NOW + 600, sub="cli"
    )
    told = await read(
        text, token_url=None, issuer=issuer, audience=API, resource=("urn:a",), scopes=("b", "a")
    )

    assert (told.state, told.hint) == ("ok", "")
    assert told.detail.splitlines() == [
        "read, and not verified",
        f"iss {issuer}",
        f"aud {API} urn:a",
        "scope a b c",
        "ends in 10 min",
    ]
    assert told.facts == {
        "iss": issuer,
        "aud": [API, "urn:a"],
        "scopes": ["a", "b", "c"],
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 600,
    }


@pytest.mark.parametrize(
    ("said", "asked", "hint"),
    [
        (
            {"iss": "https://other"},
            {"token_url": None, "issuer": "https://id.example.com"},
            "iss is not the issuer that is configured: https://id.example.com",
        ),
        ({}, {"token_url": None, "issuer": "https://id.example.com"}, ""),
        ({"aud": "x"}, {"audience": API}, f"aud lacks what was asked for: {API}"),
        ({"aud": [API, 5]}, {"resource": (API, "urn:a")}, "aud lacks what was asked for: urn:a"),
        ({}, {"audience": API}, f"aud lacks what was asked for: {API}"),
        ({"aud": "x"}, {}, ""),
        ({"scope": "a"}, {"scopes": ("a", "b")}, "scope lacks what was asked for: b"),
        ({"scp": ["a"]}, {"scopes": ("a", "b", "c")}, "scope lacks what was asked for: b c"),
        ({"scp": "a b"}, {"scopes": ("a", "b")}, ""),
        ({}, {"scopes": ("a", "b")}, ""),
    ],
)
async def test_what_was_asked_for(said: dict[str, Any], asked: dict[str, Any], hint: str) -> None:
    """A claim that is not so is a warning; one that is missing says nothing of issuer or scope."""
    told = await read(jwt(**said), **asked)

    assert (told.hint, told.state, told.code) == (hint, "warning" if hint else "ok", 0)


@pytest.mark.parametrize(
    ("said", "detail", "hint"),
    [
        ({"exp": NOW - 120}, "ended 2 min ago", "it has ended: is this machine's clock right?"),
        ({"exp": NOW + 120}, "ends in 2 min", ""),
        ({}, "has no end", ""),
        ({"iat": NOW + 20, "nbf": NOW + 20}, "has no end", ""),
        (
            {"iat": NOW + 120, "nbf": NOW + 120},
            "",
            "it was issued 2 min from now: this machine's clock is behind",
        ),
        (
            {"iat": NOW, "nbf": NOW + 120},
            "",
            "it is valid only in 2 min, unless this machine's clock is behind",
        ),
        ({"exp": True, "iat": "now", "nbf": 1e300}, "has no end", ""),
        ({"exp": float("nan")}, "has no end", ""),
    ],
)
async def test_lifetime(said: dict[str, Any], detail: str, hint: str) -> None:
    """It is held against this machine's clock, which may be the one that is wrong."""
    told = await read(jwt(**said))

    assert detail in told.detail
    assert told.hint == hint


async def test_what_it_says_does_not_drive_a_terminal() -> None:
    """Control characters are escaped, a line stays one, and no claim is longer than a line."""
    told = await read(jwt(iss="a\x1b[2J\nb", aud="x" * 5000, scope=7))

    assert told.facts["iss"] == "a\\x1b[2J b"
    assert len(told.detail) < 600
    assert "\x1b" not in told.detail
