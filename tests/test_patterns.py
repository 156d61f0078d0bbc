"""What looks like a credential in a text, and what could drive a terminal."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gqlauth._redact import (
    LONGEST,
    escape_control,
    redact_text,
)

S = "correct-horse-battery"
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"


class TestText:
    @pytest.mark.parametrize(
        ("text", "redacted"),
        [
            (f"Authorization: Bearer {S}", "Authorization: Bearer ***"),
            (f"authorization: {S}", "authorization: ***"),
            (f"AUTHORIZATION:Basic {S}", "AUTHORIZATION:Basic ***"),
            (f"Proxy-Authorization: odd {S}", "Proxy-Authorization: ***"),
            (f"Authorization: Bearer\r\n {S}", "Authorization: Bearer\r\n ***"),
            (f"Cookie: a={S}; b={S}\nHost: x", "Cookie: ***\nHost: x"),
            (f"Set-Cookie: sid={S}; Path=/", "Set-Cookie: ***"),
            (f"X-Api-Key: {S}, Host: x", "X-Api-Key: ***, Host: x"),
            (f"X-Auth-Token: Bearer {S}", "X-Auth-Token: Bearer ***"),
            (f"api-key: {S}", "api-key: ***"),
            (f"X-Auth-Token: {S}", "X-Auth-Token: ***"),
            (f"X-Amz-Security-Token: {S}", "X-Amz-Security-Token: ***"),
            (f"X-Vault-Token: {S}", "X-Vault-Token: ***"),
            (f"Ocp-Apim-Subscription-Key: {S}", "Ocp-Apim-Subscription-Key: ***"),
            (f"curl -H 'X-Api-Key: {S}' x", "curl -H 'X-Api-Key: ***' x"),
        ],
    )
    def test_headers(self, text: str, redacted: str) -> None:
        """The value of a header that carries credentials is masked to the end of its line."""
        assert redact_text(text) == redacted

    @pytest.mark.parametrize(
        "text",
        [
            "bad-secret: token endpoint id.example.com refused the client: 401",
            "my-token: the API rejected a fresh token (401)",
            "header X-Api-Key: its value has characters that no header may carry",
        ],
    )
    def test_sentences(self, text: str) -> None:
        """An endpoint may be called like a secret, and a message may name one."""
        assert redact_text(text) == text

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BASIC", "DPoP", "Digest", "Negotiate"])
    @pytest.mark.parametrize("around", ["{}", "sent {} there", '"{}"', "[{}]", "x={};"])
    def test_schemes(self, scheme: str, around: str) -> None:
        """What follows the name of an HTTP authentication scheme is masked, wherever it stands."""
        assert S not in redact_text(around.format(f"{scheme} {S}"))

    @pytest.mark.parametrize(
        "text",
        [
            f'{{"access_token":"{S}"}}',
            f'{{"access_token" : "{S}"}}',
            f'{{"clientSecret":\n"{S}"}}',
            f'{{"refresh_token":"{S}',
            f'{{"password":"{S}\\"{S}"}}',
            f"{{'client_secret': '{S}'}}",
            f"{{'client_secret': b'{S}'}}",
            json.dumps({"body": json.dumps({"id_token": S})}),
            json.dumps({"body": json.dumps({"body": json.dumps({"id_token": S})})}),
            f'{{"client_secret": ["{S}", "{S}"]}}',
            f'{{"tokens": ["{S}", "{S}"]}}',
            f"client_secret: '{S} {S}'",
            f'accessToken: "{S}"',
            f"password: {S}",
            f"password: {S}\nuser: me",
            f"client_secret={S}",
            f"a=b&client_secret={S}&c=d",
            f"client_assertion={S}",
            f"code_verifier={S}",
            f"device_code={S}",
            f"SAMLResponse={S}",
            f"client_secret = {S}",
            f"api_key='{S} {S}'",
            f'client_secret = "{S} {S}"',
            f"secret=Bearer {S}",
            f"client_secret%3D{S}",
            f"%7B%22access_token%22%3A%22{S}%22%7D",
            f"%7B%22access_token%22%3A%20%22{S}%22%7D",
            f"Authorization%3A+Bearer+{S}",
            f"<access_token>{S}</access_token>",
            f"<wsse:Password>{S}</wsse:Password>",
            f"(b'Authorization', b'Token {S}')",
            f"('X-Api-Key', '{S}')",
            f"[(b'Set-Cookie', b'sid={S}')]",
            f"https://me:{S}@example.com/",
            f"redis://:{S}@cache:6379/0",
            f"https://{S}@example.com/",
            f"https://example.com/cb?code={S}&state=1",
            f"https://example.com/cb?code={S}",
            f"grant_type=authorization_code&code={S}",
            f'{{"access_token": {{"value": "{S}"}}}}',
            f"client_secret=b'{S}'",
            f"client_secret=['{S}', '{S}']",
            f"client_secret=('{S}',)",
            f"client_secret=SecretStr('{S}')",
            f"password=pydantic.SecretBytes(b'{S}')",
            f"SECRET_KEY = '{S}'",
            f"%22client_secret%22:%22{S}%22",
            f"client_secret%253D{S}",
            f"\\u0022access_token\\u0022:\\u0022{S[:7]}\\u002B{S}\\u0022",
            f"&quot;client_secret&quot;:&quot;{S}&quot;",
            f"&#34;client_secret&#34;: &#34;{S}&#34;",
            f'{{"name": "Authorization", "value": "{S}"}}',
            f"<access_token type='x'>{S}</access_token>",
            f'<input type="hidden" name="access_token" value="{S}">',
            f"<input name=access_token value={S}>",
            f"to=Bearer%20{S}",
            f"https://{S}:x-oauth-basic@example.com/",
            f"https://example.com/cb#code={S}",
            f"https://example.com/cb?state=1&amp;code={S}",
            f"?to=https%3A%2F%2Fexample.com%2F%3Fcode%3D{S}%252F{S}%26state",
            f"-----BEGIN PRIVATE KEY-----\n{S}\n-----END PRIVATE KEY-----",
            f"-----BEGIN RSA PRIVATE KEY-----\\n{S}",
        ],
    )
    def test_fields(self, text: str) -> None:
        """A field with the name of a secret is masked in forms, JSON, Python, XML, URLs and PEM."""
        redacted = redact_text(text)

        assert S not in redacted
        assert "***" in redacted

    @pytest.mark.parametrize(
        "text", [JWT, f"x {JWT}.", f'"{JWT}"', JWT.rpartition(".")[0], JWT[:14]]
    )
    def test_jwts(self, text: str) -> None:
        """A JWT is masked, whole or cut."""
        assert redact_text(text).strip('x ."') == "***"

    @pytest.mark.parametrize("text", ['{"api_key": 1234567, "a": 1}', '{"token":-1.5e7, "a": 1}'])
    def test_numbers(self, text: str) -> None:
        """A number under the name of a secret is masked, and those beside it are not."""
        assert redact_text(text).endswith(': ***, "a": 1}') or ":***," in redact_text(text)

    def test_keeps_what_stands_around(self) -> None:
        """What stands before and after a secret stays."""
        assert (
            redact_text(f"grant_type=password&client_secret={S}&scope=a+b#x")
            == "grant_type=password&client_secret=***&scope=a+b#x"
        )

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "the token endpoint refused the client: 401 invalid_client",
            "Bearer token is missing",
            "Bearer authentication is required.",
            'Bearer realm="api", error="invalid_token", scope="orders:read"',
            "Basic auth, or none",
            "token_type=Bearer",
            "client_secret=None access_token=null token=True password=false",
            "ClientCredentials(client_secret=Secret(env NAME), client_id='x')",
            "token_endpoint_auth_method = client_secret_basic",
            "https://id.example.com/oauth2/token?tenant=acme",
            "https://me@example.com/ and http://[::1]:80/@x",
            "errors: code=UNAUTHENTICATED",
            "extensions.code=FORBIDDEN",
            "encode=1&decode=2",
            "https://example.com/?code=&state=1",
            "gqlauth.toml:9: endpoints.prod.auth.client_secret: environment variable X is not set",
            "AADSTS7000215: Invalid client secret provided. Send the secret value, not its ID.",
            '{"max_tokens": 5, "token_type": "Bearer", "tokenizer": "x"}',
            "-----BEGIN CERTIFICATE-----",
            "keyJson",
        ],
    )
    def test_leaves_what_people_need(self, text: str) -> None:
        """Prose, names, codes and URLs without a credential stay as they are."""
        assert redact_text(text) == text

    def test_again_changes_nothing_more(self) -> None:
        """What is redacted already stays as it is."""
        once = redact_text(f"Authorization: Bearer {S}\nclient_secret={S}&a=b {JWT}")

        assert redact_text(once) == once

    def test_long_text_is_cut(self) -> None:
        """A text is cut at its bound, and says so."""
        assert redact_text("x" * (LONGEST + 1)) == "x" * LONGEST + "… (cut)"
        assert redact_text("x" * LONGEST) == "x" * LONGEST

    def test_cut_leaves_no_half_of_a_secret(self) -> None:
        """A credential across the bound is masked before the cut."""
        assert S[:10] not in redact_text("x" * (LONGEST - 30) + f" client_secret={S}" + "x" * 99)

    @pytest.mark.parametrize(
        "piece",
        [
            '"', "\\", '\\"', "token", 'token"', "token: ", "token=", "token =", "token ", "(b'",
            "('token', '", "Bearer ", "Bearer", "://", "://a:", "eyJ", "eyJaaaaaaaa.", "-", "a-",
            "-----BEGIN PRIVATE KEY-----", "code=", "?code=", "<token>", "%22", "token%3D",
            "cookie:", '"token": [', " ", "\n", "x-token", "authorization: Bearer ",
            "\\u0022", "token\\u0022:\\u0022", "&quot;", "token&quot;:&quot;", "<token ", "token=(",
            "token=a", "token value=", '"token", "value": "', "%3Fcode%3D", "code%3D", "Bearer%20",
        ],
    )  # fmt: skip
    def test_hostile_text_takes_no_time(self, piece: str) -> None:
        """A text made to be slow to read is read in well under a second."""
        started = time.process_time()
        redact_text(piece * (2 * LONGEST // len(piece) + 1))

        assert time.process_time() - started < 1

    @given(st.text())
    def test_any_text_is_read(self, text: str) -> None:
        """There is no text that redaction fails on."""
        assert isinstance(redact_text(f"token={text}", [text]), str)


class TestEscapeControl:
    @pytest.mark.parametrize(
        ("text", "escaped"),
        [
            ("plain text, ö 漢 🎉", "plain text, ö 漢 🎉"),
            ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
            ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
            ("\x9b31m", r"\x9b31m"),
            ("a\r\nb\tc", r"a\r\nb\tc"),
            ("a\0\x08\x7f", r"a\x00\x08\x7f"),
            ("\u202eevil\u2066x\u2069", r"\u202eevil\u2066x\u2069"),
            ("\u061c\u200b\u200e\u2028\u2029\ufeff", r"\u061c\u200b\u200e\u2028\u2029\ufeff"),
            ("\ud800", r"\ud800"),
            ("\U000e0041", r"\U000e0041"),
            ("\x85", r"\x85"),
        ],
    )
    def test_shows_what_drives_a_terminal(self, text: str, escaped: str) -> None:
        """Controls, direction marks, line separators and the like become visible escapes."""
        assert escape_control(text) == escaped

    @given(st.text())
    def test_result_is_one_line_that_can_be_written(self, text: str) -> None:
        """Whatever goes in, one printable line comes out, that any UTF-8 stream takes."""
        escaped = escape_control(text)

        assert len(escaped.splitlines()) <= 1
        assert escaped.encode().decode() == escaped
