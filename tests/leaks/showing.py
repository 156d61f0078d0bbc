"""The ways in which an object may come to be shown, kept or sent."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

import attrs
import cattrs
import structlog
import yaml
from cattrs.preconf.json import make_converter

from tests.leaks.world import Leak

if TYPE_CHECKING:
    from tests.leaks.canaries import Search

#: Objects within objects that are walked.
DEEPEST: Final = 5
#: What is walked: containers, and what comes from these packages. An event loop is left alone.
CONTAINERS: Final = Mapping | list | tuple | set | frozenset
HOMES: Final = frozenset({"gqlauth", "gqlauth_strategies", "httpx", "httpx2", "tests"})
#: The parts of an object that are there to give the text away.
GIVING: Final = frozenset({"reveal", "header_value"})


def walked(value: object, depth: int = DEEPEST, seen: set[int] | None = None) -> Iterator[str]:
    """Give the ``repr`` of all that can be reached by names, keys and items; nothing is called."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return
    seen.add(id(value))
    yield repr(value)
    home = type(value).__module__.partition(".")[0]
    if depth and (isinstance(value, CONTAINERS | BaseException) or home in HOMES):
        for part in _parts(value):
            yield from walked(part, depth - 1, seen)


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        yield from value
        yield from value.values()
    elif isinstance(value, CONTAINERS):
        yield from value
    elif isinstance(value, BaseException):
        yield from (value.__cause__, value.__context__, value.args)
    slots = (name for one in type(value).__mro__ for name in getattr(one, "__slots__", ()))
    for name in {*dir(value), *slots, *getattr(value, "__dict__", {})}:
        if not (name.startswith("__") and name.endswith("__")):
            try:
                yield getattr(value, name)
            except Exception as error:  # noqa: BLE001 - what it says is looked at, too
                yield str(error)


def _members(value: object) -> object:
    return {name: getattr(value, name, None) for name in dir(value) if name not in GIVING}


def _record(value: object) -> str:
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "%s %r", (value, value), None)
    record.extra = value
    return f"{record.getMessage()} {vars(record)}"


def _structured(value: object) -> str:
    renderers: list[Any] = [
        structlog.processors.JSONRenderer(),
        structlog.processors.KeyValueRenderer(),
        structlog.processors.LogfmtRenderer(),
        structlog.dev.ConsoleRenderer(colors=False),
    ]
    return "\n".join(str(render(None, "info", {"event": "x", "it": value})) for render in renderers)


def _as_json(value: object) -> str:
    return json.dumps(value, default=lambda one: getattr(one, "__dict__", None) or repr(one))


def _raise(value: object) -> NoReturn:
    raise value if isinstance(value, BaseException) else RuntimeError(value)


def _raised(value: object) -> str:
    try:
        _raise(value)
    except BaseException as error:  # noqa: BLE001 - it is the one that was raised
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(told.format())


#: Each way by its name; what it returns is searched as text, and what it raises, too.
WAYS: Final[Mapping[str, Callable[[Any], object]]] = {
    "repr": repr,
    "str": str,
    "ascii": ascii,
    "format": lambda value: f"{value} {value!s:>4}" + format(value),
    "percent": lambda value: "%s %r" % (value, value),  # noqa: UP031 - one of the ways
    "bytes": bytes,
    "list": list,
    "dict": dict,
    "vars": vars,
    "members": _members,
    "walk": lambda value: "\n".join(walked(value)),
    "attrs.asdict": attrs.asdict,
    "attrs.astuple": attrs.astuple,
    "dataclasses.asdict": dataclasses.asdict,
    "pickle": lambda value: [pickle.dumps(value, protocol) for protocol in range(6)],
    "reduce": lambda value: value.__reduce_ex__(2),
    "state": lambda value: value.__getstate__(),
    "copy": lambda value: vars(copy.copy(value)),
    "deepcopy": lambda value: [repr(copy.deepcopy(value)), vars(copy.deepcopy(value))],
    "json": _as_json,
    "cattrs": cattrs.unstructure,
    "cattrs as JSON": lambda value: make_converter().dumps(value),
    "yaml": yaml.dump,
    "pprint": pprint.pformat,
    "logging": _record,
    "structlog": _structured,
    "traceback": _raised,
    "hash": lambda value: f"{hash(value):x}",
}


def shown(value: object, ways: Iterable[str] = WAYS) -> Iterator[tuple[str, str]]:
    """Give what `value` comes to in each way, by the way's name."""
    for way in ways:
        try:
            text = WAYS[way](value)
        except Exception as error:  # noqa: BLE001 - a way that it does not go may tell in its error
            text = f"{error} {error!r}"
        yield way, _text(text)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, list | tuple):
        return "\n".join(map(_text, value))
    return repr(value)


def leaks_of(value: object, search: Search, ways: Iterable[str] = WAYS) -> set[Leak]:
    """Return the ways in which `value` tells a canary."""
    leaks: set[Leak] = set()
    for way, text in shown(value, ways):
        leaks |= Leak.of(search(text), way)
    return leaks
