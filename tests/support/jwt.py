"""JWTs that nobody signed, for those who only read them."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any


def jwt(*, header: object = None, **claims: object) -> str:
    """Return a JWT with these claims, whose signature is none."""
    return ".".join([_part(header or {"alg": "RS256", "typ": "at+jwt"}), _part(claims), "c2ln"])


def claims(text: str) -> dict[str, Any]:
    """Return what a JWT says, unverified."""
    part = text.split(".")[1]
    told: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return told


def _part(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
