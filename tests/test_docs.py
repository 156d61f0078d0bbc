"""The documentation: what it shows is run, and what there is, is told."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import attrs
import click
import httpx
import pytest

import gqlauth
from gqlauth import errors, events, testing
from gqlauth._cli import _failure
from gqlauth._cli._check._course import STEPS
from gqlauth._cli._check._step import Outcome, Step
from gqlauth._cli._check._step import State as StepState
from gqlauth._cli._gql import gql
from gqlauth._config import find, load
from gqlauth._status import State
from gqlauth.integrations import gql as integration
from gqlauth.sync import SyncAuthService
from tests.support.http_server import http_server
from tests.support.live import live_api
from tests.support.pages import (
    HOME,
    PROJECT,
    SECRET,
    Block,
    Story,
    anchors,
    blocks,
    graphql_api,
    token_endpoint,
)
from tests.support.reference import commands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.http_server import HttpServer

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = sorted((ROOT / "docs").glob("*.md"))
TEXTS: Final = [
    *PAGES,
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
]


def every(*languages: str) -> list[Any]:
    return [
        pytest.param(block, id=block.id) for page in TEXTS for block in blocks(page, *languages)
    ]


# -- links and names ----------------------------------------------------------------------------


def test_navigation_names_every_page() -> None:
    """Each page stands in the navigation of zensical.toml, and no other does."""
    project = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    named = [page for item in project["nav"] for page in item.values()]

    assert sorted(named) == [page.name for page in PAGES]


def test_readme_names_every_page() -> None:
    """Who begins at the README finds each page from there."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"\]\(docs/([\w-]+\.md)\)", text)

    assert sorted({*named}) == [page.name for page in PAGES]


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


@pytest.mark.parametrize("block", every("json"))
def test_json_parses(block: Block) -> None:
    """Each JSON block is JSON."""
    assert json.loads(block.text)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.name)
def test_extras_are_there(text: Path) -> None:
    """An extra that a page has its reader install is one of ours."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = re.findall(r"gqlauth\[([\w,]+)\]", text.read_text(encoding="utf-8"))
    extras = {extra for names in named for extra in names.split(",")}

    assert extras - {*project["optional-dependencies"]} == set()


def test_extras_are_told() -> None:
    """Each extra is told where it is told how to install."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    (told,) = re.findall(r"^The extra `.*$", text, re.MULTILINE)

    assert [name for name in project["optional-dependencies"] if f"`{name}`" not in told] == []


@pytest.mark.parametrize("block", every("python"))
def test_python_compiles(block: Block) -> None:
    """Each Python block is Python; a fragment may await."""
    assert compile(block.text, block.id, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.fixture
def api() -> Iterator[HttpServer]:
    """Run the GraphQL API of the pages."""
    with http_server(graphql_api) as server:
        yield server


@pytest.fixture
def live() -> Iterator[str]:
    """Run the same with subscriptions."""
    with live_api() as url:
        yield url


@pytest.fixture
def identity() -> Iterator[HttpServer]:
    """Run the token endpoint of the pages."""
    with http_server(token_endpoint) as server:
        yield server


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.name)
def test_page_is_true(  # noqa: PLR0917 - fixtures come as arguments
    page: Path,
    request: pytest.FixtureRequest,
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
    monkeypatch.setenv("GQLAUTH_TRUST", "1")  # as its reader trusts what the page shows
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    monkeypatch.setitem(sys.modules, "keyring", None)  # who begins has no extra
    monkeypatch.setenv("ORDERS_CLIENT_SECRET", SECRET)
    monkeypatch.setenv("ACME_API_KEY", SECRET)
    subscribes = page.stem == "graphql-python"
    api = request.getfixturevalue("live" if subscribes else "api")
    places = {
        "https://orders.example.com": api if subscribes else api.url,
        "https://id.example.com": identity.url,
        "import httpx\n": f"import {httpx.__name__} as httpx\n",
        PROJECT: str(folder),
        HOME: str(tmp_path),
    }
    story = Story(folder, places, capsys)
    for block in blocks(page):
        if "127.0.0.1" in block.text:  # the demo, which tests/integration holds to its own
            continue
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


def test_names_of_integrations_are_told() -> None:
    """Each name that fits graphql-python/gql stands on its page, and so do its settings."""
    told = page("graphql-python")
    settings = inspect.signature(integration.WebsocketsTransport).parameters
    names = {*integration.__all__, *settings} - {"service", "name", "settings"}

    assert [name for name in names if f"`{name}" not in told] == []


def test_names_for_tests_are_told() -> None:
    """Each name of `gqlauth.testing`, and of what it has, stands on the page on strategies."""
    told = page("writing-a-strategy")
    names = [*testing.__all__, *attributes(testing.AuthorizationServer(), testing.FrozenClock())]

    assert [name for name in names if f"`{name}`" not in told and f"{name}(" not in told] == []


def attributes(*objects: object) -> list[str]:
    """Return what users may see of each: not what httpx, or gqlauth, calls."""
    called = {"handle_async_request", "aclose", "document", "wall", "monotonic", "sleep"}
    return [name for one in objects for name in dir(one) if name[0] != "_" and name not in called]


def test_example_is_what_the_page_shows() -> None:
    """The files of the example of a plugin are those of the page on strategies."""
    shown = {block.title: block.text for block in blocks(ROOT / "docs" / "writing-a-strategy.md")}
    example = ROOT / "examples" / "plugin"
    files = {path.name: path.read_text(encoding="utf-8") for path in example.glob("[!.R]*.*")}

    assert files == {name: shown.get(name) for name in files}
    assert sorted(files) == ["gqlauth_acme.py", "pyproject.toml", "test_acme.py"]


def test_public_methods_of_the_service_are_told() -> None:
    """Each member of `AuthService`, which are those of its synchronous view, stands on its page."""
    told = page("python")
    members = [name for name in vars(gqlauth.AuthService) if name[0] != "_"]

    assert sorted(members) == sorted(name for name in vars(SyncAuthService) if name[0] != "_")
    assert [name for name in members if not re.search(rf"\.{name}[(`]", told)] == []


def test_errors_are_told() -> None:
    """The tree of errors on the page on Python is that of the module, with what each means."""
    tree = (errors.__doc__ or "").partition("::\n\n")[2].partition("\n\n")[0]
    lines = [line.strip().partition("  (exit")[0].rstrip() for line in tree.splitlines()]

    assert len(lines) == len([name for name in gqlauth.__all__ if name.endswith("Error")])
    assert [line for line in lines if line not in page("python")] == []


def test_events_are_told() -> None:
    """Each event has its row on the page on observability, with all that it tells."""
    told = page("observability")
    names = re.findall(r"^\| `(\w+)` \|", told.partition("## OpenT")[0], re.MULTILINE)
    kinds = [
        one
        for one in vars(events).values()
        if isinstance(one, type) and issubclass(one, events.Event) and one is not events.Event
    ]
    fields = {field.name for one in kinds for field in attrs.fields(one)}

    assert names == [one.__name__ for one in kinds]
    assert sorted(name for name in fields if f"`{name}`" not in told) == []
    assert [one for one in get_args(events.CacheState) if f"`{one}`" not in told] == []


def test_secret_sources_are_told() -> None:
    """Each source of secrets that comes with gqlauth stands on the page on configuration."""
    sources = entry_points(group="gqlauth.secrets").names

    assert [name for name in sources if f"`{{ {name} = " not in page("configuration")] == []


OPTIONS: Final = {
    option
    for command in [gql, *dict(commands()).values()]
    for parameter in command.params
    if isinstance(parameter, click.Option)
    for option in (*parameter.opts, *parameter.secondary_opts)
}


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.name)
def test_options_that_are_told_are_there(text: Path) -> None:
    """An option that stands behind `gql` on a page is one that some command of it has."""
    group = "api|auth|config|completion"
    calls = re.findall(rf"\bgql ((?:{group})\b[^`|\n)]*)", text.read_text(encoding="utf-8"))
    named = {option for call in calls for option in re.findall(r"(?<=\s)--?[a-z][\w-]*", call)}

    assert named - OPTIONS - {"-vv", "-vvv"} == set()


def test_exit_statuses_are_told() -> None:
    """Each exit status stands on the page on the command line."""
    told = re.findall(r"^\| (\d+) \|", page("command-line"), re.MULTILINE)
    statuses = [
        _failure.SUCCESS,
        _failure.API_ERROR,
        _failure.USAGE,
        _failure.REFUSED,
        _failure.UNAVAILABLE,
        _failure.INTERRUPTED,
    ]

    assert [str(status) for status in statuses] == told
    assert f" {_failure.BROKEN_PIPE}, " in page("command-line")


def test_states_are_told() -> None:
    """Each state of an endpoint stands on the page on the command line, in order."""
    told = page("command-line").partition("| state | meaning |")[2].partition("\n\n")[0]

    assert list(get_args(State)) == re.findall(r"^\| `(\w+)` \|", told, re.MULTILINE)


def test_status_fields_are_told() -> None:
    """Each field of `EndpointStatus` is in the JSON that the page on the command line shows."""
    fields = [field.name for field in attrs.fields(gqlauth.EndpointStatus)]

    assert [name for name in fields if f'"{name}"' not in page("command-line")] == []


def test_steps_of_a_check_are_told() -> None:
    """Each step of `gql auth check` has its row, and each state and field is told."""
    told = page("command-line").partition("## gql auth check")[2].partition("\n## ")[0]
    tables = re.findall(r"^\| step \|.*?\n\n", told, re.MULTILINE | re.DOTALL)
    fields = [field.name for cls in (Outcome, Step) for field in attrs.fields(cls)]

    assert [re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) for table in tables] == (
        [list(STEPS)] * 2
    )
    assert [state for state in get_args(StepState) if f"`{state}`" not in told] == []
    # The outcome is no field of its own, and the code is the exit status.
    assert {field for field in fields if f'"{field}"' not in told} == {"outcome", "code"}


def test_floors_are_those_of_the_contract() -> None:
    """The floors on the page on architecture are the layers that import-linter holds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    floors: dict[str, set[str]] = {}
    for floor, modules in re.findall(r"^\| (\d+) \| (.*?) \|", page("architecture"), re.MULTILINE):
        floors.setdefault(floor, set()).update(re.findall(r"`(\w+)/?`", modules))

    assert [set(layer.split(" : ")) for layer in layers] == list(floors.values())


def test_messages_are_those_of_the_code() -> None:
    """What the page on troubleshooting says of messages stands in the code, or in an answer's."""
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "gqlauth").rglob("*.py"))
    code = re.sub(r'"\n\s*f?"', "", code).replace("{self.noun}", "auth type")
    code += "not authorized httpx.PoolTimeout"  # an API's, and that of httpx
    rows = re.findall(r"^\| (?:a warning )?`(.*?)`[, ]", page("troubleshooting"), re.MULTILINE)
    # Of each message the longest piece that does not differ from case to case.
    pieces = [
        max(re.split(r'…|\d+|NAME|me\.email|"|[{}():;,=]', row), key=len).strip()
        for row in rows
        if not row.startswith("TypeError")  # which is graphql-python/gql's
    ]

    assert len(pieces) > len(rows) - 2
    assert [piece for piece in pieces if piece not in code] == []
