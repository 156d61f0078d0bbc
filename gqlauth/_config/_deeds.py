"""What a configuration file would do: what it reads and runs, and where it sends."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Final

from gqlauth._config._document import Table, shown
from gqlauth._config._reference import SECRETS
from gqlauth._plugins import canonical
from gqlauth._secret import MASK
from gqlauth.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gqlauth._config._document import Document, Key

#: Things that a file would do that are told, and characters of each, at the most.
MOST_TOLD: Final = 200
LONGEST_TOLD: Final = 300

# User name and password of a URL, but for variables, which are to be seen.
_USERINFO: Final = re.compile(r"(?<=//)(?![^/?#]*\$\{)[^/?#]*@")
_RUNS: Final = "runs "

# What decides neither what is run nor where anything goes, by its path without an endpoint's or a
# profile's name. A URL or a variable in one of them counts all the same.
_OF_AUTH: Final = (
    "timeout",
    "refresh_window",
    "default_lifetime",
    "scopes",
    "audience",
    "resource",
    "client_id",
    "token_endpoint_auth_method",
)
_HARMLESS: Final = {
    ("default_endpoint",),
    ("endpoints", "timeout"),
    ("endpoints", "retry_on"),
    *(("endpoints", "auth", name) for name in _OF_AUTH),
    *(("auth", name) for name in _OF_AUTH),
}


def deeds(document: Document) -> tuple[Problem, ...]:
    """Return what a file would do, each thing at its place and as it stands there.

    It is shown without a mask, behind which whoever wrote the file could hide a part of it. Where
    there is more than anybody reads, commands are told first.
    """
    sources = {plugin.name for plugin in SECRETS.installed()}
    found = list(_deeds(document.data, (), sources))
    if len(found) > MOST_TOLD:
        found.sort(key=lambda deed: not deed[1].startswith(_RUNS))
    root = document.data.keys_to
    told = [
        document.problem((*root, *keys), message, verbatim=True)
        for keys, message in found[:MOST_TOLD]
    ]
    if len(found) > MOST_TOLD:
        more = f"does {len(found) - MOST_TOLD} things more of the kind"
        told.append(Problem(more, file=shown(document.path)))
    return tuple(told)


def reads_variable(value: object) -> bool:
    """Tell whether `value` is a text with a variable in it."""
    return isinstance(value, str) and "${" in value


def is_harmless(keys: tuple[Key, ...]) -> bool:
    """Tell whether what stands at `keys` decides neither what is run nor where anything goes."""
    names = [key for key in keys if isinstance(key, str)]
    # The second is what the user calls an endpoint, or a profile.
    return (*names[:1], *names[2:]) in _HARMLESS


def _deeds(
    value: object, keys: tuple[Key, ...], sources: set[str]
) -> Iterator[tuple[tuple[Key, ...], str]]:
    """Yield what is done with what stands at `keys`, and below."""
    if isinstance(value, Table):
        reference = _reference(value, keys, sources)
        if reference is not None:
            yield keys, reference
            return
        for key, item in value.items():
            yield from _deeds(item, (*keys, key), sources)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _deeds(item, (*keys, index), sources)
    elif isinstance(value, str):
        told = _of_text(value, keys)
        if told is not None:
            yield keys, told


def _of_text(text: str, keys: tuple[Key, ...]) -> str | None:
    """Return what is done with a text; None for nothing that matters."""
    if reads_variable(text):
        return f"reads variables: {_short(text)}"
    if "://" in text and not is_harmless(keys):
        return f"sends to {_short(_USERINFO.sub(f'{MASK}@', text))}"
    name = str(keys[-1])
    if name == "ca_file":
        return f"trusts servers by the certificates in {_short(text)}"
    return f"reads the file {_short(text)}" if name.endswith("_file") else None


def _reference(table: Table, keys: tuple[Key, ...], sources: set[str]) -> str | None:
    """Return what a secret's reference does; None for a table that is none."""
    # These hold values by names that the user chooses.
    if len(table) != 1 or keys[-1:] in {("headers",), ("params",), ("endpoints",), ("auth",)}:
        return None
    ((name, value),) = table.items()
    name = canonical(name)
    if name not in sources:
        return None
    if name == "command" and isinstance(value, list):
        return f"{_RUNS}{_short(shlex.join(map(str, value)))}"
    does = {"env": "reads the environment variable", "file": "reads the file"}
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return f"{does.get(name, f'reads from the {name}')} {_short(text)}"


def _short(text: str) -> str:
    more = len(text) - LONGEST_TOLD
    return text if more <= 0 else f"{text[:LONGEST_TOLD]}… ({more} characters more)"
