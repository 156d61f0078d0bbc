"""The ``auth`` of an endpoint: a profile or a table, to a strategy and how its tokens are got."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs

from gqlauth._config._document import KeyPlace, Table, kind_of
from gqlauth._config._findings import (
    MISSING,
    Finding,
    Wrong,
    did_you_mean,
    findings,
    without_misspelt,
)
from gqlauth._config._keys import names_of
from gqlauth._config._model import EndpointAuthConfig
from gqlauth._config._urls import is_url_key, url_findings
from gqlauth._options import AuthOptions
from gqlauth._plugins import canonical
from gqlauth._registry import NO_AUTH, STRATEGIES, strategy_class
from gqlauth.errors import StrategyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import cattrs

    from gqlauth._config._document import Document, Key

_OPTIONS: Final = names_of(AuthOptions)


class AuthReader:
    """Reads the ``auth`` of one endpoint after the other. What is wrong is told by its keys."""

    def __init__(self, document: Document, converter: cattrs.Converter, profiles: Table) -> None:
        self._document = document
        self._converter = converter
        self._profiles = profiles

    def read(self, value: object, keys: tuple[Key, ...]) -> EndpointAuthConfig | None:
        """Return what an ``auth`` that stands at `keys` means; None for no authentication.

        Raises:
            Wrong: with all that is wrong in it, by keys from the root of the file.

        """
        if isinstance(value, str):
            name = self._text(value, keys)
            if name not in self._profiles and canonical(name) == NO_AUTH:
                return None
            return self._of_table(Table({}, keys), self._profile(name, keys), keys)
        if not isinstance(value, Table):
            message = f"expected a table, or the name of a profile, got {kind_of(value)}"
            raise Wrong([Finding(keys, message)])
        if "use" not in value:
            return self._of_table(value, Table({}, keys), keys)
        own = Table({key: item for key, item in value.items() if key != "use"}, value.keys_to)
        there = (*keys, "use")
        return self._of_table(own, self._profile(self._text(value["use"], there), there), keys)

    def _text(self, value: object, keys: tuple[Key, ...]) -> str:
        try:
            text: str = self._converter.structure(value, str)
        except (TypeError, ValueError) as error:
            raise Wrong(findings(error, keys)) from None
        return text

    def _profile(self, name: str, keys: tuple[Key, ...]) -> Table:
        if name not in self._profiles:
            there = ", ".join(self._profiles) or "none"
            message = f'unknown profile "{name}"; there are: {there}'
            raise Wrong([Finding(keys, message + did_you_mean(name, self._profiles))])
        profile = self._profiles[name]
        if not isinstance(profile, Table):
            message = f"expected a table, got {kind_of(profile)}"
            raise Wrong([Finding((*self._profiles.keys_to, name), message)])
        return profile

    def _of_table(
        self, own: Table, profile: Table, keys: tuple[Key, ...]
    ) -> EndpointAuthConfig | None:
        def place_of(*names: Key) -> tuple[Key, ...]:
            """Return the keys of a setting: it stands with the endpoint, or in the profile.

            What stands in neither is missing from the profile, where that is all there is.
            """
            in_profile = not own or (names and names[0] in profile and names[0] not in own)
            return (*(profile.keys_to if in_profile else keys), *names)

        settings = {**profile, **own}
        name, cls = self._type(settings.pop("type", None), place_of("type"))
        if cls is None:
            unknown = [
                Finding(place_of(key), f'unknown key for type "{NO_AUTH}"') for key in settings
            ]
            if unknown:
                raise Wrong(unknown)
            return None
        fields = names_of(cls) if attrs.has(cls) else ()
        wrong = list(_unknown(settings, {*fields, *_OPTIONS}, name))
        wrong += url_findings(settings, filter(is_url_key, settings), self._converter)
        wrong += _neither(settings, cls)
        options = self._structured(AuthOptions, settings, _OPTIONS, wrong)
        strategy = self._structured(cls, settings, fields, wrong)
        if wrong:
            suffix = f' for type "{name}"'
            raise Wrong(
                attrs.evolve(
                    found,
                    keys=place_of(*found.keys),
                    message=found.message + (suffix if found.message == MISSING else ""),
                )
                for found in without_misspelt([*dict.fromkeys(wrong)])
            )
        return EndpointAuthConfig(
            type=name,
            strategy=strategy,
            options=options,
            place=KeyPlace(self._document, keys),
            places={key: KeyPlace(self._document, place_of(key)) for key in settings},
        )

    def _type(self, value: object, keys: tuple[Key, ...]) -> tuple[str, type | None]:
        """Return the printed form of an ``auth.type`` and its class; no class for no auth."""
        if value is None:
            installed = sorted({plugin.name for plugin in STRATEGIES.installed()})
            raise Wrong([Finding(keys, f"missing; one of: {', '.join([*installed, NO_AUTH])}")])
        try:
            name = canonical(self._text(value, keys))
            return name, None if name == NO_AUTH else strategy_class(name)
        except StrategyError as error:
            raise Wrong(findings(error, keys)) from None

    def _structured(
        self, cls: type, settings: Mapping[str, Any], names: tuple[str, ...], wrong: list[Finding]
    ) -> Any:  # noqa: ANN401 - a `cls`
        """Return the `cls` that these of the settings make; what is wrong goes to `wrong`."""
        mine = {name: value for name, value in settings.items() if name in names}
        try:
            return self._converter.structure(mine, cls) if attrs.has(cls) else cls()
        except Exception as error:  # noqa: BLE001 - a plugin's class may raise anything
            wrong += findings(error)
            return None


def _neither(settings: Mapping[str, Any], cls: Any) -> Iterator[Finding]:  # noqa: ANN401 - a class
    """Yield the keys that are missing, and so is the other that could stand there instead."""
    for field in attrs.fields(cls) if attrs.has(cls) else ():
        other = field.metadata.get("or")
        if other is not None and not {field.alias, other} & settings.keys():
            yield Finding((field.alias,), f"missing, and so is {other}: one of them is wanted")


def _unknown(settings: Mapping[str, Any], known: set[str], name: str) -> list[Finding]:
    return [
        Finding((key,), f'unknown key for type "{name}"{did_you_mean(key, sorted(known))}')
        for key in settings
        if key not in known
    ]
