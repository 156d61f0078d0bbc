"""The command line's frame: global options, help, exit statuses, what is said of errors."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from gqlauth._cli import _load, main, run
from gqlauth._cli._failure import Failure, exit_code, say
from gqlauth._cli._globals import Globals, is_terminal
from gqlauth.errors import (
    ConfigError,
    GqlAuthError,
    Problem,
    ServiceClosedError,
    TokenError,
    TokenRefusedError,
    TokenUnavailableError,
)
from tests.support.terminal import FakeTerminal

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from tests.support.gql import Gql

COMMANDS = [
    (),
    ("auth",),
    ("auth", "status"),
    ("auth", "token"),
    ("auth", "clear"),
    ("auth", "types"),
    ("config",),
    ("config", "path"),
    ("config", "check"),
    ("config", "init"),
    ("config", "schema"),
    ("completion",),
]


def raising(gql: Gql, error: BaseException) -> None:
    """Let every command that reads a configuration raise `error`."""

    def found(_settings: Globals) -> None:
        raise error

    gql.monkeypatch.setattr(_load, "found", found)


class TestHelp:
    @pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
    def test_each_command_has_help(
        self, gql: Gql, golden: SnapshotAssertion, command: tuple[str, ...]
    ) -> None:
        """``-h`` describes a command, its options, and the global ones below them."""
        assert golden == gql(*command, "-h").transcript

    def test_long_form(self, gql: Gql) -> None:
        """``--help`` is ``-h``."""
        assert gql("--help").stdout == gql("-h").stdout

    def test_imports_are_left_for_later(self) -> None:
        """``gql --help`` imports no httpx, no structlog, no tenacity, no anyio."""
        code = """
import sys
from gqlauth._cli import run
assert run(["--help"]) == 0
heavy = {"httpx", "structlog", "tenacity", "anyio", "cattrs", "asyncio"} & set(sys.modules)
sys.exit(f"imported: {heavy}" if heavy else 0)
"""
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=False, text=True
        )

        assert (done.returncode, done.stderr) == (0, "")

    def test_version(self, gql: Gql) -> None:
        """``--version`` tells the distribution's version."""
        assert gql("--version").stdout == "gql (gqlauth) VERSION\n"

    def test_module_runs_too(self) -> None:
        """``python -m gqlauth`` is ``gql``."""
        done = subprocess.run(
            [sys.executable, "-m", "gqlauth", "--version"],
            capture_output=True,
            check=True,
            text=True,
        )

        assert done.stdout.startswith("gql (gqlauth) ")


class TestUsage:
    @pytest.mark.parametrize(
        "arguments",
        [
            (),
            ("auth",),
            ("nothing",),
            ("--nothing",),
            ("auth", "nothing"),
            ("auth", "status", "--chekc"),
            ("auth", "token", "--min-ttl", "soon"),
            ("auth", "token", "--min-ttl", "-1"),
            ("auth", "token", "--format", "xml"),
            ("config", "path", "unasked"),
            ("completion", "tcsh"),
            ("--color", "blue", "config", "path"),
        ],
        ids=lambda arguments: " ".join(arguments) or "nothing at all",
    )
    def test_is_explained(
        self, gql: Gql, golden: SnapshotAssertion, arguments: tuple[str, ...]
    ) -> None:
        """Wrong usage exits with 2, says what is wrong, and where help is."""
        outcome = gql(*arguments)

        assert (outcome.code, outcome.stdout) == (2, "")
        assert golden == outcome.transcript


class TestGlobals:
    def test_stand_before_and_after(self, gql: Gql) -> None:
        """``--config`` is taken before the subcommand and after it; the last one counts."""
        one, other = gql.file("", "one.toml"), gql.file("", "other.toml")

        before = gql("--config", str(one), "config", "path")
        between = gql("config", "--config", str(one), "path")
        after = gql("--config", str(one), "config", "path", "--config", str(other))

        assert before.stdout == between.stdout == "PROJECT/one.toml\n"
        assert after.stdout == "PROJECT/other.toml\n"

    def test_verbosity_adds_up(self, gql: Gql) -> None:
        """Each ``-v`` counts, wherever it stands."""
        raising(gql, ZeroDivisionError("a bug"))

        assert "Traceback" not in gql("-v", "config", "path").stderr
        assert "Traceback" in gql("-v", "config", "path", "-v").stderr
        assert "Traceback" in gql("config", "path", "-vv").stderr

    def test_log_format(self, gql: Gql) -> None:
        """``--log-format json`` writes what ``-v`` tells as JSON, to standard error."""
        gql.file("")

        outcome = gql("config", "path", "-v", "--log-format", "json")

        assert outcome.stderr.startswith('{"timestamp": ')
        assert '"event": "configuration found"' in outcome.stderr

    @pytest.mark.parametrize(
        ("color", "environment", "expected"),
        [
            ("auto", {}, True),
            ("auto", {"NO_COLOR": "1"}, False),
            ("auto", {"NO_COLOR": ""}, True),
            ("auto", {"TERM": "dumb"}, False),
            ("always", {"NO_COLOR": "1"}, True),
            ("never", {}, False),
        ],
    )
    def test_colour_on_a_terminal(
        self,
        monkeypatch: pytest.MonkeyPatch,
        color: str,
        environment: dict[str, str],
        expected: bool,  # noqa: FBT001 - what is expected
    ) -> None:
        """``auto`` colours on a terminal, unless NO_COLOR or the terminal says otherwise."""
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        settings = Globals(color=color)  # type: ignore[arg-type]

        assert settings.colours(FakeTerminal()) is expected

    def test_no_stream_is_no_terminal(self) -> None:
        """A process without standard output has no terminal."""
        assert not is_terminal(None)

    def test_logging_clears_the_line_of_a_terminal(
        self, gql: Gql, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is logged on a terminal begins by clearing the line: a notice may stand there."""
        gql.file("")
        monkeypatch.setenv("TERM", "xterm")
        terminal = FakeTerminal()
        monkeypatch.setattr(sys, "stderr", terminal)

        run(["config", "path", "-v"])

        assert terminal.getvalue().startswith("\r\x1b[Kgql: configuration found file=")

    def test_no_standard_error(self, gql: Gql, monkeypatch: pytest.MonkeyPatch) -> None:
        """A process without standard streams works, and says nothing."""
        gql.file("")
        monkeypatch.setattr(sys, "stderr", None)
        monkeypatch.setattr(sys, "stdout", None)

        assert run(["config", "path", "-v"]) == 0


class TestErrors:
    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (ConfigError("wrong"), 2),
            (click.UsageError("wrong"), 2),
            (TokenRefusedError("refused"), 4),
            (TokenError("failed"), 4),
            (TokenUnavailableError("is unavailable"), 5),
            (GqlAuthError("other"), 1),
            (ServiceClosedError("closed"), 1),
            (Failure("no", 5), 5),
            (OSError("disk full"), 1),
            (KeyboardInterrupt(), 130),
            (click.Abort(), 130),
            (ZeroDivisionError("a bug"), 1),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_exit_statuses(self, gql: Gql, error: BaseException, code: int) -> None:
        """Each kind of error has the exit status that the interface promises."""
        raising(gql, error)

        assert gql("config", "path").code == exit_code(error) == code

    @pytest.mark.parametrize(
        "error",
        [
            ConfigError(
                Problem("unknown key", file="gqlauth.toml", line=14, key="endpoints.prod.timeot"),
                "which endpoint?",
            ),
            TokenRefusedError(
                "refused the client",
                endpoint="orders",
                url="https://id.example.com/token",
                status=401,
                error="invalid_client",
                error_description="unknown \x1b[31mclient",
                tries=1,
                hint='the server may want token_endpoint_auth_method = "client_secret_post"',
            ),
            TokenUnavailableError(
                "is unavailable",
                endpoint="orders",
                url="https://id.example.com/token",
                status=503,
                snippet="upstream connect error",
                tries=4,
            ),
            ServiceClosedError("the service was closed meanwhile"),
            Failure("the answer is no GraphQL", hint="is the URL right?"),
            OSError(28, "No space left on device"),
            click.ClickException("cannot open it"),
            ZeroDivisionError("client_secret=s3cr3t"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_words(self, gql: Gql, golden: SnapshotAssertion, error: Exception) -> None:
        """An error is told in its own words, its hint below; redacted and escaped."""
        raising(gql, error)

        assert golden == gql("config", "path").transcript

    def test_bug_shows_where_to_who_asks(self, gql: Gql) -> None:
        """With ``-vv`` an internal error shows its traceback, redacted."""
        raising(gql, ZeroDivisionError("client_secret=s3cr3t"))

        outcome = gql("config", "path", "-vv")

        assert "gql: internal error: ZeroDivisionError: client_secret=***" in outcome.stderr
        assert "     Traceback (most recent call last):" in outcome.stderr
        assert "     ZeroDivisionError: client_secret=***" in outcome.stderr

    def test_output_that_cannot_be_encoded(self, gql: Gql) -> None:
        """A character that standard output does not have is escaped."""
        gql.file('[endpoints."caf\u0436"]\nurl = "https://cafe.example.com/graphql"\n')

        done = subprocess.run(
            [sys.executable, "-m", "gqlauth", "auth", "status"],
            env={**os.environ, "PYTHONIOENCODING": "latin-1"},
            capture_output=True,
            check=True,
        )

        assert b"\ncaf\\u0436\n" in done.stdout

    def test_main_exits(self, gql: Gql) -> None:
        """`main` exits with the status."""
        with pytest.raises(SystemExit) as exited:
            main(["--nothing"])

        assert exited.value.code == 2

    def test_nobody_hears(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Standard error that was closed is no error."""

        def echo(*_: object, **__: object) -> None:
            raise BrokenPipeError

        monkeypatch.setattr(click, "echo", echo)

        say("hello")

    def test_reader_who_left_is_no_news(self) -> None:
        """A pipe that is closed ends ``gql`` quietly, as it ends any program."""
        read, write = os.pipe()
        os.close(read)
        try:
            done = subprocess.run(
                [sys.executable, "-m", "gqlauth", "--help"],
                stdout=write,
                stderr=subprocess.PIPE,
                check=False,
                text=True,
            )
        finally:
            os.close(write)

        assert (done.returncode, done.stderr) == (141, "")
