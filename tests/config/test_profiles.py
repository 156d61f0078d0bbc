"""Profiles: what the ``auth`` of several endpoints shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gqlauth import Secret
from gqlauth._secret_sources import EnvSource, FileSource
from gqlauth_strategies import Bearer, ClientCredentials
from tests.config.conftest import ENDPOINT

if TYPE_CHECKING:
    from tests.config.conftest import Project

CLIENT = """
    type = "client_credentials"
    token_url = "https://id.example.com/token"
    client_id = "orders-cli"
    client_secret = { env = "A" }
"""


class TestProfile:
    ACME = '[auth.acme]\ntype = "bearer"\ntoken = { env = "A" }\n'

    def test_is_shared(self, project: Project) -> None:
        """Endpoints that name one profile have equal strategies, and so one token."""
        config = project.load(
            self.ACME
            + '[endpoints.a]\nurl = "https://a.example"\nauth = "acme"\n'
            + '[endpoints.b]\nurl = "https://b.example"\nauth = { use = "${P:-acme}" }\n'
            + '[endpoints.c]\nurl = "https://c.example"\nauth = "${P:-acme}"\n'
        ).require()

        auths = [endpoint.auth for endpoint in config.endpoints.values()]
        bearer = Bearer(Secret.from_source(EnvSource("A")))
        assert [auth and auth.strategy for auth in auths] == [bearer] * 3
        assert auths == [auths[0]] * 3

    def test_with_changes(self, project: Project) -> None:
        """What stands with the endpoint wins, key by key."""
        auth = (
            project.load(
                "[auth.acme]"
                + CLIENT
                + 'scopes = ["a", "b"]\ntimeout = 5\n'
                + ENDPOINT
                + 'auth = { use = "acme", scopes = ["c"], client_secret = { file = "b" } }\n'
            )
            .require()
            .endpoints["orders"]
            .auth
        )

        assert auth is not None
        assert auth.options.timeout == 5
        assert auth.strategy == ClientCredentials(
            token_url="https://id.example.com/token",
            client_id="orders-cli",
            client_secret=Secret.from_source(FileSource(project.root / "b")),
            scopes=("c",),
        )

    def test_that_is_called_none(self, project: Project) -> None:
        """A profile may be called as it likes, even ``none``."""
        auth = (
            project.load(self.ACME.replace("acme", "none") + ENDPOINT + 'auth = "none"\n')
            .require()
            .endpoints["orders"]
            .auth
        )

        assert auth is not None
        assert auth.type == "bearer"

    def test_that_is_not_used(self, project: Project) -> None:
        """One that nobody uses may wait for what an endpoint adds."""
        assert project.told('[auth.acme]\ntype = "bearer"\n' + ENDPOINT) == []

    def test_what_is_wrong_is_told_once(self, project: Project) -> None:
        """What is wrong in it is told at its place, once for all who use it."""
        text = '[auth.acme]\ntype = "bearer"\ntoken = "s3cr3t"\na = 1\n'
        for name in "abc":
            text += f'[endpoints.{name}]\nurl = "https://a.example"\nauth = "acme"\n'
        loaded = project.load(text)

        assert [(one.line, one.key) for one in loaded.problems] == [
            (3, "auth.acme.token"),
            (4, "auth.acme.a"),
        ]
        assert set(loaded.broken) == {"a", "b", "c"}
        assert all(set(problems) == set(loaded.problems) for problems in loaded.broken.values())

    def test_what_is_missing_is_told_once(self, project: Project) -> None:
        """So is what is missing, and what is wrong with its fields together."""
        text = '[auth.acme]\ntype = "basic"\n[auth.b]\n' + CLIENT.replace("client_secret", "#")
        text += 'token_endpoint_auth_method = "client_secret_post"\n'
        for name, profile in ("a", "acme"), ("b", "acme"), ("c", "b"), ("d", "b"):
            text += f'[endpoints.{name}]\nurl = "https://a.example"\nauth = "{profile}"\n'

        assert [one.partition(": ")[2] for one in project.told(text)] == [
            'auth.acme.username: missing for type "basic"',
            'auth.acme.password: missing for type "basic"',
            'auth.b.token_endpoint_auth_method: "client_secret_post" needs a client_secret',
        ]

    def test_what_is_wrong_in_the_changes(self, project: Project) -> None:
        """What the endpoint adds is told where it stands, and so is what it leaves missing."""
        told = project.told(
            '[auth.acme]\ntype = "client_credentials"\n'
            + ENDPOINT
            + 'auth = { use = "acme", client_id = 1, b = 2 }\n'
        )

        assert sorted(told) == [
            '5: endpoints.orders.auth.b: unknown key for type "client_credentials"',
            "5: endpoints.orders.auth.client_id: expected text, got a number",
            "5: endpoints.orders.auth.token_url: missing, and so is issuer: one of them is wanted",
        ]

    @pytest.mark.parametrize(
        ("auth", "told"),
        [
            ('"acne"', 'auth: unknown profile "acne"; there are: acme; did you mean "acme"?'),
            ('{ use = "b" }', 'auth.use: unknown profile "b"; there are: acme'),
            ("{ use = 1 }", "auth.use: expected text, got a number"),
            ('"${B}"', "auth: environment variable B is not set"),
            ('{ use = "acme", use_ = 1 }', 'auth.use_: unknown key for type "bearer"'),
        ],
    )
    def test_bad_names(self, project: Project, auth: str, told: str) -> None:
        """A profile that is not there is told, with those that are."""
        assert project.told(f"{self.ACME}{ENDPOINT}auth = {auth}\n") == [
            f"6: endpoints.orders.{told}"
        ]

    def test_none_at_all(self, project: Project) -> None:
        """Where there is no profile, that is told."""
        assert project.told(f'{ENDPOINT}auth = "bearer"\n') == [
            '3: endpoints.orders.auth: unknown profile "bearer"; there are: none'
        ]

    def test_uses_no_other(self, project: Project) -> None:
        """A profile is not made of profiles."""
        told = project.told(f'{self.ACME}use = "b"\n{ENDPOINT}auth = "acme"\n')

        assert told == ['4: auth.acme.use: unknown key for type "bearer"']
