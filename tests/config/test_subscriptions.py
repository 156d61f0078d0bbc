"""How subscriptions come from an endpoint, as a file says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gqlauth._config import Subscriptions

if TYPE_CHECKING:
    from tests.config.conftest import Project


def test_settings(project: Project) -> None:
    """All that it may say."""
    endpoint = project.endpoint("""
        origins = ["https://live.example.com"]

        [endpoints.orders.subscriptions]
        transport = "ws"
        url = "wss://live.example.com/graphql"
        auth_in = "init"
        init_path = "headers.Authorization"
    """)

    assert endpoint.subscriptions == Subscriptions(
        transport="ws",
        url="wss://live.example.com/graphql",
        auth_in="init",
        init_path="headers.Authorization",
    )


def test_none(project: Project) -> None:
    """Where it says nothing, the answer decides."""
    assert project.endpoint("").subscriptions is None


@pytest.mark.parametrize(
    ("settings", "by_websocket"),
    [
        ("", False),
        ('transport = "ws"', True),
        ('transport = "sse"', False),
        ('url = "wss://orders.example.com/a"', True),
        ('url = "https://orders.example.com:443/a"', False),
        ('transport = "ws", url = "https://orders.example.com/a"', True),
        ('transport = "multipart", url = "https://orders.example.com/a"', False),
    ],
)
def test_transport(project: Project, settings: str, *, by_websocket: bool) -> None:
    """It is named, or the URL's scheme tells."""
    chosen = project.endpoint(f"subscriptions = {{ {settings} }}").subscriptions

    assert chosen is not None
    assert by_websocket == chosen.by_websocket
