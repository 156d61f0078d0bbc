"""The keys of a table that stands for an attrs class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping


def keys_of(cls: type) -> Mapping[str, attrs.Attribute[Any]]:
    """Return the fields that an attrs class is made with, by their keys.

    A field whose metadata has ``key`` as False is none that a file may set.
    """
    fields: Any = attrs.fields(cls)
    return {
        field.alias: field for field in fields if field.init and field.metadata.get("key", True)
    }


def names_of(cls: type) -> tuple[str, ...]:
    """Return the keys that make up an attrs class in a configuration."""
    return tuple(keys_of(cls))
