"""The documentation: what it shows is run, and what there is, is told."""

from __future__ import annotations

import ast
import base64
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import attrs
import click
import pytest

import gqlauth
from gqlauth._cli import _failure, gql, run
from gqlauth._config import RETRY_ON, find, load
from gqlauth._config._schema import schema
from gqlauth._options import AuthOptions
from gqlauth._status import State
from tests.support.distributions import install
from tests.support.http_server import http_server, json_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.http_server import Answer, HttpServer, Request

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = sorted((ROOT / "docs").glob("*.md"))
TEXTS: Final = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]

_FENCE: Final = re.compile(r'^```(\w*)(?: title="([^"]*)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)

#: Where the reader of the pages works.
HOME: Final = "/home/ana"
PROJECT: Final = f"{HOME}/orders"
SECRET: Final = "s3cr3t/of+orders"
TOKEN: Final = "a-token-of-orders"

#: Commands that are shown and not run: they install, or take minutes.
NOT_RUN: Final = re.compile(r"pipx? |uv |python3 |\.venv/bin/|pre-commit ")


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
    fences = re.finditer(
        r'^```(\w*)(?: title="([^"]*)")?\n(.*?)^```$', text, re.MULTILINE | re.DOTALL
    )
    found = [
        Block(page, text.count("\n", 0, fence.start()) + 1, fence[1], fence[2] or "", fence[3])
        for fence in fences
    ]
    return [block for block in found if not languages or block.language in languages]


def every(*languages: str) -> list[Any]:
    return [
        pytest.param(block, id=block.id) for page in TEXTS for block in blocks(page, *languages)
    ]


def anchors(page: Path) -> set[str]:
    """Return what the headings of a page may be linked to by."""
    text = re.sub(
        r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", one).strip().lower()) for one in headings}


# -- links and names ----------------------------------------------------------------------------


def test_navigation_names_every_page() -> None:
    """Each page stands in the navigation of zensical.toml, and no other does."""
    project = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    named = [page for item in project["nav"] for page in item.values()]

    assert sorted(named) == [page.name for page in PAGES]


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """A link to a file of the repository leads to one, and to a heading that it has."""
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            lost.append(target)

    assert lost == []


# -- blocks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", every("toml"))
def test_toml_parses(block: Block) -> None:
    """Each TOML block is TOML."""
    assert tomllib.loads(block.text)


@pytest.mark.parametrize("block", every("python"))
def test_python_compiles(block: Block) -> None:
    """Each Python block is Python; a fragment may await."""
    assert compile(block.text, block.id, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.fixture
def api() -> Iterator[HttpServer]:
    """Run the GraphQL API of the pages."""
    with http_server(_api) as server:
        yield server


@pytest.fixture
def identity() -> Iterator[HttpServer]:
    """Run the token endpoint of the pages."""
    with http_server(_identity) as server:
        yield server


def _api(request: Request) -> Answer:
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


def _identity(request: Request) -> Answer:
    form = request.form
    basic = base64.b64encode(f"orders-cli:{'s3cr3t%2Fof%2Borders'}".encode()).decode()
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
            text = text.replace(here, there).replace(here.partition("//")[2] or here, there[8:])
        return text

    def tell(self, block: Block) -> None:
        if block.language == "console":
            for command, expected in _commands(block.text):
                if not NOT_RUN.match(command):
                    assert _stable(expected) == _stable(self.there(self.run(command))), command
        elif block.title:
            path = self.folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.here(block.text), encoding="utf-8")
            if path.name.endswith("pyproject.toml"):
                project = tomllib.loads(block.text)["project"]
                install(self.folder, project.get("name", path.stem), project["entry-points"])

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


def _commands(text: str) -> list[tuple[str, str]]:
    """Return each command of a console block, with what is shown below it."""
    told = [part.partition("\n") for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]]
    return [(command, output) for command, _, output in told]


def _stable(text: str) -> list[Any]:
    """Return what does not differ from run to run; JSON by what it says."""
    parts: list[Any] = []
    if text.startswith(('{"', "{\n")):
        value, end = json.JSONDecoder().raw_decode(text)
        parts, text = [value], text[end:]
    text = re.sub(r"(try|tries), [\d.e+-]+ s", r"\1, TIME", text)
    text = re.sub(r"(gqlauth\)?[ /])\d+\.\d+\.\d+[\w.]*\s*", r"\1VERSION ", text)
    return [*parts, *text.split("\n")] if text.strip() else parts


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.name)
def test_page_is_true(  # noqa: PLR0917 - fixtures come as arguments
    page: Path,
    api: HttpServer,
    identity: HttpServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who follows a page from top to bottom sees what it shows; each configuration is sound."""
    folder = tmp_path / "orders"
    (folder / ".git").mkdir(parents=True)
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith(("GQLAUTH", "XDG_", "TENANT"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ORDERS_CLIENT_SECRET", SECRET)
    monkeypatch.setenv("ACME_API_KEY", SECRET)
    places = {
        "https://orders.example.com": api.url,
        "https://id.example.com": identity.url,
        PROJECT: str(folder),
        HOME: str(tmp_path),
    }
    story = Story(folder, places, capsys)
    for block in blocks(page):
        story.tell(block)
        if block.title.startswith(("gqlauth.toml", ".graphqlrc", "graphql.config")):
            assert load(find(folder / block.title)).problems == ()


# -- what there is, is told ---------------------------------------------------------------------


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def test_public_names_are_told() -> None:
    """Each public name stands on the page on Python, or on that on strategies."""
    told = page("python") + page("writing-a-strategy")

    assert [name for name in gqlauth.__all__ if not re.search(rf"\b{name}\b", told)] == []


def test_public_methods_of_the_service_are_told() -> None:
    """Each method of `AuthService` stands on the page on Python."""
    methods = [name for name in vars(gqlauth.AuthService) if not name.startswith("_")]

    assert [name for name in methods if f".{name}(" not in page("python")] == []


def test_errors_are_told() -> None:
    """The tree of errors on the page on Python is that of the module, with what each means."""
    tree = (gqlauth.GqlAuthError.__module__, sys.modules["gqlauth.errors"].__doc__ or "")[1]
    names = [name for name in gqlauth.__all__ if name.endswith("Error")]
    drawn = [line.strip() for line in tree.splitlines() if re.search(r"\w+Error", line)]
    lines = [line.partition("(exit")[0].strip() for line in drawn[: len(names)]]

    assert [line for line in lines if line not in page("python")] == []


def test_configuration_keys_are_told() -> None:
    """Each key of the JSON Schema stands on the page on configuration, in a table of its own."""
    whole: Any = schema()
    endpoint = whole["properties"]["endpoints"]["additionalProperties"]["properties"]
    keys = {*whole["properties"], *endpoint, *whole["$defs"]["options"]["properties"]}
    for name in ("basic", "bearer", "client_credentials", "header"):
        keys |= {name, *whole["$defs"][f"auth_{name}"]["properties"]}
    told = page("configuration")

    assert (
        sorted(key for key in keys if f"`{key}`" not in told and f"### {key}\n" not in told) == []
    )


def test_secret_sources_are_told() -> None:
    """Each source of secrets that comes with gqlauth stands on the page on configuration."""
    sources = entry_points(group="gqlauth.secrets").names

    assert [name for name in sources if f"`{{ {name} = " not in page("configuration")] == []


def test_defaults_are_told() -> None:
    """The defaults that the page on configuration tells are those of the classes."""
    told = page("configuration")
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", told, re.MULTILINE))
    options = AuthOptions()

    assert f"{options.default_lifetime:g}" == rows["default_lifetime"]
    assert f"{options.timeout:g}" == rows["timeout"]
    assert ", ".join(f"`{code}`" for code in RETRY_ON) == rows["retry_on"]


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield each command of `gql` with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


COMMANDS: Final = dict(commands(gql))
OPTIONS: Final = {
    option
    for command in [gql, *COMMANDS.values()]
    for parameter in command.params
    if isinstance(parameter, click.Option)
    for option in (*parameter.opts, *parameter.secondary_opts)
}


def test_commands_and_options_are_told() -> None:
    """Each command and each option stands on the page on the command line."""
    told = page("command-line")
    names = [" ".join(("gql", *words)) for words, one in COMMANDS.items() if "status" in words]

    assert [name for name in names if name not in told] == []
    assert sorted(option for option in OPTIONS if f"`{option}" not in told) == []


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.name)
def test_options_that_are_told_are_there(text: Path) -> None:
    """An option that stands behind `gql` in a page is one that some command of it has."""
    calls = re.findall(r"\bgql ((?:api|auth|config|completion)\b[^`|\n]*)", text.read_text("utf-8"))
    named = {option for call in calls for option in re.findall(r"(?<=\s)--?[a-z][\w-]*", call)}

    assert sorted(named - OPTIONS - {"-vv", "-vvv"} - {f"-{one}" for one in "heoH"}) == []


def test_exit_statuses_are_told() -> None:
    """Each exit status stands on the page on the command line."""
    statuses = {
        value for name, value in vars(_failure).items() if name.isupper() and name[0] != "_"
    }
    told = re.findall(r"^\| (\d+) \|", page("command-line"), re.MULTILINE)

    assert {str(one) for one in statuses if isinstance(one, int)} == {*told, "141"}


def test_states_are_told() -> None:
    """Each state of an endpoint stands on the page on the command line."""
    assert [
        state for state in get_args(State) if f"| `{state}` |" not in page("command-line")
    ] == []


def test_status_fields_are_told() -> None:
    """Each field of `EndpointStatus` is in the JSON that the page on the command line shows."""
    fields = [field.name for field in attrs.fields(gqlauth.EndpointStatus)]

    assert [name for name in fields if f'"{name}"' not in page("command-line")] == []


def test_modules_are_told() -> None:
    """Each module of gqlauth stands on the page on architecture."""
    names = [path.stem for path in (ROOT / "gqlauth").iterdir() if path.suffix == ".py"]
    told = page("architecture")

    assert [name for name in names if name != "__init__" and f"`{name}`" not in told] == []


def test_messages_are_those_of_the_code() -> None:
    """Each message on the page on troubleshooting is one that gqlauth has, or an answer's."""
    code = "".join(path.read_text("utf-8") for path in (ROOT / "gqlauth").rglob("*.py"))
    code = re.sub(r'"\n\s*r?f?"', "", code) + "TypeError: Invalid auth argument httpx.PoolTimeout"
    lost = []
    for cell in re.findall(r"^\| (?:a warning )?`(.*?)`[, ].*\|$", page("troubleshooting"), re.M):
        words = max(re.split(r'…|\d+|NAME|"|[{}():;,]', cell.replace("me.email", "…")), key=len)
        if words.strip() not in code:
            lost.append(cell)

    assert lost == []
