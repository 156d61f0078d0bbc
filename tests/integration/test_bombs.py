"""What a token endpoint sends without measure fills no memory."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.faults import HostileTokenEndpoint

#: Asks all that a bomb may be, and prints by how many bytes the process has grown.
BOMBS = """
import resource, sys
from pathlib import Path
import anyio
from gqlauth import TokenError
from tests.support.hostile import token_of

def peak():
    # On Linux the figure of getrusage begins with that of the process which started this one.
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

async def main():
    async def ask(url):
        try:
            await token_of(url)
        except TokenError:
            return
        raise SystemExit(f"a token from {url}")

    first, *bombs = sys.argv[2:]
    await ask(first)
    before = peak()
    for bomb in bombs:
        await ask(bomb)
    print(peak() - before)

anyio.run(main, backend=sys.argv[1])
"""


def test_bombs_fill_no_memory(hostile: HostileTokenEndpoint, anyio_backend: str) -> None:
    """300 MB out of 300 KB raise the memory of the process by less than 16 MB, all together."""
    moods = [
        "html",
        "gzip_bomb",
        "gzip_bomb/503",
        "deflate_bomb",
        "endless_body",
        "endless_headers",
        "gzip_tail",
        "gzip_nothing",
        "huge_header",
    ]
    command = [sys.executable, "-c", BOMBS, anyio_backend, *map(hostile.token_url, moods)]
    ran = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
    grown = int(ran.stdout)

    assert grown < 16 * 2**20
