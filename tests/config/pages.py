"""Documents in many styles, which know on which line they wrote what."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from random import Random

Path = tuple[str | int, ...]


@attrs.define
class Page:
    """A document that is being written, and the line that each path was written on."""

    random: Random
    text: str = ""
    lines: dict[Path, int] = attrs.field(factory=dict)

    def write(self, text: str) -> None:
        self.text += text

    def note(self, path: Path) -> None:
        self.lines.setdefault(path, self.text.count("\n") + 1)

    def maybe(self) -> bool:
        return self.random.random() < 0.5

    def gap(self, *choices: str) -> None:
        self.write(self.random.choice(("", " ", *choices)))

    def finished(self) -> str:
        return self.text.replace("\n", "\r\n") if self.maybe() else self.text


class Toml(Page):
    """A TOML document."""

    def key(self, key: str) -> str:
        spellings = [json.dumps(key, ensure_ascii=False)]
        spellings += ['"' + "".join(f"\\U{ord(letter):08x}" for letter in key) + '"']
        spellings += [f"'{key}'"] * ("'" not in key)
        spellings += [key] * bool(re.fullmatch("[A-Za-z0-9_-]+", key))
        return self.random.choice(spellings)

    def dotted(self, keys: tuple[str, ...]) -> str:
        return self.random.choice((".", " . ")).join(map(self.key, keys))

    def table(self, path: Path, names: tuple[str, ...], table: dict[str, Any]) -> None:
        below = {
            key: value
            for key, value in table.items()
            if (isinstance(value, dict) or self.is_tables(value)) and self.maybe()
        }
        rest = {key: value for key, value in table.items() if key not in below}
        for keys, value in self.pairs(rest):
            self.gap("\n", "# a = 1\n", "\t")
            self.pair(path, keys, value)
            self.gap("# [a]")
            self.write("\n")
        for key, value in below.items():
            here = (*path, key)
            for index, item in enumerate(value) if isinstance(value, list) else [(None, value)]:
                inner = here if index is None else (*here, index)
                implied = (
                    index is None and item and all(self.is_table(each) for each in item.values())
                )
                if implied and self.maybe():
                    # Without a header of its own, it is named by those of its tables.
                    for name, each in item.items():
                        self.header("[", "]", (*names, key, name), [here, (*here, name)])
                        self.table((*here, name), (*names, key, name), each)
                    continue
                brackets = ("[", "]") if index is None else ("[[", "]]")
                self.header(*brackets, (*names, key), [here, inner])
                self.table(inner, (*names, key), item)

    def header(self, left: str, right: str, names: tuple[str, ...], paths: list[Path]) -> None:
        self.gap("\n", "# [[a]]\n")
        for path in paths:
            self.note(path)
        self.write(f"{left}{self.dotted(names)} {right} # a = 1\n")

    def is_table(self, value: object) -> bool:
        return isinstance(value, dict)

    def is_tables(self, value: object) -> bool:
        return isinstance(value, list) and bool(value) and all(map(self.is_table, value))

    def pairs(self, table: dict[str, Any]) -> list[tuple[tuple[str, ...], Any]]:
        pairs: list[tuple[tuple[str, ...], Any]] = []
        for key, value in table.items():
            if isinstance(value, dict) and value and self.maybe():
                pairs += [((key, *keys), inner) for keys, inner in self.pairs(value)]
            else:
                pairs.append(((key,), value))
        self.random.shuffle(pairs)
        return pairs

    def pair(self, path: Path, keys: tuple[str, ...], value: object) -> None:
        for length in range(1, len(keys) + 1):
            self.note((*path, *keys[:length]))
        self.write(f"{self.dotted(keys)} = ")
        self.value((*path, *keys), value)

    def value(self, path: Path, value: object) -> None:
        if isinstance(value, dict):
            self.write("{")
            for index, (keys, inner) in enumerate(self.pairs(value)):
                self.write(", " if index else " ")
                self.pair(path, keys, inner)
            self.write(" }")
        elif isinstance(value, list):
            self.write("[")
            for index, item in enumerate(value):
                self.gap("\n", "# ] [a]\n", "\n\n  ")
                self.note((*path, index))
                self.value((*path, index), item)
                self.gap("\n", "# a = 1\n")
                self.write("," if index < len(value) - 1 or self.maybe() else "")
            self.gap("\n\t", "# ]\n")
            self.write("]")
        elif isinstance(value, str) and "\n" in value and self.maybe():
            quotes = self.random.choice(("'''", '"""'))
            escaped = value if quotes == "'''" else value.replace("\\", "\\\\")
            self.write(quotes + self.random.choice(("", "\n")) + escaped + quotes)
        else:
            self.write(json.dumps(value))


class Json(Page):
    """A JSON document."""

    def value(self, path: Path, value: object) -> None:
        if not isinstance(value, dict | list):
            self.write(json.dumps(value))
            return
        left, right = "{}" if isinstance(value, dict) else "[]"
        self.write(left)
        for number, key in enumerate(value):
            self.write("," if number else "")
            self.gap("\n", "\t", "\n\t\n")
            inner = (*path, key if isinstance(value, dict) else number)
            self.note(inner)
            if isinstance(value, dict):
                self.write(json.dumps(key, ensure_ascii=self.maybe()))
                self.gap("\n", "\t")
                self.write(":")
                self.gap("\n", "\t")
            self.value(inner, value[key] if isinstance(value, dict) else key)
            self.gap("\n", "\t")
        self.write(right)


class Yaml(Page):
    """A YAML document."""

    def key(self, key: str) -> str:
        spellings = [json.dumps(key, ensure_ascii=False), json.dumps(key)]
        spellings = spellings[: 1 + (max(key, default="") < "\uffff")]
        spellings += ["'" + key.replace("'", "''") + "'"]
        spellings += [key] * bool(re.fullmatch("a[a-z_-]*|日本", key))
        return self.random.choice(spellings)

    def value(self, path: Path, value: object, indent: str = "") -> None:
        """Write a value behind its key or dash, and end the line."""
        deeper = indent + self.random.choice((" ", "  "))
        if isinstance(value, dict | list) and value and self.maybe():
            self.write("  # a: 1\n" if path else "")
            for number, key in enumerate(value):
                self.gap("\n", f"{indent}# a: 1\n")
                self.text = self.text.removesuffix(" ") + deeper
                inner = (*path, key if isinstance(value, dict) else number)
                if isinstance(value, dict):
                    self.note(inner)
                    self.write(self.random.choice(("", "? ")) + self.key(key))
                    self.colon(deeper)
                    self.value(inner, value[key], deeper)
                else:
                    self.write("- " + self.random.choice(("", f"\n{deeper} ")))
                    self.item(inner, key, deeper)
        elif isinstance(value, str) and value.endswith("\n"):
            self.write("|\n" + "".join(f"{deeper}{line}\n" for line in value.splitlines()))
        else:
            self.flow(path, value, deeper)
            self.write(" # a: 1\n")

    def colon(self, indent: str) -> None:
        line = self.text.rpartition("\n")[2].lstrip()
        self.write(f"\n{indent}: " if line.startswith("? ") else ": ")

    def item(self, path: Path, value: object, indent: str) -> None:
        self.note(path)
        self.flow(path, value, indent + "  ")
        self.write("\n")

    def flow(self, path: Path, value: object, indent: str) -> None:
        if not isinstance(value, dict | list):
            self.write(json.dumps(value))
            return
        left, right = "{}" if isinstance(value, dict) else "[]"
        self.write(left)
        for number, key in enumerate(value):
            self.write("," if number else "")
            self.gap(f"\n{indent}", f" # a: 1\n{indent}")
            inner = (*path, key if isinstance(value, dict) else number)
            self.note(inner)
            if isinstance(value, dict):
                self.write(self.key(key) + ": ")
            self.flow(inner, value[key] if isinstance(value, dict) else key, indent)
            self.gap(f"\n{indent}")
        self.write(right)
