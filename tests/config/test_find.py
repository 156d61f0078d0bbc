"""Which file is the configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gqlauth import ConfigError
from gqlauth._config import Found, find
from gqlauth._config._find import user_file

if TYPE_CHECKING:
    from tests.config.conftest import Project

#: The names in one folder, in order, and a text by which each is ours.
NAMES = {
    "gqlauth.toml": "",
    ".gqlauth.toml": "",
    "pyproject.toml": "[tool.gqlauth]\n",
    ".graphqlrc": "extensions: {gqlauth: {}}\n",
    ".graphqlrc.toml": "[extensions.gqlauth]\n",
    ".graphqlrc.yml": "extensions: {gqlauth: {}}\n",
    ".graphqlrc.yaml": "extensions: {gqlauth: {}}\n",
    ".graphqlrc.json": '{"extensions": {"gqlauth": {}}}\n',
    "graphql.config.toml": "[extensions.gqlauth]\n",
    "graphql.config.yml": "extensions: {gqlauth: {}}\n",
    "graphql.config.yaml": "extensions: {gqlauth: {}}\n",
    "graphql.config.json": '{"extensions": {"gqlauth": {}}}\n',
}


class TestNamed:
    def test_by_the_option(self, project: Project) -> None:
        """``--config`` wins over all, be the file there or not."""
        project.file()
        environ = {"GQLAUTH_CONFIG": "b.toml"}

        assert find("a.toml", environ=environ) == Found(Path("a.toml"), "--config")

    def test_by_the_variable(self, project: Project) -> None:
        """``$GQLAUTH_CONFIG`` wins over all that lies about, be the file there or not."""
        project.file()

        found = find(environ={"GQLAUTH_CONFIG": "b.toml"})

        assert found == Found(Path("b.toml"), "$GQLAUTH_CONFIG")

    def test_variable_of_the_process(self, project: Project) -> None:
        """The environment is that of the process, unless another is given."""
        project.monkeypatch.setenv("GQLAUTH_CONFIG", "b.toml")

        assert find().path == Path("b.toml")

    def test_empty_variable(self, project: Project) -> None:
        """A variable that is empty names nothing."""
        path = project.file()

        assert find(environ={"GQLAUTH_CONFIG": ""}) == Found(path, "project")


class TestInAProject:
    @pytest.mark.parametrize("position", range(len(NAMES)))
    def test_order_in_a_folder(self, project: Project, position: int) -> None:
        """In one folder the names have an order, and ours come first."""
        for name in list(NAMES)[position:]:
            project.file(NAMES[name], name)

        assert find(environ={}).path == project.root / list(NAMES)[position]

    def test_upward(self, project: Project) -> None:
        """The folder is the nearest one that has a file."""
        project.file()
        path = project.file(NAMES[".graphqlrc"], "a/.graphqlrc")
        project.file("", "a/b/c/other.toml")

        assert find(start=project.root / "a" / "b" / "c", environ={}).path == path

    def test_up_to_the_root_of_the_file_system(self, project: Project) -> None:
        """Outside of a repository, the search goes up to the end."""
        (project.root / ".git").rmdir()

        with pytest.raises(ConfigError) as raised:
            find(environ={})

        looked = f"in {project.root} or the folders above it, up to {project.root.anchor},"
        assert looked in str(raised.value)

    @pytest.mark.parametrize("mark", [".git", ".hg", ".jj"])
    def test_not_beyond_the_repository(self, project: Project, mark: str) -> None:
        """What lies above the repository's root is not its configuration."""
        project.file()
        inner = project.root / "vendor" / "theirs"
        (inner / mark).mkdir(parents=True)
        (inner / "src").mkdir()

        with pytest.raises(ConfigError, match="no configuration found"):
            find(start=inner / "src", environ={})

    def test_worktree(self, project: Project) -> None:
        """In a git worktree, what stands in the root is a file."""
        project.file()
        project.file("gitdir: elsewhere", "worktree/.git")

        with pytest.raises(ConfigError, match="no configuration found"):
            find(start=project.root / "worktree", environ={})

    def test_root_of_the_repository_is_looked_into(self, project: Project) -> None:
        """The root itself belongs to the repository."""
        path = project.file()
        (project.root / "src").mkdir()

        assert find(start=project.root / "src", environ={}).path == path

    def test_folder_of_that_name(self, project: Project) -> None:
        """A folder is no configuration, whatever its name."""
        (project.root / "gqlauth.toml").mkdir()
        path = project.file("", ".gqlauth.toml")

        assert find(environ={}).path == path

    def test_folder_that_cannot_be_looked_into(self, project: Project) -> None:
        """A folder that the system lets nobody look into has nothing for us."""
        path = project.file()

        assert find(start=project.root / ("a" * 300), environ={}).path == path

    def test_link(self, project: Project) -> None:
        """A link to a file is one, and is called as it is found."""
        (project.root / "gqlauth.toml").symlink_to(project.file("", "shared/orders.toml"))

        assert find(environ={}).path == project.root / "gqlauth.toml"


class TestSharedFiles:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("pyproject.toml", '[project]\ndependencies = ["gqlauth"]\n'),
            ("pyproject.toml", "[tool.black]\n"),
            ("pyproject.toml", 'tool = "gqlauth"\n'),
            (".graphqlrc", "schema: schema.graphql\n"),
            (".graphqlrc", "extensions: # gqlauth\n"),
            (".graphqlrc", "# gqlauth\n"),
            (".graphqlrc.yml", "extensions: {gqlauth: null}\n"),
            ("graphql.config.json", '["gqlauth"]'),
        ],
    )
    def test_without_our_table(self, project: Project, name: str, text: str) -> None:
        """A file of others that has no table for us is passed over."""
        project.file(text, name)

        with pytest.raises(ConfigError, match="no configuration found"):
            find(environ={})

    def test_broken_without_a_word_of_us(self, project: Project) -> None:
        """That a file of others is broken is their business."""
        project.file("[tool.black\n", "pyproject.toml")
        path = project.file(NAMES[".graphqlrc"], ".graphqlrc")

        assert find(environ={}).path == path

    def test_broken_with_our_name_in_it(self, project: Project) -> None:
        """A broken file that seems to have our table is told, and not passed over."""
        project.file("[tool.gqlauth]\na = \n", "pyproject.toml")

        with pytest.raises(ConfigError, match=r"^pyproject\.toml:2:5: Invalid value$"):
            find(environ={})

    def test_unreadable(self, project: Project) -> None:
        """A file of others that nobody may read is passed over."""

        def refuse(_: Path) -> bytes:
            raise PermissionError

        project.file(NAMES["pyproject.toml"], "pyproject.toml")
        project.monkeypatch.setattr(Path, "read_bytes", refuse)

        with pytest.raises(ConfigError, match="no configuration found"):
            find(environ={})

    def test_code_is_not_run(self, project: Project) -> None:
        """Of graphql-config's formats, those that are programs are not looked at."""
        project.file('module.exports = {extensions: {gqlauth: {url: "a"}}}', "graphql.config.js")

        with pytest.raises(ConfigError, match="no configuration found"):
            find(environ={})

    def test_table(self, project: Project) -> None:
        """The file's name tells which of its tables is ours."""
        tables = {name: Found(Path(name), "project").table for name in NAMES}

        assert set(list(tables.values())[:2]) == {()}
        assert tables["pyproject.toml"] == ("tool", "gqlauth")
        assert set(list(tables.values())[3:]) == {("extensions", "gqlauth")}


class TestOfTheUser:
    def test_is_the_last(self, project: Project) -> None:
        """Where no project has one, it is the user's own."""
        path = project.file("", "../home/.config/gqlauth/gqlauth.toml").resolve()
        project.monkeypatch.setenv("XDG_CONFIG_HOME", str(path.parents[1]))

        assert find(environ={}) == Found(path, "user")
        assert find(environ={}).table == ()

    def test_is_no_folder(self, project: Project) -> None:
        """A folder of that name is none."""
        user_file().mkdir(parents=True)

        with pytest.raises(ConfigError, match="no configuration found"):
            find(environ={})


class TestNone:
    def test_tells_where_it_looked(self, project: Project) -> None:
        """It says where it looked, and what to do."""
        with pytest.raises(ConfigError) as raised:
            find(environ={})

        assert str(raised.value) == (
            "no configuration found: no gqlauth.toml (nor .gqlauth.toml, a pyproject.toml with "
            "[tool.gqlauth], or a graphql-config file with extensions.gqlauth) "
            f'in {project.root}, and no {user_file()}; make one by "gql config init", or name '
            "one by --config or $GQLAUTH_CONFIG"
        )

    def test_tells_all_folders(self, project: Project) -> None:
        """The folders are told by the first and the last."""
        inner = project.root / "a" / "b"
        inner.mkdir(parents=True)

        with pytest.raises(ConfigError) as raised:
            find(start=inner, environ={})

        assert f"in {inner} or the folders above it, up to {project.root}," in str(raised.value)

    def test_working_directory_that_is_gone(self, project: Project) -> None:
        """A working directory that was removed is told, where nothing else is found."""
        gone = project.root / "gone"
        gone.mkdir()
        project.monkeypatch.chdir(gone)
        gone.rmdir()
        assert not os.path.lexists(gone)

        with pytest.raises(ConfigError, match="in the working directory, which is gone, and no"):
            find(environ={})
