"""A secret that stands in a file which cannot be read: no error shows it."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gqlauth import ConfigError
from gqlauth._config import find, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.config.conftest import Project

SECRET = "s3cr3t-of-theirs"


def broken_toml(junk: str) -> str:
    return f'[endpoints.a]\nurl = "https://a.example"\ntoken = {SECRET}{junk}\n'


def broken_yaml(junk: str) -> str:
    return f"endpoints:\n  a:\n    token: {junk}{SECRET}\n    b: [\n"


def broken_json(junk: str) -> str:
    return f'{{"token": {junk}{SECRET}", "b": }}\n'


@pytest.mark.parametrize(
    ("name", "broken"),
    [("a.toml", broken_toml), ("a.yaml", broken_yaml), ("a.json", broken_json)],
)
@given(junk=st.text(st.sampled_from("!&*|>%@`'\"{}[],:?#-\\$= \n\tax0"), max_size=6))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_does_not_come_out(
    project: Project, name: str, broken: Callable[[str], str], junk: str
) -> None:
    """No error of syntax shows the text around, nor do its traceback's variables."""
    path = project.file(broken(junk).encode(), name)

    try:
        problems = load(path, environ={}).problems
    except ConfigError as error:
        shown = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
        problems = error.problems
        assert SECRET not in shown

    assert SECRET not in "".join(map(str, problems))


@pytest.mark.parametrize(
    "value", [f"*{SECRET}", f"!{SECRET} a", f"!{SECRET}!a b", f"!<{SECRET}> a", f"&{SECRET}"]
)
def test_that_yaml_takes_for_something_else(project: Project, value: str) -> None:
    """A secret that begins as an alias or a tag does is not told as one."""
    told = project.told(f"a: {value}\nb: &{SECRET} 1\nc: [", "a.yaml")

    assert SECRET not in str(told)


def test_not_while_looking_for_the_file(project: Project) -> None:
    """Neither does it come out where the file was only looked into."""
    project.file(f"[tool.gqlauth]\ntoken = {SECRET}\n", "pyproject.toml")

    with pytest.raises(ConfigError) as raised:
        find(environ={})

    shown = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
    assert SECRET not in "".join(shown.format())
