"""Where a key stands in a YAML document, by PyYAML's own nodes."""

from __future__ import annotations

import re
from copy import copy
from typing import Final, TypeAlias

import yaml

_Path: TypeAlias = tuple[str | int, ...]

#: What may stand before a node, even lines before it: its anchor and its tag.
_PROPERTIES: Final = re.compile(r"(?:[&!]\S*\s*(?:#.*\s*)*)*")


class _Loader(yaml.SafeLoader):
    """PyYAML's loader, which for an alias also knows where the alias stands."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        #: Where the items of sequences stand, by the node's id and their index.
        self.items: dict[tuple[int, int], int] = {}

    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        node = super().compose_node(parent, index)  # type: ignore[arg-type]
        if isinstance(index, int):
            self.items[id(parent), index] = event.start_mark.index
        if isinstance(event, yaml.AliasEvent) and isinstance(node, yaml.ScalarNode):
            # As a key, it stands here and not at its anchor. Collections are shared as they are.
            node = copy(node)
            node.start_mark = event.start_mark
        return node

    def child(self, node: yaml.Node, part: str | int) -> tuple[yaml.Node, int] | None:
        """Return the node at `part` of `node`, and where its key or itself stands."""
        if isinstance(node, yaml.SequenceNode):
            if isinstance(part, int) and 0 <= part < len(node.value):
                return node.value[part], self.items[id(node), part]
            return None
        if not isinstance(node, yaml.MappingNode):
            return None
        self.flatten_mapping(node)  # merge keys come first, and the last of equal keys counts
        found = [
            (rank, value, key.start_mark.index)
            for key, value in node.value
            if (rank := self._likeness(key, part))
        ]
        if not found:
            return None
        best = max(rank for rank, _, _ in found)
        _, value, start = [each for each in found if each[0] == best][-1]
        return value, start

    def _likeness(self, key: yaml.Node, part: str | int) -> int:
        """Tell how well a key answers to `part`: as itself, or as its text, or not at all."""
        value = self.construct_object(key, deep=True)
        if value == part and type(value) is type(part):
            return 2
        return int(part in (str(value), key.value))


def offset(text: str, path: _Path) -> int | None:
    """Return where the deepest key or item along `path` begins in `text`, or None."""
    loader = _Loader(text)
    node = loader.get_single_node()
    found = None
    for part in path:
        step = loader.child(node, part) if node is not None else None
        if step is None:
            break
        node, start = step
        properties = _PROPERTIES.match(text, start)
        found = properties.end() if properties else start
    return found
