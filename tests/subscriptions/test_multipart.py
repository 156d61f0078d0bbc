"""Multipart bodies, read as they come in pieces."""

from __future__ import annotations

import pytest

from gqlauth._subscriptions import _multipart
from gqlauth._subscriptions._bounds import TooLargeError
from gqlauth._subscriptions._multipart import Parts

BOUNDARY = 'multipart/mixed; boundary="-a"'


def read(*pieces: bytes, kind: str = BOUNDARY) -> tuple[list[bytes], bool]:
    parts = Parts(kind)
    return [part for piece in pieces for part in parts.feed(piece)], parts.is_complete


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_pieces(end: bytes) -> None:
    """They may be cut anywhere."""
    lines = [b"before", b"---a", b"a: b", b"c: d", b"", b'{"a": {}}', b"---a", b"", b"1", b"---a--"]
    text = end.join([*lines, b"behind"])
    told = [part.strip() for part in read(*(text[at : at + 1] for at in range(len(text))))[0]]

    assert told == [b'{"a": {}}', b"1"]
    for cut in range(len(text)):
        parts, is_complete = read(text[:cut], text[cut:])
        assert ([part.strip() for part in parts], is_complete) == (told, True)


def test_part_before_its_end() -> None:
    """A whole object is handed on though no delimiter has come, and only once."""
    parts = Parts(BOUNDARY)

    assert list(parts.feed(b'---a\r\n\r\n{"a": {}')) == []
    assert list(parts.feed(b"}")) == [b'{"a": {}}']
    assert list(parts.feed(b"\r\n")) == []
    assert list(parts.feed(b"---a\r\n\r\n")) == []
    assert list(parts.feed(b"1")) == []
    assert list(parts.feed(b"}")) == []
    assert list(parts.feed(b"\r\n---a--")) == [b"1}"]
    assert parts.is_complete


def test_part_before_the_line_ends() -> None:
    """It is so as well where the line of the delimiter comes to its end with the next part."""
    parts = Parts(BOUNDARY)

    assert list(parts.feed(b"---a")) == []
    assert list(parts.feed(b'\r\n\r\n{"a": 1}\r\n---a')) == [b'{"a": 1}']
    assert list(parts.feed(b'\r\n\r\n{"a": 2}\r\n---a')) == [b'{"a": 2}']
    assert list(parts.feed(b"--")) == []
    assert parts.is_complete


@pytest.mark.parametrize(
    ("kind", "boundary"),
    [
        ("multipart/mixed", b"-"),
        ("multipart/mixed; boundary=graphql; subscriptionSpec=1.0", b"graphql"),
        ('Multipart/Mixed;BOUNDARY="a;b\\"c"', b'a;b"c'),
        ("multipart/mixed; boundary=a.*+", b"a.*+"),
    ],
)
def test_boundary(kind: str, boundary: bytes) -> None:
    """It may be quoted, or not be named at all."""
    text = b"--%b\r\n\r\n1\r\n--%b--" % (boundary, boundary)

    assert read(text, kind=kind) == ([b"1"], True)


def test_boundary_within_a_text() -> None:
    """What is not at the beginning of a line is none, nor what merely begins like one."""
    assert read(b"---a\r\n\r\n1 ---a\r\n---ab\r\n---a--") == ([b"1 ---a\r\n---ab"], True)


def test_empty_part() -> None:
    """The line that ends its headers may be the delimiter's, too."""
    assert read(b"---a\r\na: b\r\n\r\n---a--") == ([b""], True)


def test_cut_off() -> None:
    """Without the last delimiter it is not complete."""
    assert read(b"---a\r\n\r\n1\r\n---a\r\n") == ([b"1"], False)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b'{"a":' * 5_000 + b"1" + b"}" * 5_000, id="nested too deep to be read"),
        pytest.param(b' {"}\\"}": "{\\\\", "b": "\\u007d"}', id="braces in strings"),
        pytest.param(b"{a}", id="no JSON"),
    ],
)
def test_object(text: bytes) -> None:
    """It is handed on as its last brace comes, whatever pieces it comes in."""
    parts = Parts(BOUNDARY)
    list(parts.feed(b"---a\r\n\r\n"))

    told = [list(parts.feed(text[at : at + 1])) for at in range(len(text))]
    assert told == [[]] * (len(text) - 1) + [[text]]


@pytest.mark.parametrize("text", [b'[{}, "{}", {}]', b"}{}", b'"{}"', b"\\{}", b"1"])
def test_other_values(text: bytes) -> None:
    """What is no object is handed on as the delimiter comes."""
    parts = Parts(BOUNDARY)

    assert list(parts.feed(b"---a\r\n\r\n" + text)) == []
    assert list(parts.feed(b"\r\n---a--")) == [text]


def test_objects_are_read_once() -> None:
    """They take no time that grows with the square of their size, which would be long here."""
    parts = Parts(BOUNDARY)
    list(parts.feed(b'---a\r\n\r\n{"a": ['))
    for _ in range(2_000):
        assert list(parts.feed(b'{"b": "c"}, {"b": 1}' * 20)) == []

    assert len(next(iter(parts.feed(b"]}")))) == 800_009


def test_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part is not larger than any should be."""
    monkeypatch.setattr(_multipart, "LARGEST_EVENT", 20)
    assert read(*[b"---a\r\n\r\n123\r\n"] * 5)[0] == [b"123"] * 4
    with pytest.raises(TooLargeError):
        read(b"---a\r\n\r\n1234567", b"8901234567890123")


def test_many_headers_are_read_once() -> None:
    """They take no time that grows with the square of their number, which would be minutes here."""
    parts = Parts("multipart/mixed; boundary=-")
    list(parts.feed(b"---\r\n"))
    for _ in range(500):
        list(parts.feed(b"a: b\r\n" * 10_000))

    assert list(parts.feed(b"\r\n{}")) == [b"{}"]
