"""``${NAME}`` and ``${NAME:-default}`` in values."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gqlauth._config._interpolate import interpolate

ENVIRON = {"A": "a", "EMPTY": "", "NESTED": "${A} $$"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("a b", "a b"),
        ("${A}", "a"),
        ("<${A}-${A}>", "<a-a>"),
        ("${EMPTY}", ""),
        ("${A:-b}", "a"),
        ("${UNSET:-b}", "b"),
        ("${EMPTY:-b}", "b"),
        ("${UNSET:-}", ""),
        ("${UNSET:-a:-b c}", "a:-b c"),
        ("${UNSET:-$$b}", "$b"),
        ("${NESTED}", "${A} $$"),
        ("$$", "$"),
        ("$${A}", "${A}"),
        ("$$${A}", "$a"),
        ("$A $ 5$", "$A $ 5$"),
        ("}", "}"),
    ],
)
def test_good(text: str, expected: str) -> None:
    """Variables are replaced once; all else stays as it is, but for ``$$``."""
    assert interpolate(text, ENVIRON) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${UNSET}", "environment variable UNSET is not set"),
        ("${A} ${UNSET}", "environment variable UNSET is not set"),
        ("${A:-${UNSET}}", "the default of ${A} has a variable in it: they do not nest"),
        *(
            (
                text,
                "a ${ that is neither ${NAME} nor ${NAME:-default}; a literal $ is written $$",
            )
            for text in ("${", "${}", "${A", "${1}", "${A-b}", "${A:b}", "${ A }", "${Ä}")
        ),
    ],
)
def test_bad(text: str, message: str) -> None:
    """What is not set, and what only looks like a variable, is told without the text around."""
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole message is compared
        interpolate(text, ENVIRON)

    assert str(raised.value) == message


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_written(text: str) -> None:
    """With each ``$`` doubled, any text comes out as it was meant."""
    assert interpolate(text.replace("$", "$$"), {}) == text
