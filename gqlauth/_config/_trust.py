"""Trust in a configuration file that was found in a project: what it would do, and who allowed it.

Whoever writes such a file decides which command runs here, and where a secret goes. So it is used
only after the user has seen what it does. What is remembered is a digest of all in it that
matters: an edit elsewhere asks for nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gqlauth._config._absent import is_none
from gqlauth._config._deeds import deeds, is_harmless, reads_variable
from gqlauth._config._document import Table, shown
from gqlauth._registry import NO_AUTH
from gqlauth.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gqlauth._config._document import Document, Key

#: The variable that, as ``1``, lets every file be trusted: for unattended use.
VARIABLE: Final = "GQLAUTH_TRUST"

_VERSION: Final = 1
_HOW: Final = 'if all of this is as it should be: "gql config trust"'


class Unread(Mapping[str, str]):
    """The environment of a file that is not trusted: each variable stands for itself, unread."""

    def __getitem__(self, name: str) -> str:
        return f"${{{name}}}"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def has_variable(document: Document, keys: tuple[Key, ...]) -> bool:
    """Tell whether what `keys` lead to is a text with a variable in it."""
    value: Any = document.data
    for key in keys[len(document.data.keys_to) :]:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return False
    return reads_variable(value)


def distrust(document: Document, environ: Mapping[str, str]) -> tuple[Problem, ...]:
    """Return why a file of a project is not used yet, and what it would do; nothing if it may be.

    A file without authentication, secrets and variables needs no trust.
    """
    if environ.get(VARIABLE) == "1" or not _needs_trust(document.data):
        return ()
    known = _recorded(document.path)
    if known == _digest(document.data):
        return ()
    why = "it was found in a project" if known is None else "it has changed since it was"
    told = f"not trusted: {why}, and uses secrets or variables; {_HOW}"
    return (Problem(told, file=shown(document.path)), *deeds(document))


def trust(document: Document) -> None:
    """Remember that the user trusts this file, as it is now.

    Raises:
        ConfigError: when that cannot be written down.

    """
    import tempfile  # noqa: PLC0415 - only who trusts writes

    path = _record(document.path)
    content = {
        "version": _VERSION,
        "path": str(document.path.absolute()),
        "digest": _digest(document.data),
    }
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Under its own name only once it is whole; mkstemp lets nobody else read it.
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                json.dump(content, file)
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(f"trust cannot be remembered in {path.parent}: {reason}") from None


def _needs_trust(data: Table) -> bool:
    """Tell whether a file uses anything of the user's: a secret, a token, a variable."""
    if data.get("auth") or any(reads_variable(value) for _, value in _leaves(data, ())):
        return True
    if _has_table(data.get("cache")):
        return True
    endpoints = data.get("endpoints")
    return any(
        # A token is a secret too, also one that no secret of this file has brought.
        not is_none(endpoint.get("auth", NO_AUTH)) or _has_table(endpoint.get("headers"))
        for endpoint in (endpoints.values() if isinstance(endpoints, Table) else ())
        if isinstance(endpoint, Table)
    )


def _has_table(value: object) -> bool:
    return isinstance(value, Table) and any(isinstance(item, Table) for item in value.values())


def _digest(data: Table) -> str:
    matter = [[keys, value] for keys, value in _leaves(data, ()) if _matters(keys, value)]
    # Dates are neither text nor numbers; a table's order means nothing.
    matter.sort(key=lambda leaf: json.dumps(leaf[0]))
    return sha256(json.dumps(matter, default=repr).encode("ascii")).hexdigest()


def _leaves(value: Any, keys: tuple[Key, ...]) -> Iterator[tuple[tuple[Key, ...], Any]]:  # noqa: ANN401 - plain data
    """Yield the values that hold no others, and tables and lists that are empty."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*keys, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, (*keys, index))
    else:
        yield keys, value


def _matters(keys: tuple[Key, ...], value: object) -> bool:
    if isinstance(value, str) and ("://" in value or reads_variable(value)):
        return True
    return not is_harmless(keys)


def _record(path: Path) -> Path:
    """Return where trust in a file is remembered."""
    from platformdirs import user_state_path  # noqa: PLC0415 - only where a project has a file

    folder = user_state_path("gqlauth", appauthor=False) / "trust"
    name = sha256(str(path.absolute()).encode("utf-8", "surrogateescape")).hexdigest()
    return folder / f"{name}.json"


def _recorded(path: Path) -> str | None:
    """Return the digest that is remembered of a file; None where there is none that can be read."""
    try:
        content = json.loads(_record(path).read_bytes())
        if content["version"] == _VERSION and content["path"] == str(path.absolute()):
            return str(content["digest"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return None
