"""``gql auth check``, as a process of its own, against the real servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
import pytest

from tests.support.certificates import certificate
from tests.support.http_server import http_server, json_answer
from tests.support.issuer import metadata
from tests.support.registered import register
from tests.support.servers import graphql_api, oidc_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.certificates import Certificate
    from tests.support.servers import Api, AuthlibServer, Provider

SCRIPT: Final = str(Path(sys.executable).with_name("gql"))


@attrs.frozen
class Outcome:
    """What a check came to."""

    code: int
    stdout: str
    stderr: str

    @property
    def steps(self) -> dict[str, Any]:
        """The steps of the one endpoint, by their names."""
        (endpoint,) = json.loads(self.stdout)["endpoints"]
        return {step["name"]: step for step in endpoint["steps"]}

    @property
    def states(self) -> dict[str, str]:
        return {name: step["state"] for name, step in self.steps.items()}


@attrs.frozen
class Check:
    """Checks an endpoint that is configured for it."""

    folder: Path

    def __call__(
        self,
        api: Api,
        *flags: str,
        secret: str = "basic-secret",
        environ: dict[str, str] | None = None,
        ca_file: Path | None = None,
        **fields: Any,
    ) -> Outcome:
        settings = {
            "client_id": "basic",
            "scopes": ["api:read"],
            "audience": api.audience,
            **{name: value for name, value in fields.items() if value is not None},
        }
        lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
        own = "" if ca_file is None else f"ca_file = {json.dumps(str(ca_file))}\n"
        self.folder.joinpath("gqlauth.toml").write_text(
            f'[endpoints.api]\nurl = "{api.url}"\n{own}[endpoints.api.auth]\n'
            'type = "client_credentials"\nclient_secret = { env = "CHECKED_SECRET" }\n'
            + own
            + "\n".join(lines)
        )
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GQLAUTH", "XDG_"))
        }
        ran = subprocess.run(
            [SCRIPT, "--config", "gqlauth.toml", "auth", "check", *flags],
            capture_output=True,
            check=False,
            cwd=self.folder,
            encoding="utf-8",
            env={**inherited, "CHECKED_SECRET": secret, **(environ or {})},
            timeout=60,
        )
        assert secret not in ran.stdout + ran.stderr
        assert "eyJ" not in ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr
        return Outcome(ran.returncode, ran.stdout, ran.stderr)


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Give ``gql auth check``, in a folder of its own."""
    return Check(tmp_path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for certificates."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Certificate:
    """Make a certificate authority."""
    return certificate(folder, "authority")


@pytest.fixture(scope="module")
def tls_provider(folder: Path, authority: Certificate) -> Iterator[Provider]:
    """Run an authorization server that speaks TLS, and knows clients by it."""
    own = certificate(folder, "server", issuer=authority)
    with oidc_provider(
        *("--tls-cert", str(own.certificate_file), "--tls-key", str(own.key_file)),
        *("--tls-client-ca", str(authority.certificate_file)),
    ) as running:
        yield running


class TestValid:
    def test_of_an_issuer(self, check: Check, provider: Provider, api: Api) -> None:
        """Each step is green, and the API has accepted the token."""
        outcome = check(api, "--json", issuer=provider.issuer)
        steps = outcome.steps

        assert (outcome.code, outcome.stderr) == (0, "")
        assert outcome.states == {
            "configuration": "ok",
            "discovery": "ok",
            "tls": "skipped",
            "token": "ok",
            "claims": "ok",
            "api": "ok",
        }
        assert steps["discovery"]["facts"]["token_endpoint"] == provider.token_url
        assert (
            "private_key_jwt"
            in (steps["discovery"]["facts"]["token_endpoint_auth_methods_supported"])
        )
        assert steps["token"]["facts"]["method"] == "client_secret_basic"
        assert steps["token"]["facts"]["tries"] == 1
        assert steps["claims"]["facts"]["iss"] == provider.issuer
        assert steps["claims"]["facts"]["aud"] == [api.audience]
        assert steps["claims"]["facts"]["scopes"] == ["api:read"]
        assert steps["api"]["facts"]["accepted"] is True

    def test_of_another_server(
        self, check: Check, authlib: AuthlibServer, authlib_api: Api
    ) -> None:
        """It is not tuned to the one."""
        client = register(authlib, "client_secret_post")
        outcome = check(
            authlib_api,
            "--json",
            "--probe-methods",
            issuer=authlib.issuer,
            client_id=client["client_id"],
            secret=client["client_secret"],
            token_endpoint_auth_method="client_secret_post",
        )
        taken = {
            one["method"]: one["taken"] for one in outcome.steps["methods"]["facts"]["methods"]
        }

        assert outcome.code == 0, outcome
        assert taken["client_secret_post"]
        assert not taken["client_secret_basic"]
        assert outcome.steps["api"]["facts"]["accepted"] is True

    def test_one_token_and_one_probe(self, check: Check, provider: Provider, api: Api) -> None:
        """Each server is asked once for what is checked."""
        before = provider.requests("basic"), api.count("/graphql")
        outcome = check(api, token_url=provider.token_url)
        after = provider.requests("basic"), api.count("/graphql")

        assert outcome.code == 0
        assert [new - old for old, new in zip(before, after, strict=True)] == [1, 1]

    def test_bound_token(self, check: Check, provider: Provider, api: Api) -> None:
        """The probe proves possession as each request does (RFC 9449)."""
        outcome = check(api, "--json", issuer=provider.issuer, dpop=True)

        assert outcome.code == 0, outcome
        assert outcome.steps["token"]["facts"]["token_type"] == "DPoP"
        assert outcome.steps["api"]["facts"]["accepted"] is True


class TestRefused:
    def test_wrong_secret(self, check: Check, provider: Provider, api: Api) -> None:
        """The token endpoint refuses: what needs the token is skipped."""
        before = api.count("/graphql")
        outcome = check(api, "--json", issuer=provider.issuer, secret="not-the-secret")

        assert outcome.code == 4
        assert outcome.states["token"] == "failed"
        assert "401 invalid_client" in outcome.steps["token"]["detail"]
        assert outcome.steps["token"]["hint"]
        assert outcome.states["claims"] == outcome.states["api"] == "skipped"
        assert api.count("/graphql") == before

    def test_wrong_method(self, check: Check, provider: Provider, api: Api) -> None:
        """The methods are tried, and the one that the server takes is the thing to try next."""
        client = register(provider, "client_secret_jwt")
        outcome = check(
            api,
            "--probe-methods",
            issuer=provider.issuer,
            client_id=client["client_id"],
            secret=client["client_secret"],
        )

        assert outcome.code == 4
        assert "client_secret_jwt    taken" in outcome.stdout
        assert 'set token_endpoint_auth_method = "client_secret_jwt"' in outcome.stdout

    def test_api_that_rejects(self, check: Check, provider: Provider, api: Api) -> None:
        """A token for another audience is good, and not for this API; it is asked once."""
        before = provider.requests("basic"), api.count("/graphql")
        outcome = check(api, "--json", issuer=provider.issuer, audience="https://other.example.com")
        after = provider.requests("basic"), api.count("/graphql")

        assert outcome.code == 4
        assert outcome.states["token"] == outcome.states["claims"] == "ok"
        assert outcome.steps["claims"]["facts"]["aud"] == ["https://other.example.com"]
        assert outcome.states["api"] == "failed"
        assert outcome.steps["api"]["facts"]["accepted"] is False
        assert "the API rejected a fresh token (401" in outcome.steps["api"]["detail"]
        assert [new - old for old, new in zip(before, after, strict=True)] == [1, 1]

    def test_issuer_that_lies(self, check: Check, provider: Provider, api: Api) -> None:
        """A document that speaks for another is not believed, and no secret goes anywhere."""
        with http_server(lambda _: json_answer(metadata(provider.issuer))) as liar:
            outcome = check(api, "--json", "--probe-methods", issuer=liar.url)

        assert outcome.code == 4
        assert outcome.states["discovery"] == "failed"
        assert (
            f'metadata of another issuer, "{provider.issuer}"'
            in (outcome.steps["discovery"]["detail"])
        )
        assert set(outcome.states.values()) == {"ok", "failed", "skipped"}
        assert [request.method for request in liar.requests] == ["GET"]

    def test_api_that_is_down(self, check: Check, provider: Provider, api: Api) -> None:
        """A network that fails is told apart from a refusal."""
        with graphql_api(provider.issuer) as stopped:
            pass
        outcome = check(attrs.evolve(api, url=stopped.url), "--json", issuer=provider.issuer)

        assert outcome.code == 5
        assert "cannot be reached" in outcome.steps["api"]["detail"]
        assert outcome.steps["api"]["hint"]


class TestTls:
    def test_known_authority(
        self, check: Check, tls_provider: Provider, api: Api, authority: Certificate
    ) -> None:
        """The certificate is told, by whose it is and how long it lasts."""
        outcome = check(
            api, "--json", issuer=tls_provider.issuer, ca_file=authority.certificate_file
        )

        assert outcome.states["tls"] == outcome.states["token"] == "ok"
        facts = outcome.steps["tls"]["facts"]
        assert facts["protocol"] == "TLSv1.3"
        assert facts["certificate_subject"] == "server"
        assert facts["certificate_issuer"] == "authority"
        # It verifies tokens of another issuer.
        assert (outcome.code, outcome.states["api"]) == (4, "failed")

    def test_unknown_authority(self, check: Check, tls_provider: Provider, api: Api) -> None:
        """The reason is told, and what to try; no secret is sent."""
        before = tls_provider.requests("basic")
        outcome = check(api, "--json", token_url=tls_provider.token_url)

        assert outcome.code == 5
        assert outcome.states["tls"] == "failed"
        assert "shows a certificate that is refused" in outcome.steps["tls"]["detail"]
        assert "ca_file" in outcome.steps["tls"]["hint"]
        assert outcome.states["token"] == outcome.states["api"] == "skipped"
        assert tls_provider.requests("basic") == before

    def test_expired_certificate(
        self, check: Check, folder: Path, api: Api, authority: Certificate
    ) -> None:
        """A certificate that has ended is told as such."""
        ended = (timedelta(days=2), -timedelta(days=1))
        own = certificate(folder, "ended", issuer=authority, valid=ended)
        with oidc_provider(
            "--tls-cert", str(own.certificate_file), "--tls-key", str(own.key_file)
        ) as running:
            outcome = check(
                api, "--json", token_url=running.token_url, ca_file=authority.certificate_file
            )

        assert outcome.code == 5
        assert "certificate has expired" in outcome.steps["tls"]["detail"]
        assert "renew" in outcome.steps["tls"]["hint"]

    def test_client_certificate(
        self,
        check: Check,
        folder: Path,
        tls_provider: Provider,
        api: Api,
        authority: Certificate,
    ) -> None:
        """A client that proves itself by a certificate is checked by that."""
        own = certificate(folder, "orders", issuer=authority)
        client = register(tls_provider, "tls_client_auth", tls_client_auth_subject_dn="CN=orders")
        outcome = check(
            api,
            "--json",
            issuer=tls_provider.issuer,
            ca_file=authority.certificate_file,
            client_id=client["client_id"],
            certificate_file=str(own.certificate_file),
            certificate_key_file=str(own.key_file),
            token_endpoint_auth_method="tls_client_auth",
        )

        assert outcome.states["token"] == "ok", outcome
        assert outcome.steps["token"]["facts"]["method"] == "tls_client_auth"
