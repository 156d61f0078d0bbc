"""JWTs that nobody signed, for those who only read them."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode


def jwt(*, header: object = None, **claims: object) -> str:
    """Return a JWT with these claims, whose signature is none."""
    return ".".join([_part(header or {"alg": "RS256", "typ": "at+jwt"}), _part(claims), "c2ln"])


def _part(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
