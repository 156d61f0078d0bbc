"""The strategies that ask nobody: bearer, basic and header."""

from __future__ import annotations

import base64
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from gqlauth import Secret, SecretError
from gqlauth.testing import AuthorizationServer
from gqlauth_strategies import Basic, Bearer, Header
from tests.strategies.asking import ask, authorization

if TYPE_CHECKING:
    from collections.abc import Callable

    from gqlauth import Strategy

pytestmark = pytest.mark.anyio


@attrs.define(eq=False)
class Rotating:
    """A source that has another secret at each reading."""

    readings: int = 0

    async def read(self) -> str:
        self.readings += 1
        return f"reading-{self.readings}"

    def __str__(self) -> str:
        return "rotating"


@pytest.mark.parametrize(
    ("strategy", "name", "value"),
    [
        (Bearer(Secret("abc")), "authorization", "Bearer abc"),
        (Header("X-Api-Key", Secret("abc")), "x-api-key", "abc"),
        (Header("Authorization", Secret("abc"), "ApiKey"), "authorization", "ApiKey abc"),
        # RFC 7617, section 2; and 2.1, where the example has this sign in UTF-8.
        (
            Basic("Aladdin", Secret("open sesame")),
            "authorization",
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        ),
        (Basic("test", Secret("123£")), "authorization", "Basic dGVzdDoxMjPCow=="),
        (Basic("", Secret("a:b")), "authorization", "Basic OmE6Yg=="),
    ],
)
async def test_the_credential_goes_to_the_api(strategy: Strategy, name: str, value: str) -> None:
    """And no token is asked for."""
    fake = AuthorizationServer()
    (headers,) = await ask(strategy, fake)
    assert headers[name] == value
    assert fake.requests == []


def basic(password: str) -> str:
    return f"Basic {base64.b64encode(f'me:{password}'.encode()).decode()}"


@pytest.mark.parametrize(
    ("made", "name", "values"),
    [
        (Bearer, "authorization", ["Bearer reading-1", "Bearer reading-2"]),
        (partial(Header, "X-Api-Key"), "x-api-key", ["reading-1", "reading-2"]),
        (partial(Basic, "me"), "authorization", [basic("reading-1"), basic("reading-2")]),
    ],
)
async def test_a_refused_credential_is_read_anew(
    made: Callable[[Secret], Strategy], name: str, values: list[str]
) -> None:
    """So that a rotated one is picked up."""
    requests = await ask(made(Secret.from_source(Rotating())), refused=1)
    assert [headers[name] for headers in requests] == values


async def test_a_password_that_basic_cannot_carry_is_told() -> None:
    """By where it comes from."""
    with pytest.raises(SecretError, match=r"the password \(given in code\) has a control char"):
        await authorization(Basic("me", Secret("pass\nword")))


@pytest.mark.parametrize(
    "strategy", [Bearer(Secret("pass\nword")), Header("X-Api-Key", Secret("pass\nword"))]
)
async def test_a_credential_that_no_header_may_carry_is_told(strategy: Strategy) -> None:
    """By where it comes from, and not shown."""
    with pytest.raises(SecretError, match=r"\(given in code\).* that no header may") as caught:
        await ask(strategy)
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize(
    ("cls", "fields", "message"),
    [
        (Basic, ("a:b", Secret("c")), "username: must have no colon (RFC 7617, section 2)"),
        (Basic, ("a\x7f", Secret("c")), "username: must have no control character"),
        (Basic, ("a\ud800", Secret("c")), "username: has half of a character (a lone surrogate)"),
        (Header, ("", Secret("c")), 'name: "" is no name of a header'),
        (Header, ("X:", Secret("c")), 'name: "X:" is no name of a header'),
        (Header, ("X", Secret("c"), "Api Key"), "prefix: must be one word, in ASCII"),
        *(
            (
                Header,
                (name, Secret("c")),
                f"name: {name} is set by the HTTP client, and by nobody else",
            )
            for name in ("Host", "content-length", "Connection", "TE", "Transfer-Encoding")
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(cls: Any, fields: tuple[Any, ...], message: str) -> None:
    """By the name of its field, when the strategy is made."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared whole
        cls(*fields)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("cls", "fields", "name"),
    [(Bearer, (), "token"), (Basic, ("me",), "password"), (Header, ("X-Api-Key",), "value")],
)
def test_a_secret_in_the_clear_is_refused(cls: Any, fields: tuple[str, ...], name: str) -> None:
    """Without showing it."""
    with pytest.raises(TypeError) as caught:
        cls(*fields, "s3cr3t")
    assert str(caught.value) == f"{name}: a Secret is wanted, not str"
