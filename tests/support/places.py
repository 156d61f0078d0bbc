"""An authorization server with its API: what is true of both servers is shown of each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

from tests.support.registered import register, strategy_of
from tests.support.servers import FIXTURES

if TYPE_CHECKING:
    from tests.support.servers import Api, AuthlibServer, Provider


@attrs.frozen
class Place:
    """An authorization server, and an API for its tokens."""

    #: The folder of the server in ``fixtures/``.
    name: str
    server: Provider | AuthlibServer
    api: Api

    def register(self, method: str, **fields: Any) -> dict[str, Any]:
        return register(self.server, method, **fields)

    def strategy(self, client: dict[str, Any], **fields: Any) -> Any:
        return strategy_of(client, self.server, self.api, **fields)

    def client(self, name: str) -> dict[str, Any]:
        """Return a client of ``clients.json``, by how its name begins."""
        clients = json.loads((FIXTURES / self.name / "clients.json").read_text(encoding="utf-8"))
        (client,) = [one for one in clients if one["client_id"].startswith(name)]
        found: dict[str, Any] = client
        return found
