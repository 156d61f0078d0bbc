"""A folder for sealed tokens that nobody but the user may write."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from shlex import quote

import pytest

from gqlauth._stores._folder import HALF, Folder, token_folder
from gqlauth._stores._store import StoreError

NOW = 1_800_000_000.0


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Folder) -> list[str]:
    return [path.name for path in folder.path.iterdir()]


def refused(folder: Folder) -> str:
    """Return why a folder is not used, be it made or looked at."""
    with pytest.raises(StoreError) as making:
        folder.prepare()
    with pytest.raises(StoreError) as looking:
        folder.check()
    assert str(making.value) == str(looking.value)
    return str(making.value)


def test_it_lies_in_the_cache_of_the_user(tmp_path: Path) -> None:
    """As platformdirs has it."""
    assert token_folder() == tmp_path / "cache" / "gqlauth" / "tokens"


class TestPrepare:
    def test_it_is_made_for_the_user_alone(self, tmp_path: Path) -> None:
        """And so is the folder above, whatever the umask allows."""
        before = os.umask(0)
        try:
            Folder(tmp_path / "deep" / "cache" / "gqlauth" / "tokens").prepare()
        finally:
            os.umask(before)

        assert mode(tmp_path / "deep" / "cache" / "gqlauth" / "tokens") == 0o700
        assert mode(tmp_path / "deep" / "cache" / "gqlauth") == 0o700

    def test_one_that_is_there_will_do(self, folder: Folder) -> None:
        """Each process begins so."""
        folder.prepare()

    @pytest.mark.parametrize("bit", [stat.S_IWGRP, stat.S_IWOTH])
    @pytest.mark.parametrize("above", [True, False])
    def test_not_where_others_may_write(self, folder: Folder, bit: int, *, above: bool) -> None:
        """Into it, or into the one above, where they might put another in its place."""
        path = folder.path.parent if above else folder.path
        path.chmod(0o700 | bit)

        assert refused(folder) == f"others may write in {path}: chmod go-w {quote(str(path))}"

    def test_not_where_it_is_a_link(self, folder: Folder, tmp_path: Path) -> None:
        """It may lead to anywhere."""
        folder.path.rmdir()
        folder.path.symlink_to(tmp_path)

        assert refused(folder) == f"{folder.path} is a symbolic link: remove it"

    def test_not_where_it_is_anothers(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who owns it may do anything with it."""
        monkeypatch.setattr(os, "geteuid", lambda: folder.path.stat().st_uid + 1)

        assert refused(folder) == f"{folder.path.parent} belongs to another user"

    def test_where_nobody_has_a_number(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As on Windows, where no mode tells who may write."""
        folder.path.chmod(0o777)
        monkeypatch.delattr(os, "geteuid")

        folder.prepare()

    def test_not_where_there_is_no_home(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing is made in the working directory."""
        monkeypatch.chdir(tmp_path)
        folder = Folder(Path("~/.cache/gqlauth/tokens"))
        for look in (folder.prepare, folder.check):
            with pytest.raises(StoreError, match="there is no home directory"):
                look()
        assert list(tmp_path.iterdir()) == []

    def test_not_where_a_file_is_in_the_way(self, tmp_path: Path) -> None:
        """It is told what the system says."""
        (tmp_path / "file").write_text("")
        folder = Folder(tmp_path / "file" / "gqlauth" / "tokens")

        with pytest.raises(StoreError, match=r"cannot be made: (Not a directory|File exists)$"):
            folder.prepare()
        with pytest.raises(StoreError, match=r"cannot be looked at: Not a directory$"):
            folder.check()

    def test_looking_makes_nothing(self, tmp_path: Path) -> None:
        """What is not there is no trouble."""
        Folder(tmp_path / "gqlauth" / "tokens").check()

        assert list(tmp_path.iterdir()) == []


class TestFiles:
    def test_one_is_for_the_user_alone(self, folder: Folder) -> None:
        """And tells by its date when it ends."""
        folder.write("a", b"data", NOW)

        assert mode(folder.path / "a") == 0o600
        assert (folder.path / "a").stat().st_mtime == NOW
        assert folder.read("a") == b"data"

    @pytest.mark.parametrize("ends", [-5.0, 1e300])
    def test_any_end_will_do(self, folder: Folder, ends: float) -> None:
        """Also one that no file system knows."""
        folder.write("a", b"data", ends)

        assert folder.read("a") == b"data"

    def test_there_is_none(self, folder: Folder) -> None:
        """Nothing is read, and nothing removed."""
        assert folder.read("a") is None
        assert folder.mark("a") is None
        assert not folder.remove("a")

    def test_it_is_replaced_whole(self, folder: Folder) -> None:
        """Who has the old one open goes on with it, and its mark is another."""
        folder.write("a", b"old", NOW)
        mark = folder.mark("a")
        with (folder.path / "a").open("rb") as old:
            folder.write("a", b"new", NOW)

            assert old.read() == b"old"
        assert folder.read("a") == b"new"
        assert folder.mark("a") != mark

    def test_it_is_removed_once(self, folder: Folder) -> None:
        """And this tells whether it was there."""
        folder.write("a", b"data", NOW)

        assert [folder.remove("a"), folder.remove("a")] == [True, False]

    def test_what_cannot_be_written_leaves_nothing(self, folder: Folder) -> None:
        """No half of a file."""
        (folder.path / "a").mkdir()

        with pytest.raises(OSError, match="Is a directory"):
            folder.write("a", b"data", NOW)

        assert names(folder) == ["a"]

    def test_nor_where_that_cannot_be_removed(
        self, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The first trouble is the one that is told."""
        (folder.path / "a").mkdir()

        def unlink(_path: Path) -> None:
            raise OSError("cannot be removed")

        monkeypatch.setattr(Path, "unlink", unlink)
        with pytest.raises(OSError, match="Is a directory"):
            folder.write("a", b"data", NOW)

        assert all(re.search(rf"^a$|{HALF}$", name) for name in names(folder))

    def test_a_link_is_not_followed(self, folder: Folder, tmp_path: Path) -> None:
        """None of them is ours."""
        (tmp_path / "there").write_bytes(b"data")
        (folder.path / "a").symlink_to(tmp_path / "there")

        with pytest.raises(OSError, match="symbolic links"):
            folder.read("a")


class TestEnded:
    def test_those_that_ended_before(self, folder: Folder) -> None:
        """And when they did."""
        folder.write("old", b"", NOW - 1)
        folder.write("new", b"", NOW)

        assert list(folder.ended(NOW)) == [("old", NOW - 1)]

    def test_one_that_another_sweeps_meanwhile(self, folder: Folder) -> None:
        """It is no trouble."""
        for name in "abc":
            folder.write(name, b"", NOW - 1)
        swept = folder.ended(NOW)
        next(swept)
        for name in "abc":
            folder.remove(name)

        assert list(swept) == []
