"""The registry: an ``auth.type`` to its strategy class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gqlauth import StrategyError
from gqlauth._registry import STRATEGIES, strategy_class
from gqlauth_strategies import Basic, Bearer, ClientCredentials, Header
from tests.support.distributions import install

if TYPE_CHECKING:
    from pathlib import Path

MODULE = """
class Key:
    async def fetch(self, endpoint):
        ...

class Blocking:
    def fetch(self, endpoint):
        ...

class Idle:
    pass

async def fetch(endpoint):
    ...
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install a distribution of several claims, and return its module's name."""
    monkeypatch.syspath_prepend(tmp_path)
    module = f"acme_{tmp_path.name}".replace("-", "_")
    names = {"key": "Key", "blocking": "Blocking", "idle": "Idle", "function": "fetch"}
    targets = {name: f"{module}:{attribute}" for name, attribute in names.items()}
    install(tmp_path, "acme", {STRATEGIES.name: targets}, modules={module: MODULE})
    return module


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("basic", Basic),
        ("bearer", Bearer),
        ("client_credentials", ClientCredentials),
        ("Client-Credentials", ClientCredentials),
        ("header", Header),
    ],
)
def test_ours_come_by_their_names(name: str, cls: type) -> None:
    """As anyone's do."""
    assert strategy_class(name) is cls


def test_a_class_with_fetch_is_a_strategy(installed: str) -> None:
    """It needs no base class, and no attrs."""
    cls = strategy_class("key")
    assert (cls.__module__, cls.__name__) == (installed, "Key")


@pytest.mark.parametrize(
    ("name", "attribute"), [("blocking", "Blocking"), ("idle", "Idle"), ("function", "fetch")]
)
def test_what_is_no_strategy_is_refused(installed: str, name: str, attribute: str) -> None:
    """With the name of the distribution, and what was expected."""
    with pytest.raises(StrategyError) as caught:
        strategy_class(name)
    assert str(caught.value) == (
        f'auth type "{name}" cannot be used: {installed}:{attribute} of acme 1.0 is no class '
        'with "async def fetch(self, endpoint)"'
    )


def test_an_unknown_type_is_told() -> None:
    """With what there is, and a suggestion."""
    with pytest.raises(StrategyError, match='did you mean "client_credentials"') as caught:
        strategy_class("client_credential")
    assert str(caught.value).startswith('unknown auth type "client_credential"; installed: basic, ')
