"""What the warm path and each command cost, by figures that are the same each time.

Times differ from machine to machine; instructions and imports do not. They are kept in
fixtures/costs, a file for each Python: ``--snapshot-update`` writes what is found.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import anyio.lowlevel
import httpx
import pytest

from gqlauth import AuthService, Secret
from gqlauth.testing import AuthorizationServer
from gqlauth_strategies import ClientCredentials

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from types import CodeType

FOLDER = Path(__file__).parents[1] / "fixtures" / "costs"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
#: By what part a figure may differ from the one that is kept.
TOLERANCE = 0.05
API = "https://orders.example.com/graphql"
COMMANDS = {
    "version": ["--version"],
    "help": ["--help"],
    "api-help": ["api", "--help"],
    "auth-types": ["auth", "types"],
    "auth-status": ["auth", "status"],
    "dry-run": ["api", "{ me { id } }", "--dry-run"],
}
SLOW = {"asyncio", "attrs", "cattrs", "httpx", "importlib.metadata", "structlog", "tenacity"}
CONFIGURATION = """
[endpoints.orders]
url = "https://orders.example.com/graphql"
auth = { type = "bearer", token = { env = "API_TOKEN" } }
"""
#: Runs a command, and tells which modules it imported beside those that were there.
RUN = """
import sys
before = set(sys.modules)
from gqlauth._cli import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code, ended.code
sys.stderr.write("\\n".join(sorted(set(sys.modules) - before)))
"""


@pytest.fixture
def keeps(request: pytest.FixtureRequest) -> bool:
    """Tell whether what is found is to be kept from now on."""
    return bool(request.config.option.update_snapshots)


def compared(name: str, found: Any, *, keeps: bool) -> Any:
    """Return what is kept under `name` for this Python; first, if it is to be, what was found."""
    kept = FOLDER / f"{name}-{PYTHON}.json"
    if keeps:
        kept.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return json.loads(kept.read_text(encoding="utf-8"))


def beyond(found: float, kept: float) -> bool:
    return abs(found - kept) > TOLERANCE * kept


def imported(name: str, tmp_path: Path) -> list[str]:
    """Return the modules that a command imports."""
    (tmp_path / "gqlauth.toml").write_text(CONFIGURATION, encoding="utf-8")
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")},
        "API_TOKEN": "t0k3n-of-nobody",
        "GQLAUTH_CONFIG": str(tmp_path / "gqlauth.toml"),
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", RUN, *COMMANDS[name]],
        capture_output=True,
        check=True,
        env=environment,
        text=True,
    )
    return done.stderr.split()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_imports_what_it_did(name: str, tmp_path: Path, *, keeps: bool) -> None:
    """What is imported is most of what a command costs."""
    modules = imported(name, tmp_path)
    # Of others the package alone, as their insides are theirs; under either name, the HTTP library
    # is the same one.
    names = {"httpx2": "httpx", "httpcore2": "httpcore"}
    packages = {module.partition(".")[0] for module in modules}
    found = sorted(
        {module for module in modules if module.startswith("gqlauth")}
        | {names.get(one, one) for one in packages - sys.stdlib_module_names}
    )
    kept = compared(f"modules-{name}", found, keeps=keeps)

    difference = {
        "more": sorted(set(found) - set(kept)),
        "fewer": sorted(set(kept) - set(found)),
    }
    assert len(difference["more"]) + len(difference["fewer"]) <= TOLERANCE * len(kept), difference


@pytest.mark.parametrize(
    ("name", "slow"),
    [
        ("version", SLOW | {"click", "typing", "re"}),
        ("help", SLOW),
        ("auth-types", SLOW - {"attrs", "importlib.metadata"}),
        ("auth-status", SLOW - {"attrs", "cattrs"}),
        ("dry-run", SLOW - {"attrs", "cattrs", "httpx", "importlib.metadata"}),
    ],
)
def test_a_command_does_without_what_is_slow(name: str, slow: set[str], tmp_path: Path) -> None:
    """What was measured, and found to take as long as to start Python, or longer."""
    assert slow & set(imported(name, tmp_path)) == set()


if sys.version_info >= (3, 12):  # where the interpreter itself tells

    class Counter:
        """Counts the instructions that gqlauth's own code runs."""

        def __init__(self) -> None:
            self.instructions = 0

        def __enter__(self) -> Self:
            monitoring = sys.monitoring
            monitoring.use_tool_id(monitoring.PROFILER_ID, "gqlauth's costs")
            monitoring.register_callback(
                monitoring.PROFILER_ID, monitoring.events.INSTRUCTION, self._count
            )
            monitoring.set_events(monitoring.PROFILER_ID, monitoring.events.INSTRUCTION)
            return self

        def __exit__(self, *_: object) -> None:
            monitoring = sys.monitoring
            monitoring.set_events(monitoring.PROFILER_ID, 0)
            monitoring.register_callback(
                monitoring.PROFILER_ID, monitoring.events.INSTRUCTION, None
            )
            monitoring.free_tool_id(monitoring.PROFILER_ID)

        def _count(self, code: CodeType, _offset: int) -> object:
            if f"{os.sep}gqlauth{os.sep}" not in code.co_filename:
                return sys.monitoring.DISABLE
            self.instructions += 1
            return None

    @pytest.fixture
    def warm() -> Iterator[None]:
        """Leave nothing disabled that another count would want."""
        yield
        sys.monitoring.restart_events()

    async def counted(ask: Callable[[], Awaitable[object]]) -> int:
        """Return how many instructions one call takes, where all that is done once is done."""
        for _ in range(20):
            await ask()
        with Counter() as counter:
            await ask()
        return counter.instructions

    @pytest.mark.anyio
    @pytest.mark.usefixtures("warm")
    async def test_the_warm_path_takes_as_many_instructions(*, keeps: bool) -> None:
        """For a token that is fresh: asked for by itself, and put into a request."""
        strategy = ClientCredentials(
            token_url="https://id.example.com/token", client_id="c", client_secret=Secret("s3cr3t")
        )
        transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"data": {"me": 1}}))
        async with AuthService(token_transport=AuthorizationServer()) as service:
            auth = service.auth_for(strategy, url=API)
            source = auth._source
            assert source is not None
            async with httpx.AsyncClient(auth=auth, transport=transport) as client:

                async def post() -> object:
                    return await client.post(API, json={"query": "{ me }"})

                found = {"token": await counted(source.token), "request": await counted(post)}
                await anyio.lowlevel.checkpoint()
        kept = compared("instructions", found, keeps=keeps)

        assert found.keys() == kept.keys()
        assert not any(beyond(found[name], kept[name]) for name in found), (found, kept)
