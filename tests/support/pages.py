"""The pages of the documentation: their blocks, and following them as a reader would."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus

import attrs

from gqlauth._cli._gql import run
from tests.support.distributions import install
from tests.support.fragments import run_fragment
from tests.support.http_server import json_answer

if TYPE_CHECKING:
    import pytest

    from tests.support.http_server import Answer, Request

#: Where the reader of the pages works.
HOME: Final = "/home/ana"
PROJECT: Final = f"{HOME}/orders"
SECRET: Final = "s3cr3t/of+orders"
TOKEN: Final = "a-token-of-orders"

#: Commands that are shown and not run: they install, or take minutes.
NOT_RUN: Final = ("pip ", "pipx ", "python3 ")
#: What is no more than shown, where it has no title: drawings, and what other tests know.
SHOWN: Final = ("text", "json")

_FENCE: Final = re.compile(r'^```(\w*)(?: title="([^"]*)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@attrs.frozen
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    title: str
    text: str

    @property
    def id(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return the blocks of a page, of these languages or of all."""
    text = page.read_text(encoding="utf-8")
    found = [
        Block(page, text.count("\n", 0, fence.start()) + 1, fence[1], fence[2] or "", fence[3])
        for fence in _FENCE.finditer(text)
    ]
    return [block for block in found if not languages or block.language in languages]


def anchors(page: Path) -> set[str]:
    """Return what the headings of a page may be linked to by."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    names = re.findall(r"^::: (.*)$", text, re.MULTILINE)  # as mkdocstrings has them
    return {*names} | {
        re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", one).strip().lower()) for one in headings
    }


def graphql_api(request: Request) -> Answer:
    """Answer as the GraphQL API of the pages."""
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        extensions = {"code": "UNAUTHENTICATED"}
        return json_answer(
            {"errors": [{"message": "not authenticated", "extensions": extensions}]}, 401
        )
    if "email" in json.loads(request.body)["query"]:
        error = {
            "message": "not authorized",
            "path": ["me", "email"],
            "extensions": {"code": "FORBIDDEN"},
        }
        return json_answer({"data": {"me": {"id": "orders-cli", "email": None}}, "errors": [error]})
    return json_answer({"data": {"me": {"id": "orders-cli"}}})


def token_endpoint(request: Request) -> Answer:
    """Answer as the token endpoint of the pages: to the client with its secret, and to Acme's."""
    form = request.form
    basic = base64.b64encode(f"orders-cli:{quote_plus(SECRET)}".encode()).decode()
    good = request.headers.get("authorization") == f"Basic {basic}"
    if form["grant_type"] == ["client_credentials"] and not good:
        described = "client authentication failed"
        return json_answer({"error": "invalid_client", "error_description": described}, 401)
    scope = " ".join(form.get("scope", []))
    return json_answer(
        {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600, "scope": scope}
    )


@attrs.frozen
class Story:
    """A page as its reader would follow it: files are written, commands run, answers compared."""

    folder: Path
    #: What stands on the page, and what stands for it here.
    places: dict[str, str]
    capsys: pytest.CaptureFixture[str]

    def here(self, text: str) -> str:
        for there, here in self.places.items():
            text = text.replace(there, here)
        return text

    def there(self, text: str) -> str:
        for there, here in self.places.items():
            text = text.replace(here, there)
            if there.startswith("https://"):  # errors tell the host alone
                text = text.replace(here.partition("//")[2], there.partition("//")[2])
        return text

    def tell(self, block: Block) -> None:
        """Write the file that a block shows, or run its commands and compare what they write."""
        if block.language == "console":
            commands = commands_of(block.text)
            assert commands or block.text.startswith(NOT_RUN)
            for command, expected in commands:
                if not command.startswith(NOT_RUN):
                    assert stable(expected) == stable(self.there(self.run(command))), command
        elif block.language == "sh":
            subprocess.run(["sh", "-n"], input=block.text, check=True, text=True)
            for command in re.findall(r"\bgql auth token[^|)]*", block.text):
                assert TOKEN in self.run(command)
        elif block.language == "python" and not block.title:
            asyncio.run(self.run_fragment(block))
        elif block.title:
            path = self.folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.here(block.text), encoding="utf-8")
            if path.name.endswith("pyproject.toml"):
                project = tomllib.loads(block.text)["project"]
                install(self.folder, project.get("name", path.stem), project["entry-points"])
        elif block.language == "toml":  # a part of a file that stands elsewhere
            tomllib.loads(block.text)
        else:
            assert block.language in SHOWN

    async def run_fragment(self, block: Block) -> None:
        async with AsyncExitStack() as stack:
            await run_fragment(self.here(block.text), block.id, stack)

    def run(self, command: str) -> str:
        """Return what a command writes: its standard output, and then its standard error."""
        line = self.here(command)
        words = shlex.split(line)
        plain = not re.search(r"[|<>$`]", re.sub(r"'[^']*'", "", line))
        # A plugin is imported in a process of its own, as it would stay here.
        if words[0] == "gql" and plain and not list(self.folder.glob("*.dist-info")):
            self.capsys.readouterr()
            run(words[1:])
            captured = self.capsys.readouterr()
            return captured.out + captured.err
        programs = str(Path(sys.executable).parent)
        ran = subprocess.run(
            line,
            shell=True,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ
            | {
                "PATH": os.pathsep.join([programs, os.environ["PATH"]]),
                "PYTHONPATH": str(self.folder),
            },
        )
        assert words[0] != "python" or ran.returncode == 0, ran.stderr
        return ran.stdout + ran.stderr


def commands_of(text: str) -> list[tuple[str, str]]:
    """Return each command of a console block, with what is shown below it."""
    told = [part.partition("\n") for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]]
    return [(command, output) for command, _, output in told]


def stable(text: str) -> list[Any]:
    """Return what does not differ from run to run; JSON by what it says."""
    parts: list[Any] = []
    if text.startswith(('{"', "{\n")):
        value, end = json.JSONDecoder().raw_decode(text)
        parts, text = [value], text[end:]
    text = re.sub(r"(try|tries), [\d.e+-]+ s", r"\1, TIME", text)
    text = re.sub(r"(passed) in [\d.]+s", r"\1 in TIME", text)
    # It is moved by up to half a minute at random, which may be a minute where it is rounded.
    text = re.sub(r"refresh due in \d+ min", "refresh due in TIME", text)
    text = re.sub(r"elapsed=[\d.e+-]+", "elapsed=TIME", text)
    text = re.sub(r"(gqlauth\)?[ /])\d+\.\d+\.\d+[\w.]*\s*", r"\1VERSION ", text)
    return [*parts, *text.split("\n")] if text.strip() else parts
