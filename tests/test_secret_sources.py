"""Where secrets come from: real variables, real files, real processes."""

from __future__ import annotations

import os
import socket
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from gqlauth import Secret, SecretError, _secret_sources
from gqlauth._plugins import PluginGroup
from gqlauth._secret_sources import CommandSource, EnvSource, FileSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gqlauth._secret import SecretSource

pytestmark = pytest.mark.anyio

HIDDEN = "s3cr3t-value"


async def trouble(source: SecretSource) -> str:
    """Return the error of reading `source`; no frame that it passed through shows the secret."""
    with pytest.raises(SecretError) as caught:
        await source.read()
    seen: BaseException | None = caught.value
    while seen is not None:
        shown = traceback.TracebackException.from_exception(seen, capture_locals=True)
        ours = [frame for frame in shown.stack if frame.filename == _secret_sources.__file__]
        assert HIDDEN not in str([frame.locals for frame in ours])
        assert HIDDEN not in str(seen)
        seen = seen.__cause__ or seen.__context__
    return str(caught.value)


def shell(script: str, *arguments: str) -> CommandSource:
    return CommandSource(("sh", "-c", script, "sh", *arguments))


def python(script: str, *arguments: str) -> CommandSource:
    return CommandSource((sys.executable, "-S", "-c", script, *arguments))


@pytest.mark.parametrize(
    ("name", "cls"), [("env", EnvSource), ("file", FileSource), ("command", CommandSource)]
)
def test_they_come_by_entry_point(name: str, cls: type) -> None:
    """As anyone's sources do."""
    assert cls is PluginGroup("gqlauth.secrets", "secret source", SecretError).load(name)


class TestEnv:
    async def test_its_value_is_the_secret(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As it is, white space and all."""
        monkeypatch.setenv("ACME_SECRET", " é\n")
        source = EnvSource("ACME_SECRET")
        assert source.check() is None
        assert await source.read() == " é\n"
        assert str(source) == "env ACME_SECRET"

    async def test_a_variable_that_is_not_set_is_told(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By its name, with and without reading it."""
        monkeypatch.delenv("ACME_SECRET", raising=False)
        expected = "environment variable ACME_SECRET is not set"
        assert EnvSource("ACME_SECRET").check() == expected
        assert await trouble(EnvSource("ACME_SECRET")) == expected

    async def test_an_empty_variable_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is no secret."""
        monkeypatch.setenv("ACME_SECRET", "")
        assert await trouble(EnvSource("ACME_SECRET")) == (
            "environment variable ACME_SECRET is empty"
        )

    async def test_bytes_that_are_no_text_are_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """They could not be sent."""
        monkeypatch.setenv("ACME_SECRET", f"{HIDDEN}\udcff")
        assert await trouble(EnvSource("ACME_SECRET")) == (
            "environment variable ACME_SECRET is not UTF-8"
        )

    @pytest.mark.parametrize("name", ["", "A\0B"])
    def test_its_name_must_be_one(self, name: str) -> None:
        """No variable can be called so."""
        with pytest.raises(ValueError, match="is empty, or has a NUL in it"):
            EnvSource(name)

    async def test_it_is_read_anew_each_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """So that a rotated secret is picked up."""
        secret = Secret.from_source(EnvSource("ACME_SECRET"))
        for value in ("one", "two"):
            monkeypatch.setenv("ACME_SECRET", value)
            assert (await secret.resolve()).reveal() == value


class TestFile:
    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"secret", "secret"),
            (b"secret\n", "secret"),
            (b"secret\r\n", "secret"),
            (b"secret\n\n", "secret\n"),
            (b"secret\r", "secret\r"),
            (b" a\nb ", " a\nb "),
            (b"\xef\xbb\xbfsecret", "secret"),
            ("é".encode(), "é"),
            (b"x" * 65_536, "x" * 65_536),
        ],
    )
    async def test_its_text_is_the_secret(
        self, tmp_path: Path, content: bytes, expected: str
    ) -> None:
        """Without one newline at its end, and without a byte order mark."""
        path = tmp_path / "secret"
        path.write_bytes(content)
        source = FileSource(path)
        assert source.check() is None
        assert await source.read() == expected
        assert str(source) == f"file {path}"

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"", "secret file {} is empty"),
            (b"\n", "secret file {} is empty"),
            (
                HIDDEN.encode() * 6_000,
                "secret file {} gives more than 64 KiB: that is no secret",
            ),
            (HIDDEN.encode() + b"\xff", "secret file {} gives no UTF-8 text"),
        ],
    )
    async def test_what_is_no_secret_is_told(
        self, tmp_path: Path, content: bytes, expected: str
    ) -> None:
        """But not shown."""
        path = tmp_path / "secret"
        path.write_bytes(content)
        assert await trouble(FileSource(path)) == expected.format(path)

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("missing", "secret file {} does not exist"),
            ("folder", "secret file {} is a directory"),
            ("pipe", "secret file {} is no regular file"),
            ("file/below", "secret file {} is unreadable: Not a directory"),
        ],
    )
    async def test_what_cannot_be_read_is_told(
        self, tmp_path: Path, name: str, expected: str
    ) -> None:
        """With and without reading it; a pipe that nobody writes to holds nobody up."""
        (tmp_path / "folder").mkdir()
        (tmp_path / "file").touch()
        os.mkfifo(tmp_path / "pipe")
        source = FileSource(tmp_path / name)
        assert source.check() == expected.format(source.path)
        assert await trouble(source) == expected.format(source.path)

    def test_its_path_must_be_one(self) -> None:
        """No file can be called so."""
        with pytest.raises(ValueError, match="is empty, or has a NUL in it"):
            FileSource(Path("a\0b"))

    async def test_what_may_not_be_read_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever runs the tests may read all files, so the system is made to say no."""

        def refuse(*_: Any) -> Any:
            raise PermissionError(13, "Permission denied")

        path = tmp_path / "secret"
        path.write_text(HIDDEN, encoding="utf-8")
        monkeypatch.setattr(os, "access", lambda *_: False)
        monkeypatch.setattr(os, "open", refuse)
        assert FileSource(path).check() == f"secret file {path} is unreadable"
        assert await trouble(FileSource(path)) == (
            f"secret file {path} is unreadable: Permission denied"
        )

    @pytest.mark.parametrize("mode", [0o602, 0o666, 0o646])
    async def test_what_others_may_write_is_refused(self, tmp_path: Path, mode: int) -> None:
        """With and without reading it, and with what mends it."""
        path = tmp_path / "a secret"
        path.write_text(HIDDEN, encoding="utf-8")
        path.chmod(mode)
        expected = f"others may write secret file {path}: chmod o-w '{path}'"
        assert FileSource(path).check() == expected
        assert await trouble(FileSource(path)) == expected

    @pytest.mark.parametrize(
        ("mode", "told"), [(0o600, 0), (0o400, 0), (0o640, 0), (0o660, 0), (0o644, 1), (0o444, 1)]
    )
    async def test_what_others_may_read_is_told(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, told: int
    ) -> None:
        """Once, with what mends it, and it is used; the file's group is the user's own business."""
        path = tmp_path / "secret"
        path.write_text(HIDDEN, encoding="utf-8")
        path.chmod(mode)
        assert FileSource(path).check() is None
        for _ in range(2):
            assert await FileSource(path).read() == HIDDEN
        expected = f'others may read a secret file file={path} mend="chmod o-r {path}"'
        assert caplog.messages == [expected] * told

    async def test_what_is_mounted_read_only_is_used_in_silence(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Docker and Kubernetes mount secrets so, behind links; the mount itself is made up."""
        data = tmp_path / "..2026"
        data.mkdir()
        (data / "secret").write_text(HIDDEN, encoding="utf-8")
        (data / "secret").chmod(0o666)
        (tmp_path / "..data").symlink_to("..2026")
        (tmp_path / "secret").symlink_to("..data/secret")
        real = os.statvfs(tmp_path)

        class Mounted:
            f_flag = real.f_flag | os.ST_RDONLY

        monkeypatch.setattr(os, "statvfs", lambda _: Mounted)
        source = FileSource(tmp_path / "secret")
        assert source.check() is None
        assert await source.read() == HIDDEN
        assert caplog.messages == []

    async def test_where_modes_mean_nothing_they_are_not_looked_at(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As on Windows, where every file looks as if everyone could write it."""
        path = tmp_path / "secret"
        path.write_text(HIDDEN, encoding="utf-8")
        path.chmod(0o666)
        monkeypatch.delattr(os, "statvfs")
        assert FileSource(path).check() is None
        assert await FileSource(path).read() == HIDDEN


class TestCommand:
    @pytest.mark.parametrize(
        ("printed", "expected"), [("secret", "secret"), (r"a\nb\n\n", "a\nb\n"), ("é", "é")]
    )
    async def test_what_it_prints_is_the_secret(self, printed: str, expected: str) -> None:
        """Without one newline at its end."""
        assert await CommandSource(("printf", printed)).read() == expected

    async def test_no_shell_is_involved(self) -> None:
        """An argument goes as it is."""
        assert await CommandSource(("printf", "%s", "$HOME; *")).read() == "$HOME; *"

    async def test_it_has_nothing_to_read(self) -> None:
        """So that it cannot take what is meant for us, nor wait for it."""
        assert await shell("printf '<%s>' \"$(cat)\"").read() == "<>"

    async def test_it_has_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where its own settings are."""
        monkeypatch.setenv("ACME_PROFILE", "blue")
        assert await shell("echo $ACME_PROFILE").read() == "blue"

    def test_only_its_program_is_shown(self) -> None:
        """An argument may be secret."""
        source = CommandSource(("op", "read", HIDDEN))
        assert str(source) == "command op …"
        assert repr(source) == "CommandSource()"
        assert str(CommandSource(("op",))) == "command op"

    @pytest.mark.parametrize("argv", [(), ("",), ("op", "a\0b")])
    def test_it_must_be_one_that_can_be_run(self, argv: tuple[str, ...]) -> None:
        """Said at once, and not when it is needed."""
        with pytest.raises(ValueError, match=r"a command is a list|has a NUL"):
            CommandSource(argv)

    async def test_a_missing_program_is_told(self) -> None:
        """With and without running it."""
        source = CommandSource(("gqlauth-no-such-program", HIDDEN))
        assert source.check() == (
            "command gqlauth-no-such-program is not on the PATH, or not executable"
        )
        assert await trouble(source) == "command gqlauth-no-such-program is not on the PATH"

    def test_a_program_that_is_there_is_not_run_by_a_check(self, tmp_path: Path) -> None:
        """Diagnostics run nothing."""
        assert shell(f"touch {tmp_path}/run").check() is None
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("mode", "expected"),
        [(0o644, "is not executable"), (0o755, "cannot be started: Exec format error")],
    )
    async def test_what_is_no_program_is_told(
        self, tmp_path: Path, mode: int, expected: str
    ) -> None:
        """As the system says."""
        path = tmp_path / "program"
        path.write_bytes(b"\x7fELF")
        path.chmod(mode)
        assert await trouble(CommandSource((str(path),))) == f"command {path} {expected}"

    async def test_its_standard_error_is_told_and_its_output_never(self) -> None:
        """Nor where the former repeats the latter."""
        script = f"echo {HIDDEN}; echo oh: {HIDDEN} >&2; exit 3"
        assert await trouble(shell(script)) == ('command sh failed with exit status 3: "oh: ***"')

    async def test_its_standard_error_is_made_harmless(self) -> None:
        """Redacted, escaped, and cut."""
        script = r"printf 'client_secret=abc \033[2J' >&2; printf '%0600d' 0 >&2; exit 1"
        told = f"client_secret=*** \\x1b[2J{'0' * 600}"[:500]
        assert await trouble(shell(script)) == (f'command sh failed with exit status 1: "{told}…"')

    async def test_much_standard_error_holds_nobody_up(self) -> None:
        """It is read to its end, and dropped."""
        source = python("import sys; sys.stderr.write('x' * 1_000_000); print('secret')")
        assert await source.read() == "secret"

    @pytest.mark.parametrize("number", [15, 40])
    async def test_a_signal_that_ended_it_is_told(self, number: int) -> None:
        """By its name, if it has one."""
        name = {15: "SIGTERM", 40: "signal 40"}[number]
        assert await trouble(shell(f"kill -{number} $$")) == f"command sh was ended by {name}"

    @pytest.mark.parametrize(
        ("script", "expected"),
        [
            ("true", "printed nothing"),
            ("echo", "printed nothing"),
            ("echo sign in first >&2", 'printed nothing: "sign in first"'),
            (f"while echo {HIDDEN}; do true; done", "gives more than 64 KiB: that is no secret"),
            (rf"printf '{HIDDEN}\377'", "gives no UTF-8 text"),
        ],
    )
    async def test_what_is_no_secret_is_told(self, script: str, expected: str) -> None:
        """But not shown."""
        assert await trouble(shell(script)) == f"command sh {expected}"


class Held:
    """A socket on which a process says that it is there, and whose end says that it is gone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()

    def command(self, script: str) -> CommandSource:
        """Return a command that runs `script`, in which `hold` says that it is there."""
        before = (
            "import os, socket, sys, time\n"
            "def hold():\n"
            "    held = socket.socket(socket.AF_UNIX)\n"
            "    held.connect(sys.argv[1])\n"
            "    held.recv(1)\n"
        )
        return python(before + script, str(self.path))

    async def accept(self) -> socket.socket:
        return (await anyio.to_thread.run_sync(self.listener.accept))[0]

    async def gone(self, connection: socket.socket) -> bool:
        with connection, anyio.fail_after(10):
            return await anyio.to_thread.run_sync(connection.recv, 1) == b""


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    """Give a socket that tells of processes."""
    made = Held(tmp_path / "held")
    yield made
    made.listener.close()


class TestProcesses:
    async def test_what_a_command_leaves_running_holds_nobody_up(self, held: Held) -> None:
        """A program may start another that serves its next call."""
        source = held.command("if os.fork(): print('secret')\nelse: os.close(1); hold()")
        assert await source.read() == "secret"
        (await held.accept()).close()

    async def test_a_command_that_takes_too_long_is_killed(
        self, held: Held, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With all that it started."""
        limits: list[float] = []
        scope = anyio.CancelScope()

        def limited(seconds: float) -> anyio.CancelScope:
            limits.append(seconds)
            return scope

        monkeypatch.setattr(anyio, "move_on_after", limited)
        source = held.command("print('oh', file=sys.stderr, flush=True); os.fork(); hold()")
        told: list[str] = []

        async def read() -> None:
            told.append(await trouble(source))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            connections = [await held.accept(), await held.accept()]
            scope.cancel()
        assert told == [f'command {sys.executable} did not end within 10 s: "oh"']
        assert limits == [10.0]
        for connection in connections:
            assert await held.gone(connection)

    async def test_a_cancelled_command_is_killed(self, held: Held) -> None:
        """With all that it started, before the cancellation goes on."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(held.command("os.fork(); hold()").read)
            connections = [await held.accept(), await held.accept()]
            tasks.cancel_scope.cancel()
        for connection in connections:
            assert await held.gone(connection)

    async def test_a_system_without_process_groups_ends_the_command_alone(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Windows has none."""
        monkeypatch.delattr(os, "killpg")
        monkeypatch.setattr(_secret_sources, "COMMAND_LIMIT", 0.2)
        assert await trouble(CommandSource(("sleep", "600"))) == (
            "command sleep did not end within 0.2 s"
        )
