"""The registry: an endpoint's ``auth.type`` to its strategy class, imported when asked for."""

from __future__ import annotations

import inspect
from typing import Final

from gqlauth._plugins import PluginGroup
from gqlauth.errors import StrategyError

#: ``none`` is explicit absence, so no plugin can have it.
NO_AUTH: Final = "none"

STRATEGIES: Final = PluginGroup("gqlauth.strategies", "auth type", StrategyError)


def strategy_class(name: str) -> type:
    """Return the strategy class that ``auth.type = name`` stands for.

    Raises:
        StrategyError: when there is none, when two distributions claim the name, when it fails
            to import, or when it is no strategy.

    """
    cls = STRATEGIES.load(name)
    if not inspect.isclass(cls) or not inspect.iscoroutinefunction(getattr(cls, "fetch", None)):
        plugin = STRATEGIES.find(name)
        raise StrategyError(
            f'auth type "{plugin.name}" cannot be used: {plugin.target} of {plugin} is no class '
            'with "async def fetch(self, endpoint)"'
        )
    return cls
