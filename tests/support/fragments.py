"""Pieces of Python on the pages: no programs, but run, with the names that they take for given."""

from __future__ import annotations

import ast
import inspect
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import gqlauth
from gqlauth._http import httpx

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import AsyncExitStack


async def run_fragment(text: str, place: str, stack: AsyncExitStack) -> None:
    """Run a fragment as if it stood in a coroutine, with a service of the file that is found.

    What it leaves open is closed with the stack.

    Raises:
        NameError: when it takes for given what no fragment is given.

    """
    code = compile(text, place, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    given: dict[str, Any] = {
        "gqlauth": gqlauth,
        "httpx": httpx,
        "Token": gqlauth.Token,
        "self": SimpleNamespace(api_key=gqlauth.Secret("k3y-of-orders")),
    }
    if "service" in code.co_names:
        given["service"] = await stack.enter_async_context(gqlauth.AuthService.from_config())
    if {"connect_async", "subscribe"} & {*code.co_names}:
        given |= await _of_gql(code.co_names, stack)
    ended = eval(code, given)
    if inspect.isawaitable(ended):
        await ended


async def _of_gql(used: Collection[str], stack: AsyncExitStack) -> dict[str, Any]:
    """Return what is given to a fragment of graphql-python/gql, which is connected if need be."""
    from gql import Client, gql  # noqa: PLC0415 - no other page needs it

    from gqlauth.integrations.gql import WebsocketsTransport  # noqa: PLC0415 - the same

    service = await stack.enter_async_context(gqlauth.AuthService.from_config())
    client: Any = Client(transport=WebsocketsTransport(service, "orders"))
    stack.push_async_callback(client.close_async)
    given: dict[str, Any] = {
        "client": client,
        "ORDERS": gql("subscription { orderPlaced { id } }"),
    }
    if "connect_async" not in used:
        given["session"] = await client.connect_async()
    return given
