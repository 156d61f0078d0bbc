"""The values that are alive: found in any form, kept in none, and forgotten with their owner."""

from __future__ import annotations

import base64
import gc
import json
import threading
import weakref
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gqlauth import Secret, Token
from gqlauth._known import KNOWN, MOST_GONE, SHORTEST_KNOWN, Known, forms, masked
from gqlauth._redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Callable


def giving(text: str) -> Callable[[], str]:
    return lambda: text


def returned(give: Callable[[], str]) -> str:
    return give()


def found(known: Known, text: str) -> str:
    return masked(text, known.spans(text), "***", len(text))


class TestKnown:
    @pytest.mark.parametrize(
        "form",
        [
            "v/lue+with&\"odd' ones",
            quote("v/lue+with&\"odd' ones", safe=""),
            quote_plus("v/lue+with&\"odd' ones"),
            json.dumps("v/lue+with&\"odd' ones")[1:-1],
        ],
    )
    @pytest.mark.parametrize("before", range(8))
    def test_is_found_wherever_it_stands(self, form: str, before: int) -> None:
        """A value that is alive is found in each of its forms, at whatever place."""
        known = Known()
        value = giving("v/lue+with&\"odd' ones")
        known.remember(value, returned)

        assert found(known, "x" * before + form + "x") == "x" * before + "***x"

    @pytest.mark.parametrize(
        "text",
        [
            repr("'\" don't-tell-é"),
            repr("'\" don't-tell-é".encode()),
            repr("don't-tell-é".encode()),
            "don't-tell-?",
            repr(b"'\" don't-tell-?"),
        ],
        ids=["text with both quotes", "bytes with both quotes", "bytes", "ASCII", "bytes of ASCII"],
    )
    def test_is_found_where_it_is_written_otherwise(self, text: str) -> None:
        """As Python writes it beside quotes of both kinds, as bytes, and without its accents."""
        known = Known()
        value = giving("don't-tell-é")
        known.remember(value, returned)

        assert "tell" not in found(known, text)

    @pytest.mark.parametrize("user", ["", "u", "us", "use"])
    def test_is_found_in_basic(self, user: str) -> None:
        """It is found within Basic, where it begins at any of three places."""
        known = Known()
        value = giving("value-of-a-secret")
        known.remember(value, returned)
        basic = base64.b64encode(f"{user}:value-of-a-secret".encode()).decode()

        assert len(found(known, basic).partition("***")[2]) < 4

    def test_short_values_are_left(self) -> None:
        """A value that is too short is not looked for."""
        known = Known()
        short, long = giving("a" * (SHORTEST_KNOWN - 1)), giving("b" * SHORTEST_KNOWN)
        known.remember(short, returned)
        known.remember(long, returned)

        assert found(known, f"{short()} {long()}") == f"{short()} ***"

    def test_is_forgotten_with_its_owner(self) -> None:
        """What is gone is not looked for, whether it was looked for before or not."""
        known = Known()
        value, other = giving("value-one"), giving("value-two")
        known.remember(value, returned)
        assert found(known, "value-one value-two") == "*** value-two"
        known.remember(other, returned)
        del value, other
        gc.collect()

        assert found(known, "value-one value-two") == "value-one value-two"

    def test_nothing_is_kept_of_what_is_gone(self) -> None:
        """Hashes of many values that are gone are swept out; the others are still found."""
        known = Known()
        stays = giving("value-that-stays")
        known.remember(stays, returned)
        many = [giving(f"value-{number:08}") for number in range(MOST_GONE + 1)]
        for one in many:
            known.remember(one, returned)
        known.spans("")
        assert found(known, "value-00000007") == "***"
        del many, one
        gc.collect()

        assert found(known, "value-00000007 value-that-stays") == "value-00000007 ***"
        assert len(known._index) < 100

    def test_first_to_come_is_first_to_go(self) -> None:
        """Beyond the number that is kept in mind, the oldest is given up."""
        known = Known(most=2)
        values = [giving(f"value-{name}") for name in ("one", "two", "three")]
        for one in values:
            known.remember(one, returned)

        assert found(known, "value-one value-two value-three") == "value-one *** ***"

    def test_two_with_one_value(self) -> None:
        """While one of two equal values lives, it is found."""
        known = Known()
        one, other = giving("value-of-two"), giving("value-of-two")
        known.remember(one, returned)
        known.remember(other, returned)
        known.spans("")
        del one

        assert found(known, other()) == "***"

    def test_one_that_goes_as_it_is_taken(self) -> None:
        """What the collector takes away at the wrong moment harms nothing."""
        known, value = Known(), giving("value-that-goes")
        gone: weakref.ref[object] = weakref.ref(value)
        known._coming[gone] = returned
        del value

        assert known.spans("value-that-goes") == []
        assert not known._coming

    def test_from_many_threads(self) -> None:
        """Threads that remember and look at the same time miss nothing."""
        known, missed, kept = Known(), [], []

        def work(thread: int) -> None:
            for number in range(100):
                value = giving(f"value-{thread}-{number:04}")
                kept.append(value)
                known.remember(value, returned)
                if found(known, value()) != "***":
                    missed.append(value())

        threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert missed == []

    @given(st.lists(st.text(min_size=SHORTEST_KNOWN), min_size=1, max_size=4), st.text(), st.data())
    def test_whatever_they_are(self, texts: list[str], around: str, data: st.DataObject) -> None:
        """Any value is found in any of its forms, with anything around it."""
        known = Known()
        values = [giving(text) for text in texts]
        for value in values:
            known.remember(value, returned)
        form = data.draw(st.sampled_from(sorted(forms(data.draw(st.sampled_from(texts))))))

        assert form not in found(known, f"{around}{form}{around}").replace("***", "\0")


class TestWhoIsKnown:
    def test_secret(self) -> None:
        """A `Secret` is known as long as it lives."""
        secret = Secret("s-that-is-given")
        assert redact_text("x s-that-is-given") == "x ***"
        del secret
        gc.collect()

        assert redact_text("x s-that-is-given") == "x s-that-is-given"

    @pytest.mark.anyio
    async def test_resolved_secret(self) -> None:
        """A reference is known by what it was resolved to."""

        class Source:
            """A source of one value."""

            async def read(self) -> str:
                return "s-that-is-read"

        secret = await Secret.from_source(Source()).resolve()

        assert redact_text(f"x {secret.reveal()}") == "x ***"

    def test_token(self) -> None:
        """A `Token` is known by its text, without what stands before it in the header."""
        token = Token("t-that-is-given", token_type="Custom")

        assert redact_text("Custom t-that-is-given") == "Custom ***"
        del token
        gc.collect()
        assert redact_text("Custom t-that-is-given") == "Custom t-that-is-given"

    def test_none_is_kept(self) -> None:
        """What is remembered holds no text at all."""
        secret = Secret("s-that-is-not-kept")
        redact_text("x" * 100)

        assert "s-that-is" not in repr([vars(KNOWN)])
        assert not any(
            isinstance(one, str)
            for holder in (KNOWN._index, KNOWN._live)
            for one in gc.get_referents(holder)
        )
        assert secret.reveal() == "s-that-is-not-kept"


class TestMasked:
    def test_overlapping(self) -> None:
        """Spans that overlap come as one mask; those that touch as two."""
        assert masked("0123456789", [(2, 5), (1, 3), (5, 6)], "*", 10) == "0**6789"

    def test_limit(self) -> None:
        """What is past the limit is not there, but a span that crosses it is masked whole."""
        assert masked("0123456789", [(4, 8), (9, 10)], "*", 6) == "0123*"
