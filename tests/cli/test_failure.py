"""How the command line fails: what it says, and its exit statuses."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from gqlauth._cli import main
from gqlauth._cli._failure import Failure, exit_code, say
from gqlauth.errors import (
    ConfigError,
    GqlAuthError,
    Problem,
    ServiceClosedError,
    TokenError,
    TokenRefusedError,
    TokenUnavailableError,
)

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from tests.support.gql import Gql


def _wrapped(error: BaseException) -> RuntimeError:
    """Return what becomes of an error that comes while a class is made (Python 3.11)."""
    wrapper = RuntimeError("Error calling __set_name__ on …")
    wrapper.__cause__ = error
    return wrapper


def _round_in_a_circle() -> LookupError:
    """Return an error whose cause it is the cause of, as ``raise error.__cause__ from error``."""
    error, cause = LookupError("a bug"), ValueError("another")
    error.__cause__, cause.__cause__ = cause, error
    return error


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
            (_round_in_a_circle(), 1),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_exit_statuses(self, gql: Gql, error: BaseException, code: int) -> None:
        """Each kind of error has the exit status that the interface promises."""
        gql.raising(error)

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
        gql.raising(error)

        assert golden == gql("config", "path").transcript

    def test_bug_shows_where_to_who_asks(self, gql: Gql) -> None:
        """With ``-vv`` an internal error shows its traceback, redacted."""
        gql.raising(ZeroDivisionError("client_secret=s3cr3t"))

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

    def test_interrupt_in_disguise(self, gql: Gql) -> None:
        """Ctrl-C while a library is imported is Ctrl-C, and no bug of ours."""
        gql.raising(_wrapped(KeyboardInterrupt()))
        outcome = gql("config", "check")

        assert (outcome.stderr, outcome.code) == ("\n", 130)

    def test_nobody_hears_of_an_interrupt(self, gql: Gql, monkeypatch: pytest.MonkeyPatch) -> None:
        """Standard error that was closed does not change what it comes to."""

        def echo(*_: object, **__: object) -> None:
            raise BrokenPipeError

        gql.raising(KeyboardInterrupt())
        monkeypatch.setattr(click, "echo", echo)

        assert gql("config", "check").code == 130

    def test_nobody_hears(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Standard error that was closed is no error."""

        def echo(*_: object, **__: object) -> None:
            raise BrokenPipeError

        monkeypatch.setattr(click, "echo", echo)

        say("hello")

    @pytest.mark.parametrize("command", ["--help", "--version"])
    def test_reader_who_left_is_no_news(self, command: str) -> None:
        """A pipe that is closed ends ``gql`` quietly, as it ends any program."""
        read, write = os.pipe()
        os.close(read)
        try:
            done = subprocess.run(
                [sys.executable, "-m", "gqlauth", command],
                stdout=write,
                stderr=subprocess.PIPE,
                check=False,
                text=True,
            )
        finally:
            os.close(write)

        assert (done.returncode, done.stderr) == (141, "")
