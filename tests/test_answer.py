"""What a token endpoint's answer says: bytes in, a token or an error out."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from gqlauth import Secret, Token, TokenRefusedError
from gqlauth._answer import SNIPPET, Answer, TryAgainError, retry_after

URL = "https://id.example.com/token"
NOW = 1_800_000_000.0


def read(
    body: bytes | str | dict[str, Any] | list[Any],
    status: int = 200,
    sent: tuple[Secret, ...] = (),
    **headers: str,
) -> Token:
    if isinstance(body, dict | list):
        body = json.dumps(body)
    content = body.encode() if isinstance(body, str) else body
    named = httpx.Headers({name.replace("_", "-"): value for name, value in headers.items()})
    return Answer(URL, status, named, content, "", sent).token(NOW)


def refused(*args: Any, **kwargs: Any) -> TokenRefusedError:
    with pytest.raises(TokenRefusedError) as caught:
        read(*args, **kwargs)
    return caught.value


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "BEARER", None, ""])
def test_a_bearer_token_is_presented_as_bearer(token_type: str | None) -> None:
    """In any case, and where the type is missing."""
    token = read({"access_token": "t", "token_type": token_type})
    assert token.header_value == "Bearer t"


@pytest.mark.parametrize("token_type", ["mac", "DPoP", "N_A", 7])
def test_a_token_that_nobody_here_can_present_is_refused(token_type: object) -> None:
    """The error names the type."""
    error = refused({"access_token": "t", "token_type": token_type})
    assert error.reason == (
        f'gave a token of type "{token_type}", which no strategy here can present'
    )


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [(60, 60.0), ("60", 60.0), (1.5, 1.5), (" 60 ", 60.0), (None, None)],
)
def test_expires_in_may_be_text(expires_in: object, seconds: float | None) -> None:
    """RFC 6749, section 5.1, wants a number; servers send both."""
    assert read({"access_token": "t", "expires_in": expires_in}).expires_in == seconds


@pytest.mark.parametrize(
    "expires_in",
    ["0", "-1", "true", '"soon"', "NaN", "Infinity", "1e308", "[]", "9" * 400, "9" * 5000, '""'],
    ids=lambda value: value[:9],
)
def test_nonsense_counts_as_missing(expires_in: str, caplog: pytest.LogCaptureFixture) -> None:
    """With a warning."""
    token = read(f'{{"access_token": "t", "expires_in": {expires_in}}}')
    assert token.expires_in is None
    assert "expires_in is nonsense" in caplog.text


def test_granted_scopes_are_told() -> None:
    """They may be fewer than were asked for."""
    assert read({"access_token": "t", "scope": "a b"}).scopes == ("a", "b")


def test_unknown_scopes_are_none() -> None:
    """RFC 6749, section 5.1: as requested, then."""
    assert read({"access_token": "t", "scope": ["a"]}).scopes is None


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("access_token=t&token_type=bearer", "application/x-www-form-urlencoded"),
        ("access_token=t&token_type=bearer", "text/plain"),
        ("token_type=bearer&access_token=t", "application/x-www-form-urlencoded; charset=utf-8"),
        (b'\xef\xbb\xbf{"access_token": "t"}', "application/json"),
        ('\n {"access_token": "t"}\n', "text/html"),
    ],
)
def test_sloppy_answers_are_read(body: bytes | str, content_type: str) -> None:
    """A form, a BOM, a wrong type."""
    assert read(body, content_type=content_type).reveal() == "t"


@pytest.mark.parametrize(
    "body", [{}, [], {"access_token": ""}, {"access_token": 7}, {"access_token": None}]
)
def test_an_answer_without_a_token_is_refused(body: Any) -> None:
    """And not asked for again."""
    assert refused(body).reason == "gave an answer without an access_token"


@pytest.mark.parametrize("text", ["a\r\nX: y", "é", "a\x00", " a", "a "])
def test_a_token_that_no_header_may_carry_is_refused(text: str) -> None:
    """Without showing it."""
    error = refused({"access_token": text})
    assert error.reason == "gave a token with characters that no header may carry"


def test_an_error_within_a_200_is_an_error() -> None:
    """Some servers answer so."""
    error = refused({"error": "invalid_scope", "error_uri": "https://id.example.com/e"})
    assert (error.reason, error.error) == ("refused the scope", "invalid_scope")
    assert str(error) == (
        "token endpoint id.example.com refused the scope: 200 invalid_scope; "
        "see https://id.example.com/e"
    )


def test_an_unknown_error_is_told_as_it_is() -> None:
    """Error codes outside the RFC are common."""
    assert refused({"error": "scope_invalid"}, 400).reason == "refused the request"


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("https://evil.example/t?secret=1", "https://evil.example/t"),
        ("/elsewhere", "https://id.example.com/elsewhere"),
        ("https://u:p@evil.example/", "https://evil.example/"),
        ("https://[::1", "a place that is no URL"),
    ],
)
def test_a_redirect_is_not_followed(location: str, place: str) -> None:
    """The error names the place, without what may be secret in it."""
    error = refused("", 307, location=location)
    assert error.reason.startswith(f"redirects to {place}, which is not followed")


def test_a_redirect_to_nowhere_is_unexpected() -> None:
    """There is no place to name."""
    assert refused("", 304).reason == "gave an unexpected answer"


@pytest.mark.parametrize("error", [True, {"code": 190}, ["no"]])
def test_an_error_that_is_no_text_is_one_all_the_same(error: object) -> None:
    """A token beside it is not taken, and not shown."""
    told = refused({"access_token": "token-beside-it", "error": error})
    assert told.reason == "gave an answer with an error"
    assert "error" in told.snippet
    assert "token-beside-it" not in str(told)


@pytest.mark.parametrize("error", [None, "", {}, False])
def test_an_error_that_says_nothing_is_none(error: object) -> None:
    """Some servers send all fields always."""
    assert read({"access_token": "t", "error": error}).reveal() == "t"


def test_a_403_without_an_oauth_error_is_unexpected() -> None:
    """It may be a firewall's page, and not bad credentials."""
    error = refused("<html>\n <b>blocked</b></html>", 403)
    assert error.reason == "gave an unexpected answer"
    assert error.snippet == "<html> <b>blocked</b></html>"


@pytest.mark.parametrize(
    ("body", "reason"),
    [("", "gave an empty answer"), ("<html>", "gave an answer that is no JSON")],
)
def test_a_success_without_json_may_pass(body: str, reason: str) -> None:
    """Another try may mend it; if none does, there was no token."""
    with pytest.raises(TryAgainError) as caught:
        read(body)
    assert isinstance(caught.value.error, TokenRefusedError)
    assert caught.value.error.reason == reason


def test_deeply_nested_json_is_no_crash() -> None:
    """A parser's limits are no error of ours."""
    with pytest.raises(TryAgainError):
        read("[" * 100_000)


def test_what_a_server_says_cannot_drive_a_terminal() -> None:
    """Control characters are escaped."""
    error = refused({"error": "x", "error_description": "\x1b[2Jgone"}, 400)
    assert "\x1b" not in str(error)


def test_a_snippet_is_short_and_masked() -> None:
    """500 characters, and no secret even where it was cut."""
    error = refused("hidden-value " * 1000, 404, (Secret("hidden-value"),))
    assert len(error.snippet) <= SNIPPET
    assert "hidden" not in error.snippet


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("-7", 0.0),
        ("Fri, 15 Jan 2027 08:01:00 GMT", 60.0),
        ("Fri, 15 Jan 2021 08:01:00 GMT", 0.0),
        ("1e400", float("inf")),
        ("never", None),
        ("nan", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    """RFC 9110, section 10.2.3."""
    assert retry_after(value, NOW) == seconds
