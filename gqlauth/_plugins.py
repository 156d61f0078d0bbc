"""The entry-point loader that strategies and secret sources share.

Our own come first, and the environment is scanned only for a name that is not among them: a scan
costs tens of milliseconds, and a command line would pay them at each call. Even to read our own
distribution alone would: so they stand here as well, as pyproject.toml has them.
"""

from __future__ import annotations

from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import attrs

from gqlauth._version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.metadata import EntryPoint

    from gqlauth.errors import ConfigError

_DISTRIBUTION: Final = "gqlauth"
#: What our own distribution brings, by the group: a name, and the ``module:attribute`` it loads.
OURS: Final[Mapping[str, Mapping[str, str]]] = {
    "gqlauth.strategies": {
        "basic": "gqlauth_strategies.basic:Basic",
        "bearer": "gqlauth_strategies.bearer:Bearer",
        "client_credentials": "gqlauth_strategies.client_credentials:ClientCredentials",
        "header": "gqlauth_strategies.header:Header",
    },
    "gqlauth.secrets": {
        "command": "gqlauth._secret_command:CommandSource",
        "env": "gqlauth._secret_sources:EnvSource",
        "file": "gqlauth._secret_sources:FileSource",
        "keyring": "gqlauth._keyring:KeyringSource",
    },
}


def canonical(name: str) -> str:
    """Return the printed form of a plugin's name: lower case, with ``_`` for ``-``."""
    return name.strip().lower().replace("-", "_")


@attrs.frozen
class Plugin:
    """One entry point: a name, and where what it stands for is to be had."""

    name: str
    #: The ``module:attribute`` that it loads.
    target: str
    #: The distribution that brings it, and that one's version.
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"

    def load(self) -> Any:  # noqa: ANN401 - what an entry point loads may be anything
        """Import what the entry point names, and return it."""
        module, _, attribute = self.target.partition(":")
        return attrgetter(attribute)(import_module(module)) if attribute else import_module(module)


@attrs.frozen
class PluginGroup:
    """One entry-point group, by what its names are called when something is wrong with them."""

    #: The group's name, such as ``gqlauth.strategies``.
    name: str
    #: What a name of the group is to the user, such as ``auth type``.
    noun: str
    #: What is raised.
    error: type[ConfigError]

    def find(self, name: str) -> Plugin:
        """Return the one plugin called `name`; ``-`` and ``_``, and cases, mean the same.

        Raises:
            ConfigError: of the group's kind, when none has the name, or more than one.

        """
        name = canonical(name)
        target = OURS.get(self.name, {}).get(name)
        if target is not None:
            return Plugin(name, target, _DISTRIBUTION, __version__)
        installed = self.installed()
        claims = [plugin for plugin in installed if plugin.name == name]
        if len(claims) > 1:
            who = " and ".join(f"{claim} ({claim.target})" for claim in claims)
            raise self.error(f'{self.noun} "{name}" is claimed by {who}: uninstall one of them')
        if not claims:
            raise self.error(self._unknown(name, installed))
        return claims[0]

    def load(self, name: str) -> Any:  # noqa: ANN401 - what an entry point loads may be anything
        """Return what the plugin called `name` stands for, importing it now.

        Raises:
            ConfigError: of the group's kind, when it cannot be had; the cause is chained.

        """
        plugin = self.find(name)
        try:
            return plugin.load()
        except Exception as error:
            raise self.error(
                f'{self.noun} "{plugin.name}" cannot be used: {plugin} fails to import '
                f"{plugin.target}: {type(error).__name__}: {error}"
            ) from error

    def installed(self) -> list[Plugin]:
        """Return all plugins of the group in this environment, sorted; this scans all of it."""
        from importlib.metadata import entry_points  # noqa: PLC0415 - see the module's docstring

        # A set: one distribution may spell one name in two ways.
        found = {_plugin(entry) for entry in entry_points(group=self.name)}
        return sorted(found, key=lambda plugin: (plugin.name, plugin.distribution, plugin.target))

    def _unknown(self, name: str, installed: Iterable[Plugin]) -> str:
        from difflib import get_close_matches  # noqa: PLC0415 - for who mistypes

        names = sorted({plugin.name for plugin in installed})
        text = f'unknown {self.noun} "{name}"; installed: {", ".join(names) or "none"}'
        close = get_close_matches(name, names, n=1)
        return f'{text}; did you mean "{close[0]}"?' if close else text


def _plugin(entry: EntryPoint) -> Plugin:
    # Whatever finds an entry point by its distribution says which one that was.
    assert entry.dist is not None
    return Plugin(canonical(entry.name), entry.value, entry.dist.name, entry.dist.version)
