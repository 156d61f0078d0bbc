"""An authorization server in this process: real requests in, scripted answers out."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote_plus, urlsplit

import anyio.lowlevel

from gqlauth._clock import SystemClock
from gqlauth._http import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from joserfc.jwk import ECKey

    from gqlauth._clock import Clock

    Answer = httpx.Response | Exception | Mapping[str, object] | int
    Script = Answer | Callable[[httpx.Request], Answer]


class AuthorizationServer(httpx.AsyncBaseTransport):
    """An authorization server in this process, for ``AuthService(token_transport=…)``.

    Each POST is a token request (RFC 6749, section 3.2), at whatever URL. Each gets the next
    answer of the script, and once that is over, a new token: ``token-1``, ``token-2`` and so on,
    by the number of the request. It publishes what its `issuer` is (RFC 8414, OpenID Connect
    Discovery), and its keys. No client is refused, unless the script does so.

    An answer is an ``httpx.Response``; or a status; or a mapping, which is sent as JSON, by the
    status 400 where it has an ``error`` (RFC 6749, section 5.2); or an exception, which is raised
    as if the network had failed; or a function of the ``httpx.Request`` that returns one of them.

    Args:
        script: what token requests are answered with, in order.
        otherwise: what they are answered with once the script is over, instead of by new tokens.
        issuer: who the server is.
        expires_in: what it says of a token's lifetime, in seconds; anything may be said.
        delay: the seconds that each answer takes, by `clock`.
        clock: what tells the time; a `FrozenClock` takes none.
        signed: whether tokens are JWTs (RFC 9068) that a key of `key_set` has signed by ES256;
            for this, the extra ``gqlauth[jwt]`` is needed.

    """

    def __init__(  # noqa: PLR0913 - all but the script by name
        self,
        *script: Script,
        otherwise: Script | None = None,
        issuer: str = "https://id.example.com",
        expires_in: object = 3600,
        delay: float = 0.0,
        clock: Clock | None = None,
        signed: bool = False,
    ) -> None:
        #: What is still to be answered.
        self.script: list[Script] = list(script)
        self.otherwise = otherwise
        self.issuer = issuer
        self.expires_in = expires_in
        self.delay = delay
        #: The token requests, in order; their bodies are read.
        self.requests: list[httpx.Request] = []
        #: The requests for metadata and keys, in order.
        self.lookups: list[httpx.Request] = []
        #: Answers wait for it where it is set to an event.
        self.gate: anyio.Event | None = None
        #: Is set once there was a request.
        self.arrived = anyio.Event()
        #: The public keys that it publishes (RFC 7517, section 5).
        self.key_set: dict[str, list[dict[str, object]]] = {"keys": []}
        self._clock: Clock = SystemClock() if clock is None else clock
        self._key: ECKey | None = None
        if signed:
            self.rotate_key()

    @property
    def token_url(self) -> str:
        """Return where it asks clients to send their token requests."""
        return f"{self.issuer.rstrip('/')}/token"

    @property
    def metadata(self) -> dict[str, object]:
        """Return what it publishes of itself (RFC 8414, section 2)."""
        return {
            "issuer": self.issuer,
            "token_endpoint": self.token_url,
            "jwks_uri": f"{self.issuer.rstrip('/')}/jwks",
        }

    @property
    def forms(self) -> list[dict[str, list[str]]]:
        """Return the fields of each token request, each with all its values."""
        return [
            parse_qs(request.content.decode(), keep_blank_values=True) for request in self.requests
        ]

    def rotate_key(self) -> str:
        """Sign tokens by a new key from now on; publish it beside the others, and return its id.

        Raises:
            StrategyError: when the extra ``gqlauth[jwt]`` is not installed.

        """
        from gqlauth import _jose  # noqa: PLC0415 - of an extra

        _jose.need("a token that is signed")
        from joserfc.jwk import ECKey  # noqa: PLC0415 - of an extra

        self._key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
        self.key_set["keys"].append(dict(self._key.as_dict(private=False)))
        return str(self._key.kid)

    def token(self, text: str, **fields: object) -> httpx.Response:
        """Return the answer that gives a token (RFC 6749, section 5.1), with further `fields`."""
        given = {"access_token": text, "token_type": "Bearer", "expires_in": self.expires_in}
        return unread(httpx.Response(200, json={**given, **fields}))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer `request`, as httpx calls it."""
        await request.aread()
        asks = request.method == "POST"
        (self.requests if asks else self.lookups).append(request)
        number = len(self.requests)
        self.arrived.set()
        await anyio.lowlevel.checkpoint()
        if self.gate is not None:
            await self.gate.wait()
        if self.delay:
            await self._clock.sleep(self.delay)
        if not asks:
            return _response(self.document(request))
        answer = self.script.pop(0) if self.script else self.otherwise
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        return self._new_token(request, number) if answer is None else _response(answer)

    def document(self, request: httpx.Request) -> Answer:
        """Return what a request for metadata or keys is answered with."""
        path = urlsplit(self.issuer).path.rstrip("/")
        documents: dict[str, Answer] = {
            f"/.well-known/oauth-authorization-server{path}": self.metadata,
            f"{path}/.well-known/openid-configuration": self.metadata,
            f"{path}/jwks": self.key_set,
        }
        return documents.get(request.url.path, 404)

    def _new_token(self, request: httpx.Request, number: int) -> httpx.Response:
        text = f"token-{number}" if self._key is None else self._jwt(request, number, self._key)
        # A proof of possession binds it to a key (RFC 9449, section 5).
        bound = {"token_type": "DPoP"} if "dpop" in request.headers else {}
        return self.token(text, **bound)

    def _jwt(self, request: httpx.Request, number: int, key: ECKey) -> str:
        """Return a token with the claims of RFC 9068, section 2.2."""
        from gqlauth import _jose  # noqa: PLC0415 - of an extra

        form = self.forms[number - 1]
        client = _client_id(request, form)
        now = int(self._clock.wall())
        claims: dict[str, object] = {
            "iss": self.issuer,
            "sub": client,
            "client_id": client,
            "aud": form.get("resource") or form.get("audience") or [self.issuer],
            "iat": now,
            "jti": f"token-{number}",
        }
        if isinstance(self.expires_in, int | float):
            claims["exp"] = now + self.expires_in
        if "scope" in form:
            claims["scope"] = " ".join(form["scope"])
        header = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid}
        return _jose.compact(header, claims, _jose.signing(key, "ES256")).reveal()


class _Body(httpx.AsyncByteStream):
    """A body as a network brings it: not there before it is read."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        await anyio.lowlevel.checkpoint()
        yield self._content


def unread(response: httpx.Response) -> httpx.Response:
    """Return a new response like `response`, whose body is there, with the body yet to be read."""
    return httpx.Response(
        response.status_code, headers=response.headers, stream=_Body(response.content)
    )


def _response(answer: Answer) -> httpx.Response:
    if isinstance(answer, int):
        return unread(httpx.Response(answer))
    if isinstance(answer, Mapping):
        return unread(httpx.Response(400 if "error" in answer else 200, json=dict(answer)))
    if not isinstance(answer, httpx.Response):
        told = f"the script has a {type(answer).__name__} where an answer belongs"
        raise TypeError(
            f"{told}: an httpx.Response, a status, a mapping, an exception or a function"
        )
    # Each time a new one: the script's may be sent more than once.
    return unread(answer) if answer.is_closed else answer


def _client_id(request: httpx.Request, form: Mapping[str, list[str]]) -> str:
    """Return who asks, by what proves the client (RFC 6749, section 2.3.1)."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        return unquote_plus(base64.b64decode(text).decode().partition(":")[0])
    return "".join(form.get("client_id", ()))
