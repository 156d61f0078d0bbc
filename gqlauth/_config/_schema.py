"""The JSON Schema of the configuration, from the very classes that it is structured into."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from gqlauth._config._fields import Fields, Schema, described, fields_of, summary
from gqlauth._config._keys import names_of
from gqlauth._config._model import Endpoint
from gqlauth._config._reference import SECRETS
from gqlauth._options import STORES, AuthOptions, CacheOptions
from gqlauth._redis_url import SCHEMES
from gqlauth._registry import NO_AUTH, STRATEGIES, strategy_class
from gqlauth.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gqlauth._plugins import PluginGroup

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, object]:
    """Return the JSON Schema (draft 2020-12) of ``gqlauth.toml``.

    Elsewhere, as in pyproject.toml, it is that of the table which is ours. It knows all strategies
    and secret sources that are installed; a plugin that cannot be used is left out, and the
    schema's ``$comment`` tells why.
    """
    unusable: list[str] = []
    sources = _usable(SECRETS, SECRETS.load, unusable)
    types = _usable(STRATEGIES, strategy_class, unusable)
    endpoint = fields_of(Endpoint)
    for name in ("name", "place"):  # the first is the table's key
        del endpoint.properties[name]
    endpoint.properties["auth"] = _ref("auth")
    profile = _choice(types, complete=False)
    whole: Schema = {
        "$schema": _DIALECT,
        "title": "gqlauth",
        "description": "GraphQL endpoints, and how the tokens that they want are got.",
        "type": "object",
        "properties": {
            "default_endpoint": {
                "description": (
                    "The endpoint that is meant where none is named; by default the only one."
                ),
                "type": "string",
            },
            "endpoints": {
                "description": "The GraphQL endpoints, by name.",
                "type": "object",
                "additionalProperties": {
                    **_closed(endpoint.properties),
                    "required": [name for name in endpoint.required if name != "name"],
                },
            },
            "auth": {
                "description": "Profiles, by name: what the auth of several endpoints shares.",
                "type": "object",
                "additionalProperties": profile,
            },
            "cache": {
                "description": "Where tokens are kept.",
                **_closed({**fields_of(CacheOptions).properties, **_store()}),
            },
        },
        "additionalProperties": False,
        "$defs": {
            "variable": {
                "description": "Text with ${NAME} or ${NAME:-default} in it.",
                "type": "string",
                "pattern": r"\$\{",
            },
            "secret": _secret(sources),
            "auth": _auth(types),
            "options": {"properties": fields_of(AuthOptions).properties},
            **{f"type_{name}": _spellings(name, cls) for name, cls in types.items()},
            f"type_{NO_AUTH}": _spellings(NO_AUTH, None),
            **{
                f"auth_{name}": {"properties": fields_of(cls).properties}
                for name, cls in types.items()
            },
        },
    }
    return {**whole, "$comment": "; ".join(unusable)} if unusable else whole


def _store() -> Schema:
    """Return the schema of ``cache.store``, beyond what its type says."""
    store = fields_of(CacheOptions).properties["store"]
    urls = {"type": "string", "pattern": f"^({'|'.join(map(re.escape, SCHEMES))})://"}
    return {"store": {**store, "anyOf": [{"enum": list(STORES)}, urls, _ref("variable")]}}


def _usable(group: PluginGroup, load: Callable[[str], Any], unusable: list[str]) -> dict[str, type]:
    """Return the classes that can be had, by name; why others cannot goes to `unusable`."""
    classes: dict[str, type] = {}
    for name in dict.fromkeys(plugin.name for plugin in group.installed()):
        try:
            cls = load(name)
            fields_of(cls)
        except ConfigError as error:
            unusable.append(str(error))
        except Exception as error:  # noqa: BLE001 - a plugin's annotations may be anything
            unusable.append(f'{group.noun} "{name}" cannot be used: {error}')
        else:
            classes[name] = cls
    return classes


def _auth(types: Mapping[str, type]) -> Schema:
    use = {
        "use": {
            "description": "The profile to begin with; keys beside this one replace its own.",
            "type": "string",
        }
    }
    return {
        "description": (
            'How a token is got: a table, the name of a profile, or "none"; '
            "by default requests go out bare."
        ),
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "if": {"required": ["use"]},
                "then": _choice(types, complete=False, more=use),
                "else": _choice(types, complete=True),
            },
        ],
    }


def _choice(types: Mapping[str, type], *, complete: bool, more: Schema | None = None) -> Schema:
    """Return the schema of a table whose ``type`` decides which keys it has.

    One that is not `complete` is a profile, or builds on one: it may leave out what the other has.
    """
    own = {
        "type": {
            "description": "The strategy that gets the token; in any case, and with `-` or `_`."
        },
        **(more or {}),
    }
    options = {name: _ref("options", "properties", name) for name in names_of(AuthOptions)}
    branches: list[Schema] = [_branch(NO_AUTH, _closed(own))]
    every: dict[str, list[Schema]] = {name: [option] for name, option in options.items()}
    for name, cls in types.items():
        fields = fields_of(cls)
        mine = {key: _ref(f"auth_{name}", "properties", key) for key in fields.properties}
        for key, value in mine.items():
            every.setdefault(key, []).append(value)
        required = _required(fields) if complete else {}
        branches.append(_branch(name, {**_closed({**own, **options, **mine}), **required}))
    if not complete:
        untyped = {"not": {"required": ["type"]}}
        known = {key: {"anyOf": values} for key, values in every.items()}
        branches.append({"if": untyped, "then": _closed({**own, **known})})
    names = [*types, NO_AUTH]
    return {
        "type": "object",
        "properties": {
            "type": {"anyOf": [*(_ref(f"type_{name}") for name in names), _ref("variable")]}
        },
        **({"required": ["type"]} if complete else {}),
        "allOf": branches,
    }


def _required(fields: Fields) -> Schema:
    either = [{"oneOf": [{"required": [key]} for key in keys]} for keys in fields.either]
    return {"required": fields.required, **({"allOf": either} if either else {})}


def _branch(name: str, then: Schema) -> Schema:
    chosen = {"properties": {"type": _ref(f"type_{name}")}, "required": ["type"]}
    return {"if": chosen, "then": then}


def _spellings(name: str, cls: type | None) -> Schema:
    """Return the schema of a plugin's name: as it is printed, or with ``-`` or other cases."""
    return {
        "title": name,
        "description": "No authentication." if cls is None else summary(cls),
        "anyOf": [{"const": name}, {"type": "string", "pattern": f"^{_any_case(name)}$"}],
    }


def _any_case(name: str) -> str:
    """Return a pattern for `name`; patterns in a JSON Schema know no flags."""
    return "".join(
        "[-_]" if each == "_" else f"[{each.upper()}{each}]" if each.isalpha() else re.escape(each)
        for each in name
    )


def _secret(sources: Mapping[str, type]) -> Schema:
    known: Schema = {}
    for name, cls in sources.items():
        fields = fields_of(cls)
        values = list(fields.properties.values())
        table = {**_closed(fields.properties), "required": fields.required}
        known[name] = described(values[0] if len(values) == 1 else table, summary(cls))
    # Editors complete what is under "properties" only.
    return {
        "description": "Where the secret comes from; it is never written into the file.",
        "type": "object",
        "properties": known,
        "patternProperties": {f"^{_any_case(name)}$": value for name, value in known.items()},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }


def _closed(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _ref(*keys: str) -> Schema:
    # A JSON pointer (RFC 6901) as a URL's fragment: a plugin's name may be anything.
    escaped = (quote(key.replace("~", "~0").replace("/", "~1"), safe="") for key in keys)
    return {"$ref": "/".join(("#/$defs", *escaped))}
