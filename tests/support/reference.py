"""The parts of the documentation that are made: of the JSON Schema, and of the commands.

In a page such a part stands below a comment that names it, up to a comment that ends it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import click

from gqlauth._cli._gql import gql
from gqlauth._config._schema import schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: The headings of the page on configuration that tell more of a key than its row.
_TOLD_BELOW: Final = {
    "auth": "authentication",
    "cache": "where-tokens-are-kept",
    "certificate_file": "client-authentication",
    "dpop": "proof-of-possession",
    "endpoints": "an-endpoint",
    "issuer": "discovery",
    "store": "in-a-redis",
    "token_endpoint_auth_method": "client-authentication",
    "type": "strategies",
}
_WORDS: Final = {
    "array": "list",
    "string": "text",
    "number": "number",
    "integer": "integer",
    "boolean": "`true` or `false`",
    "object": "table",
}
_PART: Final = re.compile(
    r"^<!-- made of the \w+: (.*?) -->\n\n.*?^<!-- end -->$", re.MULTILINE | re.DOTALL
)


def renewed(text: str, parts: Mapping[str, str]) -> str:
    """Return the text of a page with each part as it is made; each has its place there, once.

    Raises:
        ValueError: when a part has no place, or more, or one is none that is made.

    """
    places = [found[1] for found in _PART.finditer(text)]
    if sorted(places) != sorted(parts):
        raise ValueError(f"places for {sorted(places)}, parts {sorted(parts)}")
    return _PART.sub(
        lambda found: f"{found[0].partition('-->')[0]}-->\n\n{parts[found[1]]}\n\n<!-- end -->",
        text,
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, *rows]
    cells = [[cell.replace("|", r"\|") for cell in line] for line in lines]
    told = [f"| {' | '.join(line)} |" for line in cells]
    return "\n".join([told[0], "|---" * len(head) + "|", *told[1:]])


# -- configuration ------------------------------------------------------------------------------


def configuration() -> dict[str, str]:
    """Return the tables of keys, by the table of the file that they are of."""
    whole: Any = schema()
    definitions = whole["$defs"]
    top = dict(whole["properties"])
    endpoint = top["endpoints"]["additionalProperties"]
    auth = definitions["auth"]
    with_profile, alone = auth["anyOf"][1]["then"], auth["anyOf"][1]["else"]
    use = with_profile["allOf"][0]["then"]["properties"]
    every = {**use, **definitions["options"]["properties"]}
    tables = {
        "the file": _keys(top),
        "endpoints.NAME": _keys(
            {
                **endpoint["properties"],
                "auth": {"anyOf": auth["anyOf"], "description": auth["description"]},
            },
            endpoint["required"],
        ),
        "auth": _keys(every, alone["required"]),
        "cache": _keys(top["cache"]["properties"]),
    }
    for branch in alone["allOf"]:
        name = branch["if"]["properties"]["type"]["$ref"].rpartition("/type_")[2]
        if name != "none":
            keys = definitions[f"auth_{name}"]["properties"]
            then = branch["then"]
            either = [one["oneOf"] for one in then.get("allOf", ())]
            tables[name] = _keys(
                keys, then["required"], [[o["required"][0] for o in one] for one in either]
            )
    return tables


def _keys(
    keys: Mapping[str, Any], required: Iterable[str] = (), either: Iterable[list[str]] = ()
) -> str:
    others = {key: other for pair in either for key, other in (pair, reversed(pair))}
    rows = []
    for key, value in keys.items():
        if key in required:
            default = "required"
        elif key in others:
            default = f"this or `{others[key]}` is required"
        elif "by default" in value["description"].lower():
            default = "as told"
        else:
            default = _value(value["default"]) if "default" in value else "none"
        name = f"[`{key}`](#{_TOLD_BELOW[key]})" if key in _TOLD_BELOW else f"`{key}`"
        rows.append((name, _type(value), value["description"], default))
    return _table(("key", "type", "meaning", "default"), rows)


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"{value:g}" if isinstance(value, float) else f"`{value}`"


def _type(value: Mapping[str, Any]) -> str:
    """Return what a file may hold by a schema, in words; a variable may stand for any text."""
    if "anyOf" in value:
        words = [_type(each) for each in value["anyOf"] if "variable" not in each.get("$ref", "")]
        return " or ".join(words)
    if "enum" in value:
        return ", ".join(_value(each) for each in value["enum"])
    if value.get("$ref") == "#/$defs/secret":
        return "[secret](#secrets)"
    kind = value.get("type", "string")
    items = value.get("items" if kind == "array" else "additionalProperties")
    if isinstance(items, dict) and {"type", "anyOf"} & {*items} and "properties" not in items:
        return f"{_WORDS[kind]}: {_type(items)}"
    return _WORDS[kind]


# -- command line -------------------------------------------------------------------------------


def commands(group: click.Group = gql, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each command of `gql`, with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


def command_line() -> dict[str, str]:
    """Return the table of commands, and the options of each that has some, by its words."""
    found = {" ".join(("gql", *words)): command for words, command in commands()}
    options = {words: _options(command) for words, command in found.items()}
    shared = [
        option for option in options["gql api"] if all(option in has for has in options.values())
    ]
    rows = [
        (f"[`{_usage(words, command)}`](#{words.replace(' ', '-')})", _summary(command))
        for words, command in found.items()
        if not isinstance(command, click.Group)
    ]
    tables = {
        "commands": _table(("command", "what it does"), rows),
        "every command": _table(
            ("option", "what it does"), [*shared, *(o for o in _options(gql) if o not in shared)]
        ),
    }
    for words, has in options.items():
        if own := [option for option in has if option not in shared]:
            tables[words] = _table(("option", "what it does"), own)
    return tables


def _usage(words: str, command: click.Command) -> str:
    arguments = [
        argument.make_metavar(click.Context(command))
        for argument in command.params
        if isinstance(argument, click.Argument)
    ]
    return " ".join([words, *arguments])


def _summary(command: click.Command) -> str:
    return " ".join((command.help or "").partition("\n\n")[0].split())


def _options(command: click.Command) -> list[tuple[str, str]]:
    context = click.Context(command, help_option_names=gql.context_settings["help_option_names"])
    found = []
    for option in command.get_params(context):
        if isinstance(option, click.Option):
            names = [f"`{name}`" for name in sorted(option.opts, key=len)]
            choices = getattr(option.type, "choices", ())
            if value := option.metavar or "|".join(choices):
                names[-1] = f"{names[-1][:-1]} {value}`"
            found.append((", ".join(names), option.help or ""))
    return found
