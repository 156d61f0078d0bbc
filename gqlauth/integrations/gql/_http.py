"""gql's transport for httpx, set up for an endpoint."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gql.transport.exceptions import TransportAlreadyConnected, TransportServerError
from gql.transport.httpx import HTTPXAsyncTransport

from gqlauth.integrations.gql._logs import redact_logs

if TYPE_CHECKING:
    from collections.abc import Callable

    from gqlauth import AuthService
    from gqlauth._http import httpx

#: From this status on, an answer that is no GraphQL is an error of the server's.
_FIRST_ERROR = 400


def transport(
    service: AuthService,
    name: str | None = None,
    *,
    json_serialize: Callable[[Any], str] = json.dumps,
    json_deserialize: Callable[[bytes], Any] = json.loads,
    **settings: Any,  # noqa: ANN401 - httpx's own
) -> HTTPXAsyncTransport:
    """Return a transport of gql for an endpoint, with all that `AuthService.client` sets up.

    Its requests carry a valid token, the endpoint's headers and its time-out; one that the API
    refuses for its token is sent once more where that is safe. `settings` are those of
    ``httpx.AsyncClient``. Each connection makes a client of its own, of the library that gqlauth
    runs on, httpx or httpx2, whichever gql itself would take.

    Raises:
        ConfigError: when there is no such endpoint.

    """
    endpoint = service.endpoint(name)
    redact_logs()
    return _Transport(
        endpoint.url,
        lambda: service.client(endpoint.name, **settings),
        json_serialize=json_serialize,
        json_deserialize=json_deserialize,
    )


class _Transport(HTTPXAsyncTransport):
    """One whose client comes from the service."""

    # gql's own is of httpx2, where that is installed.
    client: Any

    def __init__(
        self,
        url: str,
        make: Callable[[], httpx.AsyncClient],
        **settings: Any,  # noqa: ANN401 - gql's own
    ) -> None:
        super().__init__(url, **settings)
        self._make = make

    async def connect(self) -> None:
        """Make the client."""
        if self.client:
            raise TransportAlreadyConnected("Transport is already connected")
        self.client = self._make()

    # gql's own waits for the error of the library that it has chosen itself.
    @staticmethod
    def _raise_transport_server_error_if_status_more_than_400(response: Any) -> None:  # noqa: ANN401 - of either library
        if response.status_code >= _FIRST_ERROR:
            raise TransportServerError(
                f"the API answered {response.status_code} {response.reason_phrase}",
                response.status_code,
            )
