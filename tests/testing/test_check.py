"""`check_strategy`: who keeps what a strategy promises passes, and what is broken is told."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import anyio
import attrs
import pytest

from gqlauth import Secret, Token, TokenRefusedError
from gqlauth.testing import AuthorizationServer, check_strategy
from gqlauth_strategies import Basic, Bearer, ClientCredentials, Header

if TYPE_CHECKING:
    from collections.abc import Callable

    from gqlauth import Strategy, TokenEndpoint

TOKEN_URL = "https://id.example.com/token"
SECRET = Secret("s3cr3t-of-orders")
FORM = {"grant_type": "urn:acme:key"}


@pytest.mark.parametrize(
    "strategy",
    [
        ClientCredentials(token_url=TOKEN_URL, client_id="orders", client_secret=SECRET),
        ClientCredentials(
            issuer="https://id.example.com/o", client_id="orders", client_secret=SECRET, dpop=True
        ),
        ClientCredentials(
            token_url=TOKEN_URL,
            client_id="orders",
            client_secret=Secret("s3cr3t-of-orders-that-is-long"),
            token_endpoint_auth_method="client_secret_jwt",
            scopes=("b", "a"),
        ),
        Bearer(token=SECRET),
        Basic(username="orders", password=SECRET),
        Header(name="X-Api-Key", value=SECRET),
    ],
    ids=["client_credentials", "issuer and dpop", "signed", "bearer", "basic", "header"],
)
def test_ours_keep_what_they_promise(strategy: Strategy) -> None:
    """Each strategy that comes with gqlauth passes."""
    check_strategy(strategy)


@attrs.define
class Acme:
    """A strategy that does all it should; those below do one thing otherwise."""

    token_url: str = TOKEN_URL
    key: Secret = SECRET

    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        return await endpoint.grant({**FORM, "key": self.key})


class Plain:
    """One that is no attrs class, and needs no server."""

    async def fetch(self, endpoint: object) -> Token:
        return Token("made-up")


class PlainAsking:
    """One that is no attrs class, and asks."""

    token_url = TOKEN_URL

    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        return await endpoint.grant(FORM)


@pytest.mark.parametrize("strategy", [Acme(), Plain(), PlainAsking()], ids=type)
def test_others_may_keep_it_too(strategy: Strategy) -> None:
    """A strategy of anyone's passes, whether it is an attrs class or not."""
    check_strategy(strategy)


class Blocking:
    def fetch(self, endpoint: object) -> Token:
        return Token("made-up")


class Argumentless:
    async def fetch(self) -> Token:
        return Token("made-up")


class Failing(Acme):
    async def fetch(self, endpoint: object) -> Token:
        raise TokenRefusedError("no luck")


class Keeping(Acme):
    """It keeps its token beside the fields."""

    kept: Token | None = None

    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        if Keeping.kept is None:
            Keeping.kept = await super().fetch(endpoint)
        return Keeping.kept


class Once(Acme):
    """It asks for its first token alone."""

    asked = 0

    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        Once.asked += 1
        if Once.asked > 1:
            raise RuntimeError("only once")
        return await super().fetch(endpoint)


class Endless(Acme):
    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        return Token((await super().fetch(endpoint)).reveal())


class Wrapping(Acme):
    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        try:
            return await super().fetch(endpoint)
        except Exception as error:
            raise ValueError("no token") from error


class Swallowing(Acme):
    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        try:
            return await super().fetch(endpoint)
        except Exception:  # noqa: BLE001 - as it does not do what it should
            return Token("none")


class Impatient(Acme):
    """It tells of a server that is down as of one that refuses."""

    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        try:
            return await super().fetch(endpoint)
        except Exception as error:
            raise TokenRefusedError(str(error)) from error


class Shielded(Acme):
    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        with anyio.CancelScope(shield=True):
            token = await super().fetch(endpoint)
        return token  # noqa: RET504 - mypy takes it that a scope ends what it holds


class Talkative(Acme):
    def __repr__(self) -> str:
        return f"Talkative({self.key.reveal()})"


class Quoting(Acme):
    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        try:
            return await super().fetch(endpoint)
        except TokenRefusedError:
            raise TokenRefusedError(f"Acme refuses {self.key.reveal()}") from None


class Careless(Acme):
    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        key = self.key.reveal()
        return await endpoint.grant({**FORM, "key": key})


@attrs.define
class Counting(Acme):
    count: int = 0

    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        self.count += 1
        return await endpoint.grant(FORM)


class Session:
    """What is known by nothing but itself."""


class Lock:
    def __deepcopy__(self, memo: object) -> Lock:
        raise TypeError("cannot be copied")


@attrs.define
class Holding(Acme):
    session: object = attrs.field(factory=Session)


class OnlyAsyncio(Acme):
    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        await asyncio.sleep(0)
        return await super().fetch(endpoint)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Acme, "it is a class: give an instance of it"),
        (Blocking, "it has no method `async def fetch(self, endpoint)`"),
        (object, "it has no method `async def fetch(self, endpoint)`"),
        (Argumentless, "its `fetch` does not take one argument, the endpoint: too many"),
        (Failing, "it gives no token: api: no luck"),
        (Keeping, "its second fetch asks nobody: keeping tokens is gqlauth's business"),
        (Once, "it gives a token once, and then raises RuntimeError"),
        (Endless, "its token has no `expires_in`, though the server told one: it never ends"),
        (Wrapping, "where the server refuses, it raises ValueError: let the TokenError pass"),
        (Swallowing, "where the server refuses, it returns a Token: let the TokenError pass"),
        (Swallowing, "where the server is down, it returns a Token: let the TokenError pass"),
        (Impatient, "where the server is down, it raises TokenRefusedError"),
        (Shielded, "it goes on when it is cancelled"),
        (Talkative, "its `repr` shows a secret"),
        (Quoting, "its error shows a secret where the server refuses"),
        (Careless, "a traceback shows a secret, in the variable `key` of `fetch`"),
        (Counting, "a fetch changes its fields, and so what its token is known by"),
        (Holding, "a copy of it does not share its token: a field is of a type that has no value"),
        (lambda: Holding(session=Lock()), "it cannot be copied: TypeError: cannot be copied"),
        (OnlyAsyncio, "it gives no token: api: the strategy failed"),
    ],
)
def test_promise_that_is_broken(make: Callable[[], Strategy], told: str) -> None:
    """It is told, of a strategy that is named."""
    Keeping.kept, Once.asked = None, 0
    with pytest.raises(AssertionError) as caught:
        check_strategy(make())

    first, *lines = str(caught.value).splitlines()
    assert first.endswith(" breaks what a strategy promises:")
    assert [line for line in lines if line.startswith(f"- {told}")] != []


def test_event_loop_on_which_it_is_broken_is_told() -> None:
    """What is true of one of them alone is told with its name."""
    with pytest.raises(AssertionError, match=r"\(on trio\)$"):
        check_strategy(OnlyAsyncio())

    check_strategy(OnlyAsyncio(), backends=["asyncio"])


def test_event_loop_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is left out."""
    monkeypatch.setitem(sys.modules, "trio", None)

    check_strategy(OnlyAsyncio())


def test_server_of_ones_own() -> None:
    """The strategy asks the server that it is given, which may say less than ours."""
    made: list[AuthorizationServer] = []

    def make() -> AuthorizationServer:
        made.append(AuthorizationServer(expires_in=None))
        return made[-1]

    check_strategy(Acme(), server=make)

    assert {form["grant_type"][0] for server in made for form in server.forms} == {"urn:acme:key"}
