"""`Secret`: a value that is used and never shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NoReturn, Protocol, final

from gqlauth._known import KNOWN
from gqlauth.errors import SecretError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gqlauth.errors import Place

MASK: Final = "***"
_HALF: Final = re.compile("[\ud800-\udfff]")


class SecretSource(Protocol):
    """Where a secret comes from. Its ``str()`` names the source and never the value.

    A source may also have ``check() -> str | None``, which tells what keeps it from being read
    as far as that is known without reading it: diagnostics ask it, so it must run nothing.
    """

    async def read(self) -> str:
        """Return the secret's text.

        Raises:
            SecretError: when it cannot be had.

        """


def _returned(reveal: Callable[[], str]) -> str:
    return reveal()


@final
class Secret:
    """A secret: text given in code, or a reference that is resolved at each use.

    It never prints: not by ``repr``, ``str``, ``format``, ``vars``, pickle, JSON, attrs or
    cattrs. Only `reveal` gives the text away.

    Two are equal when they come from the same source (or are both given in code), and have the
    same text at hand (or both none).

    Raises:
        SecretError: when the text is empty, is no text, or has half of a character in it.

    """

    # Not attrs: as an attrs class it would come out of attrs.asdict and cattrs in the clear. And
    # the text is no attribute, but what a function returns: whatever walks the slots, or all that
    # dir() names, finds that function.
    __slots__ = ("_place", "_reveal", "_source")

    def __init__(self, text: str) -> None:
        self._reveal: Callable[[], str] | None = None
        self._source: SecretSource | None = None
        self._place: Place | None = None
        wrong = ""
        if not (text and isinstance(text, str)):
            wrong = "a secret is text, and not empty"
        elif _HALF.search(text):
            # It would fail as it is encoded, and such an error holds all of it.
            wrong = "a secret has half of a character (a lone surrogate) in it"
        if wrong:
            del text  # a traceback that shows variables shows this one
            raise SecretError(wrong)
        self._reveal = lambda: text
        # Not the secret itself, as another may be equal to it.
        KNOWN.remember(self._reveal, _returned)

    @classmethod
    def from_source(cls, source: SecretSource, *, place: Place | None = None) -> Secret:
        """Return a secret that reads `source` each time it is resolved.

        `place` is where the reference stands in a configuration file, for errors.
        """
        secret: Secret = cls.__new__(cls)
        secret._reveal = None
        secret._source = source
        secret._place = place
        return secret

    @property
    def source(self) -> str:
        """Return what may be told of where the secret comes from, such as ``env NAME``."""
        return "given in code" if self._source is None else str(self._source)

    @property
    def reference(self) -> SecretSource | None:
        """Return the source that the secret is read from; None for text given in code."""
        return self._source

    @property
    def is_reference(self) -> bool:
        """Tell whether the text is still to be read from a source."""
        return self._reveal is None

    def check(self) -> None:
        """Raise if it can be told, without reading the secret, that reading it would fail.

        Raises:
            SecretError: with the place in the configuration file, if it came from one.

        """
        check = getattr(self._source, "check", None)
        trouble = check() if check is not None else None
        if trouble is not None:
            raise SecretError(trouble).at(self._place)

    def error(self, what: str) -> SecretError:
        """Return the error that tells what is wrong with this secret, and where it stands.

        `what` follows "the secret (env NAME)", such as ``has a control character``.
        """
        return SecretError(f"the secret ({self.source}) {what}").at(self._place)

    async def resolve(self) -> Secret:
        """Return this secret with its text at hand; a reference is read anew at each call.

        Raises:
            SecretError: with the place in the configuration file, if it came from one.

        """
        if self._source is None:
            return self
        try:
            resolved = Secret(await self._source.read())
        except SecretError as error:
            raise error.at(self._place) from error.__cause__
        except Exception as error:
            # Not in its words, which nobody wrote for users, and which may quote what was read.
            raise self.error(f"cannot be read: {type(error).__name__}") from error
        resolved._source = self._source
        resolved._place = self._place
        return resolved

    def reveal(self) -> str:
        """Return the text itself: for the line that sends it, and no variable.

        Raises:
            SecretError: for a reference; `resolve` it first.

        """
        if self._reveal is None:
            raise self.error("is a reference: resolve it first")
        return self._reveal()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        if self._source != other._source or self.is_reference != other.is_reference:
            return False
        return self.is_reference or self.reveal() == other.reveal()

    def __hash__(self) -> int:
        # Not of the text: a hash is shown without a thought, and short secrets could be guessed.
        return hash((Secret, self.source, self.is_reference))

    def __repr__(self) -> str:
        return f"Secret({MASK if self._source is None else self.source})"

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: it would be written out in the clear")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self.__getstate__()
