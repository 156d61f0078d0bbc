"""The cache's key: a digest of everything that shapes a token, and of no secret's value."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import ref

import attrs

from gqlauth._secret import Secret
from gqlauth._secret_sources import EnvSource

if TYPE_CHECKING:
    from gqlauth._options import AuthOptions

# A secret given in code has no reference to tell it by; its value is digested under a key that
# no other process knows, so that the digest gives nothing away.
_PROCESS_KEY: Final = secrets.token_bytes(32)
# Fields of several, in which the order does not matter.
_SETS: Final = frozenset({"scope", "scopes"})
# The marks of what is known by itself, by where it lies in memory. An address alone tells nothing:
# it is given away again, and with it would be the token of what lay there before.
_MARKS: Final[dict[int, tuple[ref[object], str]]] = {}


class CacheKey(NamedTuple):
    """The key of a token, and what it means to another process."""

    digest: str
    #: Whether it means the same there. Else there is something in it that no other process knows,
    #: or that is another one there.
    lasting: bool = True
    #: The environment variables that its secrets stand in, which may be others there.
    variables: tuple[str, ...] = ()


def cache_key(strategy: object, options: AuthOptions) -> CacheKey:
    """Return the key under which the token of `strategy` is kept.

    Strategies of one class with equal fields share it; the order of scopes does not matter, their
    case does. One that is no attrs class shares with none but itself.
    """
    cls = type(strategy)
    writer = _Writer()
    shape = {
        "strategy": f"{cls.__module__}:{cls.__qualname__}",
        "ca_file": None if options.ca_file is None else str(options.ca_file),
        "fields": writer.fields(strategy) if attrs.has(cls) else writer.mark(strategy),
    }
    digest = hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()
    return CacheKey(digest, writer.lasting, tuple(sorted(writer.variables)))


class _Writer:
    """Writes values as what JSON writes in one way only."""

    __slots__ = ("lasting", "variables")

    def __init__(self) -> None:
        #: Whether all that was written means the same to another process.
        self.lasting = True
        #: The environment variables that secrets stand in.
        self.variables: set[str] = set()

    def fields(self, value: Any) -> Any:  # noqa: ANN401 - any attrs instance
        self._named(type(value))
        return {
            # RFC 6749, section 3.3: the order of scopes does not matter.
            field.name: self._plain(getattr(value, field.name), is_set=field.name in _SETS)
            for field in attrs.fields(type(value))
        }

    def mark(self, value: object) -> str:
        self.lasting = False
        return _mark(value)

    def _plain(self, value: Any, *, is_set: bool = False) -> Any:  # noqa: ANN401, PLR0911 - one line a type
        if isinstance(value, Secret):
            return ["secret", self._secret(value)]
        if value is None or isinstance(value, str | int | float | bool):
            return value
        if isinstance(value, Mapping):
            pairs = [[self._plain(key), self._plain(item)] for key, item in value.items()]
            return ["mapping", sorted(pairs, key=json.dumps)]
        if isinstance(value, bytes):
            return ["bytes", value.hex()]
        if isinstance(value, Sequence):
            items = [self._plain(item) for item in value]
            return ["set", sorted(items, key=json.dumps)] if is_set else items
        if isinstance(value, AbstractSet):
            return ["set", sorted((self._plain(item) for item in value), key=json.dumps)]
        if isinstance(value, Enum):
            return [self._named(type(value)), value.name]
        if isinstance(value, PurePath):
            # A relative one is another file in another folder.
            self.lasting &= value.is_absolute()
            return ["path", str(value)]
        if attrs.has(type(value)):
            return [type(value).__qualname__, self.fields(value)]
        # What is not known by its value is known by itself: no sharing, and no mistake.
        return [type(value).__qualname__, self.mark(value)]

    def _named(self, cls: type) -> str:
        # Each script has classes of its own under the same names.
        if cls.__module__ == "__main__" or "<locals>" in cls.__qualname__:
            self.lasting = False
        return cls.__qualname__

    def _secret(self, secret: Secret) -> Any:  # noqa: ANN401 - as above
        if isinstance(secret.reference, EnvSource):
            self.variables.add(secret.reference.name)
        if secret.reference is not None:
            return ["reference", self._plain(secret.reference)]
        self.lasting = False
        return hashlib.blake2b(secret.reveal().encode(), key=_PROCESS_KEY).hexdigest()


def _mark(value: object) -> str:
    """Return what nothing else is called: no other object, no later one, in no other process."""
    address = id(value)
    watch, mark = _MARKS.get(address, (None, ""))
    if watch is not None and watch() is value:
        return mark
    mark = secrets.token_hex(16)
    with suppress(TypeError):  # what cannot be watched is another each time
        _MARKS[address] = ref(value, lambda _: _MARKS.pop(address, None)), mark
    return mark
