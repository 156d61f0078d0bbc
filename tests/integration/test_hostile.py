"""A token endpoint that means no good: each mood ends in a token, or in an error that tells."""

from __future__ import annotations

import logging
import re
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

import httpx
import pytest

from gqlauth import TokenError, TokenRefusedError, TokenUnavailableError
from gqlauth_strategies import ClientCredentials
from tests.support.hostile import API, ask, assert_tells_no_secret, service_for, token_of

if TYPE_CHECKING:
    from tests.support.faults import HostileTokenEndpoint

pytestmark = [
    pytest.mark.anyio,
    # httpx makes the body of a request by a generator, and httpcore forgets it where sending
    # fails; trio tells.
    pytest.mark.filterwarnings("ignore:.*'httpx._content.ByteStream.__aiter__'"),
]

#: Seconds by which a caller may have its answer late: the machine has other things to do.
LATE = 0.75

TOKEN = "Bearer hostile-token"
REFUSED, UNAVAILABLE = TokenRefusedError, TokenUnavailableError

#: Moods that do no harm.
GOOD = (
    "good",
    "interim",
    "refresh_header",
    "wrong_content_type",
    "byte_order_mark",
    "form_encoded",
    "long_number",
)
#: Moods that only the deadline ends: the seconds that an acquisition has, and how often they are
#: asked. Half of that time is for one try that says nothing; a byte now and then is something.
SLOW = {
    "silence": (1.0, "2 tries"),
    "dribble": (3.0, "1 try"),
    "dribbled_head": (3.0, "1 try"),
    "endless_interim": (1.0, "1 try"),
}
#: What all others come to, and how often they are asked.
BAD: dict[str, tuple[type[TokenError], str, int]] = {
    "endless_body": (REFUSED, "gave an answer that is longer than 1048576 bytes: 200", 1),
    "endless_body/503": (UNAVAILABLE, "is unavailable: 503", 4),
    "endless_headers": (UNAVAILABLE, "gave no valid answer: Receive buffer too long", 4),
    "endless_trailers": (UNAVAILABLE, "gave no valid answer: Receive buffer too long", 4),
    "huge_header": (UNAVAILABLE, "gave no valid answer: Receive buffer too long", 4),
    "gzip_bomb": (REFUSED, "gave an answer that is longer than 1048576 bytes: 200", 1),
    "gzip_bomb/503": (UNAVAILABLE, "is unavailable: 503", 4),
    "deflate_bomb": (REFUSED, "gave an answer that is longer than 1048576 bytes: 200", 1),
    "gzip_tail": (REFUSED, "gave an answer that is longer than 1048576 bytes: 200", 1),
    "gzip_nothing": (REFUSED, "gave an answer that is longer than 1048576 bytes: 200", 1),
    "gzip_broken": (REFUSED, "gave an answer that is no valid gzip: 200", 1),
    "brotli": (REFUSED, "comes in a Content-Encoding that was not asked for: 200", 1),
    "chunked_with_bad_length": (UNAVAILABLE, "gave no valid answer: illegal chunk header", 4),
    "two_lengths": (UNAVAILABLE, "gave no valid answer: conflicting Content-Length", 4),
    "truncated": (UNAVAILABLE, "gave no valid answer: peer closed connection", 4),
    "truncated_chunk": (UNAVAILABLE, "gave no valid answer: peer closed connection", 4),
    "closed": (UNAVAILABLE, "gave no valid answer: Server disconnected", 4),
    "reset": (UNAVAILABLE, "cannot be reached: ", 4),
    "answer_before_request": (REFUSED, "refused the client: 401 invalid_client", 1),
    "close_before_request": (UNAVAILABLE, "", 4),
    "reset_before_request": (UNAVAILABLE, "", 4),
    "http_0_9": (UNAVAILABLE, "gave no valid answer: ", 4),
    "not_http": (UNAVAILABLE, "gave no valid answer: ", 4),
    "binary": (UNAVAILABLE, "gave no valid answer: ", 4),
    "switched": (UNAVAILABLE, "gave no valid answer: ", 4),
    "echo": (UNAVAILABLE, "gave no valid answer: illegal status line (", 4),
    "echo_in_head": (UNAVAILABLE, "gave no valid answer: illegal header line (", 4),
    "echo_in_body": (REFUSED, "gave an unexpected answer: 404 (after 1 try, ", 1),
    "echo_in_body/503": (UNAVAILABLE, "is unavailable: 503", 4),
    "echo_in_body/200": (REFUSED, "gave an answer that is no JSON: 200", 4),
    "echo_in_description": (REFUSED, "refused the request: 401 invalid_client", 1),
    "redirect_without_location": (REFUSED, "gave an unexpected answer: 302", 1),
    "redirect_to_garbage": (UNAVAILABLE, "gave no valid answer: Invalid URL in location", 4),
    "html": (REFUSED, "gave an answer that is no JSON: 200", 4),
    "empty": (REFUSED, "gave an empty answer: 200", 4),
    "no_content": (REFUSED, "gave an empty answer: 204", 4),
    "nested": (REFUSED, "gave an answer that is no JSON: 200", 4),
    "with_crlf": (REFUSED, "gave a token with characters that no header may carry", 1),
    "surrogate": (REFUSED, r'refused the request: 400 x\ud800 "\udfff\u202e\x00gone"', 1),
    "terminal": (REFUSED, r"refused the request: 400 x\x1b[2J\x1b]0;owned\x07\x9b31m", 1),
    "terminal_page": (REFUSED, r'"\x1b[2J\x1b]0;owned\x07"', 1),
    "mac": (REFUSED, r'gave a token of type "mac\x1b[2J", which no strategy here can present', 1),
    "error_with_200": (REFUSED, "refused the scope: 200 invalid_scope", 1),
    "said/[]": (REFUSED, "gave an answer without an access_token: 200", 1),
    "said/null": (REFUSED, "gave an answer without an access_token: 200", 1),
    'said/{"access_token": 7}': (REFUSED, "gave an answer without an access_token: 200", 1),
}


@pytest.mark.parametrize("mood", GOOD)
async def test_odd_answer_is_taken(hostile: HostileTokenEndpoint, mood: str) -> None:
    """What is sloppy, but plain, brings its token."""
    assert (await ask(hostile.token_url(mood))).sent == [TOKEN]


@pytest.mark.parametrize("mood", SLOW)
async def test_deadline_ends_what_takes_too_long(
    hostile: HostileTokenEndpoint, mood: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither silence nor dribble holds a caller past the time that it gives."""
    caplog.set_level(logging.DEBUG, "gqlauth")
    limit, tries = SLOW[mood]
    asked = await ask(hostile.token_url(mood), limit)

    assert isinstance(asked.error, TokenUnavailableError)
    assert f"gave no answer within {limit:g} s (after {tries}, " in str(asked.error)
    assert limit * 0.8 <= asked.elapsed < limit + LATE
    assert asked.sent == []
    assert_tells_no_secret(asked.error, caplog.text)


@pytest.mark.parametrize("mood", BAD)
async def test_bad_answer_is_told(
    hostile: HostileTokenEndpoint, mood: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The error is the documented one, in time; it shows no secret; and no request goes out."""
    caplog.set_level(logging.DEBUG, "gqlauth")
    kind, words, tries = BAD[mood]
    asked = await ask(hostile.token_url(mood))

    assert type(asked.error) is kind
    assert words in str(asked.error)
    assert asked.error.tries == tries
    assert asked.elapsed < 10
    assert asked.sent == []
    assert_tells_no_secret(asked.error, caplog.text)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_takes_no_secret_elsewhere(
    hostile: HostileTokenEndpoint, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The error names the place, without its query; nobody has been there."""
    asked = await ask(hostile.token_url(f"redirect/{status}"))

    assert isinstance(asked.error, TokenRefusedError)
    assert re.search(r"redirects to http://127\.0\.0\.1:\d+/token, which", str(asked.error))
    assert (asked.error.status, asked.error.tries) == (status, 1)
    assert asked.sent == []
    assert hostile.counts()["elsewhere"] == 0
    assert_tells_no_secret(asked.error, caplog.text)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("60", 60.0),
        ('"60"', 60.0),
        ("1.5", 1.5),
        *((nonsense, 77.0) for nonsense in ("null", "0", "-1", "true", "NaN", "1e308", "Infinity")),
        *((nonsense, 77.0) for nonsense in ('"soon"', "[60]", '{"s": 60}', '""', "9" * 500)),
    ],
    ids=lambda value: str(value)[:9],
)
async def test_lifetime_of_any_kind(
    hostile: HostileTokenEndpoint, told: str, seconds: float
) -> None:
    """A number counts, also as text; nonsense counts as missing."""
    token = await token_of(hostile.token_url(f"lifetime/{told}"), default_lifetime=77.0)

    assert token.expires_in == seconds


@pytest.mark.parametrize(
    ("told", "tries", "asked_for"),
    [
        ("0", 4, 0.0),
        ("-30", 4, 0.0),
        ("soon", 4, None),
        ("nan", 4, None),
        ("Fri, 99 Foo 2027 08:00:05 GMT", 4, None),
        (formatdate(0, usegmt=True), 4, 0.0),
        ("31", 1, 31.0),
        ("9" * 400, 1, float("inf")),
        (formatdate(4e9, usegmt=True), 1, None),
    ],
    ids=lambda value: str(value)[:9],
)
async def test_retry_after_of_any_kind(
    hostile: HostileTokenEndpoint, told: str, tries: int, asked_for: float | None
) -> None:
    """What is past the deadline fails at once; nonsense counts as missing."""
    error = (await ask(hostile.token_url(f"retry_after/{told}"))).error

    assert isinstance(error, TokenUnavailableError)
    assert error.tries == tries
    if told.endswith("2096 07:06:40 GMT"):
        assert error.retry_after == pytest.approx(4e9 - time.time(), abs=60)
    else:
        assert error.retry_after == asked_for


async def test_cookies_of_one_answer_ride_on_no_other(hostile: HostileTokenEndpoint) -> None:
    """What the endpoint sets is not sent back to it."""
    url = hostile.token_url("echo_in_body/200")
    async with service_for(hostile.token_url("refresh_header")) as service:
        await service.token("api")
        auth = service.auth_for(ClientCredentials(token_url=url, client_id="other"), url=API)
        async with httpx.AsyncClient(auth=auth) as client:
            with pytest.raises(TokenRefusedError) as caught:
                await client.post(API)

    assert "User-Agent" in caught.value.snippet
    assert "ookie" not in caught.value.snippet
