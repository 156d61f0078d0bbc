"""The recipes of docs/providers.md that are called tried: each file gets a token for the API."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from joserfc.jwk import ECKey

from gqlauth import AuthService
from tests.support.certificates import certificate
from tests.support.pages import blocks
from tests.support.registered import register
from tests.support.servers import graphql_api, oidc_provider

if TYPE_CHECKING:
    from tests.support.pages import Block
    from tests.support.servers import Api, AuthlibServer, Provider

pytestmark = pytest.mark.anyio

WAYS: Final = ("client_secret", "private_key", "certificate_file")
PAGE: Final = Path(__file__).parents[2] / "docs" / "providers.md"


def recipes() -> dict[str, list[Block]]:
    """Return the files that the page shows, by the heading that they stand below."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    headings = [number for number, line in enumerate(lines, start=1) if re.match("##+ ", line)]
    return {
        lines[begin - 1].lstrip("# "): [
            block for block in blocks(PAGE, "toml") if begin < block.line < end
        ]
        for begin, end in pairwise([*headings, len(lines) + 1])
    }


def auth_of(recipe: Block) -> dict[str, Any]:
    auth: dict[str, Any] = tomllib.loads(recipe.text)["endpoints"]["orders"]["auth"]
    return auth


OIDC_PROVIDER: Final = recipes()["oidc-provider"]
AUTHLIB: Final = recipes()["Authlib"]
WITH_CERTIFICATE: Final = [one for one in OIDC_PROVIDER if "certificate_file" in auth_of(one)]


def client_of(server: Provider | AuthlibServer, recipe: Block, folder: Path) -> dict[str, Any]:
    """Register the client of a recipe; what is to be secret of it is put where the file says."""
    auth = auth_of(recipe)
    if "client_secret" in auth:
        return register(server, "client_secret_basic")
    if "private_key" in auth:
        key = ECKey.generate_key("P-256")
        file = folder / auth["private_key"]["file"]
        file.touch(mode=0o600)
        file.write_bytes(key.as_pem(private=True))
        public = {**key.as_dict(private=False), "kid": auth["key_id"]}
        return register(
            server,
            "private_key_jwt",
            jwks={"keys": [public]},
            token_endpoint_auth_signing_alg="ES256",
        )
    return register(server, "tls_client_auth", tls_client_auth_subject_dn="CN=orders")


async def assert_it_works(
    recipe: Block, server: Provider | AuthlibServer, api: Api, patch: pytest.MonkeyPatch, at: Path
) -> None:
    """Do as the page says, with the servers of this test: the API knows who is calling."""
    (at / "secrets").mkdir(exist_ok=True)
    client = client_of(server, recipe, at)
    patch.setenv("ORDERS_CLIENT_SECRET", client.get("client_secret", ""))
    text = recipe.text
    for there, here in {
        "https://orders.example.com/graphql": api.url,
        "https://orders.example.com": api.audience,
        "https://id.example.com": server.issuer,
        "orders-cli": client["client_id"],
    }.items():
        text = text.replace(there, here)
    file = at / recipe.title
    file.write_text(text, encoding="utf-8")
    async with AuthService.from_config(file) as service, service.client("orders") as http:
        answer = await http.post(api.url, json={"query": "{ me { id } }"})

    assert answer.json() == {"data": {"me": {"id": client["client_id"]}}}


def test_what_is_tried_is_what_the_page_says() -> None:
    """With each of the ways that it names, and nothing below that heading is left out."""
    tried = [
        tuple(name for name in auth_of(recipe) if name in WAYS)
        for recipe in (*OIDC_PROVIDER, *AUTHLIB)
    ]

    assert tried == [
        ("client_secret",),
        ("private_key",),
        ("certificate_file",),
        ("client_secret",),
        ("private_key",),
    ]
    names = list(recipes())
    assert names[names.index("Tried") + 1 : names.index("Untried")] == ["oidc-provider", "Authlib"]


@pytest.mark.parametrize(
    "recipe", [one for one in OIDC_PROVIDER if one not in WITH_CERTIFICATE], ids=lambda one: one.id
)
async def test_oidc_provider(
    recipe: Block,
    provider: Provider,
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The server takes what the file says, and so does the API."""
    await assert_it_works(recipe, provider, api, monkeypatch, tmp_path)


@pytest.mark.parametrize("recipe", AUTHLIB, ids=lambda one: one.id)
async def test_authlib(
    recipe: Block,
    authlib: AuthlibServer,
    authlib_api: Api,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The same."""
    await assert_it_works(recipe, authlib, authlib_api, monkeypatch, tmp_path)


async def test_oidc_provider_with_a_certificate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The same, over TLS."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    authority = certificate(secrets, "authority")
    own = certificate(tmp_path, "server", issuer=authority)
    certificate(secrets, "orders", issuer=authority)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate_file))  # for the API
    (recipe,) = WITH_CERTIFICATE
    with (
        oidc_provider(
            *("--tls-cert", str(own.certificate_file), "--tls-key", str(own.key_file)),
            *("--tls-client-ca", str(authority.certificate_file)),
        ) as server,
        graphql_api(server.issuer) as api,
    ):
        monkeypatch.delenv("SSL_CERT_FILE")
        await assert_it_works(recipe, server, api, monkeypatch, tmp_path)
