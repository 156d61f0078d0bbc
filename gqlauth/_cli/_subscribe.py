"""The course of a subscription in ``gql api``: which way it comes, until it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from gqlauth import _log
from gqlauth._cli._answer import NoAnswerError, read_answer
from gqlauth._cli._failure import Failure, say
from gqlauth._cli._listener import Listener
from gqlauth._cli._over_http import over_http
from gqlauth._cli._run import run, waiting
from gqlauth._cli._verdict import is_passing
from gqlauth._cli._websocket import over_websocket
from gqlauth._graphql import rejection
from gqlauth._service import AuthService
from gqlauth._subscriptions._renewal import Renewal
from gqlauth.errors import GqlAuthError

if TYPE_CHECKING:
    from gqlauth._cli._answer import Reply
    from gqlauth._cli._send import Call
    from gqlauth._cli._telling import Teller

# Statuses by which a server says that it answers no such request, or not at this address.
_ELSEWHERE: Final = frozenset({400, 404, 405, 406, 415, 426, 501})
_REFUSALS: Final = frozenset({401, 403})


def subscribe(teller: Teller) -> int:
    """Write the events of a subscription as they come, and return the exit status.

    Raises:
        GqlAuthError: when there is no token to be had.
        Failure: when nothing could be had, or it was lost.

    """
    call, listener = teller.call, Listener(teller)
    with listener.waiting:
        listener.waiting.enter_context(waiting(f"{call.endpoint.name} ({call.host})"))
        run(lambda: _listen(call, listener))
    return listener.status


async def _listen(call: Call, listener: Listener) -> None:
    chosen = call.endpoint.subscriptions
    async with AuthService(call.config, short_lived=True) as service:
        has_own = call.brings_authorization or not call.authenticate
        renewal = None if has_own else Renewal.of(service, call.endpoint)
        if chosen is not None and chosen.by_websocket:
            await over_websocket(call, service, renewal, listener)
            return
        place = call.endpoint.url if chosen is None else chosen.url or call.endpoint.url
        there = attrs.evolve(call, endpoint=attrs.evolve(call.endpoint, url=place))
        answer = await over_http(there, service, renewal, listener)
        if answer is None:
            return
        hint = ""
        if chosen is None and _may_be_elsewhere(call, answer):
            _log.info("no stream answers, so a WebSocket is tried", status=answer.status)
            try:
                await over_websocket(call, service, renewal, listener)
            except (Failure, GqlAuthError) as error:
                if listener.has_begun:
                    raise
                _log.info("nor does a WebSocket", error=str(error))
                hint = error.hint if isinstance(error, Failure) else ""
            else:
                return
        listener.take_alone(answer)
        if hint:
            say("subscriptions over WebSocket could not be tried", hint=hint)


def _may_be_elsewhere(call: Call, reply: Reply) -> bool:
    """Tell whether an answer says that subscriptions do not come this way."""
    try:
        answer = read_answer(reply)
    except NoAnswerError:
        return reply.status in _ELSEWHERE
    rejected = rejection(reply.content, call.endpoint.retry_on) is not None
    refused = rejected or reply.status in _REFUSALS or is_passing(reply.status)
    return bool(answer.errors) and not answer.has_data and not refused
