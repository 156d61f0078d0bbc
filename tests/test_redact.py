"""Redaction: what looks like a credential, stands under the name of one, or is known to be one."""

from __future__ import annotations

import base64
import collections
import dataclasses
import enum
import html
import io
import json
import logging
import re
import time
import types
from pathlib import PurePath
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

import attrs
import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

import gqlauth
from gqlauth._redact import (
    DEEPEST,
    LONGEST,
    SHORTEST_KNOWN,
    escape_control,
    redact,
    redact_secrets,
    redact_text,
)
from gqlauth._secret import Secret

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
            (f"X-Api-Key: {S} {S}", "X-Api-Key: ***"),
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


class TestKnown:
    VALUE = "p%2B q+/'\"<ö>&=\\~"

    @pytest.mark.parametrize(
        "form",
        [
            lambda value: value,
            quote,
            lambda value: quote(value, safe=""),
            lambda value: re.sub("%..", lambda code: code[0].lower(), quote(value, safe="")),
            quote_plus,
            json.dumps,
            lambda value: json.dumps(value).replace("/", r"\/"),
            lambda value: json.dumps(value, ensure_ascii=False),
            repr,
            html.escape,
        ],
    )
    def test_forms(self, form: Any) -> None:
        """A known value is found as it is, and as URLs, JSON, Python and HTML write it."""
        written = form(self.VALUE)

        assert redact_text(f"<<{written}>>", [self.VALUE]).count("***") == 1
        assert "ö" not in redact_text(f"<<{written}>>", [self.VALUE])

    @pytest.mark.parametrize("user", ["", "a", "ab", "abc", "orders-cli"])
    @pytest.mark.parametrize("encode", [str, lambda value: quote(value, safe="")])
    @pytest.mark.parametrize("b64", [base64.b64encode, base64.urlsafe_b64encode])
    def test_within_basic(self, user: str, encode: Any, b64: Any) -> None:
        """A known value is found in the base64 of Basic, wherever it begins there."""
        secret = "long~enough?to-be>found"
        written = b64(f"{user}:{encode(secret)}".encode()).decode()

        redacted = redact_text(f"sent {written} there", [secret])

        assert "***" in redacted
        assert len(redacted) < len(f"sent {written} there") / 2 + len(user) + 16

    def test_short_values_are_left(self) -> None:
        """A value that is too short would be found everywhere, and is not looked for."""
        short, long = "a" * (SHORTEST_KNOWN - 1), "b" * SHORTEST_KNOWN

        assert redact_text(f"{short} {long}", [short, long]) == f"{short} ***"

    def test_value_within_another(self) -> None:
        """Of two values, one within the other, the longer is masked whole."""
        assert redact_text("secret-1-extended", ["secret-1", "secret-1-extended"]) == "***"

    def test_across_the_cut(self) -> None:
        """A known value across the bound is masked before the cut."""
        text = "x" * (2 * LONGEST - 5) + S

        assert S[:5] not in redact_text(text, [S])

    def test_surrogates(self) -> None:
        """A value that is no valid text is found as well."""
        assert redact_text("a \udcff-secret b", ["\udcff-secret"]) == "a *** b"


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


class Pair(NamedTuple):
    """A tuple with names."""

    user: str
    password: str


@attrs.frozen
class Settings:
    """An attrs class with something to hide."""

    client_secret: str
    url: str = "https://a"
    hidden: str = attrs.field(default=S, repr=False)
    masked: str = attrs.field(default=S, repr=lambda _: "…")


@dataclasses.dataclass
class DataSettings:
    """A dataclass with something to hide."""

    access_token: str
    url: str = "https://a"
    hidden: str = dataclasses.field(default=S, repr=False)


@attrs.frozen(repr=False)
class OwnWay:
    """An attrs class that prints itself in its own way."""

    password: str
    other: str = "kept to itself"

    def __repr__(self) -> str:
        return f"<me:{self.password}>"


@attrs.frozen
class Plain:
    """An attrs class whose text says more than its fields."""

    n: int = 1

    def __str__(self) -> str:
        return f"client_secret={S}"


class Unreadable:
    """What fails when it is looked at."""

    def __repr__(self) -> str:
        raise ValueError(S)


class BrokenMapping(collections.UserDict[str, str]):
    """A mapping that fails when it is read."""

    def items(self) -> Any:
        raise ValueError(S)


class Kind(enum.Enum):
    """Some kind."""

    ONE = 1


class TestValues:
    @pytest.mark.parametrize(
        "name",
        [
            "client_secret",
            "clientSecret",
            "CLIENT_SECRET",
            "password",
            "access_token",
            "accessToken",
            "Authorization",
            "authorization",
            "X-Api-Key",
            "apikey",
            "client_assertion",
            "code_verifier",
            "Set-Cookie",
            "passphrase",
            "private_key",
            "credentials",
            "tokens",
            "secrets",
            b"Authorization",
        ],
    )
    def test_under_the_name_of_a_secret(self, name: str | bytes) -> None:
        """What stands under the name of a secret is masked, whatever it is."""
        assert redact(S, name=name) == "***"
        assert redact({name: [S]}) == {name: "***"}
        assert redact([(name, S)]) == [(name, "***")]

    @pytest.mark.parametrize(
        "name",
        ["token_type", "token_url", "scope", "secret_source", "tokenizer", "code", "", None, 7],
    )
    def test_under_another_name(self, name: object) -> None:
        """What stands under another name stays."""
        assert redact("text", name=name) == "text"

    @pytest.mark.parametrize("value", [None, True, False, Secret(S)])
    def test_what_is_no_secret(self, value: object) -> None:
        """That there is a secret, or none, may be told; and a Secret shows where it is from."""
        assert redact(value, name="client_secret") is value

    def test_how_many_there_are(self) -> None:
        """The number of tokens is none of them; a number that is a token is masked."""
        assert redact({"tokens": 3, "token": 3}) == {"tokens": 3, "token": "***"}

    @pytest.mark.parametrize(
        ("value", "redacted"),
        [
            ({"a": {"b": [{"client_secret": S}]}}, {"a": {"b": [{"client_secret": "***"}]}}),
            ({"a": ({"token": S},)}, {"a": ({"token": "***"},)}),
            ([f"Bearer {S}", 1], ["Bearer ***", 1]),
            ((f"Bearer {S}", 1, 2), ("Bearer ***", 1, 2)),
            ({f"Bearer {S}"}, ["Bearer ***"]),
            (frozenset([f"Bearer {S}"]), ["Bearer ***"]),
            (["authorization", S], ["authorization", "***"]),
            (Pair("me", S), {"user": "me", "password": "***"}),
            (f"client_secret={S}".encode(), b"client_secret=***"),
            (bytearray(f"client_secret={S}".encode()), b"client_secret=***"),
            (b"\xff client_secret=" + S.encode(), b"\xff client_secret=***"),
            (httpx.Headers({"Authorization": S, "A": "b"}), {"authorization": "***", "a": "b"}),
            (types.MappingProxyType({"token": S}), {"token": "***"}),
            ({f"Bearer {S}": 1}, {"Bearer ***": 1}),
            ({"grant_type": "x", "code": S}, {"grant_type": "x", "code": "***"}),
            (ValueError(f"Bearer {S}"), "Bearer ***"),
            (httpx.URL(f"https://a/?access_token={S}"), "https://a/?access_token=***"),
            (PurePath(f"token={S}"), "token=***"),
        ],
    )
    def test_nested(self, value: object, redacted: object) -> None:
        """Mappings, sequences, sets, headers, bytes and what prints a credential are redacted."""
        assert redact(value) == redacted

    def test_attrs_class(self) -> None:
        """An attrs class comes as it prints itself: masked, and without what it does not show."""
        assert redact(Settings(S)) == "Settings(client_secret='***', url='https://a', masked=…)"

    def test_dataclass(self) -> None:
        """So does a dataclass."""
        assert redact(DataSettings(S)) == "DataSettings(access_token='***', url='https://a')"

    def test_class_that_prints_itself(self) -> None:
        """A class with a ``repr`` of its own shows no more than that, and no secret."""
        assert redact(OwnWay(S)) == "<me:***>"

    def test_class_with_a_text_of_its_own(self) -> None:
        """A text that says more than the fields is redacted, too."""
        assert redact(Plain()) == "client_secret=***"

    @pytest.mark.parametrize(
        "value",
        [
            "text",
            b"bytes",
            1,
            1.5,
            None,
            True,
            [1, "a"],
            (1, 2),
            ("name", "value"),
            {"a": 1},
            {1, 2},
            Pair,
            Kind.ONE,
            Settings,
            DataSettings,
            httpx.Headers({"A": "b"}),
            Secret(S),
            Plain,
            PurePath("a"),
            object(),
        ],
    )
    def test_itself_where_nothing_is_masked(self, value: object) -> None:
        """What has nothing to mask comes back as the same object."""
        assert redact(value) is value

    def test_holders_without_secrets_are_themselves(self) -> None:
        """So does an object whose fields have nothing to hide."""
        settings = attrs.evolve(Settings(S), client_secret=None)  # type: ignore[arg-type]

        assert redact(settings) is settings

    @pytest.mark.parametrize("value", [Unreadable(), [Unreadable()], BrokenMapping({"a": S})])
    def test_what_cannot_be_read_is_not_shown(self, value: object) -> None:
        """What fails when it is looked at is masked, and nothing is raised."""
        assert redact(value) in ("***", ["***"])

    def test_deep_values(self) -> None:
        """What is nested deeper than anyone looks is redacted as text."""
        value: Any = {"client_secret": S}
        for _ in range(DEEPEST + 3):
            value = {"a": value}

        assert S not in repr(redact(value))

    def test_circles(self) -> None:
        """What holds itself does not hold up the log."""
        value: dict[str, Any] = {"client_secret": S}
        value["self"] = value

        assert S not in repr(redact(value))

    def test_nothing_is_changed(self) -> None:
        """What is redacted is a copy: the program goes on with the original."""
        value = {"headers": [["Authorization", S]]}
        redact(value)

        assert value == {"headers": [["Authorization", S]]}


class TestProcessor:
    def test_is_public(self) -> None:
        """It is the ``gqlauth.redact_secrets`` that applications put into their chain."""
        assert gqlauth.redact_secrets is redact_secrets

    @pytest.mark.parametrize(
        "renderer",
        [
            structlog.processors.JSONRenderer(),
            structlog.processors.KeyValueRenderer(),
            structlog.processors.LogfmtRenderer(),
            structlog.dev.ConsoleRenderer(colors=False),
        ],
    )
    def test_in_an_application(self, renderer: Any) -> None:
        """In a chain of structlog's own, bound values, fields, event and traceback are masked."""
        stream, event = io.StringIO(), f"Authorization: Bearer {S}"
        log = structlog.wrap_logger(
            structlog.PrintLogger(stream),
            processors=[structlog.processors.format_exc_info, redact_secrets, renderer],
            wrapper_class=structlog.BoundLogger,
        ).bind(access_token=S)

        try:
            raise ValueError(f"Bearer {S}")  # noqa: TRY301 - to have a traceback
        except ValueError as error:
            log.warning(event, sent=f"client_secret={S}", exc_info=error)

        assert "ValueError" in stream.getvalue()
        assert S not in stream.getvalue()

    def test_leaves_what_later_processors_need(self) -> None:
        """The exception to be rendered, and the record to be formatted, stay what they are."""
        error = ValueError(f"Bearer {S}")
        record = logging.makeLogRecord({"msg": f"Bearer {S}"})

        got = redact_secrets(None, "info", {"event": "x", "exc_info": error, "_record": record})

        assert got == {"event": "x", "exc_info": error, "_record": record}

    def test_gives_the_event_itself(self) -> None:
        """The event is redacted in place, as processors do."""
        event: dict[str, Any] = {"event": "x", "token": S}

        assert redact_secrets(None, "info", event) is event
        assert event == {"event": "x", "token": "***"}
