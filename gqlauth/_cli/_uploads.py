"""Files that are sent with the variables, as the GraphQL multipart request specification has it.

https://github.com/jaydenseric/graphql-multipart-request-spec tells of it.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from contextlib import ExitStack, contextmanager
from errno import EISDIR
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import attrs
import click

from gqlauth._cli._inputs import STDIN, reading, stdin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gqlauth._cli._inputs import Inputs

#: The scalar that servers declare for a file.
UPLOAD: Final = "Upload"


@attrs.frozen
class Upload:
    """A file that a variable stands for, not read yet."""

    #: As it was given; ``-`` is standard input.
    name: str
    #: What gives it, for errors.
    option: str


class Content:
    """What is in a file, as long as it was when its length was told.

    Where it grows meanwhile, no more than that is read.
    """

    def __init__(self, file: BinaryIO, upload: Upload) -> None:
        """Read `file`, which tells its length."""
        self._file = file
        self._upload = upload
        self._length = os.fstat(file.fileno()).st_size

    def tell(self) -> int:
        """Return where the next is read."""
        return self._file.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go there, as httpx does to know the length, or to send it again."""
        return self._file.seek(self._length if whence == os.SEEK_END else offset)

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size`, and none at the end.

        Raises:
            click.UsageError: when they cannot be read, or are gone.

        """
        wanted = min(size, self._length - self._file.tell())
        with reading(self._upload.name, self._upload.option):
            data = self._file.read(wanted)
            if wanted and not data:
                raise OSError("it became shorter while it was sent")
        return data


@attrs.frozen
class OpenFile:
    """A file that is being sent."""

    #: Where it belongs in the request, such as ``variables.files.0``.
    place: str
    #: What the server is told that it is called.
    filename: str
    content: Content = attrs.field(repr=False)


def is_upload(kind: str) -> bool:
    """Tell whether a declared type is that of a file, or of a list of files."""
    return kind.strip("[]!") == UPLOAD


def uploaded(value: str, kind: str, option: str, inputs: Inputs) -> object:
    """Return the upload that ``@FILE`` or ``@-`` names, in a list where `kind` is one.

    Raises:
        click.UsageError: when `value` names none, or one that is not there.

    """
    if value == "null" and not kind.endswith("!"):
        return None
    name = value.removeprefix("@")
    if not name or name == value:
        message = f"the query declares {kind}: @FILE belongs here, or @- for standard input"
        raise click.UsageError(f"{option}: {message}")
    if name == STDIN:
        inputs.take_stdin(option)
    else:
        with reading(name, option):
            if stat.S_ISDIR(Path(name).stat().st_mode):
                raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
    found: object = Upload(name, option)
    for _ in range(kind.count("[")):
        found = [found]
    return found


def parted(body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Upload]]:
    """Return what is sent, with null for each upload, and the uploads by where they belong."""
    uploads: dict[str, Upload] = {}

    def without(value: Any, place: str) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, Upload):
            uploads[place] = value
            return None
        if isinstance(value, dict):
            return {key: without(item, f"{place}.{key}") for key, item in value.items()}
        if isinstance(value, list):
            return [without(item, f"{place}.{index}") for index, item in enumerate(value)]
        return value

    return {key: without(value, key) for key, value in body.items()}, uploads


@contextmanager
def opened(uploads: Mapping[str, Upload]) -> Iterator[tuple[OpenFile, ...]]:
    """Open what is to be sent, until the end of the block.

    What can be read once is copied into a file that has no name: its length is told before, and
    it may have to be sent again.

    Raises:
        click.UsageError: when one cannot be read.

    """
    with ExitStack() as stack:
        yield tuple([_opened(place, upload, stack) for place, upload in uploads.items()])


def _opened(place: str, upload: Upload, stack: ExitStack) -> OpenFile:
    with reading(upload.name, upload.option):
        if upload.name == STDIN:
            return OpenFile(place, "stdin", Content(_repeatable(stdin(), stack), upload))
        path = Path(upload.name)
        # A name that is no text is told as far as it is.
        filename = os.fsencode(path.name).decode("utf-8", "replace")
        file = _repeatable(stack.enter_context(path.open("rb")), stack)
        return OpenFile(place, filename, Content(file, upload))


def _repeatable(file: BinaryIO, stack: ExitStack) -> BinaryIO:
    """Return `file`, or a copy where it is none that tells its length and can be read twice."""
    about = os.fstat(file.fileno())
    # A file of /proc tells none; of standard input somebody may have read a part.
    if stat.S_ISREG(about.st_mode) and about.st_size and not file.tell():
        return file
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the stack closes it
    stack.callback(copy.close)
    shutil.copyfileobj(file, copy)
    copy.flush()  # so that the file system knows the length
    return copy
