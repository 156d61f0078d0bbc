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
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

import attrs

from gqlauth._secret import Secret

if TYPE_CHECKING:
    from gqlauth._options import AuthOptions

# A secret given in code has no reference to tell it by; its value is digested under a key that
# no other process knows, so that the digest gives nothing away.
_PROCESS_KEY: Final = secrets.token_bytes(32)
# The marks of what is known by itself, by where it lies in memory. An address alone tells nothing:
# it is given away again, and with it would be the token of what lay there before.
_MARKS: Final[dict[int, tuple[ref[object], str]]] = {}


def cache_key(strategy: object, options: AuthOptions) -> str:
    """Return the key under which the token of `strategy` is kept.

    Strategies of one class with equal fields share it; the order of scopes does not matter, their
    case does. One that is no attrs class shares with none but itself.
    """
    cls = type(strategy)
    shape = {
        "strategy": f"{cls.__module__}:{cls.__qualname__}",
        "ca_file": None if options.ca_file is None else str(options.ca_file),
        "fields": _fields(strategy) if attrs.has(cls) else _mark(strategy),
    }
    return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()


def _fields(value: Any) -> Any:  # noqa: ANN401 - any attrs instance
    return {
        # RFC 6749, section 3.3: the order of scopes does not matter.
        field.name: _plain(getattr(value, field.name), is_set=field.name in {"scope", "scopes"})
        for field in attrs.fields(type(value))
    }


def _plain(value: Any, *, is_set: bool = False) -> Any:  # noqa: ANN401, PLR0911 - one line a type
    """Return `value` as something that JSON writes in one way only."""
    if isinstance(value, Secret):
        return ["secret", _secret(value)]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping):
        pairs = [[_plain(key), _plain(item)] for key, item in value.items()]
        return ["mapping", sorted(pairs, key=json.dumps)]
    if isinstance(value, bytes):
        return ["bytes", value.hex()]
    if isinstance(value, Sequence):
        items = [_plain(item) for item in value]
        return ["set", sorted(items, key=json.dumps)] if is_set else items
    if isinstance(value, AbstractSet):
        return ["set", sorted((_plain(item) for item in value), key=json.dumps)]
    if isinstance(value, Enum):
        return [type(value).__qualname__, value.name]
    if isinstance(value, PurePath):
        return ["path", str(value)]
    if attrs.has(type(value)):
        return [type(value).__qualname__, _fields(value)]
    # What is not known by its value is known by itself: no sharing, and no mistake.
    return [type(value).__qualname__, _mark(value)]


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


def _secret(secret: Secret) -> Any:  # noqa: ANN401 - as above
    if secret.reference is not None:
        return ["reference", _plain(secret.reference)]
    return hashlib.blake2b(secret.reveal().encode(), key=_PROCESS_KEY).hexdigest()
