"""Where secrets come from: real variables and real files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from gqlauth import Secret, SecretError
from gqlauth._plugins import PluginGroup
from gqlauth._secret_sources import EnvSource, FileSource
from tests.support.trouble import HIDDEN, trouble

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("name", "cls"), [("env", EnvSource), ("file", FileSource)])
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
