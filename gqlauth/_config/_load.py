"""From a file to a `Config`: every problem that is in it, at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from gqlauth._config._auth import AuthReader
from gqlauth._config._converter import converter_for
from gqlauth._config._document import KeyPlace, Table, kind_of, read
from gqlauth._config._find import Found
from gqlauth._config._findings import Finding, Wrong, did_you_mean, findings, without_misspelt
from gqlauth._config._keys import names_of
from gqlauth._config._model import Config, Endpoint, EndpointAuthConfig
from gqlauth._config._trust import Unread, distrust, has_variable
from gqlauth._config._urls import url_findings
from gqlauth._options import CacheOptions
from gqlauth.errors import ConfigError, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gqlauth._config._document import Document, Key
    from gqlauth.errors import Problem

_TOP: Final = ("default_endpoint", "endpoints", "auth", "cache")
# What an endpoint is called is its key, and its place is where that stands.
_ENDPOINT: Final = tuple(name for name in names_of(Endpoint) if name not in {"name", "place"})


@attrs.frozen
class Loaded:
    """What a file says, and what is wrong with it."""

    found: Found
    #: The endpoints that nothing is wrong with.
    config: Config
    problems: tuple[Problem, ...] = ()
    #: The others, each with what is wrong with it.
    broken: Mapping[str, tuple[Problem, ...]] = attrs.field(factory=dict)
    #: Why a plugin that is asked for does not import.
    cause: BaseException | None = attrs.field(default=None, repr=False, eq=False)
    #: Why the file is not used, as nobody said that it is trusted; nothing where it may be. Then
    #: no variable was read for it: in its values, each stands for itself.
    distrust: tuple[Problem, ...] = ()

    def require(self) -> Config:
        """Return the configuration.

        Raises:
            ConfigError: when the file is not trusted; or with every problem, if there is any.

        """
        if self.distrust:
            raise ConfigError(*self.distrust)
        if self.problems:
            raise ConfigError(*self.problems) from self.cause
        return self.config


def load(found: Found | str | Path, *, environ: Mapping[str, str] | None = None) -> Loaded:
    """Read and structure a configuration file.

    Args:
        found: the file.
        environ: what ``${NAME}`` is replaced from; the process's environment if it is None.

    Raises:
        ConfigError: when the file cannot be read or does not parse.

    """
    if not isinstance(found, Found):
        found = Found(Path(found), "--config")
    environ = os.environ if environ is None else environ
    document = read(found.path)
    # What is looked at here is what is used: the file is not read again.
    doubts = distrust(document, environ) if found.origin == "project" else ()
    loaded = _Reader(document, Unread() if doubts else environ).loaded(found)
    return attrs.evolve(loaded, distrust=doubts)


class _Reader:
    """Reads one file, and collects what is wrong with it; a profile's once for all its users."""

    def __init__(self, document: Document, environ: Mapping[str, str]) -> None:
        self._document = document
        self._unread = isinstance(environ, Unread)
        self._root = document.data.keys_to
        self._converter = converter_for(document, environ)
        self._converter.register_structure_hook(EndpointAuthConfig, _as_it_is)
        self._converter.register_structure_hook(Place, _as_it_is)
        self._problems: dict[Problem, None] = {}
        self._cause: BaseException | None = None

    def loaded(self, found: Found) -> Loaded:
        """Return what the file says."""
        data = self._document.data
        self._told(
            Finding((*self._root, key), f"unknown key{did_you_mean(key, _TOP)}")
            for key in data
            if key not in _TOP
        )
        profiles, tables = self._tables("auth"), self._tables("endpoints")
        self._told(
            Finding((*profiles.keys_to, name), f"expected a table, got {kind_of(profile)}")
            for name, profile in profiles.items()
            if not isinstance(profile, Table)
        )
        auth = AuthReader(self._document, self._converter, profiles)
        endpoints, broken = {}, {}
        for name, table in tables.items():
            endpoint, problems = self._endpoint(name, table, auth)
            if endpoint is None:
                broken[name] = problems
            else:
                endpoints[name] = endpoint
        default = self._default(data.get("default_endpoint"), tables)
        config = Config(
            path=found.path.absolute(),
            endpoints=endpoints,
            default_endpoint=default,
            cache=self._cache(data.get("cache")),
        )
        told = sorted(self._problems, key=lambda problem: problem.line or 0)
        return Loaded(found, config, tuple(told), broken, self._cause)

    def _endpoint(
        self, name: str, table: object, auth: AuthReader
    ) -> tuple[Endpoint | None, tuple[Problem, ...]]:
        """Return an endpoint; or none, and what is wrong with it."""
        keys: tuple[Key, ...] = (*self._root, "endpoints", name)
        if not isinstance(table, Table):
            message = f"expected a table, got {kind_of(table)}"
            return None, self._told([Finding(keys, message)])
        wrong = [
            Finding((*keys, key), f"unknown key{did_you_mean(key, _ENDPOINT)}")
            for key in table
            if key not in _ENDPOINT
        ]
        settings = {key: value for key, value in table.items() if key in _ENDPOINT}
        urls = url_findings(settings, ("url", "origins"), self._converter)
        wrong += [found.below(keys) for found in urls]
        bare = "auth" not in settings
        try:
            settings["auth"] = None if bare else auth.read(settings["auth"], (*keys, "auth"))
            bare = settings["auth"] is None
        except Wrong as error:
            wrong += error.found
            settings["auth"] = None
        if not bare:
            wrong += [found.below(keys) for found in _twofold(settings.get("headers"))]
        settings |= {"name": "", "place": KeyPlace(self._document, keys)}
        try:
            endpoint: Endpoint = self._converter.structure(settings, Endpoint)
        except Wrong as error:
            wrong += [found.below(keys) for found in error.found]
        else:
            wrong += [found.below((*keys, "subscriptions")) for found in _misplaced(endpoint)]
        if wrong:
            return None, self._told(without_misspelt(wrong))
        return attrs.evolve(endpoint, name=name), ()

    def _default(self, name: object, tables: Table) -> str | None:
        if name is None:
            return None
        keys = (*self._root, "default_endpoint")
        try:
            default: str = self._converter.structure(name, str)
        except (TypeError, ValueError) as error:
            self._told(findings(error, keys))
            return None
        if default not in tables:
            message = f'there is no endpoint "{default}"{did_you_mean(default, tables)}'
            self._told([Finding(keys, message)])
            return None
        return default

    def _cache(self, value: object) -> CacheOptions:
        """Return what the ``cache`` table says; the defaults, if anything is wrong with it."""
        if value is None:
            return CacheOptions()
        try:
            options: CacheOptions = self._converter.structure(value, CacheOptions)
        except Wrong as error:
            self._told(found.below((*self._root, "cache")) for found in error.found)
            return CacheOptions()
        except TypeError as error:
            self._told(findings(error, (*self._root, "cache")))
            return CacheOptions()
        return options

    def _tables(self, name: str) -> Table:
        """Return a table of tables at the top; an empty one if there is none."""
        none = Table({}, (*self._root, name))
        value = self._document.data.get(name, none)
        if isinstance(value, Table):
            return value
        self._told([Finding(none.keys_to, f"expected a table of tables, got {kind_of(value)}")])
        return none

    def _told(self, wrong: Iterable[Finding]) -> tuple[Problem, ...]:
        """Keep what is wrong, each thing once, and return it as problems."""
        problems = []
        for one in wrong:
            if self._unread and has_variable(self._document, one.keys):
                continue  # what it says is not known
            problems.append(self._document.problem(one.keys, one.message))
            self._cause = self._cause or one.cause
        self._problems.update(dict.fromkeys(problems))
        return tuple(problems)


def _twofold(headers: object) -> Iterator[Finding]:
    """Yield the headers that say what the authentication says."""
    for name in headers if isinstance(headers, dict) else ():
        if name.lower() == "authorization":
            message = "the endpoint has an auth, which sends its own: leave out one of the two"
            yield Finding(("headers", name), message)


def _misplaced(endpoint: Endpoint) -> Iterable[Finding]:
    """Return what is wrong with how subscriptions come from an endpoint."""
    chosen, insecure = endpoint.subscriptions, endpoint.allow_insecure_http
    if chosen is None:
        return ()
    return chosen.findings(endpoint.url, endpoint.origins, insecure=insecure)


def _as_it_is(value: Any, _: Any) -> Any:  # noqa: ANN401 - what was read before
    return value
