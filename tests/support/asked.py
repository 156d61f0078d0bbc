"""A token endpoint that is about to be asked, over a transport in this process."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import anyio
import attrs
import pytest

from gqlauth import (
    Secret,
    Token,
    TokenEndpoint,
    TokenError,
)
from gqlauth._options import AuthOptions
from gqlauth._token_clients import TokenClients
from gqlauth.testing import AuthorizationServer, FrozenClock
from tests.support.token_endpoint import URL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SECRET = "p%2Bq+r:s /=&é"


@attrs.frozen
class Client:
    """What a token endpoint reads of a strategy."""

    token_url: str | None = URL
    client_id: str | None = "orders"
    client_secret: Secret | None = attrs.field(factory=lambda: Secret(SECRET))
    token_endpoint_auth_method: str | None = None
    issuer: str | None = None
    private_key: Secret | None = None
    key_id: str | None = None
    certificate_file: Path | None = None
    certificate_key_file: Path | None = None
    token_endpoint_auth_signing_alg: str | None = None
    assertion_audience: str | None = None
    headers: Mapping[str, str | Secret] = attrs.field(factory=dict)


@attrs.define
class Asked:
    """A token endpoint that is about to be asked."""

    fake: AuthorizationServer
    client: Client = attrs.field(factory=Client)
    clock: FrozenClock = attrs.field(factory=FrozenClock)
    options: AuthOptions = attrs.field(factory=AuthOptions)

    async def grant(self, *, once: bool = False, **form: str | Secret | tuple[str, ...]) -> Token:
        async with aclosing(TokenClients(self.fake)) as network:
            endpoint = TokenEndpoint(
                self.client,
                options=self.options,
                network=network,
                clock=self.clock,
                deadline=anyio.current_time() + self.options.timeout,
            )
            return await endpoint.grant({"grant_type": "client_credentials", **form}, once=once)

    async def fail(self, *, once: bool = False) -> TokenError:
        with pytest.raises(TokenError) as caught:
            await self.grant(once=once)
        return caught.value
