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
import types
from pathlib import PurePath
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

import attrs
import httpx
import pytest
import structlog

import gqlauth
from gqlauth._known import SHORTEST_KNOWN
from gqlauth._redact import (
    DEEPEST,
    LONGEST,
    mask_known,
    redact,
    redact_secrets,
    redact_text,
)
from gqlauth._secret import Secret

S = "correct-horse-battery"
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"


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
            ascii,
            lambda value: repr(f'"{value}'),
            lambda value: repr(value.encode()),
            lambda value: repr(f'"{value}'.encode()),
            lambda value: repr(json.dumps(value)),
            lambda value: json.dumps(json.dumps(value)),
            lambda value: json.dumps(repr(value)),
            lambda value: html.escape(json.dumps(value)),
            lambda value: quote(quote(value, safe=""), safe=""),
            lambda value: value.encode().decode("latin-1"),
        ],
    )
    def test_forms(self, form: Any) -> None:
        """A known value is found as it is, and as URLs, JSON, Python and HTML write it."""
        written = form(self.VALUE)

        redacted = redact_text(f"<<{written}>>", [self.VALUE])

        assert redacted.count("***") == 1
        assert re.search(r"ö|p%|\\x|\\u|Ã", redacted) is None

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

    def test_nothing_else(self) -> None:
        """Where only known values are to be masked, what looks like a credential stays."""
        assert mask_known(f"a long-value b Bearer {S}", ["long-value"]) == f"a *** b Bearer {S}"

    def test_surrogates(self) -> None:
        """A value that is no valid text is found as well."""
        assert redact_text("a \udcff-secret b", ["\udcff-secret"]) == "a *** b"


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


class Talkative(dict[str, str]):
    """A mapping that prints more than it holds."""

    def __repr__(self) -> str:
        return f"client_secret={S}"


class Row(list[str]):
    """A list that prints more than it holds."""

    def __repr__(self) -> str:
        return f"client_secret={S}"


class Cell(NamedTuple):
    """A tuple with names that prints more than it holds."""

    a: int = 1

    def __repr__(self) -> str:
        return f"client_secret={S}"


class Structured:
    """What structlog's renderers show in its own way."""

    def __init__(self, shown: object) -> None:
        self.shown = shown

    def __structlog__(self) -> object:
        return self.shown


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
            "secret.key",
            "signingKey",
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
            ({"name": "Cookie", "value": S}, {"name": "Cookie", "value": "***"}),
            ({"key": "token", "value": [S]}, {"key": "token", "value": "***"}),
            ({"name": "Accept", "value": "a"}, {"name": "Accept", "value": "a"}),
            ({"name": 1, "value": 1, "token": S}, {"name": 1, "value": 1, "token": "***"}),
            (ValueError(f"Bearer {S}"), "Bearer ***"),
            (httpx.URL(f"https://a/?access_token={S}"), "https://a/?access_token=***"),
            (PurePath(f"token={S}"), "token=***"),
            (Talkative(a="b"), "client_secret=***"),
            (Row(["b"]), "client_secret=***"),
            (Cell(), "client_secret=***"),
            (Structured({"token": S}), {"token": "***"}),
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
            Structured({"a": 1}),
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
        """The record that is still to be formatted stays what it is."""
        record = logging.makeLogRecord({"msg": f"Bearer {S}"})

        assert redact_secrets(None, "info", {"_record": record}) == {"_record": record}

    def test_a_key_that_is_a_secret(self) -> None:
        """Names are redacted as values are: an event may be made of anything."""
        secret = Secret("correct_horse_battery")

        assert redact_secrets(None, "info", {secret.reveal(): 1, "a": 2}) == {"***": 1, "a": 2}

    def test_gives_the_event_itself(self) -> None:
        """The event is redacted in place, as processors do."""
        event: dict[str, Any] = {"event": "x", "token": S}

        assert redact_secrets(None, "info", event) is event
        assert event == {"event": "x", "token": "***"}
