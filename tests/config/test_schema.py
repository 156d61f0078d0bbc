"""The JSON Schema: what is right by INTERFACE validates, and what the loader refuses does not."""

from __future__ import annotations

import json
import sys
import textwrap
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from gqlauth._config._schema import schema

if TYPE_CHECKING:
    from pathlib import Path


EXAMPLE = """
default_endpoint = "orders"

[endpoints.orders]
url = "https://orders.example.com/graphql"
headers = { "X-Tenant" = "${TENANT:-acme}" }
timeout = 30.0

[endpoints.orders.auth]
type = "client_credentials"
token_url = "https://id.example.com/oauth2/token"
client_id = "orders-cli"
client_secret = { env = "ORDERS_CLIENT_SECRET" }
scopes = ["orders:read", "orders:write"]
audience = "https://orders.example.com"
resource = ["https://orders.example.com/graphql"]
token_endpoint_auth_method = "client_secret_basic"
params = { tenant = "acme" }
headers = { "X-Api-Key" = { env = "ID_API_KEY" } }

[auth.acme]
type = "client_credentials"
token_url = "https://id.example.com/token"
client_id = "acme-cli"
client_secret = { file = "/run/secrets/acme" }

[endpoints.billing]
url = "https://billing.example.com/graphql"
auth = "acme"

[endpoints.public]
url = "https://countries.example.com/graphql"
"""


def messages(document: str) -> list[str]:
    """Return what is wrong with a TOML document by the schema."""
    errors = Draft202012Validator(schema()).iter_errors(tomllib.loads(document))
    return [error.message for error in errors]


def with_auth(auth: str) -> str:
    return f'[endpoints.a]\nurl = "https://a.example.com"\n{auth}\n'


CREDENTIALS = 'type = "client_credentials", token_url = "https://id.example.com", client_id = "a"'

RIGHT = {
    "no auth": "",
    "a profile": 'auth = "acme"',
    "none": 'auth = { type = "none" }',
    "another spelling": f"auth = {{ {CREDENTIALS.replace('client_c', 'Client-C')} }}",
    "a profile and more": 'auth = { use = "acme", scopes = ["billing"] }',
    "a profile and its type": 'auth = { use = "acme", type = "bearer", token = { env = "A" } }',
    "a type by variable": 'auth = { type = "${TYPE:-bearer}", token = { env = "A" } }',
    "a choice by variable": f'auth = {{ {CREDENTIALS}, token_endpoint_auth_method = "${{M}}" }}',
    "options": 'auth = { type = "bearer", token = { env = "A" }, timeout = 5, ca_file = "a.pem" }',
    "a command": 'auth = { type = "bearer", token = { command = ["op", "read"] } }',
    "a source in other case": 'auth = { type = "bearer", token = { ENV = "A" } }',
    "basic": 'auth = { type = "basic", username = "a", password = { file = "a" } }',
    "header": 'auth = { type = "header", name = "X-Api-Key", value = { env = "A" } }',
    "a secret header": 'headers = { "X-Api-Key" = { env = "A" } }',
    "an endpoint's settings": 'origins = ["https://b.example.com"]\nretry_on = ["A"]',
    "subscriptions": 'subscriptions = { transport = "ws", auth_in = "init", init_path = "a.b" }',
    "subscriptions at a URL": 'subscriptions = { url = "wss://a.example.com/live" }',
    "a profile without a type": '[auth.b]\nclient_id = "a"\nscopes = []',
    "a profile without all": '[auth.b]\ntype = "client_credentials"\nclient_id = "a"',
    "a cache": '[cache]\nstore = "disk"\nkey = { env = "A" }',
    "a cache by variable": '[cache]\nstore = "${STORE:-auto}"',
    "a Redis": '[cache]\nstore = "redis+unix:///a"\npassword = { env = "A" }\nca_file = "a.pem"',
}

WRONG = {
    "an unknown key": "tiemout = 3",
    "an unknown key at the top": "[endpoint]",
    "an unknown key of a type": f"auth = {{ {CREDENTIALS}, token_ur = 3 }}",
    "a key of another type": 'auth = { type = "bearer", token = { env = "A" }, scopes = [] }',
    "an unknown key beside use": 'auth = { use = "acme", token_ur = "https://id.example.com" }',
    "an unknown key of a profile": '[auth.b]\ntoken_ur = "https://id.example.com"',
    "use in a profile": '[auth.b]\nuse = "acme"',
    "a key beside none": 'auth = { type = "none", timeout = 3 }',
    "a plain secret": 'auth = { type = "bearer", token = "abc" }',
    "a plain secret in a profile": '[auth.b]\ntype = "bearer"\ntoken = "abc"',
    "an unknown source": 'auth = { type = "bearer", token = { vault = "abc" } }',
    "two sources": 'auth = { type = "bearer", token = { env = "A", file = "B" } }',
    "no source": 'auth = { type = "bearer", token = {} }',
    "a command that is text": 'auth = { type = "bearer", token = { command = "op read" } }',
    "an unknown type": 'auth = { type = "bear", token = { env = "A" } }',
    "no type": 'auth = { token = { env = "A" } }',
    "no token_url": 'auth = { type = "client_credentials", client_id = "a" }',
    "both token_url and issuer": f'auth = {{ {CREDENTIALS}, issuer = "https://a.example.com" }}',
    "an auth that is a number": "auth = 3",
    "an unknown method": f'auth = {{ {CREDENTIALS}, token_endpoint_auth_method = "post" }}',
    "scopes as text": f'auth = {{ {CREDENTIALS}, scopes = "a b" }}',
    "a number as text": 'timeout = "${TIMEOUT}"',
    "a header that is a number": 'headers = { "X-Tenant" = 3 }',
    "an endpoint without url": "[endpoints.b]",
    "an unknown transport": 'subscriptions = { transport = "wss" }',
    "an unknown key of subscriptions": 'subscriptions = { path = "a" }',
    "subscriptions as text": 'subscriptions = "wss://a.example.com/live"',
    "an unknown store": '[cache]\nstore = "dsik"',
    "a store of another kind": '[cache]\nstore = "mysql://a"',
    "a plain password": '[cache]\nstore = "redis://a"\npassword = "abc"',
    "a plain key": '[cache]\nkey = "abc"',
    "an unknown key of the cache": '[cache]\nstroe = "disk"',
}


def test_it_is_a_schema_in_json() -> None:
    """It is valid by its dialect, and the same after a trip through JSON."""
    whole = schema()
    Draft202012Validator.check_schema(whole)
    assert whole == json.loads(json.dumps(whole))
    assert "$comment" not in whole


def test_the_example_validates() -> None:
    """The file that users are shown is right."""
    assert not messages(EXAMPLE)


@pytest.mark.parametrize("auth", RIGHT.values(), ids=RIGHT)
def test_right(auth: str) -> None:
    """What the loader takes validates."""
    assert not messages(with_auth(auth))


@pytest.mark.parametrize("auth", WRONG.values(), ids=WRONG)
def test_wrong(auth: str) -> None:
    """What the loader refuses does not validate."""
    assert messages(with_auth(auth))


def test_the_message_names_the_mistake() -> None:
    """The type decides the keys, so that an editor marks just the one that is wrong."""
    validator = Draft202012Validator(schema())
    document = {"auth": {"a": {"type": "bearer", "tokn": {}}}}
    (error,) = validator.iter_errors(document)
    assert "'tokn' was unexpected" in error.message
    assert list(error.absolute_path) == ["auth", "a"]


def test_fields_are_described() -> None:
    """What stands above a field in its class is what an editor shows."""
    definitions: Any = schema()["$defs"]
    fields = definitions["auth_client_credentials"]["properties"]
    assert fields["client_id"] == {
        "description": "The name that the authorization server knows the client by.",
        "type": "string",
    }
    assert "client credentials grant" in definitions["type_client_credentials"]["description"]


class TestPlugins:
    """Strategies and secret sources of other distributions."""

    @staticmethod
    def install(folder: Path, group: str, entries: str, code: str) -> None:
        (folder / "acme_plugin.py").write_text(textwrap.dedent(code), encoding="utf-8")
        info = folder / "acme_plugin-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-plugin\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{entries}\n")

    @pytest.fixture(autouse=True)
    def _path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "acme_plugin", raising=False)

    def test_a_strategy_is_included(self, tmp_path: Path) -> None:
        """An installed strategy is completed and checked like ours."""
        code = '''
            import attrs
            from gqlauth import Secret

            @attrs.frozen
            class AcmeKey:
                """Trade an API key for a token."""

                #: The key.
                api_key: Secret

                async def fetch(self, endpoint): ...

            class Bare:
                async def fetch(self, endpoint): ...
        '''
        entries = "acme.key/1 = acme_plugin:AcmeKey\nbare = acme_plugin:Bare"
        self.install(tmp_path, "gqlauth.strategies", entries, code)
        key = 'auth = {{ type = "Acme.Key/1", api_key = {} }}'
        assert not messages(with_auth(key.format('{ env = "A" }')))
        assert messages(with_auth(key.format('"abc"')))
        assert not messages(with_auth('auth = { type = "bare", timeout = 3 }'))
        assert messages(with_auth('auth = { type = "bare", key = 3 }'))
        assert "$comment" not in schema()

    def test_a_secret_source_is_included(self, tmp_path: Path) -> None:
        """A source with one field takes its value as it is, one with several takes a table."""
        code = """
            import attrs

            @attrs.frozen
            class One:
                path: str

            @attrs.frozen
            class Two:
                path: str
                version: int = 1
        """
        entries = "one = acme_plugin:One\ntwo = acme_plugin:Two"
        self.install(tmp_path, "gqlauth.secrets", entries, code)
        token = 'auth = {{ type = "bearer", token = {{ {} }} }}'
        assert not messages(with_auth(token.format('one = "a"')))
        assert not messages(with_auth(token.format('two = { path = "a" }')))
        assert messages(with_auth(token.format("two = { version = 2 }")))
        assert messages(with_auth(token.format('two = { path = "a", key = 1 }')))

    def test_one_that_cannot_be_used_is_left_out(self, tmp_path: Path) -> None:
        """Why a plugin is left out stands in the comment."""
        code = """
            import attrs

            @attrs.frozen
            class Unknown:
                key: "Nowhere"

                async def fetch(self, endpoint): ...
        """
        entries = "absent = acme_missing:Absent\nunknown = acme_plugin:Unknown"
        self.install(tmp_path, "gqlauth.strategies", entries, code)
        whole: Any = schema()
        assert "acme-plugin 1.0 fails to import acme_missing:Absent" in whole["$comment"]
        assert "'Nowhere' is not defined" in whole["$comment"]
        assert {"type_absent", "type_unknown"}.isdisjoint(whole["$defs"])
