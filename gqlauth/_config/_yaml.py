"""YAML as data: PyYAML's safe loader, which also refuses what that one passes over."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

import yaml

from gqlauth._config._trouble import SyntaxTroubleError

#: Keys in one file, those that come by ``<<`` counted each time: they can double at each level.
MOST_KEYS: Final = 100_000

_MERGE: Final = "tag:yaml.org,2002:merge"
# What PyYAML quotes of its own: a token, such as '<scalar>' or ']'. Else it is text of the file.
_OWN: Final = re.compile(r"(?:[^'\"]|'(?:<[^'\"]*>|.)')*")


def load(text: str) -> Any:  # noqa: ANN401 - what a file holds
    """Return what a document holds.

    Raises:
        SyntaxTroubleError: when it does not parse, or is no single document.

    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SyntaxTroubleError("has a character that YAML does not allow", line) from None
    except yaml.MarkedYAMLError as error:
        _refuse(_message(error), error.problem_mark)


class _Loader(yaml.SafeLoader):
    _keys = 0

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:  # noqa: ANN401 - the stubs err
        """Refuse a key that stands twice. Not when it is constructed: it has merged keys then."""
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                continue
            if key.value in seen:
                _refuse(f"the key {json.dumps(key.value)} stands twice in one table", key)
            seen.add(key.value)
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge what ``<<`` names, up to a limit."""
        super().flatten_mapping(node)
        self._keys += len(node.value)
        if self._keys > MOST_KEYS:
            _refuse("holds too much", node)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - as inherited
        """Tell where a value is that is none: no day of the calendar, a ``!!bool`` that is none."""
        try:
            return super().construct_object(node, deep)
        except (yaml.YAMLError, SyntaxTroubleError, RecursionError):
            raise
        except Exception:  # noqa: BLE001 - PyYAML does not look before it indexes, divides, …
            _refuse("is no value of the type that it looks like: put it in quotes", node)


def _refuse(message: str, where: yaml.Node | yaml.Mark | None) -> NoReturn:
    mark = where.start_mark if isinstance(where, yaml.Node) else where
    place = () if mark is None else (mark.line + 1, mark.column + 1)
    raise SyntaxTroubleError(message, *place) from None


def _message(error: yaml.MarkedYAMLError) -> str:
    message = error.problem or "is no YAML"
    if message.startswith("but found"):
        message = f"{error.context}, {message}"
    # The scanner quotes single characters; the others a whole tag, or the name of an alias.
    if isinstance(error, yaml.scanner.ScannerError) or _OWN.fullmatch(message):
        return message
    return re.split("['\"]", message)[0].rstrip()
