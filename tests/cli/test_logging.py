"""What the command line shows of what is logged: how much, how it looks, and no secret."""

from __future__ import annotations

import io
import json
import logging
import sys
from typing import Any

import httpx
import pytest

from gqlauth import _log
from gqlauth._cli._logging import configure_logging

SECRET = "correct-horse-battery"


def shown(verbosity: int, log_format: Any = "console") -> io.StringIO:
    stream = io.StringIO()
    configure_logging(verbosity, log_format, stream)
    return stream


def raised(error: Exception) -> Any:
    try:
        raise error
    except type(error):
        return sys.exc_info()


class TestForCli:
    @pytest.mark.parametrize(
        ("verbosity", "ours", "http"),
        [
            (0, ["WARNING", "ERROR"], ["WARNING", "ERROR"]),
            (1, ["INFO", "WARNING", "ERROR"], ["WARNING", "ERROR"]),
            (2, ["DEBUG", "INFO", "WARNING", "ERROR"], ["INFO", "WARNING", "ERROR"]),
            (3, ["DEBUG", "INFO", "WARNING", "ERROR"], ["DEBUG", "INFO", "WARNING", "ERROR"]),
            (9, ["DEBUG", "INFO", "WARNING", "ERROR"], ["DEBUG", "INFO", "WARNING", "ERROR"]),
        ],
    )
    def test_verbosity(self, verbosity: int, ours: list[str], http: list[str]) -> None:
        """Each ``-v`` shows more: what happens, each decision and request, all of HTTP."""
        stream = shown(verbosity, "json")
        for name in ("gqlauth", "httpx", "httpcore.connection"):
            for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
                logging.getLogger(name).log(level, "event")
        lines = [json.loads(line) for line in stream.getvalue().splitlines()]
        levels = {
            name: [line["level"].upper() for line in lines if line["logger"] == name]
            for name in ("gqlauth", "httpx", "httpcore.connection")
        }

        assert levels == {"gqlauth": ours, "httpx": http, "httpcore.connection": http}

    def test_console(self) -> None:
        """On the console, a line says who and what, and from warnings on how bad."""
        stream = shown(3)

        _log.info("token fetched", endpoint="orders")
        _log.warning("slow")
        logging.getLogger("httpx").info("HTTP Request")

        assert stream.getvalue().splitlines() == [
            "gql: token fetched endpoint=orders",
            "gql: warning: slow",
            "httpx: HTTP Request",
        ]

    def test_console_shows_tracebacks(self) -> None:
        """A traceback and a stack stand below the message, redacted, a line a line."""
        stream = shown(0)

        logging.getLogger("gqlauth").error(
            "broken",
            exc_info=raised(ValueError(f"\x1b[2J client_secret={SECRET}")),
            stack_info=True,
        )
        lines = stream.getvalue().splitlines()

        assert lines[:2] == ["gql: error: broken", "Traceback (most recent call last):"]
        assert r"ValueError: \x1b[2J client_secret=***" in lines
        assert "Stack (most recent call last):" in lines

    def test_json_is_one_object_a_line(self) -> None:
        """As JSON, a line is an object with time, level, logger, event and fields."""
        stream = shown(1, "json")

        _log.info("token fetched", endpoint="orders", tries=2, why="two\nlines")
        (line,) = stream.getvalue().splitlines()
        got = json.loads(line)

        assert got.pop("timestamp").endswith("+00:00")
        assert got == {
            "level": "info",
            "logger": "gqlauth",
            "event": "token fetched",
            "endpoint": "orders",
            "tries": 2,
            "why": "two\nlines",
        }

    def test_json_is_read_by_any_parser(self) -> None:
        """What JSON has no word for comes as text."""
        stream = shown(1, "json")

        _log.info("event", ends=float("inf"), nan=float("nan"), kind=ValueError, half=0.5)
        got = json.loads(stream.getvalue(), parse_constant=pytest.fail)

        assert (got["ends"], got["nan"], got["half"]) == ("inf", "nan", 0.5)
        assert got["kind"] == "<class 'ValueError'>"

    def test_json_holds_tracebacks(self) -> None:
        """A traceback is one field, redacted."""
        stream = shown(0, "json")

        logging.getLogger("httpx").error(
            "broken", exc_info=raised(ValueError(f"client_secret={SECRET}"))
        )
        (line,) = stream.getvalue().splitlines()

        assert json.loads(line)["event"] == "broken"
        assert json.loads(line)["exception"].endswith("\nValueError: client_secret=***")

    @pytest.mark.parametrize("log_format", ["console", "json"])
    def test_what_httpx_and_httpcore_print_is_redacted(self, log_format: str) -> None:
        """The requests and headers that HTTP libraries log at DEBUG have no credential in them."""
        stream = shown(3, log_format)
        headers = [
            (b"Authorization", b"Bearer " + SECRET.encode()),
            (b"Set-Cookie", b"session=" + SECRET.encode()),
        ]

        with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
            client.get(f"https://user:{SECRET}@api.example.com/?access_token={SECRET}")
        logging.getLogger("httpcore.http11").debug(
            "send_request_headers.started request=%r", {"headers": headers}
        )
        logging.getLogger("httpcore.http11").debug(
            "receive_response_headers.complete return_value=%r", (b"HTTP/1.1", 200, headers)
        )

        assert len(stream.getvalue().splitlines()) == 3
        assert "HTTP Request: GET https://" in stream.getvalue()
        assert "receive_response_headers.complete" in stream.getvalue()
        assert SECRET not in stream.getvalue()

    def test_second_call_replaces_the_first(self) -> None:
        """To configure again is to show on the new stream alone."""
        first = shown(1)
        second = shown(0)

        _log.info("event")
        _log.warning("event")

        assert first.getvalue() == ""
        assert second.getvalue() == "gql: warning: event\n"

    def test_other_handlers_stay(self) -> None:
        """The handlers that others put there are not touched."""
        theirs = logging.NullHandler()
        logging.getLogger("gqlauth").addHandler(theirs)
        shown(0)
        shown(1)

        assert theirs in logging.getLogger("gqlauth").handlers

    def test_closed_stream_is_not_heard_of(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Whoever closed standard error gets no complaint about it."""
        stream = shown(0)
        stream.close()

        _log.warning("event")

        assert capsys.readouterr() == ("", "")
