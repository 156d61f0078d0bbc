"""The ``cache`` table: where tokens are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gqlauth._config import load
from gqlauth._options import CacheOptions

if TYPE_CHECKING:
    from tests.config.conftest import Project


def test_there_is_none(project: Project) -> None:
    """What is kept where is then for who uses it to say."""
    assert load(project.file("")).require().cache == CacheOptions()


@pytest.mark.parametrize("store", ["auto", "memory", "disk"])
def test_stores(project: Project, store: str) -> None:
    """A variable may say which."""
    project.environ["STORE"] = store
    path = project.file('[cache]\nstore = "${STORE}"\n')
    assert load(path, environ=project.environ).require().cache == CacheOptions(store=store)


def test_the_key_is_a_secret(project: Project) -> None:
    """It is a reference, and knows its place."""
    key = load(project.file('[cache]\nkey = { env = "A" }\n')).require().cache.key
    assert key is not None
    assert key.source == "env A"
    assert "cache.key: the secret (env A) is odd" in str(key.error("is odd"))


def test_a_redis(project: Project) -> None:
    """It has a URL, and what is secret stands beside it."""
    url = "rediss://worker@cache.example.com:6380/1"
    text = f'[cache]\nstore = "{url}"\npassword = {{ env = "A" }}\nca_file = "ca.pem"\n'
    cache = load(project.file(text)).require().cache
    assert (cache.store, str(cache.ca_file)) == (url, str(project.root / "ca.pem"))
    assert cache.password is not None
    assert cache.password.source == "env A"


@pytest.mark.parametrize(
    ("store", "why"),
    [
        ("Disk", "expected auto, memory, disk or redis://…"),
        ("", "expected auto, memory, disk or redis://…"),
        ("redis://:s3cr3t@a", 'a URL here holds no password: set "password" beside it'),
        ("redis://", "a host is wanted: redis://localhost:6379/0"),
    ],
)
def test_wrong_stores(project: Project, store: str, why: str) -> None:
    """It is told at its place, without the value."""
    (problem,) = load(project.file(f'[cache]\nstore = "{store}"\n')).problems
    assert problem.message == why
    assert (problem.line, problem.key) == (2, "cache.store")


def test_a_key_that_cannot_be_had_is_told(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `gql config check`, which does not read it."""
    monkeypatch.delenv("NO_KEY", raising=False)
    config = load(project.file('[cache]\nkey = { env = "NO_KEY" }\n')).require()
    told = "cache.key: environment variable NO_KEY is not set"
    assert [str(problem).partition(":2: ")[2] for problem in config.check()] == [told]
