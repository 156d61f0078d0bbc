"""The events that are logged: by the stdlib's logger, redacted, and silent unless asked for."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from gqlauth import _log

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

    def test_tell_whether_it_is_worth_it(self, sink: Sink) -> None:
        """What is dear to put together can be left out where nobody listens."""
        assert _log.debugging()
        logging.getLogger("gqlauth").setLevel(logging.INFO)
        assert not _log.debugging()
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
