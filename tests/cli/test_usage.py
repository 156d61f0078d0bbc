"""Help, wrong usage, and the options that every command takes."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from gqlauth._cli import _gql
from gqlauth._cli._globals import Globals, is_terminal
from gqlauth._cli._gql import run
from tests.support.terminal import FakeTerminal

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from tests.support.gql import Gql

COMMANDS = [
    (),
    ("api",),
    ("auth",),
    ("auth", "check"),
    ("auth", "status"),
    ("auth", "token"),
    ("auth", "clear"),
    ("auth", "types"),
    ("config",),
    ("config", "path"),
    ("config", "check"),
    ("config", "init"),
    ("config", "schema"),
    ("config", "trust"),
    ("completion",),
]


class TestHelp:
    def test_groups_are_said_to_be_what_they_are(self) -> None:
        """What help says of each, without a look at it, is what its own help begins with."""
        context = click.Context(_gql.gql)
        commands = {name: _gql.gql.get_command(context, name) for name in _gql.COMMANDS}

        assert {
            name: (command.help or "").partition("\n")[0]
            for name, command in commands.items()
            if command is not None
        } == _gql.COMMANDS

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
from gqlauth._cli._gql import run
assert run(["--help"]) == 0
heavy = {"httpx", "httpx2", "structlog", "tenacity", "anyio", "cattrs", "asyncio"}
heavy &= set(sys.modules)
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
            ("completion",),
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
        gql.raising(ZeroDivisionError("a bug"))

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
        settings = Globals()
        settings.color = color  # type: ignore[assignment]

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
