"""What is wrong, each thing with the keys that lead to it, and none with a value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import attrs
from cattrs import BaseValidationError
from cattrs.errors import AttributeValidationNote, StructureHandlerNotFoundError

from gqlauth.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from gqlauth._config._document import Key

#: The message that a key is not there.
MISSING: Final = "missing"

# Validators may begin with the name of the field, which the key tells already.
_FIELD: Final = re.compile(r"(?:'(?P<attrs>\w+)' |(?P<ours>\w+): )(?P<rest>.+)", re.DOTALL)


@attrs.frozen
class Finding:
    """One thing that is wrong, by the keys that lead to it from where the search began."""

    keys: tuple[Key, ...]
    message: str
    #: Why a plugin does not import.
    cause: BaseException | None = attrs.field(default=None, repr=False, eq=False)

    def below(self, keys: tuple[Key, ...]) -> Finding:
        """Return it by the keys that lead to it from farther up."""
        return attrs.evolve(self, keys=(*keys, *self.keys))


class Wrong(Exception):  # noqa: N818 - it holds several
    """Findings, on their way out of a cattrs hook."""

    def __init__(self, found: Iterable[Finding]) -> None:
        self.found = tuple(found)
        super().__init__()


def findings(
    error: Exception, keys: tuple[Key, ...] = (), *, fields: Container[str] = ()
) -> Iterator[Finding]:
    """Yield all that an error of structuring tells, flat, each below `keys`.

    One that begins with the name of one of `fields` stands at that one's key.
    """
    if isinstance(error, Wrong):
        for found in error.found:
            yield found.below(keys)
    elif isinstance(error, BaseValidationError):
        for one in error.exceptions:
            yield from findings(one, (*keys, *_key_of(one)))
    else:
        message = _message(error)
        named = _FIELD.fullmatch(message)
        if named and (named["attrs"] or named["ours"]) in fields:
            keys = (*keys, named["attrs"] or named["ours"])
        if named and keys and (named["attrs"] or named["ours"]) == keys[-1]:
            message = named["rest"]
        yield Finding(keys, message, error.__cause__ if isinstance(error, ConfigError) else None)


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return the suggestion of the name that is closest, or nothing."""
    from difflib import get_close_matches  # noqa: PLC0415 - for who mistypes

    close = get_close_matches(name, list(names), n=1)
    return f'; did you mean "{close[0]}"?' if close else ""


def without_misspelt(wrong: Sequence[Finding]) -> list[Finding]:
    """Leave out that a key is missing, where one is there that seems to mean it."""
    meant = {
        (*found.keys[:-1], found.message.rpartition('did you mean "')[2].removesuffix('"?'))
        for found in wrong
    }
    return [
        found for found in wrong if not (found.message.startswith(MISSING) and found.keys in meant)
    ]


def _key_of(error: Exception) -> tuple[Key, ...]:
    """Return the key that cattrs noted on an error, as a path of one or none."""
    notes = getattr(error, "__notes__", ())
    return tuple(note.name for note in notes if isinstance(note, AttributeValidationNote))


def _message(error: Exception) -> str:
    if isinstance(error, ConfigError):
        return "; ".join(problem.message for problem in error.problems)
    if isinstance(error, KeyError) and _key_of(error):  # noted by cattrs, of a dataclass's field
        return MISSING
    if isinstance(error, StructureHandlerNotFoundError):
        return "its type is none that a configuration can hold"
    if isinstance(error, ValueError | TypeError) and error.args:
        # attrs' validators add the field, what was expected, and the value.
        return str(error.args[0])
    return f"cannot be used: {type(error).__name__}"
