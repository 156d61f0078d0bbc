"""References: where a secret is to be read, and plugins that know of more such places."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gqlauth import ConfigError
from gqlauth._secret_command import CommandSource
from gqlauth._secret_sources import EnvSource, FileSource
from gqlauth_strategies import Bearer
from tests.support.distributions import SECRETS, STRATEGIES, install

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.config.conftest import Project

EXPECTED = (
    'expected a reference such as { env = "NAME" }, { file = "PATH" } or '
    '{ command = ["PROGRAM", "ARGUMENT"] }'
)


class TestReferences:
    @pytest.mark.parametrize(
        ("reference", "source"),
        [
            ('{ env = "A" }', EnvSource("A")),
            ('{ ENV = "${B:-A}" }', EnvSource("A")),
            ('{ file = "/run/secrets/a" }', FileSource(Path("/run/secrets/a"))),
        ],
    )
    def test_good(self, project: Project, reference: str, source: object) -> None:
        """A reference is a table of one key, the name of its source."""
        auth = project.endpoint(f'auth = {{ type = "bearer", token = {reference} }}').auth

        assert auth is not None
        assert isinstance(auth.strategy, Bearer)
        assert auth.strategy.token.reference == source

    def test_a_command_runs_where_its_file_lies(self, project: Project) -> None:
        """And a table of fields sets nothing but what is a key."""
        endpoint = 'auth = {{ type = "bearer", token = {{ command = {} }} }}'
        auth = project.endpoint(endpoint.format('["op", "read", "$$A"]')).auth

        assert auth is not None
        assert isinstance(auth.strategy, Bearer)
        source = CommandSource(("op", "read", "$A"), folder=project.root)
        assert auth.strategy.token.reference == source

    @pytest.mark.parametrize(
        ("reference", "told"),
        [
            (
                '"s3cr3t"',
                f": {EXPECTED}, got text; a secret is never written into the file",
            ),
            ('["s3cr3t"]', f": {EXPECTED}, got a list"),
            ('"${A}"', ': a secret is a reference: write { env = "A" }'),
            ('"${A:-s3cr3t}"', ': a secret is a reference: write { env = "A" }'),
            ("{}", ": a secret reference has one key, one of: command, env, file, keyring"),
            (
                '{ env = "A", file = "s3cr3t" }',
                ": a secret reference has one key, one of: command, env, file, keyring",
            ),
            (
                '{ value = "s3cr3t" }',
                ': unknown secret source "value"; installed: command, env, file, keyring',
            ),
            ("{ env = 1 }", ".env: expected text, got a number"),
            ('{ env = "" }', ".env: is empty, or has a NUL in it"),
            ('{ file = "${A}" }', ".file: environment variable A is not set"),
            ('{ command = "op read" }', ".command: expected a list, got text"),
            ('{ command = ["op", 1] }', ".command[1]: expected text, got a number"),
        ],
    )
    def test_bad(self, project: Project, reference: str, told: str) -> None:
        """What is no reference is told, and no value shown."""
        settings = f'type = "bearer"\ntoken = {reference}'

        assert project.auth_told(settings) == [f"6: endpoints.orders.auth.token{told}"]


SOURCE = """
import attrs

@attrs.frozen
class Vault:
    {fields}

    async def read(self):
        return ""

class Bare:
    async def read(self):
        return ""

@attrs.frozen
class Dumb:
    path: str
"""


@pytest.fixture
def plugin(project: Project, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Give what installs a module as a plugin of one name."""
    site = tmp_path / "site"
    project.monkeypatch.syspath_prepend(str(site))

    def install_one(target: str, source: str, group: str = SECRETS) -> None:
        install(
            site,
            "acme",
            {group: {"vault": f"acme_plugin:{target}"}},
            modules={"acme_plugin": source},
        )

    yield install_one
    sys.modules.pop("acme_plugin", None)


class TestPlugins:
    def told(self, project: Project, reference: str) -> list[str]:
        return project.auth_told(f'type = "bearer"\ntoken = {{ vault = {reference} }}')

    def test_of_one_field(self, project: Project, plugin: Callable[..., None]) -> None:
        """A source of one field takes its value as it stands."""
        plugin("Vault", SOURCE.format(fields="path: str"))

        assert self.told(project, '"kv/a"') == []
        assert self.told(project, "1") == [
            "6: endpoints.orders.auth.token.vault: expected text, got a number"
        ]

    def test_of_several_fields(self, project: Project, plugin: Callable[..., None]) -> None:
        """A source of several takes a table of them."""
        plugin("Vault", SOURCE.format(fields="path: str; version: int = 1"))

        assert self.told(project, '{ path = "kv/a", version = 2 }') == []
        assert self.told(project, '"kv/a"') == [
            "6: endpoints.orders.auth.token.vault: expected a table, got text"
        ]
        assert self.told(project, '{ version = "a", pat = "b" }') == [
            '6: endpoints.orders.auth.token.vault.pat: unknown key; did you mean "path"?',
            "6: endpoints.orders.auth.token.vault.version: expected a whole number, got text",
        ]

    def test_of_none(self, project: Project, plugin: Callable[..., None]) -> None:
        """A source that needs no word takes an empty table."""
        plugin("Vault", SOURCE.format(fields=""))

        assert self.told(project, "{}") == []

    @pytest.mark.parametrize("target", ["Bare", "Dumb"])
    def test_that_is_no_source(
        self, project: Project, plugin: Callable[..., None], target: str
    ) -> None:
        """What is no attrs class, or cannot be read, is told by who brings it."""
        plugin(target, SOURCE.format(fields="path: str"))

        (told,) = self.told(project, '"kv/a"')
        assert told == (
            '6: endpoints.orders.auth.token: secret source "vault" cannot be used: '
            f'acme_plugin:{target} of acme 1.0 is no attrs class with "async def read(self)"'
        )

    def test_that_does_not_import(self, project: Project, plugin: Callable[..., None]) -> None:
        """One that does not import is told by who brings it, with the cause chained."""
        plugin("Vault", "import nothing_of_that_name")
        loaded = project.load(
            '[endpoints.a]\nurl = "https://a.example"\n'
            'auth = { type = "bearer", token = { vault = "a" } }\n'
        )

        with pytest.raises(ConfigError) as raised:
            loaded.require()

        assert str(raised.value) == (
            'gqlauth.toml:3: endpoints.a.auth.token: secret source "vault" cannot be used: '
            "acme 1.0 fails to import acme_plugin:Vault: ModuleNotFoundError: No module named "
            "'nothing_of_that_name'"
        )
        assert isinstance(raised.value.__cause__, ModuleNotFoundError)


class TestStrategies:
    def told(self, project: Project, settings: str = "") -> list[str]:
        return project.auth_told(f'type = "vault"\n{settings}')

    def test_that_does_not_import(self, project: Project, plugin: Callable[..., None]) -> None:
        """A strategy that does not import is told at its type, with the cause chained."""
        plugin("Vault", "1 / 0", STRATEGIES)
        loaded = project.load(
            '[endpoints.a]\nurl = "https://a.example"\nauth = { type = "vault" }\n'
            '[endpoints.b]\nurl = "https://a.example"\nauth = { type = "vault" }\n'
        )

        with pytest.raises(ConfigError) as raised:
            loaded.require()

        assert [one.key for one in raised.value.problems] == [
            "endpoints.a.auth.type",
            "endpoints.b.auth.type",
        ]
        assert isinstance(raised.value.__cause__, ZeroDivisionError)

    def test_that_is_no_attrs_class(self, project: Project, plugin: Callable[..., None]) -> None:
        """A class without fields needs none, and takes those that all tables may have."""
        source = "class Vault:\n    async def fetch(self, endpoint): ..."
        plugin("Vault", source, STRATEGIES)

        assert self.told(project, "timeout = 5") == []
        assert self.told(project, "a = 1") == [
            '6: endpoints.orders.auth.a: unknown key for type "vault"'
        ]

    def test_that_cannot_be_made(self, project: Project, plugin: Callable[..., None]) -> None:
        """A class that is made with arguments, and tells no fields, is told at the table."""
        source = """
class Vault:
    def __init__(self):
        raise KeyError("a")

    async def fetch(self, endpoint): ...
"""
        plugin("Vault", source, STRATEGIES)

        assert self.told(project) == ["4: endpoints.orders.auth: cannot be used: KeyError"]

    def test_whose_types_are_not_there(self, project: Project, plugin: Callable[..., None]) -> None:
        """Types that are imported for type checkers only are told at the table."""
        source = """
from __future__ import annotations
import attrs

@attrs.frozen
class Vault:
    path: PurePath
    async def fetch(self, endpoint): ...
"""
        plugin("Vault", source, STRATEGIES)

        (told,) = self.told(project, 'path = "a"')
        assert told.startswith(
            "4: endpoints.orders.auth: the types of Vault's fields are not there at run time"
        )

    def test_that_holds_secrets_in_tables(
        self, project: Project, plugin: Callable[..., None]
    ) -> None:
        """Secrets that are held deep within are known as those on top are."""
        source = """
import attrs
from gqlauth import Secret

@attrs.frozen
class Key:
    name: str
    secret: Secret

@attrs.frozen
class Vault:
    keys: list[Key]
    more: frozenset[Secret] = frozenset()
    async def fetch(self, endpoint): ...
"""
        plugin("Vault", source, STRATEGIES)
        endpoint = project.endpoint(
            'auth = { type = "vault", keys = [{ name = "a", secret = { env = "A" } }], '
            'more = [{ env = "B" }] }'
        )

        assert [secret.source for secret in endpoint.secrets()] == ["env A", "env B"]
