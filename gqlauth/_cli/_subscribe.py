"""The course of a subscription in ``gql api``: which way it comes, until it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gqlauth._cli._listener import Listener
from gqlauth._cli._run import run, waiting
from gqlauth._cli._stream import over_http
from gqlauth._service import AuthService

if TYPE_CHECKING:
    from gqlauth._cli._ask import Options
    from gqlauth._cli._globals import Globals
    from gqlauth._cli._jq import Filter
    from gqlauth._cli._send import Call


def subscribe(
    settings: Globals, options: Options, call: Call, program: Filter | None, *, bare: str
) -> int:
    """Write the events of a subscription as they come, and return the exit status.

    Raises:
        GqlAuthError: when there is no token to be had.
        Failure: when nothing could be had, or it was lost.

    """
    listener = Listener(settings, options, call, program, bare)
    with listener.waiting:
        listener.waiting.enter_context(waiting(f"{call.endpoint.name} ({call.host})"))
        run(lambda: _listen(call, listener))
    return listener.status


async def _listen(call: Call, listener: Listener) -> None:
    async with AuthService(call.config, short_lived=True) as service:
        answer = await over_http(call, service, listener)
        if answer is not None:
            listener.take_alone(answer)
