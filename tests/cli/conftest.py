"""What the tests of the command line share: ``gql``, run in this process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.golden import GoldenExtension
from tests.support.gql import ORDERS, SECRET, Gql
from tests.support.graphql_api import CONFIG, KEY, ME, STATIC, Api
from tests.support.http_server import http_server, json_answer, token_endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from tests.support.http_server import HttpServer


@pytest.fixture
def gql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gql:
    """Give ``gql``, in an empty project."""
    project = tmp_path / "project"
    # A search for a configuration ends at the repository's root.
    (project / ".git").mkdir(parents=True)
    monkeypatch.chdir(project)
    for name in list(os.environ):
        if name.startswith(("GQLAUTH", "XDG_")) or name in {"NO_COLOR", "ORDERS_SECRET"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / ".config"))
    # Those that are about trust take this back.
    monkeypatch.setenv("GQLAUTH_TRUST", "1")
    return Gql(project, monkeypatch, capsys)


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Compare with a file under fixtures/golden."""
    return snapshot.use_extension(GoldenExtension)


@pytest.fixture
def server() -> Iterator[HttpServer]:
    """Run a token endpoint on a real socket."""
    with token_endpoint() as running:
        yield running


@pytest.fixture
def orders(gql: Gql, server: HttpServer) -> HttpServer:
    """Configure one endpoint whose tokens come from a real server, and set its secret."""
    gql.file(ORDERS.format(url=server.url))
    gql.monkeypatch.setenv("ORDERS_SECRET", SECRET)
    return server


@pytest.fixture
def every_state(gql: Gql, server: HttpServer) -> HttpServer:
    """Configure endpoints of every kind that can be seen offline."""
    gql.monkeypatch.setenv("ORDERS_SECRET", SECRET)
    gql.file(
        ORDERS.format(url=server.url)
        + """\

    [endpoints.billing]
    url = "https://billing.example.com/graphql"
    auth = { type = "bearer", token = { env = "BILLING_TOKEN" } }

    [endpoints.keys]
    url = "https://keys.example.com/graphql"
    auth = { type = "header", name = "X-Api-Key", value = { command = ["touch", "ran"] } }

    [endpoints.public]
    url = "https://countries.example.com/graphql"
    """
    )
    return server


@pytest.fixture
def api(gql: Gql) -> Iterator[Api]:
    """Give an API that knows who `me` is."""
    with http_server(lambda _: json_answer(ME)) as server, token_endpoint() as tokens:
        gql.file(CONFIG.format(api=server.url, tokens=tokens.url))
        gql.monkeypatch.setenv("ORDERS_SECRET", SECRET)
        gql.monkeypatch.setenv("ORDERS_KEY", KEY)
        gql.monkeypatch.setenv("STATIC_TOKEN", STATIC)
        gql.secrets += [KEY, STATIC, "token-1", "token-2"]
        yield Api(gql, server, tokens)
