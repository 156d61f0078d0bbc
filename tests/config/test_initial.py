"""The file that ``gql config init`` writes."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from threading import Barrier, Thread
from typing import TYPE_CHECKING

import pytest

from gqlauth import ConfigError
from gqlauth._config import load, write_initial
from gqlauth._config._initial import INITIAL, SCHEMA_URL
from gqlauth._config._schema import schema

if TYPE_CHECKING:
    from tests.config.conftest import Project


def test_is_sound(project: Project) -> None:
    """It loads without a problem, and is the example that one would fill in."""
    path = project.root / "gqlauth.toml"

    write_initial(path)

    config = load(path, environ={}).require()
    assert list(config.endpoints) == ["example"]
    assert config.default_endpoint == "example"


def test_is_sound_with_all_that_it_shows(project: Project) -> None:
    """What stands in its comments is sound too, once it is uncommented."""
    whole = re.sub(r"(?m)^# (?=[a-z_]+ = |\[)", "", INITIAL)
    whole = re.sub(r"(?m)^client_secret = \{ (file|command).*\n", "", whole)

    config = project.load(whole).require()

    assert list(config.endpoints) == ["example", "billing"]
    assert config.endpoints["example"].headers == {"X-Tenant": "acme"}


def test_alternatives_that_it_shows(project: Project) -> None:
    """So are the other places that a secret may come from."""
    for line in re.findall(r"(?m)^# (client_secret = .*)$", INITIAL):
        text = re.sub(r"(?m)^client_secret = .*$", lambda _: line, INITIAL, count=1)  # noqa: B023

        assert project.load(text).problems == ()


def test_overwrites_nothing(project: Project) -> None:
    """A file that is there is left as it is, and told."""
    path = project.file("# mine\n")

    with pytest.raises(ConfigError, match=r"^gqlauth\.toml: is there already, and is left as it"):
        write_initial(path)

    assert path.read_text(encoding="utf-8") == "# mine\n"


def test_follows_no_link(project: Project) -> None:
    """Through a link that leads nowhere, no file is made elsewhere."""
    (project.root / "gqlauth.toml").symlink_to(project.root.parent / "elsewhere.toml")

    with pytest.raises(ConfigError, match="is there already"):
        write_initial(project.root / "gqlauth.toml")

    assert not (project.root.parent / "elsewhere.toml").exists()


def test_is_written_once(project: Project) -> None:
    """Of several that write at the same time, one does, and the others are told."""
    path = project.root / "gqlauth.toml"
    start = Barrier(8)
    told = []

    def write() -> None:
        start.wait()
        try:
            write_initial(path)
        except ConfigError as error:
            told.append(str(error))

    threads = [Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert told == ["gqlauth.toml: is there already, and is left as it is"] * 7
    assert path.read_text(encoding="utf-8") == INITIAL


def test_folder_that_is_not_there(project: Project) -> None:
    """No folder is made, and that there is none is told."""
    with pytest.raises(ConfigError, match=r"^a/b\.toml: cannot be written: No such file or dir"):
        write_initial(Path("a/b.toml"))


def test_folder(project: Project) -> None:
    """A folder of that name is left as it is."""
    with pytest.raises(ConfigError, match="is there already"):
        write_initial(project.root)


def test_no_permission(project: Project) -> None:
    """That it may not be written is told, also where the system has no words for it."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    project.monkeypatch.setattr(Path, "open", refuse)

    with pytest.raises(ConfigError, match=r"^a\.toml: cannot be written: PermissionError$"):
        write_initial(Path("a.toml"))


def test_holds_no_secret_and_may_be_read(project: Project) -> None:
    """As it holds no secret, it is a file as any other."""
    path = project.root / "gqlauth.toml"
    mask = os.umask(0o022)
    try:
        write_initial(path)
    finally:
        os.umask(mask)

    assert path.stat().st_mode & 0o777 == 0o644


def test_schema_is_published() -> None:
    """The schema that it names is published, and is what ``gql config schema`` prints."""
    docs = Path(__file__).parents[2] / "docs"
    project = tomllib.loads((docs.parent / "zensical.toml").read_text(encoding="utf-8"))["project"]
    published = docs / SCHEMA_URL.removeprefix(project["site_url"])

    assert INITIAL.startswith(f"#:schema {SCHEMA_URL}\n")
    # After a change: gql config schema > docs/gqlauth.schema.json
    assert published.read_text(encoding="utf-8") == json.dumps(schema(), indent=2) + "\n"


def test_site_is_that_of_the_metadata() -> None:
    """The pages are where the metadata of the distribution say."""
    root = Path(__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    site = tomllib.loads((root / "zensical.toml").read_text(encoding="utf-8"))["project"]

    assert project["urls"]["Documentation"] == site["site_url"]
