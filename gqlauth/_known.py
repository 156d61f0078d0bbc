"""The secrets and tokens that are alive, and the forms in which they may come up in a text.

None of them is kept here, nor a piece of one: what is remembered is a weak reference to what
gives the value, and hashes by which a text is searched. So a value is forgotten with the `Secret`
or the `Token` that it belongs to.
"""

from __future__ import annotations

import math
import re
from threading import RLock
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    #: Returns the value of its owner.
    Give = Callable[[Any], str]

#: A shorter value is not looked for: it would be found everywhere.
SHORTEST_KNOWN: Final = 6
#: So many values are looked for at the most; beyond, the first to come is the first to go.
MOST_KNOWN: Final = 10_000
# What stays as it is, however it is written; but for base64.
_AS_IT_IS: Final = re.compile(r"[A-Za-z0-9._~-]*")
# What HTML writes otherwise.
_OF_MARKUP: Final = frozenset("&<>\"'")
#: Hashes of values that are gone are swept out when there are more than this, and than the others.
MOST_GONE: Final = 64


class Known:
    """The values that are alive, and where they stand in a text.

    A text is looked up piece by piece, so that what it costs does not grow with their number:
    of each form of a value, the last pieces are indexed (the first ones are those of all JWTs, or
    of all tokens of a server), as many as make sure that one of them falls on a place which is
    looked at.
    """

    def __init__(self, most: int = MOST_KNOWN) -> None:
        self._most = most
        # The owners of values, each with what gives its value.
        self._coming: dict[ref[object], Give] = {}
        self._live: dict[ref[object], Give] = {}
        self._index: dict[int, list[ref[object]]] = {}
        self._gone = 0
        # No form is shorter than that, and so every so many characters a text is looked at.
        self._shortest: float = math.inf
        self._stride = SHORTEST_KNOWN
        # One for all: each look-up of a method makes another.
        self._forgetting = self._forget
        # Not a Lock: what the collector of garbage runs meanwhile may log something itself.
        self._lock = RLock()

    def remember(self, owner: object, give: Give) -> None:
        """Look for the value that `give` returns of `owner`, while `owner` lives.

        Owners are told apart by what they are, so none may be equal to another.
        """
        # That is all as long as nothing is logged.
        self._coming[ref(owner, self._forgetting)] = give

    def _forget(self, gone: ref[object]) -> None:
        # Without the lock: this may run wherever the collector of garbage does.
        if self._coming.pop(gone, None) is None and self._live.pop(gone, None) is not None:
            self._gone += 1

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where values stand in `text`, as beginnings and ends, in no order."""
        # Most of what is logged is short, and most of what is secret is long.
        if len(text) < self._shortest and not self._coming:
            return []
        with self._lock:
            if self._coming or self._gone > max(MOST_GONE, len(self._live)):
                self._take()
            found: dict[ref[object], None] = {}
            known_at = self._index.get
            for at in range(0, len(text) - SHORTEST_KNOWN + 1, self._stride):
                for one in known_at(hash(text[at : at + SHORTEST_KNOWN]), ()):
                    found[one] = None
            spans: list[tuple[int, int]] = []
            for one in found:
                owner, give = one(), self._live.get(one)
                if owner is not None and give is not None:
                    spans += spans_of(text, give(owner))
            return spans

    def _take(self) -> None:
        """Index what has come, and drop what is gone."""
        if self._gone > max(MOST_GONE, len(self._live)):
            self._coming.update(self._live.copy())
            self._live, self._index, self._gone = {}, {}, 0
            self._shortest, self._stride = math.inf, SHORTEST_KNOWN
        # In the order in which they came; what comes or goes meanwhile harms nothing.
        for one, give in self._coming.copy().items():
            owner = one()
            if owner is not None:
                self._live[one] = give
                for form in forms(give(owner)):
                    self._add(form, one)
            self._coming.pop(one, None)
        for one in tuple(self._live)[: max(0, len(self._live) - self._most)]:
            self._forget(one)

    def _add(self, form: str, one: ref[object]) -> None:
        spare = len(form) - SHORTEST_KNOWN + 1
        self._shortest = min(self._shortest, len(form))
        self._stride = min(self._stride, spare)
        for back in range(min(SHORTEST_KNOWN, spare)):
            at = len(form) - SHORTEST_KNOWN - back
            self._index.setdefault(hash(form[at : at + SHORTEST_KNOWN]), []).append(one)


#: Those of this process.
KNOWN: Final = Known()


def spans_of(text: str, value: str) -> Iterator[tuple[int, int]]:
    """Give where `value` stands in `text`, in whatever form."""
    for form in forms(value):
        at = text.find(form)
        while at >= 0:
            yield at, at + len(form)
            at = text.find(form, at + 1)


def masked(text: str, spans: Iterable[tuple[int, int]], mask: str, limit: int) -> str:
    """Return what of `text` is before `limit`, with a `mask` in place of each of the `spans`.

    Of those that overlap there is one; one that begins before the limit is masked whole.
    """
    parts: list[str] = []
    done = 0
    for start, end in sorted(spans):
        if start >= limit:
            break
        if start >= done:
            parts += (text[done:start], mask)
        done = max(done, end)
    return "".join([*parts, text[done:limit]])


def forms(value: str) -> set[str]:
    """Return the forms in which `value` may come up in a text; none for one that is too short."""
    return set(_forms(value)) if len(value) >= SHORTEST_KNOWN else set()


def _forms(value: str) -> Iterator[str]:
    data = value.encode("utf-8", "surrogatepass")
    yield value
    yield from _base64_forms(data)
    if _AS_IT_IS.fullmatch(value):
        return
    # Nothing of this is paid for where no such secret was sent.
    from urllib.parse import quote, quote_plus  # noqa: PLC0415

    quoted = quote(data, safe="")
    yield quoted
    yield quote(data)
    yield quote_plus(data)
    yield re.sub("%..", lambda escape: escape[0].lower(), quoted)
    # A URL within another's query.
    yield quote(quoted, safe="")
    # client_secret_basic encodes twice.
    yield from _base64_forms(quoted.encode("ascii"))
    # As it is; as those make of it who know no more than ASCII; as a header is read that is taken
    # for what RFC 9110 (section 5.5) tells of old.
    ascii_alone = value.encode("ascii", "replace").decode("ascii")
    for text in dict.fromkeys((value, ascii_alone, data.decode("latin-1"))):
        yield text
        yield from _literals(text, text.encode("utf-8", "surrogatepass"))


def _literals(value: str, data: bytes) -> Iterator[str]:
    """Give `value` as JSON, Python and HTML write it, also within what they write themselves."""
    import json  # noqa: PLC0415 - see above

    once = {
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        ascii(value)[1:-1],
        # Beside a double quote, a single one is escaped.
        repr(f'"{value}')[2:-1],
        # As httpcore logs headers, and logging what was not decoded.
        repr(data)[2:-1],
        repr(b'"' + data)[3:-1],
    }
    for form in once:
        yield form
        yield form.replace("/", r"\/")
        yield json.dumps(form)[1:-1]
        yield repr(form)[1:-1]
        yield from _markup(form)
    yield from _markup(value)


def _markup(value: str) -> Iterator[str]:
    """Give `value` as HTML writes it, where that is not as it is."""
    if not _OF_MARKUP.isdisjoint(value):
        import html  # noqa: PLC0415 - see above

        yield html.escape(value)


def _base64_forms(data: bytes) -> Iterator[str]:
    """Give the base64 of `data` wherever it stands in what was encoded.

    Three bytes become four characters, so there are three ways for it to fall; of each, the
    characters that `data` alone decides.
    """
    import base64  # noqa: PLC0415 - as above

    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode("ascii")
        form = encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        yield form
        yield form.replace("+", "-").replace("/", "_")
