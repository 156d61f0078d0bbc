"""A secret's reference in a configuration, ``{ env = "NAME" }``, to the `Secret` it stands for."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, Final

import attrs

from gqlauth._config._document import KeyPlace, Table, kind_of
from gqlauth._config._findings import Wrong, findings
from gqlauth._config._keys import names_of
from gqlauth._plugins import PluginGroup, canonical
from gqlauth._secret import Secret
from gqlauth.errors import SecretError

if TYPE_CHECKING:
    import cattrs

    from gqlauth._config._document import Document

#: Where secrets come from: one class a source.
SECRETS: Final = PluginGroup("gqlauth.secrets", "secret source", SecretError)
# The one that is run, and so somewhere. It is ours: nobody else can have that name.
_COMMAND: Final = "command"


def secret_of(value: object, converter: cattrs.Converter, document: Document) -> Secret:
    """Return the secret that a reference stands for: a table with the source's name as its key."""
    if not isinstance(value, Table):
        raise TypeError(_no_reference(value))
    if len(value) != 1:
        known = ", ".join(sorted({plugin.name for plugin in SECRETS.installed()}))
        raise ValueError(f"a secret reference has one key, one of: {known}")
    ((name, setting),) = value.items()
    cls = _source_class(name)
    fields = names_of(cls)
    # A source with one field is written { name = VALUE }, one with several { name = { … } }.
    settings = {fields[0]: setting} if len(fields) == 1 else setting
    try:
        source: Any = converter.structure(settings, cls)
    except Exception as error:
        hidden = 1 if len(fields) == 1 else 0
        raise Wrong(
            attrs.evolve(found, keys=(name, *found.keys[hidden:])) for found in findings(error)
        ) from error
    if canonical(name) == _COMMAND:
        source = attrs.evolve(source, folder=document.path.absolute().parent)
    return Secret.from_source(source, place=KeyPlace(document, value.keys_to))


def _source_class(name: str) -> type:
    cls = SECRETS.load(name)
    if not attrs.has(cls) or not inspect.iscoroutinefunction(getattr(cls, "read", None)):
        plugin = SECRETS.find(name)
        raise SecretError(
            f'secret source "{plugin.name}" cannot be used: {plugin.target} of {plugin} is no '
            'attrs class with "async def read(self)"'
        )
    return cls


def _no_reference(value: object) -> str:
    variable = re.fullmatch(r"\$\{(\w+)(:-[^}]*)?\}", value) if isinstance(value, str) else None
    if variable is not None:
        return f'a secret is a reference: write {{ env = "{variable[1]}" }}'
    return (
        'expected a reference such as { env = "NAME" }, { file = "PATH" } or '
        f'{{ command = ["PROGRAM", "ARGUMENT"] }}, got {kind_of(value)}'
        + ("; a secret is never written into the file" if isinstance(value, str) else "")
    )
