"""No list of processes tells a secret: neither what ``gql`` runs as, nor what it runs."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.leaks.canaries import PASSWORD
from tests.leaks.world import CONFIG, VARIABLES

if TYPE_CHECKING:
    from tests.leaks.world import World

#: Notes what it sees of itself, and of who runs it, and then gives the password.
SPY = """\
import os, pathlib
seen = pathlib.Path("seen")
lines = [*map(repr, os.sys.argv), *(f"{name}={value}" for name, value in os.environ.items())]
for process in ("self", str(os.getppid())):
    for kind in ("cmdline", "environ"):
        path = pathlib.Path("/proc", process, kind)
        if path.exists():
            lines += path.read_text(errors="replace").split("\\0")
    limits = pathlib.Path("/proc", process, "limits").read_text().splitlines()
    with pathlib.Path("limits").open("a") as file:
        print(*(line for line in limits if "core" in line), file=file)
with seen.open("a") as file:
    file.write("\\0".join(lines) + "\\0")
print(pathlib.Path("password.txt").read_text().strip())
"""
COMMANDS = (
    ("api", "{ me }", "-e", "basic"),
    ("auth", "token", "-e", "basic"),
    ("auth", "status", "--check"),
    ("auth", "check"),
)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_no_process_shows_it(world: World, arguments: tuple[str, ...]) -> None:
    """Arguments hold none; variables hold those that were there before, and no others."""
    world.file("spy.py", SPY)
    world.configure(CONFIG.replace('"cat", "password.txt"', f'"{sys.executable}", "spy.py"'))
    before = {f"{name}={canary.text}" for name, canary in VARIABLES.items()}

    done = subprocess.run(
        [sys.executable, "-m", "gqlauth", *arguments, "-vvv"],
        capture_output=True,
        check=False,
        # The keyring of this process is not that one's, so that status exits with 2.
        env={**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"},
        text=True,
    )

    seen = (world.project / "seen").read_text(encoding="utf-8").split("\0")
    assert [line for line in seen if line not in before and world.search(line)] == []
    assert world.search(done.stderr) == set()
    assert world.left_behind() == set()
    told = world.search(done.stdout)
    assert told == ({PASSWORD} if arguments[1] == "token" else set())


def test_no_crash_leaves_a_core_file(world: World) -> None:
    """What is in memory while a secret is read is written nowhere, whatever the shell allows."""
    world.file("spy.py", SPY)
    world.configure(CONFIG.replace('"cat", "password.txt"', f'"{sys.executable}", "spy.py"'))
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    allow = f'ulimit -S -c {"unlimited" if hard < 0 else hard // 512}; exec "$@"'
    subprocess.run(
        [
            "sh",
            "-c",
            allow,
            "sh",
            sys.executable,
            *["-m", "gqlauth", "auth", "token", "-e", "basic"],
        ],
        capture_output=True,
        check=True,
    )

    limits = (world.project / "limits").read_text(encoding="utf-8").splitlines()
    assert [line.split()[4] for line in limits] == ["0", "0"]


def test_sees_what_a_process_shows(world: World) -> None:
    """What stands in an argument, or in a variable of the child alone, is seen."""
    world.file("spy.py", SPY)
    subprocess.run(
        [sys.executable, "spy.py", PASSWORD.text],
        capture_output=True,
        check=True,
        env={**os.environ, "COPY": VARIABLES["API_KEY"].text},
    )

    seen = (world.project / "seen").read_text(encoding="utf-8")
    assert {PASSWORD, VARIABLES["API_KEY"]} <= world.search(seen)
    assert f"COPY={VARIABLES['API_KEY'].text}" in seen.split("\0")
    assert Path("seen").exists()
