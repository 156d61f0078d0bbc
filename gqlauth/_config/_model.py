"""What a configuration says, once it is read: values, without the how."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, Final

import attrs

from gqlauth._config._findings import did_you_mean
from gqlauth._config._subscriptions import Subscriptions
from gqlauth._options import AuthOptions, CacheOptions
from gqlauth._secret import Secret
from gqlauth._token import HEADER_NAME, Strategy
from gqlauth.errors import ConfigError, Place, Problem, SecretError

#: The codes in a GraphQL answer that mean "token rejected", where an endpoint names none.
RETRY_ON: Final = (
    "UNAUTHENTICATED",
    "invalid-jwt",
    "UnauthorizedException",
    "ExpiredSignatureError",
)

# RFC 9110, section 5.5; without the obsolete bytes above ASCII.
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e\t]*")


def _sendable(_: object, __: object, headers: Mapping[str, str | Secret]) -> None:
    seen: set[str] = set()
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise ValueError(f'"{name}" is no name that a header may have')
        if name.lower() in seen:
            raise ValueError(f"{name} is there twice")
        seen.add(name.lower())
        if isinstance(value, Secret):
            continue
        if not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"the value of {name} has characters that no header may carry")
        if value != value.strip():
            raise ValueError(f"the value of {name} begins or ends with a space")


@attrs.frozen(kw_only=True)
class EndpointAuthConfig:
    """The ``auth`` of an endpoint: a strategy, and how its tokens are got."""

    #: The printed form of the strategy's name.
    type: str
    strategy: Strategy
    options: AuthOptions = attrs.field(factory=AuthOptions)
    #: Where it stands in the file; None when it was given in code.
    place: Place | None = attrs.field(default=None, eq=False)
    #: Where each of its keys stands, which may be in a profile.
    places: Mapping[str, Place] = attrs.field(factory=dict, eq=False, repr=False)

    def secrets(self) -> Iterator[Secret]:
        """Yield the secrets that the strategy needs, in the order of its fields."""
        yield from _secrets(self.strategy)

    def missing_files(self) -> Iterator[Problem]:
        """Yield the files that it names and that are none, each at its key."""
        for holder in (self.options, self.strategy):
            cls: Any = type(holder)
            for field in attrs.fields(cls) if attrs.has(cls) else ():
                path = getattr(holder, field.name)
                if isinstance(path, Path) and not _is_file(path):
                    message = f"{path} is no file"
                    place = self.places.get(field.alias)
                    if place is None:
                        yield Problem(f"{field.alias} {message}")
                    else:
                        yield place.problem(message)


@attrs.frozen(kw_only=True)
class Endpoint:
    """One GraphQL endpoint."""

    name: str
    #: Where the GraphQL API is.
    url: str
    #: Headers of each request; `Authorization` belongs here only where there is no `auth`.
    headers: Mapping[str, str | Secret] = attrs.field(factory=dict, validator=_sendable)
    #: Seconds for each of connecting, sending, and waiting for the next piece of an answer.
    timeout: float = attrs.field(default=30.0, validator=attrs.validators.gt(0))
    #: The error codes inside a GraphQL answer that mean "token rejected".
    retry_on: tuple[str, ...] = RETRY_ON
    #: Origins beside that of `url` that may see the token and the `headers`, such as
    #: `https://eu.example.com`.
    origins: tuple[str, ...] = ()
    #: A file of certificates (PEM) to trust for the endpoint, instead of the system's.
    ca_file: Path | None = None
    #: Allow `http` for `url` and `origins`, to a host that is not loopback.
    allow_insecure_http: bool = False
    #: How subscriptions come from it; None where its answer decides.
    subscriptions: Subscriptions | None = None
    #: None where requests go out bare.
    auth: EndpointAuthConfig | None = None
    place: Place | None = attrs.field(default=None, eq=False)

    def secrets(self) -> Iterator[Secret]:
        """Yield the secrets that its headers and its strategy need."""
        yield from _secrets(self.headers)
        if self.auth is not None:
            yield from self.auth.secrets()

    def problems(self) -> Iterator[Problem]:
        """Yield what will keep its tokens from being had, as far as nothing need be asked for it.

        No secret is read, no command run, and no server asked.
        """
        yield from _unreadable(self.secrets())
        if self.ca_file is not None and not _is_file(self.ca_file):
            message = f"ca_file {self.ca_file} is no file"
            yield Problem(message) if self.place is None else self.place.problem(message)
        if self.auth is not None:
            yield from self.auth.missing_files()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # in a folder that may not be looked into
        return False


def _unreadable(secrets: Iterable[Secret]) -> Iterator[Problem]:
    """Yield why secrets cannot be read, as far as can be told without reading any."""
    for secret in secrets:
        try:
            secret.check()
        except SecretError as error:
            yield from error.problems


def _secrets(value: object) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _secrets(item)
    elif isinstance(value, tuple | list | AbstractSet):
        for item in value:
            yield from _secrets(item)
    elif attrs.has(type(value)):
        cls: Any = type(value)
        for field in attrs.fields(cls):
            yield from _secrets(getattr(value, field.name))


def unknown_endpoint(name: str, names: Collection[str]) -> ConfigError:
    """Return the error that none of the endpoints, which are called `names`, is called `name`."""
    listed = ", ".join(names)
    return ConfigError(
        f'unknown endpoint "{name}"; configured: {listed}{did_you_mean(name, names)}'
    )


@attrs.frozen(kw_only=True)
class Config:
    """A whole configuration."""

    #: The file that it was read from; None when it was given in code.
    path: Path | None = None
    endpoints: Mapping[str, Endpoint] = attrs.field(factory=dict)
    default_endpoint: str | None = None
    cache: CacheOptions = attrs.field(factory=CacheOptions)

    def endpoint(self, name: str | None = None) -> Endpoint:
        """Return the endpoint called `name`; without a name the default one, or the only one.

        Raises:
            ConfigError: when there is no such endpoint.

        """
        name = name or self.default_endpoint
        if not self.endpoints:
            raise ConfigError("no endpoint is configured: add a table [endpoints.NAME] with a url")
        if name is None and len(self.endpoints) == 1:
            return next(iter(self.endpoints.values()))
        if name is None:
            names = ", ".join(self.endpoints)
            raise ConfigError(f"which endpoint? There is no default_endpoint; configured: {names}")
        if name not in self.endpoints:
            raise unknown_endpoint(name, self.endpoints)
        return self.endpoints[name]

    def check(self) -> tuple[Problem, ...]:
        """Return what will keep tokens from being had, or from being stored, each thing once.

        See `Endpoint.problems`.
        """
        found = [problem for one in self.endpoints.values() for problem in one.problems()]
        return tuple(dict.fromkeys([*found, *_unreadable(_secrets(self.cache))]))
