"""The filter by which an application redacts all that its handlers write."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

import gqlauth
from gqlauth import Secret
from gqlauth._log_filter import RedactingFilter

SECRET = "correct-horse-battery"


def record(message: object, *args: object, exc_info: Any = None, **extra: object) -> Any:
    made = logging.LogRecord("httpx", logging.INFO, "file.py", 1, message, args, exc_info)
    vars(made).update(extra)
    return made


def raised(error: BaseException) -> Any:
    try:
        raise error
    except type(error):
        return sys.exc_info()


def filtered(made: logging.LogRecord) -> logging.LogRecord:
    assert RedactingFilter().filter(made) is True
    return made


class TestRedactingFilter:
    def test_masks_message_and_arguments(self) -> None:
        """A record's message is redacted with its arguments in it."""
        got = record("headers=%r", [("authorization", f"Bearer {SECRET}")])

        filtered(got)
        assert got.getMessage() == "headers=[('authorization', '***')]"
        assert SECRET not in str(vars(got))

    def test_masks_the_traceback(self) -> None:
        """A traceback is redacted, in its frames as in its last line."""
        got = record("failed", exc_info=raised(ValueError(f"Authorization: Bearer {SECRET}")))

        filtered(got)

        assert got.exc_text is not None
        assert got.exc_text.startswith("Traceback (most recent call last)")
        assert got.exc_text.endswith("ValueError: Authorization: Bearer ***")

    def test_masks_a_traceback_that_is_text_already(self) -> None:
        """A traceback that another handler rendered before is redacted as well."""
        got = record("failed", exc_info=raised(ValueError("x")))
        got.exc_text = f"client_secret={SECRET}"

        filtered(got)

        assert got.exc_text == "client_secret=***"

    def test_masks_the_stack(self) -> None:
        """So is the stack that a caller asked for."""
        got = record("here")
        got.stack_info = f"client_secret={SECRET}"

        filtered(got)

        assert got.stack_info == "client_secret=***"

    def test_shows_nothing_of_what_cannot_be_read(self) -> None:
        """A message that does not fit its arguments shows neither, and raises nothing."""
        got = record("%d", f"client_secret={SECRET}")

        filtered(got)
        assert got.getMessage() == "(a log record whose message and arguments do not fit)"

    def test_takes_the_exception_off(self) -> None:
        """The exception itself, which another handler might print, is on the record no more."""
        got = filtered(record("failed", exc_info=raised(ValueError(SECRET))))

        assert got.exc_info is None

    def test_masks_all_of_an_exception(self) -> None:
        """Groups, causes, contexts and notes are redacted with it."""
        error = OSError(f"token={SECRET}")
        error.__cause__ = KeyError(f"password={SECRET}")
        error.add_note(f"client_secret={SECRET}")
        other = ValueError(f"Bearer {SECRET}")
        other.__context__ = KeyError(f"password={SECRET}")
        group = ExceptionGroup("several", [error, other])
        got = filtered(record("failed", exc_info=raised(group)))

        assert got.exc_text is not None
        assert got.exc_text.count("***") == 5
        assert SECRET not in got.exc_text

    def test_masks_what_is_alive(self) -> None:
        """The value of a secret that is alive is found where nothing else tells it."""
        secret = Secret("an-odd-value")
        got = filtered(record("sent %s", "an-odd-value", where=["an-odd-value"]))

        assert (got.getMessage(), vars(got)["where"]) == ("sent ***", ["***"])
        assert secret.reveal() == "an-odd-value"

    def test_masks_the_name_of_extra(self) -> None:
        """It is redacted as well, as it may come from anywhere."""
        secret = Secret("correct_horse_battery")
        made = record("x", **{secret.reveal(): 1})

        RedactingFilter().filter(made)

        assert secret.reveal() not in repr(vars(made))
        assert vars(made)["***"] == 1

    def test_masks_extra(self) -> None:
        """What came as ``extra`` is redacted by its name, and within."""
        got = filtered(record("x", token=SECRET, sent={"password": SECRET}, n=3))

        assert (vars(got)["token"], vars(got)["sent"], vars(got)["n"]) == (
            "***",
            {"password": "***"},
            3,
        )

    def test_masks_a_message_that_was_made(self) -> None:
        """The text that an earlier handler made of the message is redacted, too."""
        got = record("x")
        got.message = f"client_secret={SECRET}"

        assert filtered(got).message == "client_secret=***"

    def test_keeps_an_event_that_is_formatted_later(self) -> None:
        """A message that is a mapping, as structlog passes it on, stays one."""
        got = filtered(record({"event": "x", "token": SECRET}))

        assert got.msg == {"event": "x", "token": "***"}

    def test_leaves_the_rest(self) -> None:
        """A record with nothing to hide is what it was, with its arguments in its message."""
        before = record("%s of %d", "one", 2, part=[1])
        expected = {**vars(before), "msg": "one of 2", "args": None}

        assert vars(filtered(before)) == expected

    def test_is_public(self) -> None:
        """It is the ``gqlauth.RedactingFilter`` that applications add to their handlers."""
        assert gqlauth.RedactingFilter is RedactingFilter

    def test_works_with_structlog(self) -> None:
        """The formatter of structlog's own writes what the filter has left."""
        formatter = structlog.stdlib.ProcessorFormatter(
            processor=structlog.processors.JSONRenderer()
        )
        got = filtered(record({"event": "x", "token": SECRET}))

        assert SECRET not in formatter.format(got)
