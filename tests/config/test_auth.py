"""The ``auth`` of an endpoint: a table, a profile, or a profile with changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gqlauth import Secret
from gqlauth._options import AuthOptions
from gqlauth._secret_sources import EnvSource
from gqlauth_strategies import ClientCredentials
from tests.config.conftest import ENDPOINT

if TYPE_CHECKING:
    from tests.config.conftest import Project

CLIENT = """
    type = "client_credentials"
    token_url = "https://id.example.com/token"
    client_id = "orders-cli"
    client_secret = { env = "A" }
"""
TYPES = "basic, bearer, client_credentials, header"
HTTP = "http is for loopback hosts only: use https, or set allow_insecure_http = true beside it"


class TestTable:
    def test_strategy_and_options(self, project: Project) -> None:
        """A table holds what its strategy wants, and how tokens are got."""
        auth = project.endpoint(
            "[endpoints.orders.auth]"
            + CLIENT
            + """
            scopes = ["read"]
            timeout = 5
            ca_file = "certificates/ours.pem"
            refresh_window = 0
            default_lifetime = 60.5
            """
        ).auth

        assert auth is not None
        assert auth.type == "client_credentials"
        assert auth.strategy == ClientCredentials(
            token_url="https://id.example.com/token",
            client_id="orders-cli",
            client_secret=Secret.from_source(EnvSource("A")),
            scopes=("read",),
        )
        assert auth.options == AuthOptions(
            timeout=5,
            ca_file=project.root / "certificates" / "ours.pem",
            refresh_window=0,
            default_lifetime=60.5,
        )

    @pytest.mark.parametrize(
        "name",
        ["client_credentials", "client-credentials", "Client-Credentials", " CLIENT_credentials"],
    )
    def test_names_of_one_type(self, project: Project, name: str) -> None:
        """Dashes, underscores and cases mean the same; the printed form is one."""
        auth = project.endpoint(
            "[endpoints.orders.auth]" + CLIENT.replace("client_credentials", name)
        ).auth

        assert auth is not None
        assert auth.type == "client_credentials"

    @pytest.mark.parametrize(
        "auth", ['"none"', '"NONE"', '{ type = "None" }', '{ type = "${A:-none}" }']
    )
    def test_none(self, project: Project, auth: str) -> None:
        """``none`` is explicit absence."""
        assert project.endpoint(f"auth = {auth}").auth is None

    @pytest.mark.parametrize(
        ("url", "insecure", "told"),
        [
            ("http://localhost:9000/token", "", []),
            ("http://id.example.com/token", "allow_insecure_http = true", []),
            ("http://id.example.com/token", "", [f"token_url: {HTTP}"]),
            (
                "http://id.example.com/token",
                'allow_insecure_http = "true"',
                [f"token_url: {HTTP}", "allow_insecure_http: expected true or false, got text"],
            ),
        ],
    )
    def test_insecure(self, project: Project, url: str, insecure: str, told: list[str]) -> None:
        """``http`` goes to this machine, or where it says so beside it."""
        settings = CLIENT.replace("https://id.example.com/token", url)

        found = project.auth_told(settings + insecure)

        assert [one.partition("endpoints.orders.auth.")[2] for one in found] == told

    def test_insecure_endpoint(self, project: Project) -> None:
        """What the endpoint allows itself, it does not allow its token endpoint."""
        told = project.told("""
            [endpoints.orders]
            url = "http://orders.example.com/graphql"
            allow_insecure_http = true
            [endpoints.orders.auth]
            type = "client_credentials"
            token_url = "http://id.example.com/token"
            client_id = "orders-cli"
        """)

        assert told == [f"7: endpoints.orders.auth.token_url: {HTTP}"]

    @pytest.mark.parametrize(
        ("settings", "told"),
        [
            ("", f"4: endpoints.orders.auth.type: missing; one of: {TYPES}, none"),
            ("type = 1", "5: endpoints.orders.auth.type: expected text, got a number"),
            ('type = "${A}"', "5: endpoints.orders.auth.type: environment variable A is not set"),
            (
                'type = "bearr"\nb = 1',
                (
                    '5: endpoints.orders.auth.type: unknown auth type "bearr"; '
                    f'installed: {TYPES}; did you mean "bearer"?'
                ),
            ),
            (
                'type = "none"\na = 1\nb = 1',
                (
                    '6: endpoints.orders.auth.a: unknown key for type "none"\n'
                    '7: endpoints.orders.auth.b: unknown key for type "none"'
                ),
            ),
            ('type = "bearer"', '4: endpoints.orders.auth.token: missing for type "bearer"'),
            (
                'type = "bearer"\ntokn = "s3cr3t"',
                (
                    '6: endpoints.orders.auth.tokn: unknown key for type "bearer"; '
                    'did you mean "token"?'
                ),
            ),
        ],
    )
    def test_bad(self, project: Project, settings: str, told: str) -> None:
        """What is wrong is told by its key, with what is there and what may be meant."""
        assert project.auth_told(settings) == told.splitlines()

    @pytest.mark.parametrize("auth", ["1", "true", "[]"])
    def test_neither(self, project: Project, auth: str) -> None:
        """What is neither a table nor a name is told."""
        (told,) = project.told(f"{ENDPOINT}auth = {auth}")

        assert told.startswith(
            "3: endpoints.orders.auth: expected a table, or the name of a profile, got "
        )
