"""``gql config``: where the configuration is, and what is wrong with it."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import jsonschema
import pytest

from tests.support.gql import ORDERS, SECRET

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from tests.support.gql import Gql
    from tests.support.http_server import HttpServer


class TestPath:
    def test_is_printed(self, gql: Gql) -> None:
        """It prints the file that is used, and nothing else."""
        gql.file("")

        outcome = gql("config", "path")

        assert (outcome.stdout, outcome.stderr) == ("PROJECT/gqlauth.toml\n", "")

    def test_on_a_terminal(self, gql: Gql) -> None:
        """What a folder is called cannot drive the terminal; a program gets it as it is."""
        path = gql.file("", "\x1b[31m/gqlauth.toml")
        assert gql("config", "path", "--config", str(path)).stdout.startswith("PROJECT/\x1b[31m/")
        gql.monkeypatch.setattr("gqlauth._cli._output.on_terminal", lambda: True)

        shown = gql("config", "path", "--config", str(path)).stdout

        assert shown == "PROJECT/\\x1b[31m/gqlauth.toml\n"

    def test_with_the_reason(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """``-v`` tells why it is that one."""
        gql.monkeypatch.setenv("GQLAUTH_CONFIG", str(gql.file("", "elsewhere.toml")))

        assert golden == gql("config", "path", "-v").transcript

    def test_none(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """Where there is no file, it is told where one was looked for."""
        assert golden == gql("config", "path").transcript

    def test_named_and_missing(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """A file that was named and is not there is told."""
        assert golden == gql("config", "path", "--config", "nowhere.toml").transcript


class TestCheck:
    def test_sound(self, gql: Gql, golden: SnapshotAssertion, orders: HttpServer) -> None:
        """A sound file is ok, and no server is asked."""
        assert golden == gql("config", "check").transcript
        assert orders.requests == []

    def test_several_endpoints(self, gql: Gql) -> None:
        """Several endpoints are counted."""
        gql.file(
            '[endpoints.a]\nurl = "https://a.example"\n[endpoints.b]\nurl = "https://b.example"\n'
        )

        assert gql("config", "check").stdout == "ok: 2 endpoints\n"

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            pytest.param('client_id = "', 'client_id = orders"', id="unreadable TOML"),
            pytest.param("token_url", "token_ur", id="unknown key"),
            pytest.param('["orders:read", "orders:write"]', "7", id="wrong type"),
            pytest.param('"orders-cli"', '"${{ORDERS_CLIENT}}"', id="unset variable"),
            pytest.param('{{ env = "ORDERS_SECRET" }}', '{{ env = "NOPE" }}', id="unset secret"),
            pytest.param('{{ env = "ORDERS_SECRET" }}', '{{ file = "nope" }}', id="missing file"),
            pytest.param('{{ env = "ORDERS_SECRET" }}', f'"{SECRET}"', id="plain secret"),
            pytest.param('"{url}/token"', '"http://id.example.com/token"', id="http"),
            pytest.param('"client_credentials"', '"client_credential"', id="unknown type"),
            pytest.param('"https://orders.example.com/graphql"', '"orders"', id="no URL"),
            pytest.param(
                'client_id = "orders-cli"', 'scops = []\n    timeout = "long"', id="two mistakes"
            ),
        ],
    )
    def test_mistakes(
        self, gql: Gql, golden: SnapshotAssertion, orders: HttpServer, old: str, new: str
    ) -> None:
        """Each mistake is told with its place and what to do; it exits with 2."""
        text = ORDERS.replace(old, new)
        assert text != ORDERS
        gql.file(text.format(url="https://id.example.com"))

        outcome = gql("config", "check")

        assert outcome.code == 2
        assert golden == outcome.transcript


class TestInit:
    def test_writes_a_file_that_is_sound(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """It writes a file in the working directory, and tells how to go on."""
        outcome = gql("config", "init")

        assert golden == outcome.transcript
        assert tomllib.loads((gql.project / "gqlauth.toml").read_text(encoding="utf-8"))

    def test_overwrites_nothing(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """A file that is there is left alone."""
        path = gql.file("# mine\n", "mine.toml")

        assert golden == gql("config", "init", "mine.toml").transcript
        assert path.read_text(encoding="utf-8") == "# mine\n"

    def test_in_a_folder(self, gql: Gql) -> None:
        """A folder's name stands for ``gqlauth.toml`` in it."""
        (gql.project / "folder").mkdir()

        assert gql("config", "init", "folder").code == 0
        assert (gql.project / "folder" / "gqlauth.toml").exists()


def test_schema_is_one(gql: Gql) -> None:
    """``schema`` prints a JSON Schema, which the checker of such takes."""
    jsonschema.Draft202012Validator.check_schema(json.loads(gql("config", "schema").stdout))
