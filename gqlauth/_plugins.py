"""The entry-point loader that strategies and secret sources share.

Our own distribution is read first, and the environment is scanned only for a name that is not
there: a scan costs tens of milliseconds, and a command line pays them at each call.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

    from gqlauth.errors import ConfigError

_OURS: Final = "gqlauth"


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
        from importlib.metadata import EntryPoint  # noqa: PLC0415 - see the module's docstring

        return EntryPoint(self.name, self.target, "").load()


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
        for entry in _ours(self.name):
            if canonical(entry.name) == name:
                return _plugin(entry)
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
        names = sorted({plugin.name for plugin in installed})
        text = f'unknown {self.noun} "{name}"; installed: {", ".join(names) or "none"}'
        close = get_close_matches(name, names, n=1)
        return f'{text}; did you mean "{close[0]}"?' if close else text


def _ours(group: str) -> Iterable[EntryPoint]:
    from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415 - as above

    try:
        entries = distribution(_OURS).entry_points
    except PackageNotFoundError:  # run from a source tree that is not installed
        return []
    # What a distribution is called is read from its files anew each time that it is asked for.
    return entries.select(group=group)


def _plugin(entry: EntryPoint) -> Plugin:
    # Whatever finds an entry point by its distribution says which one that was.
    assert entry.dist is not None
    return Plugin(canonical(entry.name), entry.value, entry.dist.name, entry.dist.version)
