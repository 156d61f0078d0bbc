"""The events that are logged: by the stdlib's logger, redacted, and silent unless asked for."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import structlog

from gqlauth import _log
from gqlauth._log import RedactingFilter, configure_for_cli

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "correct-horse-battery"


class Sink(logging.Handler):
    """A handler as an application has it: it keeps what it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def sink() -> Sink:
    """Listen to everything that gqlauth logs."""
    sink = Sink()
    logger = logging.getLogger("gqlauth")
    logger.addHandler(sink)
    logger.setLevel(logging.DEBUG)
    return sink


@pytest.fixture
def _structlog_as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def shown(verbosity: int, log_format: Any = "console") -> io.StringIO:
    stream = io.StringIO()
    configure_for_cli(verbosity, log_format, stream)
    return stream


def record(message: object, *args: object, exc_info: Any = None) -> logging.LogRecord:
    return logging.LogRecord("httpx", logging.INFO, "file.py", 1, message, args, exc_info)


def raised(error: Exception) -> Any:
    try:
        raise error
    except type(error):
        return sys.exc_info()


class TestEvents:
    @pytest.mark.parametrize(
        ("function", "level"),
        [
            (_log.debug, logging.DEBUG),
            (_log.info, logging.INFO),
            (_log.warning, logging.WARNING),
            (lambda event, **fields: _log.log(logging.ERROR, event, **fields), logging.ERROR),
        ],
    )
    def test_come_as_records(self, sink: Sink, function: Any, level: int) -> None:
        """An event is a record of the logger ``gqlauth``, at its level, with its fields."""
        function("token fetched", endpoint="orders", elapsed=0.12)
        (got,) = sink.records

        assert (got.name, got.levelno) == ("gqlauth", level)
        assert got.getMessage() == "token fetched endpoint=orders elapsed=0.12"
        assert vars(got)["gqlauth"] == {
            "event": "token fetched",
            "endpoint": "orders",
            "elapsed": 0.12,
        }

    @pytest.mark.parametrize("function", [_log.debug, _log.info, _log.warning])
    def test_name_the_line_that_logged(self, sink: Sink, function: Any) -> None:
        """A record tells where in the program the event was logged."""
        function("here")

        assert sink.records[0].funcName == "test_name_the_line_that_logged"

    def test_by_level_name_the_line_that_logged(self, sink: Sink) -> None:
        """An event whose level is an argument tells that as well."""
        _log.log(logging.INFO, "here")

        assert sink.records[0].funcName == "test_by_level_name_the_line_that_logged"

    def test_below_the_level_are_dropped(self, sink: Sink) -> None:
        """What nobody wants to hear is not made."""
        logging.getLogger("gqlauth").setLevel(logging.CRITICAL)

        _log.debug("x")
        _log.info("x")
        _log.warning("x")
        _log.log(logging.ERROR, "x")

        assert sink.records == []

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("plain", "plain"),
            (3, "3"),
            (None, "None"),
            ("", '""'),
            ("two words", '"two words"'),
            ("a=b", '"a=b"'),
            ('say "hi"', r'"say \"hi\""'),
            ("two\nlines", r"two\nlines"),
            ("\x1b[31m red", r'"\x1b[31m red"'),
        ],
    )
    def test_quote_what_would_be_read_wrongly(self, sink: Sink, value: object, text: str) -> None:
        """A value that has spaces or quotes is quoted, and control characters are escaped."""
        _log.info("event", value=value)

        assert sink.records[0].getMessage() == f"event value={text}"

    def test_are_no_format_strings(self, sink: Sink) -> None:
        """A percent sign in an event is nothing but that."""
        _log.info("100 %s done", part="%d")

        assert sink.records[0].getMessage() == "100 %s done part=%d"

    def test_are_redacted(self, sink: Sink) -> None:
        """What stands under the name of a secret, or looks like one, is masked."""
        _log.info("asked", client_secret=SECRET, sent=f"Authorization: Bearer {SECRET}")

        assert vars(sink.records[0])["gqlauth"]["client_secret"] == "***"
        assert SECRET not in str(vars(sink.records[0]))

    def test_may_have_a_field_called_event(self, sink: Sink) -> None:
        """The name of the event wins over a field of that name."""
        _log.info("token fetched", event="other")

        assert sink.records[0].getMessage() == "token fetched"

    @pytest.mark.usefixtures("_structlog_as_it_was")
    def test_do_not_care_for_the_configuration_of_structlog(self, sink: Sink) -> None:
        """An application's configuration of structlog is neither used nor changed."""

        def never(*_args: object) -> Any:
            raise AssertionError

        structlog.configure(processors=[never], logger_factory=never)
        _log.info("event")

        assert sink.records[0].getMessage() == "event"
        assert structlog.get_config()["processors"] == [never]


def test_library_configures_nothing() -> None:
    """Without logging configured, nothing comes out at any level, and nothing is configured."""
    program = """
import logging, structlog
from gqlauth import _log
for level in (10, 20, 30, 40, 50):
    _log.log(level, "event")
logging.getLogger("gqlauth").setLevel(1)
_log.debug("event")
assert not structlog.is_configured()
assert logging.getLogger().handlers == []
assert [type(one) for one in logging.getLogger("gqlauth").handlers] == [logging.NullHandler]
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_application_hears_it() -> None:
    """Once an application configures logging, what is logged comes out by its handlers."""
    program = """
import logging
from gqlauth import _log
logging.basicConfig(level=logging.INFO, format="%(name)s|%(funcName)s|%(message)s")
def fetch():
    _log.debug("unheard")
    _log.info("heard", n=1)
fetch()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert done.stderr.decode().splitlines() == ["gqlauth|fetch|heard n=1"]
    assert done.stdout == b""


class TestRedactingFilter:
    def test_masks_message_and_arguments(self) -> None:
        """A record's message is redacted with its arguments in it."""
        got = record("headers=%r", [("authorization", f"Bearer {SECRET}")])

        assert RedactingFilter().filter(got) is True
        assert got.getMessage() == "headers=[('authorization', '***')]"
        assert SECRET not in str(vars(got))

    def test_masks_the_traceback(self) -> None:
        """A traceback is redacted, in its frames as in its last line."""
        got = record("failed", exc_info=raised(ValueError(f"Authorization: Bearer {SECRET}")))

        RedactingFilter().filter(got)

        assert got.exc_text is not None
        assert got.exc_text.startswith("Traceback (most recent call last)")
        assert got.exc_text.endswith("ValueError: Authorization: Bearer ***")

    def test_masks_a_traceback_that_is_text_already(self) -> None:
        """A traceback that another handler rendered before is redacted as well."""
        got = record("failed", exc_info=raised(ValueError("x")))
        got.exc_text = f"client_secret={SECRET}"

        RedactingFilter().filter(got)

        assert got.exc_text == "client_secret=***"

    def test_masks_the_stack(self) -> None:
        """So is the stack that a caller asked for."""
        got = record("here")
        got.stack_info = f"client_secret={SECRET}"

        RedactingFilter().filter(got)

        assert got.stack_info == "client_secret=***"

    def test_shows_nothing_of_what_cannot_be_read(self) -> None:
        """A message that does not fit its arguments shows neither, and raises nothing."""
        got = record("%d", f"client_secret={SECRET}")

        assert RedactingFilter().filter(got) is True
        assert got.getMessage() == "(a log record whose message and arguments do not fit)"


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

    def test_other_handlers_stay(self, sink: Sink) -> None:
        """The handlers that others put there are not touched."""
        shown(0)
        shown(1)

        _log.info("event")

        assert len(sink.records) == 1

    def test_closed_stream_is_not_heard_of(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Whoever closed standard error gets no complaint about it."""
        stream = shown(0)
        stream.close()

        _log.warning("event")

        assert capsys.readouterr() == ("", "")
