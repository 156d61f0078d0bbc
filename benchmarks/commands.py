"""What the command line costs, beside a Python that does nothing, and scripts that do the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Final

from benchmarks.measure import duration, in_turns, ratio
from benchmarks.table import Column, Goal, Table
from gqlauth._http import httpx
from gqlauth._stores._seal import new_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.measure import Figures, Subject
    from benchmarks.token_endpoint import TokenServer

BARE: Final = "an idle Python"
WARM: Final = "gql api, a token on disk"
COLD: Final = "gql api, no token yet"
STATIC: Final = "a script that posts, with a static token"
FETCHES: Final = "a script that fetches a token, and posts"
#: What a command may cost, in multiples of `BARE`.
MOST_TIMES: Final = {
    "gql --version": 2.0,
    "gql --help": 6.0,
    "gql auth types": 12.0,
    "gql auth status": 16.0,
}
CONFIGURATION: Final = """\
[cache]
store = "{store}"

[endpoints.orders]
url = "{api}"

[endpoints.orders.auth]
type = "client_credentials"
token_url = "{tokens}"
client_id = "orders-cli"
client_secret = {{ env = "ORDERS_CLIENT_SECRET" }}
"""
#: Two more, for what tells of three.
OTHERS: Final = """
[endpoints.billing]
url = "https://billing.example.com/graphql"

[endpoints.billing.auth]
type = "client_credentials"
token_url = "https://id.example.com/oauth2/token"
client_id = "orders-cli"
client_secret = { env = "ORDERS_CLIENT_SECRET" }

[endpoints.reports]
url = "https://reports.example.com/graphql"
auth = { type = "bearer", token = { env = "ORDERS_CLIENT_SECRET" } }
"""
#: The least that does the same as `gql api`, over the library that gqlauth runs on.
POSTS: Final = """\
import {httpx} as httpx

with httpx.Client() as client:
    headers = {{"Authorization": "Bearer token"}}
    print(client.post("{api}", json={{"query": "{{ me {{ id }} }}"}}, headers=headers).text)
"""
FETCHES_AND_POSTS: Final = """\
import {httpx} as httpx

with httpx.Client() as client:
    form = {{"grant_type": "client_credentials"}}
    token = client.post("{tokens}", data=form, auth=("orders-cli", "secret")).json()
    headers = {{"Authorization": "Bearer " + token["access_token"]}}
    print(client.post("{api}", json={{"query": "{{ me {{ id }} }}"}}, headers=headers).text)
"""


async def commands(server: TokenServer, *, quick: bool) -> list[Table]:
    """Start `gql`, beside ``python -c pass`` and scripts that ask the same API."""
    rounds = 3 if quick else 25
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # By the certificates that each one trusts by itself.
        surroundings = {name: one for name, one in os.environ.items() if "SSL_CERT" not in name}
        subjects = {
            **_offline(folder, server, surroundings),
            **_online(folder, server, surroundings),
        }
        for subject in subjects.values():  # what is compiled once, and the token on disk
            await subject()
        rows = await in_turns(subjects, rounds)
    for figures in rows.values():
        figures["times"] = figures["seconds"] / rows[BARE]["seconds"]
    goals = [
        Goal(f"{name} beside {BARE}", rows[name]["times"], most, ratio)
        for name, most in MOST_TIMES.items()
    ]
    for ours, script, most in ((WARM, STATIC, 1.4), (COLD, FETCHES, 1.5)):
        times = rows[ours]["seconds"] / rows[script]["seconds"]
        goals.append(Goal(f"{ours} beside {script}", times, most, ratio))
    columns = (Column("seconds", "time", duration), Column("times", "x python", ratio))
    title = f"Starting a command (medians of {rounds} rounds)"
    return [Table(title, columns, rows, tuple(goals))]


def _offline(
    folder: Path, server: TokenServer, surroundings: Mapping[str, str]
) -> dict[str, Subject]:
    """Return what starts `gql` in ways that ask no network."""
    configuration = folder / "three.toml"
    text = CONFIGURATION.format(store="auto", api=server.api, tokens=server.run().url) + OTHERS
    configuration.write_text(text, encoding="utf-8")
    environment = {
        **surroundings,
        "GQLAUTH_CONFIG": str(configuration),
        "ORDERS_CLIENT_SECRET": "made-up-for-benchmarks",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }
    gql = str(Path(sys.executable).with_name("gql"))
    calls = {
        BARE: (sys.executable, "-c", "pass"),
        "python -c 'import gqlauth'": (sys.executable, "-c", "import gqlauth"),
        "python -c 'import httpx'": (sys.executable, "-c", f"import {httpx.__name__}"),
        **{name: (gql, *name.split()[1:]) for name in MOST_TIMES},
    }
    return {name: started(call, environment) for name, call in calls.items()}


def _online(
    folder: Path, server: TokenServer, surroundings: Mapping[str, str]
) -> dict[str, Subject]:
    """Return what asks an API: `gql`, scripts of the least that does so, and what others have."""
    tokens = server.run().url
    for name, text in (("posts", POSTS), ("fetches", FETCHES_AND_POSTS)):
        script = text.format(httpx=httpx.__name__, api=server.api, tokens=tokens)
        (folder / f"{name}.py").write_text(script, encoding="utf-8")
    environment = {
        **surroundings,
        "GQLAUTH_CACHE_KEY": new_key(),
        "ORDERS_CLIENT_SECRET": "made-up-for-benchmarks",
        "XDG_CACHE_HOME": str(folder),
    }
    gql = str(Path(sys.executable).with_name("gql"))
    subjects = {
        STATIC: started((sys.executable, str(folder / "posts.py")), environment),
        FETCHES: started((sys.executable, str(folder / "fetches.py")), environment),
    }
    for name, store in ((WARM, "disk"), (COLD, "memory")):
        configuration = folder / f"{store}.toml"
        text = CONFIGURATION.format(store=store, api=server.api, tokens=tokens)
        configuration.write_text(text, encoding="utf-8")
        ours = {**environment, "GQLAUTH_CONFIG": str(configuration)}
        subjects[name] = started((gql, "api", "{ me { id } }"), ours)
    curl = shutil.which("curl")
    if curl is not None:
        headers = ("-H", "Authorization: Bearer token", "-H", "Content-Type: application/json")
        call = (curl, "--silent", *headers, "--data", '{"query": "{ me { id } }"}', server.api)
        subjects["curl, with a static token"] = started(call, environment)
    gql_cli = Path(sys.executable).with_name("gql-cli")
    if gql_cli.exists():
        options = ("--transport", "httpx", "--headers", "Authorization:Bearer token")
        asked = started((str(gql_cli), server.api, *options), environment, text="{ me { id } }")
        subjects["gql-cli, with a static token"] = asked
    return subjects


def started(call: tuple[str, ...], environment: Mapping[str, str], *, text: str = "") -> Subject:
    """Return what starts a command that reads `text`, and waits for its end."""

    async def subject() -> Figures:
        start = perf_counter()
        # The commands take turns, and nothing else is to run meanwhile.
        subprocess.run(  # noqa: ASYNC221
            call, env=environment, input=text.encode(), stdout=subprocess.DEVNULL, check=True
        )
        return {"seconds": perf_counter() - start}

    return subject
