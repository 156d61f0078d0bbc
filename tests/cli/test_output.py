"""What `gql api` writes arrives whole, or it is told that it did not."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gqlauth._cli._output import write

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Unbuffered(io.RawIOBase):
    """Takes a few bytes at a time, and no more than it has room for."""

    def __init__(self, room: int) -> None:
        self.taken = b""
        self._room = room

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer, /) -> int | None:
        some = bytes(data)[: min(3, self._room - len(self.taken))]
        self.taken += some
        return len(some) or None


def as_stdout(monkeypatch: pytest.MonkeyPatch, room: int) -> Unbuffered:
    raw = Unbuffered(room)
    # As Python makes it with PYTHONUNBUFFERED, though its stub knows of none.
    stdout = io.TextIOWrapper(raw, encoding="ascii", write_through=True)  # type: ignore[type-var]
    monkeypatch.setattr(sys, "stdout", stdout)
    return raw


def test_an_output_without_a_buffer_gets_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it takes a part at a time."""
    raw = as_stdout(monkeypatch, 100)
    write("0123456789é")

    assert raw.taken == "0123456789é".encode()


def test_an_output_that_takes_no_more_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is cut off is not passed over."""
    as_stdout(monkeypatch, 5)

    with pytest.raises(BlockingIOError, match="standard output takes no more for now"):
        write("0123456789")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_who_leaves_in_the_middle_is_told(unbuffered: str) -> None:
    """By the status that a shell gives it, with a buffer and without."""
    code = "from gqlauth._cli import _gql, main\nfrom gqlauth._cli._output import write\n"
    code += "_gql._invoked = lambda *_: write('x' * 10_000_000)\nmain()\n"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={"PYTHONUNBUFFERED": unbuffered},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(1) == b"x"
        process.stdout.close()

        assert process.stderr.read() == b""
        assert process.wait(30) == 141
