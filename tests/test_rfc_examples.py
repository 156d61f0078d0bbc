"""The examples of the RFCs: what they sign, encode and send comes out the same here."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey, OctKey
from joserfc.jws import JWSRegistry

from gqlauth import Secret, _jose
from gqlauth._assertion import Signer, private_key_signer, secret_signer
from gqlauth.testing import AuthorizationServer
from tests.support.asked import Asked, Client

if TYPE_CHECKING:
    import httpx

# RFC 7515, appendix A.1.
RFC_OCT: dict[str, str | list[str]] = {
    "kty": "oct",
    "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
}
# RFC 7515, appendix A.2.
RFC_RSA = {
    "kty": "RSA",
    "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt"
    "0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5"
    "z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aG"
    "hyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    "e": "AQAB",
    "d": "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol"
    "2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M"
    "_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_j"
    "Tj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
    "p": "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_"
    "Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
    "q": "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeL"
    "QeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
    "dp": "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FO"
    "Knu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
    "dq": "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9"
    "U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
    "qi": "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy"
    "5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U",
}
RFC_PAYLOAD = (
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
)
# RFC 7515, appendix A.3.
RFC_EC = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
}
# RFC 7515, appendix A.4.
RFC_EC_521 = {
    "kty": "EC",
    "crv": "P-521",
    "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
    "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
    "d": "AY5pb7A0UFiB3RELSD64fTLOSV_jazdF7fLYyuTw8lOfRhWg6Y6rUrPAxerEzgdRhajnu0ferB0d53vM9mE15j2C",
}
# RFC 8037, appendix A.1.
RFC_ED25519 = {
    "kty": "OKP",
    "crv": "Ed25519",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed(signer: Signer, message: str) -> str:
    return _jose.base64url(signer.signature(message.encode())).decode()


def jwk(fields: dict[str, str]) -> Secret:
    return Secret(json.dumps(fields))


class TestJws:
    """RFC 7515, and RFC 8037 for the curves of Edwards."""

    def test_base64url(self) -> None:
        """RFC 7515, appendix C."""
        assert _jose.base64url(bytes([3, 236, 255, 224, 193])) == b"A-z_4ME"

    def test_hmac(self) -> None:
        """RFC 7515, appendix A.1: by a key that no client secret can be, as it is no text."""
        signer = Signer(_jose.signing(OctKey.import_key(RFC_OCT), "HS256"), "HS256")
        head = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
        assert signed(signer, f"{head}.{RFC_PAYLOAD}") == (
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        )

    def test_hmac_of_a_text(self) -> None:
        """RFC 4231, test case 2."""
        signer = secret_signer(Secret("Jefe"))
        assert signer.algorithm == "HS256"
        assert signer.signature(b"what do ya want for nothing?").hex() == (
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        )

    def test_rsa(self) -> None:
        """RFC 7515, appendix A.2."""
        signer = private_key_signer(jwk(RFC_RSA))
        assert signer.algorithm == "RS256"
        assert signed(signer, f"eyJhbGciOiJSUzI1NiJ9.{RFC_PAYLOAD}") == (
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7"
            "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
            "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
            "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
            "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
            "p0igcN_IoypGlUPQGe77Rw"
        )

    @pytest.mark.parametrize(
        ("key", "algorithm", "message", "theirs"),
        [
            (
                RFC_EC,
                "ES256",
                f"eyJhbGciOiJFUzI1NiJ9.{RFC_PAYLOAD}",
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
            ),
            (
                RFC_EC_521,
                "ES512",
                "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",
                (
                    "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO"
                    "0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9E"
                    "RBXukOXolLzeO_Jn"
                ),
            ),
        ],
        ids=["P-256", "P-521"],
    )
    def test_elliptic_curve(
        self, key: dict[str, str], algorithm: str, message: str, theirs: str
    ) -> None:
        """RFC 7515, appendices A.3 and A.4: what verifies their signature verifies another."""
        signer = private_key_signer(jwk(key))
        verify = JWSRegistry.algorithms[algorithm].verify
        public = ECKey.import_key({name: key[name] for name in ("kty", "crv", "x", "y")})
        assert signer.algorithm == algorithm
        assert verify(message.encode(), decoded(theirs), public)
        assert verify(message.encode(), signer.signature(message.encode()), public)

    def test_edwards_curve(self) -> None:
        """RFC 8037, appendix A.4."""
        signer = private_key_signer(jwk(RFC_ED25519), algorithm="EdDSA")
        assert signed(signer, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc") == (
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        )


async def sent(form: dict[str, Any], **client: Any) -> httpx.Request:
    """Return the request of a client that asks by `form`."""
    asked = Asked(AuthorizationServer(), Client(**client))
    await asked.grant(**form)
    (request,) = asked.fake.requests
    return request


@pytest.mark.anyio
class TestRequests:
    """The requests of RFC 6749 and RFC 7523."""

    @pytest.mark.parametrize(
        ("client_secret", "credentials"),
        [
            ("7Fjfp0ZBr1KtDRbnfVdmIw", "czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"),
            ("gX1fBat3bV", "czZCaGRSa3F0MzpnWDFmQmF0M2JW"),
        ],
    )
    async def test_basic(self, client_secret: str, credentials: str) -> None:
        """RFC 6749, sections 2.3.1 and 4.4.2."""
        request = await sent({}, client_id="s6BhdRkqt3", client_secret=Secret(client_secret))
        assert request.headers["authorization"] == f"Basic {credentials}"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert request.content == b"grant_type=client_credentials"

    async def test_post(self) -> None:
        """RFC 6749, section 2.3.1: what they ask is a refresh."""
        request = await sent(
            {"grant_type": "refresh_token", "refresh_token": "tGzv3JOkF0XG5Qx2TlKWIA"},
            client_id="s6BhdRkqt3",
            client_secret=Secret("7Fjfp0ZBr1KtDRbnfVdmIw"),
            token_endpoint_auth_method="client_secret_post",
        )
        assert request.content == (
            b"grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA"
            b"&client_id=s6BhdRkqt3&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw"
        )

    async def test_form(self) -> None:
        """RFC 6749, appendix B, but for the space: who reads a plus reads ``%20`` as well."""
        request = await sent({"scope": " %&+£€"}, client_secret=None, client_id=None)
        assert request.content.partition(b"&scope=")[2] == b"%20%25%26%2B%C2%A3%E2%82%AC"

    async def test_assertion(self) -> None:
        """RFC 7523, section 2.2, with the client_id that it leaves to the assertion."""
        request = await sent(
            {"grant_type": "authorization_code", "code": "n0esc3NRze7LTCu7iYzS6a5acc3f0ogp4"},
            client_id="s6BhdRkqt3",
            client_secret=None,
            private_key=jwk(RFC_RSA),
            key_id="22",
        )
        fields, _, assertion = request.content.decode().rpartition("&client_assertion=")
        assert fields == (
            "grant_type=authorization_code&code=n0esc3NRze7LTCu7iYzS6a5acc3f0ogp4"
            "&client_id=s6BhdRkqt3"
            "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        )
        head, claims, signature = assertion.split(".")
        assert json.loads(decoded(head)) == {"alg": "RS256", "typ": "JWT", "kid": "22"}
        assert json.loads(decoded(claims))["iss"] == "s6BhdRkqt3"
        assert len(decoded(signature)) == 256
