"""The harness itself: it finds each leak that is planted."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gqlauth import ConfigError, EndpointStatus, Secret
from gqlauth._cli import _gql
from gqlauth._log_filter import RedactingFilter
from tests.leaks.canaries import CLIENT_SECRET, ENCODINGS, PLANTED, encoded
from tests.leaks.states import STATES
from tests.leaks.world import Leak, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEXT = PLANTED.text


def unredacted() -> None:
    """Log what no filter sees."""
    logger = logging.getLogger("httpx")
    logger.addHandler(logging.StreamHandler(sys.stderr))
    logger.warning("Authorization %s", TEXT)


def temporary() -> None:
    descriptor, _ = tempfile.mkstemp()
    os.write(descriptor, TEXT.encode())
    os.close(descriptor)


def home(name: str, text: str = "") -> None:
    path = Path.home() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def fail() -> None:
    raise ConfigError(f"no use: {TEXT}")


def crash() -> None:
    raise RuntimeError(TEXT)


#: Each way in which a run can leak, and where that is found.
RUNS: dict[str, tuple[Callable[[], object], str]] = {
    "standard output": (lambda: print(TEXT), "standard output"),  # noqa: T201 - the leak
    "standard error": (lambda: print(TEXT, file=sys.stderr), "standard error"),  # noqa: T201 - so
    "the terminal itself": (lambda: os.write(2, TEXT.encode()), "standard error"),
    "a part of it": (lambda: os.write(2, TEXT[3:12].encode()), "standard error"),
    "a log": (unredacted, "standard error"),
    "an error": (fail, "standard error"),
    "a bug": (crash, "standard error"),
    "a warning": (lambda: warnings.warn(TEXT, stacklevel=1), "warnings"),
    "a temporary file": (temporary, "home/tmp/"),
    "a file of the user's": (lambda: home(".cache/gqlauth/x", TEXT), "home/.cache/gqlauth/x"),
    "the name of a file": (lambda: home(f".state/{TEXT}"), "the name of a file"),
    "an argument": (lambda: subprocess.run(["true", TEXT], check=True), "the arguments of a"),
    "a child's variable": (
        lambda: subprocess.run(["true"], env={"X": TEXT}, check=True),
        "the environment of a",
    ),
    "a variable": (lambda: os.environ.__setitem__("LEAKED", TEXT), "the environment"),
}


@pytest.fixture(autouse=True)
def _variables_as_they_were() -> Iterator[None]:
    yield
    os.environ.pop("LEAKED", None)


def plant(world: World, leak: Callable[[], object]) -> None:
    """Let each run of ``gql`` leak before it does anything."""
    invoked = _gql._invoked

    def leaking(*args: Any) -> object:
        leak()
        return invoked(*args)

    world.monkeypatch.setattr(_gql, "_invoked", leaking)


@pytest.mark.parametrize("way", RUNS)
def test_a_run_that_leaks(world: World, way: str) -> None:
    """What a run tells, or leaves behind, or hands on, is found."""
    leak, where = RUNS[way]
    assert world("auth", "status").leaks == set()
    plant(world, leak)

    found = world("auth", "status").leaks

    assert {one.canary for one in found} == {PLANTED.what}
    assert all(one.where.startswith(where) for one in found)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_run_that_encodes_it(world: World, encoding: str) -> None:
    """It is found in each encoding."""
    plant(world, lambda: print(encoded(CLIENT_SECRET.text, encoding)))  # noqa: T201 - the leak

    assert world("auth", "status", "--json").leaks == {Leak(CLIENT_SECRET.what, "standard output")}


def test_a_token_command_that_tells_more(world: World) -> None:
    """``gql auth token`` may tell a token, and no client's secret."""
    assert world("auth", "token").leaks == set()
    plant(world, lambda: print(CLIENT_SECRET.text))  # noqa: T201 - the leak

    assert world("auth", "token").leaks == {Leak(CLIENT_SECRET.what, "standard output")}


def test_a_status_that_tells(world: World) -> None:
    """A field that a secret came into is found."""
    world.monkeypatch.setattr(EndpointStatus, "__getattribute__", _tells_its_source)

    assert world("auth", "status", "--json").leaks == {Leak(PLANTED.what, "standard output")}


def _tells_its_source(status: EndpointStatus, name: str) -> object:
    return TEXT if name == "secret_source" else object.__getattribute__(status, name)


def test_a_secret_that_prints(world: World) -> None:
    """A `Secret` whose ``repr`` tells it is found where events hold it."""
    world.monkeypatch.setattr(Secret, "__repr__", lambda _: TEXT)

    assert world("auth", "status", "--check", "-vv").leaks == {Leak(PLANTED.what, "standard error")}


@pytest.mark.parametrize("state", ["rejected", "rejected by a page", "failing"])
def test_errors_without_a_redactor(world: World, state: str) -> None:
    """Servers that echo bring secrets to light where nothing is redacted."""
    STATES[state].prepare(world)
    for module in [module for name, module in sys.modules.items() if name.startswith("gqlauth")]:
        if hasattr(module, "redact_text"):
            world.monkeypatch.setattr(module, "redact_text", lambda text, known=(): text)

    assert world("auth", "token").leaks != set()


def test_logs_without_a_filter(world: World) -> None:
    """What httpcore logs of an answer is found where no filter sees it."""
    STATES["rejected"].prepare(world)
    world.monkeypatch.setattr(RedactingFilter, "filter", lambda *_: True)

    assert CLIENT_SECRET.what in {leak.canary for leak in world("auth", "token", "-vvv").leaks}
