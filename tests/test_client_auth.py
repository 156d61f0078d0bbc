"""How a client proves itself: by which method, with what, and what is told where that fails."""

from __future__ import annotations

import json
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey

from gqlauth import Secret, StrategyError
from gqlauth._certificate import Certificate
from gqlauth._client_auth import METHODS, Client, auth_headers
from gqlauth._metadata import Metadata
from gqlauth.testing import AuthorizationServer
from tests.support.asked import SECRET, Asked
from tests.support.asked import Client as Strategy
from tests.support.certificates import certificate
from tests.support.issuer import ISSUER
from tests.support.token_endpoint import URL, answer

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

pytestmark = pytest.mark.anyio

TEXT = "correct-horse-battery"
KEY = ECKey.generate_key("P-256")
PRIVATE_KEY = Secret(json.dumps({**KEY.as_dict(private=True), "kid": "k-1"}))
INVALID_CLIENT = '{"error": "invalid_client"}'


@pytest.fixture
def files(tmp_path: Path) -> Certificate:
    """Make a certificate."""
    made = certificate(tmp_path, "orders")
    return Certificate(made.certificate_file, made.key_file)


def published(**fields: Any) -> Metadata:
    return Metadata(issuer=ISSUER, token_endpoint=URL, **fields)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_basic_raw"])
def test_a_client_id_that_cannot_be_encoded(method: str) -> None:
    """The error holds the client id alone, and no frame has the secret in a variable."""
    with pytest.raises(UnicodeEncodeError) as raised:
        auth_headers(method, "\ud800", Secret(TEXT))
    told = traceback.TracebackException.from_exception(raised.value, capture_locals=True)

    assert raised.value.object == "\ud800"
    assert TEXT not in "".join(told.format())
    assert TEXT.encode() not in pickle.dumps(raised.value)


class TestMethod:
    @pytest.mark.parametrize(
        ("fields", "listed", "method"),
        [
            ({}, None, "none"),
            ({"secret": Secret(TEXT)}, None, "client_secret_basic"),
            ({"secret": Secret(TEXT)}, ("client_secret_basic",), "client_secret_basic"),
            ({"secret": Secret(TEXT)}, ("client_secret_post",), "client_secret_post"),
            ({"secret": Secret(TEXT)}, ("client_secret_jwt",), "client_secret_post"),
            ({"private_key": PRIVATE_KEY}, ("client_secret_basic",), "private_key_jwt"),
            ({"private_key": PRIVATE_KEY, "secret": Secret(TEXT)}, None, "private_key_jwt"),
            ({"secret": Secret(TEXT), "method": "client_secret_jwt"}, (), "client_secret_jwt"),
            ({"secret": Secret(TEXT), "method": "none"}, None, "none"),
        ],
    )
    def test_it_follows_from_what_there_is(
        self, fields: dict[str, Any], listed: tuple[str, ...] | None, method: str
    ) -> None:
        """Unless it is named; the server's list decides only how a secret is sent."""
        assert Client(**fields).method_for(published(auth_methods=listed)) == method

    @pytest.mark.parametrize(
        ("fields", "method"),
        [
            ({}, "tls_client_auth"),
            ({"secret": Secret(TEXT)}, "tls_client_auth"),
            ({"private_key": PRIVATE_KEY}, "private_key_jwt"),
            ({"method": "self_signed_tls_client_auth"}, "self_signed_tls_client_auth"),
            ({"secret": Secret(TEXT), "method": "client_secret_post"}, "client_secret_post"),
        ],
    )
    def test_a_certificate_proves_more_than_a_secret(
        self, files: Certificate, fields: dict[str, Any], method: str
    ) -> None:
        """And less than a key that is there for nothing else."""
        assert Client(certificate=files, **fields).method_for(None) == method

    @pytest.mark.parametrize("method", [one for one in METHODS if one != "none"])
    def test_one_that_lacks_what_it_needs_is_told(self, method: str) -> None:
        """By the name of what it needs."""
        wanted = {"private": "private_key", "client": "client_secret"}.get(
            method.partition("_")[0], "certificate_file"
        )
        with pytest.raises(StrategyError) as caught:
            Client(method=method).method_for(None)
        assert str(caught.value) == f'token_endpoint_auth_method "{method}" needs a {wanted}'

    def test_one_that_is_unknown_is_told(self) -> None:
        """With those that are known."""
        with pytest.raises(StrategyError, match='unknown token_endpoint_auth_method "x"; known: c'):
            Client(method="x").method_for(None)

    async def test_an_assertion_needs_a_client_to_speak_of(self) -> None:
        """A plugin's strategy may have none."""
        with pytest.raises(StrategyError, match='"private_key_jwt" needs a client_id'):
            await Client(private_key=PRIVATE_KEY).proof(URL, None)


def assertion(request: httpx.Request, form: dict[str, list[str]], key: Any) -> jwt.Token:
    """Return the assertion that a request carries, which is all that proves its client."""
    assert form["client_assertion_type"] == [
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    ]
    assert form["client_id"] == ["orders"]
    assert "client_secret" not in form
    assert "authorization" not in request.headers
    (text,) = form["client_assertion"]
    algorithm = jws.extract_compact(text.encode()).headers()["alg"]
    return jwt.decode(text, key, algorithms=[algorithm])


class TestAssertion:
    async def test_a_private_key_signs(self) -> None:
        """RFC 7523, section 2.2; the token endpoint is the audience."""
        asked = Asked(AuthorizationServer(), Strategy(client_secret=None, private_key=PRIVATE_KEY))
        await asked.grant()
        token = assertion(asked.fake.requests[0], asked.fake.forms[0], KEY)
        assert token.header == {"alg": "ES256", "typ": "JWT", "kid": "k-1"}
        assert (token.claims["iss"], token.claims["aud"]) == ("orders", URL)
        assert token.claims["iat"] == int(asked.clock.wall())

    async def test_a_secret_signs(self) -> None:
        """OpenID Connect Core, section 9."""
        client = Strategy(
            token_endpoint_auth_method="client_secret_jwt",
            token_endpoint_auth_signing_alg="HS512",
        )
        asked = Asked(AuthorizationServer(), client)
        await asked.grant()
        token = assertion(asked.fake.requests[0], asked.fake.forms[0], OctKey.import_key(SECRET))
        assert token.header["alg"] == "HS512"

    async def test_each_try_has_another(self) -> None:
        """A server takes one only once, and its time is that of its try."""
        client = Strategy(client_secret=None, private_key=PRIVATE_KEY)
        busy = answer(503, headers={"retry-after": "100"})
        asked = Asked(AuthorizationServer(busy), client)
        asked.options = type(asked.options)(timeout=300)
        await asked.grant()
        first, second = (
            assertion(request, form, KEY).claims
            for request, form in zip(asked.fake.requests, asked.fake.forms, strict=True)
        )
        assert first["jti"] != second["jti"]
        assert second["exp"] - first["exp"] == 100

    @pytest.mark.parametrize(
        ("named", "audience"),
        [
            (None, URL),
            ("token_url", URL),
            ("issuer", ISSUER),
            ("https://other.example.com", "https://other.example.com"),
        ],
    )
    async def test_it_is_for_whom_it_is_said(self, named: str | None, audience: str) -> None:
        """A server may want its issuer instead, or a name of its own."""
        client = Client(id="orders", private_key=PRIVATE_KEY, audience=named)
        assert (await client.proof(URL, published())).audience == audience

    async def test_an_issuer_that_is_not_known_is_told(self) -> None:
        """Where a token_url is all that there is."""
        client = Client(id="orders", private_key=PRIVATE_KEY, audience="issuer")
        with pytest.raises(StrategyError, match='assertion_audience "issuer" needs an issuer'):
            await client.proof(URL, None)

    async def test_the_certificate_is_named_that_the_key_has(self, files: Certificate) -> None:
        """By ``x5t#S256``, as some servers know keys by nothing else."""
        client = Client(id="orders", private_key=PRIVATE_KEY, certificate=files)
        signer = (await client.proof(URL, None)).signer
        assert signer is not None
        assert signer.thumbprint == await files.thumbprint()

    async def test_the_algorithms_of_the_server_count(self) -> None:
        """As far as the key has them."""
        client = Client(id="orders", secret=Secret(TEXT), method="client_secret_jwt")
        signer = (await client.proof(URL, published(signing_algs=("ES256", "HS384")))).signer
        assert signer is not None
        assert signer.algorithm == "HS384"

    async def test_it_is_not_told_where_the_server_sends_it_back(self) -> None:
        """It is worth as much as a password while it lives."""
        fake = AuthorizationServer()

        def echo(_: httpx.Request) -> httpx.Response:
            return answer(400, f"no: {fake.forms[0]['client_assertion'][0]}")

        fake.script = [echo]
        asked = Asked(fake, Strategy(client_secret=None, private_key=PRIVATE_KEY))
        error = await asked.fail()
        assert error.snippet == "no: ***"


class TestCertificate:
    async def test_it_is_the_connection_that_proves(self, files: Certificate) -> None:
        """The form says just who the client is (RFC 8705, section 2)."""
        client = Strategy(
            client_secret=None,
            certificate_file=files.file,
            certificate_key_file=files.key_file,
        )
        asked = Asked(AuthorizationServer(), client)
        await asked.grant()
        assert asked.fake.forms == [{"grant_type": ["client_credentials"], "client_id": ["orders"]}]
        assert "authorization" not in asked.fake.requests[0].headers
