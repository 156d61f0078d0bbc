"""What a token on disk spares a command: the request for it, for a look at a file."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.commands import CONFIGURATION, started
from benchmarks.measure import count, duration, in_turns, ratio
from benchmarks.table import Column, Goal, Table
from gqlauth._stores._seal import new_key

if TYPE_CHECKING:
    from benchmarks.measure import Subject
    from benchmarks.token_endpoint import TokenServer, TokenURL

#: Seconds that the token endpoint takes.
DELAY: Final = 0.05
MEMORY: Final = "gql api, tokens in memory"
DISK: Final = "gql api, tokens on disk"


async def stored(server: TokenServer, *, quick: bool) -> list[Table]:
    """Ask an API over and over, each time by a new process."""
    rounds = 3 if quick else 25
    with tempfile.TemporaryDirectory() as folder:
        tokens = {MEMORY: server.run(delay=DELAY), DISK: server.run(delay=DELAY)}
        subjects = {
            name: _asked(Path(folder), store, server.api, tokens[name])
            for name, store in ((MEMORY, "memory"), (DISK, "disk"))
        }
        for subject in subjects.values():  # what is compiled once, and the token on disk
            await subject()
        rows = await in_turns(subjects, rounds)
    for name, figures in rows.items():
        figures["requests"] = tokens[name].requests()
        figures["times"] = figures["seconds"] / rows[MEMORY]["seconds"]
    title = (
        "Asking an API by a new process each time, with a token endpoint that takes"
        f" {duration(DELAY)} (medians of {rounds} rounds)"
    )
    columns = (
        Column("seconds", "time", duration),
        Column("times", "x memory", ratio),
        Column("requests", "token requests", count),
    )
    goals = (
        Goal("tokens on disk beside tokens in memory", rows[DISK]["times"], 1.0, ratio),
        Goal("token requests with tokens on disk", rows[DISK]["requests"], 1.0, count),
    )
    return [Table(title, columns, rows, goals)]


def _asked(folder: Path, store: str, api: str, tokens: TokenURL) -> Subject:
    configuration = folder / f"{store}.toml"
    configuration.write_text(
        CONFIGURATION.format(store=store, api=api, tokens=tokens.url), encoding="utf-8"
    )
    environment = {
        **os.environ,
        "GQLAUTH_CACHE_KEY": new_key(),
        "GQLAUTH_CONFIG": str(configuration),
        "ORDERS_CLIENT_SECRET": "made-up-for-benchmarks",
        "XDG_CACHE_HOME": str(folder / store),
    }
    gql = str(Path(sys.executable).with_name("gql"))
    return started((gql, "api", "{ me { id } }"), environment)
