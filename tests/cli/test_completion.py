"""``gql completion``, and what a shell is told."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from gqlauth._cli._gql import run

if TYPE_CHECKING:
    from tests.support.gql import Gql


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script(gql: Gql, shell: str) -> None:
    """It prints a script that asks ``gql`` itself."""
    outcome = gql("completion", shell)

    assert outcome.code == 0
    assert f"_GQL_COMPLETE={shell}_complete" in outcome.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_is_sound(gql: Gql, shell: str) -> None:
    """The script is one that the shell can read, where that shell is installed."""
    program = shutil.which(shell)
    if program is None:
        return
    script = gql("completion", shell).stdout

    checked = subprocess.run(
        [program, "-n"], input=script, capture_output=True, check=False, text=True
    )

    assert (checked.returncode, checked.stderr) == (0, "")


def completions(gql: Gql, capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """Return what bash is told of the last word."""
    gql.monkeypatch.setenv("_GQL_COMPLETE", "bash_complete")
    gql.monkeypatch.setenv("COMP_WORDS", " ".join(["gql", *words]))
    gql.monkeypatch.setenv("COMP_CWORD", str(len(words)))
    with pytest.raises(SystemExit):
        run([])
    return [line.partition(",")[2] for line in capsys.readouterr().out.split()]


class TestWords:
    def test_commands(self, gql: Gql, capsys: pytest.CaptureFixture[str]) -> None:
        """Subcommands are completed."""
        assert completions(gql, capsys, "auth", "t") == ["token", "types"]

    def test_endpoints_that_mean_something_to_a_shell(
        self, gql: Gql, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Whoever wrote the file cannot have a shell run what an endpoint is called."""
        names = ["$(id)", "`id`", "a b", "a;id", "a\\nplain,b", "--config", "~", "a\\u001b", "*"]
        gql.file("".join(f'[endpoints."{name}"]\nurl = "x"\n' for name in [*names, "o-k.1"]))

        assert completions(gql, capsys, "auth", "token", "-e", "") == ["o-k.1"]

    def test_endpoints(self, gql: Gql, capsys: pytest.CaptureFixture[str]) -> None:
        """Endpoints of the configuration are completed, broken ones too."""
        gql.file(
            '[endpoints.orders]\nurl = "https://a.example"\n[endpoints.other]\nurl = "nowhere"\n'
            '[endpoints.public]\nurl = "https://b.example"\n'
        )

        assert completions(gql, capsys, "auth", "token", "-e", "o") == ["orders", "other"]

    def test_endpoints_of_a_named_file(self, gql: Gql, capsys: pytest.CaptureFixture[str]) -> None:
        """``--config`` counts for completions also."""
        gql.file('[endpoints.orders]\nurl = "https://a.example"\n', "other.toml")

        words = ("--config", "other.toml", "auth", "token", "-e", "")
        assert completions(gql, capsys, *words) == ["orders"]

    def test_no_configuration(self, gql: Gql, capsys: pytest.CaptureFixture[str]) -> None:
        """Without a configuration there is nothing to complete, and nothing is said."""
        assert completions(gql, capsys, "auth", "token", "-e", "") == []

    def test_operations(self, gql: Gql, capsys: pytest.CaptureFixture[str]) -> None:
        """Operations of the document that stands before are completed, by its text or file."""
        text = "query Orders { a } mutation Other { b } query { c }"
        gql.file(text, "orders.graphql")

        assert completions(gql, capsys, "api", "@orders.graphql", "-o", "O") == ["Orders", "Other"]

    @pytest.mark.parametrize("words", [(), ("-",), ("@-",), ("@nowhere",)])
    def test_operations_of_nothing(
        self, gql: Gql, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
    ) -> None:
        """Where there is no document to be read, there is nothing to complete."""
        assert completions(gql, capsys, "api", *words, "-o", "") == []
