"""What others install: a strategy, a secret source, and what may be wrong with either."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import attrs
import pytest

from gqlauth import AuthService, ConfigError
from tests.support.distributions import SECRETS, STRATEGIES, install
from tests.support.http_server import token_endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.http_server import HttpServer

#: All that a new grant needs: a class, and the entry point that names it.
ACME_KEY = '''
"""Acme sign-in: trade an API key for a token."""

import attrs

from gqlauth import Secret, Token, TokenEndpoint


@attrs.frozen
class AcmeKey:
    """Trade an API key for a token."""

    token_url: str
    api_key: Secret

    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        return await endpoint.grant({"grant_type": "urn:acme:key", "key": self.api_key})
'''

ACME_VAULT = '''
"""Acme vault: secrets by their path."""

import attrs

from gqlauth import SecretError


@attrs.frozen
class Vault:
    path: str

    async def read(self) -> str:
        if not self.path.startswith("kv/"):
            raise SecretError(f"the vault has no {self.path}")
        return f"held-at-{self.path}"

    def __str__(self) -> str:
        return f"vault {self.path}"
'''

CONFIG = """
[endpoints.orders]
url = "https://orders.example.com/graphql"

[endpoints.orders.auth]
type = "acme-key"
token_url = "{url}/token"
api_key = {api_key}
"""


@attrs.frozen
class Project:
    """A folder with a configuration, and an environment in which others are installed."""

    folder: Path
    server: HttpServer

    @property
    def site(self) -> Path:
        return self.folder / "site"

    def config(self, api_key: str = '{ env = "ACME_KEY" }') -> None:
        text = CONFIG.format(url=self.server.url, api_key=api_key)
        (self.folder / "gqlauth.toml").write_text(text, encoding="utf-8")

    def install_key(self, name: str = "gqlauth-acme", source: str = ACME_KEY) -> None:
        module = name.replace("-", "_")
        groups = {STRATEGIES: {"acme_key": f"{module}:AcmeKey"}}
        install(self.site, name, groups, modules={module: source})

    def install_vault(self) -> None:
        groups = {SECRETS: {"vault": "acme_vault:Vault"}}
        install(self.site, "acme-vault", groups, modules={"acme_vault": ACME_VAULT})

    def gql(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``gql`` in a process of its own, as a user does."""
        return subprocess.run(
            [
                sys.executable,
                "-c",
                "import sys; from gqlauth._cli import main; sys.exit(main())",
                "--config",
                str(self.folder / "gqlauth.toml"),
                *arguments,
            ],
            capture_output=True,
            check=False,
            cwd=self.folder,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": str(self.site), "ACME_KEY": "s3cr3t-key"},
        )

    def told(self) -> str:
        """Return what ``gql auth token`` says where something is misconfigured."""
        done = self.gql("auth", "token")
        assert (done.returncode, done.stdout) == (2, "")
        assert self.server.requests == []
        return done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Give a project whose tokens come from a real server."""
    with token_endpoint() as server:
        made = Project(tmp_path, server)
        made.config()
        yield made


class TestStrategy:
    def test_it_works_by_configuration_alone(self, project: Project) -> None:
        """Nothing else knows of it."""
        project.install_key()
        done = project.gql("auth", "token")
        assert (done.stdout, done.stderr) == ("token-1-of-the-server\n", "")
        (request,) = project.server.requests
        assert request.form == {"grant_type": ["urn:acme:key"], "key": ["s3cr3t-key"]}

    def test_it_is_listed(self, project: Project) -> None:
        """With where it comes from, and its one line."""
        project.install_key()
        line = project.gql("auth", "types").stdout.splitlines()[0]
        assert line.split(maxsplit=3) == [
            "acme_key",
            "gqlauth-acme",
            "1.0",
            "Trade an API key for a token.",
        ]

    def test_its_fields_are_checked(self, project: Project) -> None:
        """As ours are: each mistake by its line and key."""
        project.install_key()
        project.config(api_key='"s3cr3t-key"\nkey_id = 1')
        told = project.told()
        assert "gqlauth.toml:8: endpoints.orders.auth.api_key: expected a reference" in told
        assert (
            'gqlauth.toml:9: endpoints.orders.auth.key_id: unknown key for type "acme_key"' in told
        )
        assert "s3cr3t" not in told

    def test_what_its_fields_say_of_each_other_is_told_at_one(self, project: Project) -> None:
        """By the name that its message begins with."""
        check = """
    def __attrs_post_init__(self):
        raise ValueError("api_key: is not for this token_url")
"""
        project.install_key(source=ACME_KEY + check)
        assert project.told() == (
            "gqlauth.toml:8: endpoints.orders.auth.api_key: is not for this token_url\n"
        )

    def test_two_that_claim_one_name_are_both_named(self, project: Project) -> None:
        """And what to do."""
        project.install_key()
        project.install_key("acme-fork")
        assert project.told() == (
            "gqlauth.toml:6: endpoints.orders.auth.type: "
            'auth type "acme_key" is claimed by acme-fork 1.0 (acme_fork:AcmeKey) and '
            "gqlauth-acme 1.0 (gqlauth_acme:AcmeKey): uninstall one of them\n"
        )

    def test_one_that_does_not_import_is_named(self, project: Project) -> None:
        """With the reason; an endpoint that does not need it would not mind."""
        project.install_key(source="import acme_sdk_that_is_not_there\n")
        assert project.told() == (
            "gqlauth.toml:6: endpoints.orders.auth.type: "
            'auth type "acme_key" cannot be used: gqlauth-acme 1.0 fails to import '
            "gqlauth_acme:AcmeKey: ModuleNotFoundError: No module named "
            "'acme_sdk_that_is_not_there'\n"
        )

    def test_the_reason_is_chained(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        """For whoever writes the plugin, and must see where it fails."""
        project.install_key("acme-in-process", "import acme_sdk_that_is_not_there\n")
        monkeypatch.syspath_prepend(project.site)
        with pytest.raises(ConfigError) as caught:
            AuthService.from_config(project.folder / "gqlauth.toml")
        assert isinstance(caught.value.__cause__, ModuleNotFoundError)

    def test_one_that_is_not_installed_is_told(self, project: Project) -> None:
        """With all that is."""
        assert 'unknown auth type "acme_key"; installed: basic, bearer, ' in project.told()


class TestSecretSource:
    def test_it_works_by_configuration_alone(self, project: Project) -> None:
        """Its name is the reference's one key."""
        project.install_key()
        project.install_vault()
        project.config(api_key='{ vault = "kv/acme" }')
        assert project.gql("auth", "token").stdout == "token-1-of-the-server\n"
        assert project.server.requests[0].form["key"] == ["held-at-kv/acme"]

    def test_its_error_is_told_at_its_place(self, project: Project) -> None:
        """File, line and key path."""
        project.install_key()
        project.install_vault()
        project.config(api_key='{ vault = "acme" }')
        assert project.told() == (
            "gqlauth.toml:8: endpoints.orders.auth.api_key: the vault has no acme\n"
        )

    def test_one_that_is_not_installed_is_told(self, project: Project) -> None:
        """With all that are."""
        project.install_key()
        project.config(api_key='{ vault = "kv/acme" }')
        assert (
            'unknown secret source "vault"; installed: command, env, file, keyring'
            in project.told()
        )
