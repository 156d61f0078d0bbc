"""Whole events: whatever is nested in them, no secret survives, and nothing else changes."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import sys
import time
from typing import Any, NamedTuple
from urllib.parse import quote

import attrs
import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from gqlauth import Secret, redact_secrets
from gqlauth._redact import CUT, DEEPEST, HALVED, LONGEST, MOST_READ, redact, redact_text

CANARY = "cAn4ry/in+the=mine"
#: While it lives, its value is known.
ALIVE = Secret(CANARY)
FORMS = [
    CANARY,
    quote(CANARY, safe=""),
    json.dumps(CANARY)[1:-1],
    base64.b64encode(f"me:{CANARY}".encode()).decode(),
]


class Pair(NamedTuple):
    """A tuple with names."""

    user: object
    password: object


@attrs.frozen
class Settings:
    """An attrs class."""

    client_secret: object
    other: object = None


@dataclasses.dataclass
class Data:
    """A dataclass."""

    access_token: object
    other: object = None


class Odd:
    """What prints a secret of its own accord."""

    def __repr__(self) -> str:
        return f"Odd({CANARY})"


class Broken:
    """What cannot be printed."""

    def __repr__(self) -> str:
        raise RuntimeError(CANARY)


# Nothing that these make looks like a credential, or like the name of one.
WORDS = st.text("abxyz019 .-é", max_size=12)
HARMLESS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), WORDS
) | WORDS.map(str.encode)
NAMES = st.sampled_from(
    ["client_secret", "Authorization", "accessToken", "set-cookie", "X-API-Key", "DPoP", "password"]
)


def same(value: Any) -> tuple[Any, Any]:
    return value, value


#: What holds a secret, with what is to become of it.
PLANTED = st.one_of(
    st.tuples(WORDS, WORDS).map(
        lambda around: (f"{around[0]} {CANARY} {around[1]}", f"{around[0]} *** {around[1]}")
    ),
    WORDS.map(lambda word: (f"{word} {CANARY}".encode(), f"{word} ***".encode())),
    NAMES.map(lambda name: ({name: CANARY}, {name: "***"})),
    st.tuples(NAMES, HARMLESS).map(
        lambda got: (
            {got[0]: [{"deep": (CANARY,)}], "b": got[1]},
            {got[0]: "***", "b": got[1]},
        )
    ),
    NAMES.map(lambda name: ((name, "any text"), (name, "***"))),
    st.just((Pair("me", "any text"), {"user": "me", "password": "***"})),
    st.just((Settings("any text"), "Settings(client_secret='***', other=None)")),
    st.just((Data("any text"), "Data(access_token='***', other=None)")),
    st.just((Odd(), "Odd(***)")),
    st.builds(Broken).map(lambda broken: (broken, "***")),
    st.just(({CANARY: 1}, {"***": 1})),
    st.just((httpx.Headers({"cookie": "any", "a": "b"}), {"cookie": "***", "a": "b"})),
    st.just(("see https://me:any-text@a/?b=c", "see https://me:***@a/?b=c")),
    st.just(("Bearer any-text-there", "Bearer ***")),
)


def nested(children: Any) -> Any:
    # Of two, the first is the name of the other.
    lists = st.lists(children, max_size=4).map(lambda got: got * 2 if len(got) == 2 else got)
    return st.one_of(
        lists.map(lambda pairs: ([old for old, _ in pairs], [new for _, new in pairs])),
        lists.map(
            lambda pairs: (tuple(old for old, _ in pairs), tuple(new for _, new in pairs)),
        ),
        st.dictionaries(st.text("abxyz", max_size=5), children, max_size=4).map(
            lambda pairs: (
                {key: old for key, (old, _) in pairs.items()},
                {key: new for key, (_, new) in pairs.items()},
            )
        ),
    )


EVENTS = st.dictionaries(
    st.text("abxyz", max_size=5), st.recursive(HARMLESS.map(same) | PLANTED, nested, max_leaves=15)
)


class TestWhatever:
    @given(EVENTS)
    def test_secrets_go_and_the_rest_stays(self, event: dict[str, tuple[Any, Any]]) -> None:
        """What is planted in an event is masked wherever it is nested, and the rest is the same."""
        before = {key: old for key, (old, _) in event.items()}

        assert redact_secrets(None, "", before) == {key: new for key, (_, new) in event.items()}

    @given(
        st.recursive(
            st.sampled_from([*FORMS, *(form.encode() for form in FORMS), Odd(), ALIVE])
            | st.builds(Broken)
            | st.text()
            | st.binary(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.tuples(inner, inner)
                | st.dictionaries(st.text() | st.sampled_from(FORMS), inner, max_size=3)
                | st.builds(Settings, inner, inner)
                | st.builds(Data, inner, inner)
                | st.builds(Pair, inner, inner)
                | st.builds(ValueError, inner)
            ),
            max_leaves=10,
        )
    )
    def test_none_survives(self, value: object) -> None:
        """No form of a value that is alive survives, whatever holds it, and nothing is raised."""
        got = redact({"field": value})

        text = f"{got} {got!r}"
        assert not [form for form in FORMS if form in text or form in repr(form.encode())[2:-1:2]]

    @given(st.text(), st.text(), st.sampled_from(FORMS[:3]))
    def test_any_text(self, before: str, after: str, form: str) -> None:
        """In no text does one survive."""
        assert form not in redact_text(f"{before}{form}{after}")

    @given(st.text() | st.text("bearer tokn:='\"\\{}/@%&?<>,-_"))
    def test_twice_is_once(self, text: str) -> None:
        """What is redacted holds nothing more to redact, and never raises."""
        once = redact_text(text)

        assert redact_text(once).count("***") >= once.count("***") - 1


class TestExceptions:
    def error(self) -> Exception:
        error = ValueError(f"token={CANARY}")
        error.__cause__ = KeyError(CANARY)
        error.add_note(f"note {CANARY}")
        return ExceptionGroup("several", [error, OSError(f"Bearer {CANARY}")])

    @pytest.mark.parametrize("first", [(), (structlog.processors.dict_tracebacks,)])
    @pytest.mark.parametrize("how", ["true", "error", "tuple"])
    def test_in_an_event(self, how: str, first: Any) -> None:
        """Groups, causes, notes and locals are redacted, be they rendered before or not."""
        stream, local = io.StringIO(), f"{CANARY} in a local"
        log = structlog.wrap_logger(
            structlog.PrintLogger(stream),
            processors=[*first, redact_secrets, structlog.processors.JSONRenderer()],
            wrapper_class=structlog.BoundLogger,
        )
        try:
            raise self.error()
        except ExceptionGroup as error:
            info = {"true": True, "error": error, "tuple": sys.exc_info()}[how]
            log.warning("failed", exc_info=info)

        got = json.loads(stream.getvalue())
        assert "several" in str(got["exception"])
        assert "ValueError" in str(got["exception"])
        assert CANARY in local
        assert not [form for form in FORMS if form in stream.getvalue()]

    @pytest.mark.parametrize("info", [True, (None, None, None), (), False, None])
    def test_without_one(self, info: object) -> None:
        """Where there is no exception, none is shown."""
        assert redact_secrets(None, "", {"exc_info": info}) == {}

    def test_what_was_rendered_stays(self) -> None:
        """The text that another processor made of it stands."""
        event = {"exc_info": ValueError("x"), "exception": "text"}

        assert redact_secrets(None, "", event) == {"exception": "text"}

    def test_one_that_cannot_be_shown(self) -> None:
        """An exception that fails as it is rendered is named, and no more."""

        class UnkindError(Exception):
            """It fails where it is looked at."""

            def __getattribute__(self, name: str) -> object:
                raise RuntimeError(CANARY)

        shown = redact_secrets(None, "", {"exc_info": UnkindError()})

        assert shown == {"exception": "UnkindError: (it cannot be shown)"}


class TestBounds:
    def test_megabytes_are_cut(self) -> None:
        """A field of many megabytes is cut, and takes no longer than one of some kilobytes."""
        text = f"token={CANARY} " * 1_000_000
        start = time.perf_counter()
        got = redact_text(text)

        assert time.perf_counter() - start < 2
        assert got.endswith(CUT)
        assert len(got) <= LONGEST + len(CUT)
        assert "cAn4" not in got

    @pytest.mark.parametrize("shift", [0, 3, 7, 11])
    def test_cut_halves_nothing(self, shift: int) -> None:
        """Where masks make little of a text, the end of what was read is not shown."""
        text = "x" * shift + f"password='{'y' * 3_000}' {CANARY} " * 20

        assert "cAn" not in redact_text(text)
        assert redact_text("://" + "a:" + "x" * 2 * LONGEST + "@") == (
            "://a:" + "x" * (LONGEST - 5) + CUT
        )
        assert HALVED < LONGEST

    def test_many_values_are_cut(self) -> None:
        """Of very many values, those are shown that fit."""
        got = redact([[], list(range(MOST_READ)), "text"])

        assert got[1][-1] == CUT
        assert got[2:] == [CUT]

    def test_many_texts_are_cut(self) -> None:
        """So it is with texts, in lists and in mappings, which cost by their length."""
        texts = {str(number): "x" * LONGEST for number in range(100)}
        got = redact({"a": texts, "b": list(texts.values()), "c": "text", "d": 1})

        assert got["a"]["…"] == CUT
        assert len(got["a"]) < 100
        assert got == {"a": got["a"], "…": CUT}

    def test_what_branches_without_end(self) -> None:
        """A small value that is a million when it is walked does not hold up the log."""
        value: Any = ["text"]
        for _ in range(DEEPEST - 2):
            value = [value] * 3
        start = time.perf_counter()
        redact(value)

        assert time.perf_counter() - start < 5

    def test_circles_are_cut(self) -> None:
        """What holds itself is shown once."""
        value: dict[str, Any] = {"a": 1}
        value["self"] = [value]

        assert redact(value) == {"a": 1, "self": [CUT]}

    def test_depth_is_cut(self) -> None:
        """What is nested deeper than anybody looks is not shown."""
        value: Any = "any"
        for _ in range(DEEPEST + 1):
            value = [value]

        assert CUT in repr(redact(value))
        assert redact(value[0]) is value[0]
