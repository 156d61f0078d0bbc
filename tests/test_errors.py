"""The errors: one tree, told in words, copied for each caller."""

from __future__ import annotations

import copy
import math
import pickle
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

from gqlauth.errors import (
    ConfigError,
    GqlAuthError,
    Problem,
    SecretError,
    ServiceClosedError,
    StrategyError,
    TokenError,
    TokenRefusedError,
    TokenUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FULL: Mapping[str, Any] = MappingProxyType(
    {
        "reason": "refused the client",
        "endpoint": "orders",
        "url": "https://id.example.com/token",
        "status": 401,
        "error": "invalid_client",
        "error_description": "unknown client",
        "error_uri": "https://id.example.com/why",
        "request_id": "r-1",
        "tries": 1,
        "elapsed": 0.12,
        "retry_after": 3.0,
        "snippet": "<html>",
        "hint": "look again",
    }
)

EVERY = [
    GqlAuthError("broken"),
    ConfigError("wrong", Problem("missing", file="a.toml", line=3, column=4, key="x.y")),
    SecretError("unset"),
    StrategyError("unknown"),
    TokenError(**FULL),
    TokenRefusedError(**FULL),
    TokenUnavailableError(**FULL),
    ServiceClosedError("closed"),
]


def roundtrip(error: GqlAuthError) -> GqlAuthError:
    loaded: GqlAuthError = pickle.loads(pickle.dumps(error))
    return loaded


def shape(error: GqlAuthError) -> object:
    return type(error), error.args, error.__dict__, str(error), repr(error)


class PickyError(GqlAuthError):
    """An error as a plugin may have it: made from other arguments than it passes on."""

    def __init__(self, code: int, *, what: str) -> None:
        super().__init__(f"{what} {code}")
        self.code = code


class PickySecretError(SecretError):
    """The same, of a secret provider."""

    def __init__(self, vault: str, *, code: int) -> None:
        super().__init__(f"vault {vault} answered {code}")


class PickyTokenError(TokenRefusedError):
    """The same, of a strategy."""

    def __init__(self, code: int) -> None:
        super().__init__(f"answered {code}", status=code)


class Line:
    """A place that a test points at."""

    def problem(self, message: str) -> Problem:
        return Problem(message, file="gqlauth.toml", line=9, key="endpoints.prod.auth.token")


@pytest.mark.parametrize(
    ("error", "parent"),
    [
        (GqlAuthError, Exception),
        (ConfigError, GqlAuthError),
        (SecretError, ConfigError),
        (StrategyError, ConfigError),
        (TokenError, GqlAuthError),
        (TokenRefusedError, TokenError),
        (TokenUnavailableError, TokenError),
        (ServiceClosedError, GqlAuthError),
    ],
)
def test_errors_are_one_tree(error: type[Exception], parent: type[Exception]) -> None:
    """Each error has the one parent that the drawing shows."""
    assert error.__bases__ == (parent,)


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("wrong"), "wrong"),
        (Problem("wrong", key="a.b"), "a.b: wrong"),
        (Problem("wrong", file="f.toml"), "f.toml: wrong"),
        (Problem("wrong", file="f.toml", line=14, key="a.b"), "f.toml:14: a.b: wrong"),
        (Problem("wrong", file="f.toml", line=3, column=7), "f.toml:3:7: wrong"),
        (Problem("wrong", file="f.toml", column=7), "f.toml: wrong"),
        (Problem("wrong", line=3, column=7), "wrong"),
    ],
)
def test_problem_reads_place_key_message(problem: Problem, text: str) -> None:
    """A problem reads as file, line and column, key path and message, as far as they are known."""
    assert str(problem) == text


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (100.0, "is unavailable; it asks to wait 100 s"),
        (1.5, "is unavailable; it asks to wait 1.5 s"),
        (0.0, "is unavailable"),
        (None, "is unavailable"),
        (math.inf, "is unavailable"),
    ],
)
def test_token_error_tells_how_long_to_wait(seconds: float | None, told: str) -> None:
    """If the server asks for some time, and for a time that there is."""
    assert str(TokenUnavailableError("is unavailable", retry_after=seconds)) == told


def test_config_error_tells_every_problem() -> None:
    """A configuration error has one line for each problem, and keeps them as values."""
    error = ConfigError("one", Problem("two", file="f.toml", line=2, key="k"))

    assert str(error) == "one\nf.toml:2: k: two"
    assert error.problems == (Problem("one"), Problem("two", file="f.toml", line=2, key="k"))


class TestAt:
    def test_tells_the_place(self) -> None:
        """An error told at a place has its file, line and key path, and its own class."""
        error = SecretError("environment variable X is not set").at(Line())

        assert type(error) is SecretError
        assert (
            str(error)
            == "gqlauth.toml:9: endpoints.prod.auth.token: environment variable X is not set"
        )
        assert error.args == error.problems

    def test_without_a_place_is_itself(self) -> None:
        """Where there is no place to tell, the error stays the same object."""
        error = SecretError("unset")

        assert error.at(None) is error

    @pytest.mark.parametrize("known", [Problem("x", file="b.toml"), Problem("x", key="a.b")])
    def test_keeps_a_place_that_is_known(self, known: Problem) -> None:
        """A problem that has its place already is not told at another one."""
        assert ConfigError(known, "y").at(Line()).problems == (known, Line().problem("y"))

    def test_keeps_cause_and_notes(self) -> None:
        """What caused an error, and what was noted on it, stays when it is told at a place."""
        error = SecretError("unreadable")
        error.__cause__ = cause = OSError("denied")
        error.add_note("look at the mode")

        told = error.at(Line())

        assert told.__cause__ is cause
        assert told.__notes__ == ["look at the mode"]

    def test_serves_the_errors_of_plugins(self) -> None:
        """A subclass that is made from other arguments can be told at a place, too."""
        told = PickySecretError("acme", code=503).at(Line())

        assert type(told) is PickySecretError
        assert str(told).endswith("vault acme answered 503")


class TestForEndpoint:
    @pytest.mark.parametrize("error", EVERY, ids=lambda error: type(error).__name__)
    def test_gives_a_copy_of_its_own(self, error: GqlAuthError) -> None:
        """Each caller gets another object, of the same class and with the same text."""
        one, two = error.for_endpoint("orders"), error.for_endpoint("orders")

        assert one is not two
        assert one is not error
        assert shape(one) == shape(two) == shape(error)

    @pytest.mark.parametrize(
        "error",
        [PickyError(7, what="code"), PickySecretError("acme", code=5), PickyTokenError(418)],
        ids=lambda error: type(error).__name__,
    )
    def test_serves_the_errors_of_plugins(self, error: GqlAuthError) -> None:
        """A subclass that is made from other arguments is copied with all that it holds."""
        copied = error.for_endpoint("")

        assert shape(copied) == shape(error)

    def test_names_the_endpoint(self) -> None:
        """The copy of a token error names the endpoint that the caller asked for."""
        error = TokenRefusedError("refused the client", endpoint="orders")

        assert str(error.for_endpoint("billing")) == "billing: refused the client"
        assert error.endpoint == "orders"

    def test_keeps_cause_and_notes(self) -> None:
        """The copy has the cause and the notes, each caller's notes its own."""
        error = TokenRefusedError("refused", hint="look again")
        error.__cause__ = cause = OSError("reset")
        error.add_note("seen before")

        one, two = error.for_endpoint("a"), error.for_endpoint("b")
        one.add_note("mine")

        assert one.__cause__ is two.__cause__ is cause
        assert two.__notes__ == ["hint: look again", "seen before"]

    def test_leaves_the_context_to_the_caller(self) -> None:
        """The copy has no context from where it failed, and hides none of where it is raised."""
        error = TokenRefusedError("refused")
        error.__context__ = KeyError("k")

        copied = error.for_endpoint("a")

        assert copied.__context__ is None
        assert not copied.__suppress_context__

    def test_starts_without_traceback(self) -> None:
        """The frames that the first error went through are not those of the copy."""
        with pytest.raises(TokenRefusedError) as raised:
            raise TokenRefusedError("refused")

        assert raised.value.__traceback__ is not None
        assert raised.value.for_endpoint("a").__traceback__ is None


@pytest.mark.parametrize("error", EVERY, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("again", [roundtrip, copy.copy, copy.deepcopy])
def test_every_error_can_be_copied_and_pickled(
    error: GqlAuthError, again: Callable[[GqlAuthError], GqlAuthError]
) -> None:
    """An error comes through copy, deepcopy and pickle with its text, fields and notes."""
    noted = error.for_endpoint("orders")
    noted.add_note("on the way")

    assert shape(again(noted)) == shape(noted)


class TestTokenError:
    @pytest.mark.parametrize(
        ("error", "text"),
        [
            (
                TokenRefusedError(
                    "refused the client",
                    endpoint="orders",
                    url="https://id.example.com/oauth2/token",
                    status=401,
                    error="invalid_client",
                    error_description="unknown client",
                    tries=1,
                    elapsed=0.1234,
                ),
                (
                    "orders: token endpoint id.example.com refused the client: "
                    '401 invalid_client "unknown client" (after 1 try, 0.12 s)'
                ),
            ),
            (
                TokenUnavailableError(
                    "is unavailable",
                    endpoint="orders",
                    url="https://id.example.com/oauth2/token",
                    status=503,
                    tries=4,
                    elapsed=6.8,
                    snippet="upstream connect error…",
                ),
                (
                    "orders: token endpoint id.example.com is unavailable: 503 "
                    '(after 4 tries, 6.8 s): "upstream connect error…"'
                ),
            ),
            (TokenError("no token within 30 s"), "no token within 30 s"),
            (TokenError("no token", endpoint="orders"), "orders: no token"),
            (
                TokenError("x", error_uri="https://a/why", request_id="r-1"),
                "x; see https://a/why; request id r-1",
            ),
            (TokenError("refused", url="https://"), "token endpoint refused"),
        ],
    )
    def test_reads_as_one_sentence(self, error: TokenError, text: str) -> None:
        """The text tells who was asked, what came back, after how much, in one line."""
        assert str(error) == text

    @pytest.mark.parametrize(
        ("elapsed", "text"),
        [
            (0.0, "0"),
            (0.00001, "0"),
            (0.004, "0.004"),
            (0.126, "0.13"),
            (9.99, "10"),
            (31.2, "31"),
            (123.4, "123"),
            (3600.0, "3600"),
        ],
    )
    def test_tells_seconds_without_exponent(self, elapsed: float, text: str) -> None:
        """The time is told with the digits that count, however short or long it was."""
        assert str(TokenError("x", tries=2, elapsed=elapsed)) == f"x (after 2 tries, {text} s)"

    @pytest.mark.parametrize(
        ("url", "host"),
        [
            ("https://id.example.com/token", "id.example.com"),
            ("https://id.example.com:8443/token", "id.example.com:8443"),
            ("https://id.example.com:443/token", "id.example.com"),
            ("http://127.0.0.1:80/token", "127.0.0.1"),
            ("http://127.0.0.1:443/token", "127.0.0.1:443"),
            ("https://user:hunter2@id.example.com/token", "id.example.com"),
            ("https://[::1]:8443/token", "[::1]:8443"),
            ("https://[::1/token", ""),
            ("https://id.example.com:port/token", ""),
            ("no url", ""),
            ("", ""),
        ],
    )
    def test_host_is_what_a_person_needs(self, url: str, host: str) -> None:
        """The host comes without user, password and usual port, and a broken URL gives none."""
        assert TokenError("x", url=url).host == host

    def test_hint_is_a_note(self) -> None:
        """A hint stands below the error in a traceback, once."""
        assert TokenError("x", hint="look again").__notes__ == ["hint: look again"]

    def test_without_hint_there_is_no_note(self) -> None:
        """An error without a hint has no note."""
        assert not hasattr(TokenError("x"), "__notes__")

    def test_is_equal_to_itself_only(self) -> None:
        """Errors are told apart by identity, as exceptions are, and can be kept in sets."""
        one, two = TokenError("x"), TokenError("x")

        assert {one, two, one} == {one, two}
        assert one != two
