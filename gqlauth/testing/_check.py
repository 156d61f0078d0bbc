"""`check_strategy`: what a strategy promises, tried on it."""

from __future__ import annotations

import inspect
from importlib.util import find_spec
from typing import TYPE_CHECKING

import anyio

from gqlauth.testing._trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gqlauth._token import Strategy
    from gqlauth.testing._server import AuthorizationServer


def check_strategy(
    strategy: Strategy,
    *,
    server: Callable[[], AuthorizationServer] | None = None,
    backends: Sequence[str] = ("asyncio", "trio"),
) -> None:
    """Check that `strategy` does what gqlauth, and its users, rely on.

    It gives a token that goes into a request; fetches a new one each time, and keeps the lifetime
    that the server told; fails by a `TokenError` where the server refuses, or is down; ends when
    it is cancelled; shows no secret; and is told by its fields, so that equal ones share a token.
    What concerns a server is tried only where the strategy asks one.

    This is a plain function, which runs the event loops that it needs: do not call it in one.

    Args:
        strategy: an instance, with secrets that can be read.
        server: makes the authorization server that it asks; if it is not given, one that gives a
            token for each POST.
        backends: the event loops to try it on; one that is not installed is left out.

    Raises:
        AssertionError: with all that it does not do.

    """
    name = type(strategy).__name__
    broken = _shape(strategy)
    if not broken:
        told: dict[str, list[str]] = {}
        present = [backend for backend in backends if find_spec(backend) is not None]
        for backend in present:
            trial = Trial(strategy, server)
            for finding in anyio.run(trial.findings, backend=backend):
                told.setdefault(finding, []).append(backend)
        broken = [
            finding if where == present else f"{finding} (on {', '.join(where)})"
            for finding, where in told.items()
        ]
    if broken:
        raise AssertionError("\n- ".join([f"{name} breaks what a strategy promises:", *broken]))


def _shape(strategy: object) -> list[str]:
    """Return what keeps `strategy` from being tried at all."""
    if isinstance(strategy, type):
        return ["it is a class: give an instance of it"]
    fetch = getattr(strategy, "fetch", None)
    if not inspect.iscoroutinefunction(fetch):
        return ["it has no method `async def fetch(self, endpoint)`"]
    try:
        inspect.signature(fetch).bind(None)
    except TypeError as error:
        return [f"its `fetch` does not take one argument, the endpoint: {error}"]
    return []
