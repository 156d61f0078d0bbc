"""What the tests of the configuration share: a project of its own, and the outside kept out."""

from __future__ import annotations

import os
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from gqlauth import ConfigError
from gqlauth._config import load

if TYPE_CHECKING:
    from pathlib import Path

    from gqlauth._config import Endpoint, Loaded


class Project:
    """A working directory that is a repository's root, and its configuration files."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.monkeypatch = monkeypatch
        #: What ``${NAME}`` is replaced from.
        self.environ: dict[str, str] = {}

    def file(self, text: str | bytes = "", name: str = "gqlauth.toml") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
        return path

    def load(self, text: str | bytes, name: str = "gqlauth.toml") -> Loaded:
        return load(self.file(text, name), environ=self.environ)

    def told(self, text: str | bytes, name: str = "gqlauth.toml") -> list[str]:
        """Return what is wrong in a file, each with its place, without the file's name."""
        try:
            problems = self.load(text, name).problems
        except ConfigError as error:
            problems = error.problems
        return [str(problem).removeprefix(name).removeprefix(":").strip() for problem in problems]

    def endpoint(self, settings: str) -> Endpoint:
        """Return a sound endpoint with these settings beside its URL."""
        return self.load(ENDPOINT + settings).require().endpoints["orders"]

    def auth_told(self, settings: str) -> list[str]:
        """Return what is wrong in an ``auth`` table, which begins on line 4."""
        return self.told(f"{ENDPOINT}\n[endpoints.orders.auth]\n{settings}")


ENDPOINT = '[endpoints.orders]\nurl = "https://orders.example.com/graphql"\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Give an empty project, which is the working directory."""
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    monkeypatch.chdir(root)
    for name in list(os.environ):
        if name.startswith(("GQLAUTH", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / ".config"))
    return Project(root, monkeypatch)
