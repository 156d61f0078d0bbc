"""A GraphQL API on a real socket, and a project that is configured for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.gql import Gql, Outcome
    from tests.support.http_server import Answer, HttpServer, Request

CONFIG = """\
default_endpoint = "orders"

[endpoints.orders]
url = "{api}/graphql"
headers = {{ "X-Tenant" = "acme-tenant", "X-Key" = {{ env = "ORDERS_KEY" }} }}

[endpoints.orders.auth]
type = "client_credentials"
token_url = "{tokens}/token"
client_id = "orders-cli"
client_secret = {{ env = "ORDERS_SECRET" }}

[endpoints.static]
url = "{api}/static"
headers = {{ "User-Agent" = "acme", "Accept" = {{ env = "ORDERS_KEY" }} }}
auth = {{ type = "bearer", token = {{ env = "STATIC_TOKEN" }} }}

[endpoints.keyed]
url = "{api}/keyed"
auth = {{ type = "header", name = "X-Api-Key", value = {{ env = "STATIC_TOKEN" }} }}

[endpoints.public]
url = "{api}/public"
"""
KEY = "k3y-of-the-orders"
STATIC = "st4tic-token-of-mine"
TOKEN = "token-1-of-the-server"
ME = {"data": {"me": {"id": "1"}}}
ASK = "{ me { id } }"


class Api:
    """A GraphQL API that answers what it is told to, and a project that is configured for it."""

    def __init__(self, gql: Gql, server: HttpServer, tokens: HttpServer) -> None:
        self.gql = gql
        self.server = server
        self.tokens = tokens

    def answers(self, *answers: Answer) -> None:
        """Answer so, in order; the last for ever."""
        script = list(answers)

        def respond(_request: Request) -> Answer:
            return script.pop(0) if len(script) > 1 else script[0]

        self.server.respond = respond

    def __call__(self, *arguments: str) -> Outcome:
        return self.gql("api", *arguments)

    @property
    def request(self) -> Request:
        return self.server.requests[-1]

    @property
    def asked(self) -> Any:
        return json.loads(self.request.body)
