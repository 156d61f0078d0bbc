"""What the command line costs, beside a Python that does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Final

from benchmarks.measure import compare

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.measure import Subject

CONFIGURATION: Final = """\
[endpoints.orders]
url = "https://orders.example.com/graphql"

[endpoints.orders.auth]
type = "client_credentials"
token_url = "https://id.example.com/oauth2/token"
client_id = "orders-cli"
client_secret = { env = "ORDERS_CLIENT_SECRET" }
"""


def command_line(*, quick: bool) -> None:
    """Start `gql` in ways that ask no network, beside ``python -c pass``."""
    gql = str(Path(sys.executable).with_name("gql"))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "gqlauth.toml").write_text(CONFIGURATION, encoding="utf-8")
        environment = {**os.environ, "GQLAUTH_CONFIG": str(Path(folder, "gqlauth.toml"))}
        environment["ORDERS_CLIENT_SECRET"] = "made-up-for-benchmarks"
        calls = {
            "python -c pass": (sys.executable, "-c", "pass"),
            "python -c 'import gqlauth'": (sys.executable, "-c", "import gqlauth"),
            "gql --version": (gql, "--version"),
            "gql --help": (gql, "--help"),
            "gql auth status": (gql, "auth", "status"),
        }
        subjects = {name: _started(call, environment) for name, call in calls.items()}
        compare("Starting a command", subjects, rounds=5 if quick else 25)


def _started(call: tuple[str, ...], environment: Mapping[str, str]) -> Subject:
    async def subject() -> float:
        start = perf_counter()
        # The commands take turns, and nothing else is to run meanwhile.
        subprocess.run(call, env=environment, stdout=subprocess.DEVNULL, check=True)  # noqa: ASYNC221
        return perf_counter() - start

    return subject
