"""What the command line costs, beside a Python that does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Final

from benchmarks.measure import duration, in_turns, ratio
from benchmarks.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.measure import Figures, Subject
    from benchmarks.token_endpoint import TokenServer

BARE: Final = "python -c pass"
CONFIGURATION: Final = """\
[endpoints.orders]
url = "https://orders.example.com/graphql"

[endpoints.orders.auth]
type = "client_credentials"
token_url = "https://id.example.com/oauth2/token"
client_id = "orders-cli"
client_secret = { env = "ORDERS_CLIENT_SECRET" }
"""


async def commands(_server: TokenServer, *, quick: bool) -> list[Table]:
    """Start `gql` in ways that ask no network, beside ``python -c pass``."""
    gql = str(Path(sys.executable).with_name("gql"))
    rounds = 3 if quick else 25
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder, "gqlauth.toml")
        configuration.write_text(CONFIGURATION, encoding="utf-8")  # noqa: ASYNC240 - nobody waits
        environment = {**os.environ, "GQLAUTH_CONFIG": str(configuration)}
        environment["ORDERS_CLIENT_SECRET"] = "made-up-for-benchmarks"
        calls = {
            BARE: (sys.executable, "-c", "pass"),
            "python -c 'import gqlauth'": (sys.executable, "-c", "import gqlauth"),
            "gql --version": (gql, "--version"),
            "gql --help": (gql, "--help"),
            "gql auth status": (gql, "auth", "status"),
        }
        subjects = {name: started(call, environment) for name, call in calls.items()}
        for subject in subjects.values():  # what is compiled once
            await subject()
        rows = await in_turns(subjects, rounds)
    for figures in rows.values():
        figures["times"] = figures["seconds"] / rows[BARE]["seconds"]
    columns = (Column("seconds", "time", duration), Column("times", "x python", ratio))
    return [Table(f"Starting a command (medians of {rounds} rounds)", columns, rows)]


def started(call: tuple[str, ...], environment: Mapping[str, str]) -> Subject:
    """Return what starts a command, and waits for its end."""

    async def subject() -> Figures:
        start = perf_counter()
        # The commands take turns, and nothing else is to run meanwhile.
        subprocess.run(call, env=environment, stdout=subprocess.DEVNULL, check=True)  # noqa: ASYNC221
        return {"seconds": perf_counter() - start}

    return subject
