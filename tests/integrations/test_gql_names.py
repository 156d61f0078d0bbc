"""The names of the integration with gql: few, pinned, and imported when they are first used."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gqlauth.integrations import gql

NAMES = [
    "AIOHTTPWebsocketsTransport",
    "WebsocketsTransport",
    "aiohttp_middleware",
    "is_fatal",
    "retry_connect",
    "retry_execute",
    "transport",
]


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)


def test_names_are_pinned() -> None:
    """The public names are these."""
    assert gql.__all__ == NAMES
    assert set(NAMES) <= set(dir(gql))


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_explained(name: str) -> None:
    """Each is there, with a docstring."""
    assert getattr(gql, name).__doc__


def test_unknown_name() -> None:
    """A name that is not there is an AttributeError, as anywhere."""
    with pytest.raises(AttributeError, match="has no attribute 'Transport'"):
        gql.Transport  # type: ignore[attr-defined]  # noqa: B018 - looked up


@pytest.mark.parametrize(
    ("name", "missing", "wanted"),
    [
        ("transport", "gql", "gqlauth[gql]"),
        ("WebsocketsTransport", "websockets", "gqlauth[gql]"),
        ("aiohttp_middleware", "aiohttp", "gql[aiohttp]"),
        ("AIOHTTPWebsocketsTransport", "aiohttp", "gql[aiohttp]"),
    ],
)
def test_missing_library(name: str, missing: str, wanted: str) -> None:
    """Where a library is missing, the error tells how to get it."""
    code = (
        f"import sys\nsys.modules[{missing!r}] = None\nfrom gqlauth.integrations.gql import {name}"
    )
    last = run(code).stderr.splitlines()[-1]

    assert f"ImportError: {name} needs the library {missing}: pip install '{wanted}'" == last


def test_libraries_are_imported_when_they_are_needed() -> None:
    """What is for requests imports nothing that is for websockets."""
    code = (
        "import sys\nfrom gqlauth.integrations.gql import transport\n"
        "print({'aiohttp', 'websockets'} & sys.modules.keys())"
    )

    assert run(code).stdout == "set()\n"
