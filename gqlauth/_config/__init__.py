"""The configuration: find the file, read it, structure it, and explain what is wrong in it."""

from __future__ import annotations

from gqlauth._config._document import read
from gqlauth._config._find import Found, find
from gqlauth._config._initial import trust_initial, write_initial
from gqlauth._config._load import Loaded, load
from gqlauth._config._model import RETRY_ON, Config, Endpoint, EndpointAuthConfig, unknown_endpoint
from gqlauth._config._subscriptions import Subscriptions, as_http, as_websocket

__all__ = [
    "RETRY_ON",
    "Config",
    "Endpoint",
    "EndpointAuthConfig",
    "Found",
    "Loaded",
    "Subscriptions",
    "as_http",
    "as_websocket",
    "find",
    "load",
    "read",
    "trust_initial",
    "unknown_endpoint",
    "write_initial",
]
