"""``gql``, run in the process of the tests."""

from __future__ import annotations

import json
import re
from textwrap import dedent
from typing import TYPE_CHECKING, Any, NoReturn

import attrs

from gqlauth import __version__
from gqlauth._cli import _load
from gqlauth._cli._gql import run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SECRET = "s3cr3t/of+orders"

#: An endpoint whose tokens come from `url`; to be formatted.
ORDERS = """\
    [endpoints.orders]
    url = "https://orders.example.com/graphql"

    [endpoints.orders.auth]
    type = "client_credentials"
    token_url = "{url}/token"
    client_id = "orders-cli"
    client_secret = {{ env = "ORDERS_SECRET" }}
    scopes = ["orders:read", "orders:write"]
    """


@attrs.frozen
class Outcome:
    """What a run of ``gql`` came to."""

    arguments: tuple[str, ...]
    stdout: str
    stderr: str
    code: int

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    @property
    def transcript(self) -> str:
        """All of it, to be read and to be kept: what differs from run to run is replaced."""
        return "".join(
            [
                f"$ gql {' '.join(self.arguments)}\n",
                self.stdout,
                *(f"2> {line}\n" for line in self.stderr.splitlines()),
                f"exit {self.code}\n",
            ]
        )


def _as_wide(found: re.Match[str]) -> str:
    return "VERSION  " if found[0].endswith(" ") else "VERSION"


class Gql:
    """Runs ``gql`` in a project of its own, with an environment of its own."""

    def __init__(
        self,
        project: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.project = project
        self.monkeypatch = monkeypatch
        self._capsys = capsys
        #: What no output may hold.
        self.secrets = [SECRET, "s3cr3t"]

    def __call__(self, *arguments: str) -> Outcome:
        self._capsys.readouterr()
        code = run(arguments)
        captured = self._capsys.readouterr()
        for secret in self.secrets:
            assert secret not in captured.out
            assert secret not in captured.err
        return Outcome(
            tuple(self._stable(one) for one in arguments),
            self._stable(captured.out),
            self._stable(captured.err),
            code,
        )

    def file(self, text: str, name: str = "gqlauth.toml") -> Path:
        """Write a file into the project."""
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    def raising(self, error: BaseException) -> None:
        """Let every command that reads a configuration raise `error`."""

        def found(_settings: object) -> NoReturn:
            raise error

        self.monkeypatch.setattr(_load, "found", found)

    def _stable(self, text: str) -> str:
        text = text.replace(str(self.project), "PROJECT").replace(str(self.project.parent), "ROOT")
        # What is as wide as the version, too.
        text = re.sub(f"{re.escape(__version__)}(?:  +)?", _as_wide, text)
        text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
        text = re.sub(r"(try|tries), [\d.e+-]+ s", r"\1, TIME", text)
        # What a check took, in a column as wide, or as JSON.
        text = re.sub(r"[ \d]\d\.\d\d s(?=  )", "   TIME", text)
        text = re.sub(r'(?<="seconds": )[\d.]+', '"TIME"', text)
        return re.sub(r"elapsed=[\d.e+-]+", "elapsed=TIME", text)
