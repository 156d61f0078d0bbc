"""Which file is the configuration: the first hit wins, and nothing is merged."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import attrs

from gqlauth._config._document import has_our_part, table_of
from gqlauth.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VARIABLE: Final = "GQLAUTH_CONFIG"

Origin = Literal["--config", "$GQLAUTH_CONFIG", "project", "user"]

_OURS: Final = ("gqlauth.toml", ".gqlauth.toml")
# Files of others, which are ours only where they have a table for us.
_SHARED: Final = (
    "pyproject.toml",
    ".graphqlrc",
    *(
        f"{stem}.{kind}"
        for stem in (".graphqlrc", "graphql.config")
        for kind in ("toml", "yml", "yaml", "json")
    ),
)
# What stands in the root of a repository, be it a folder or (in a git worktree) a file.
_REPOSITORY: Final = (".git", ".hg", ".jj")


@attrs.frozen
class Found:
    """A configuration file, and how it came to be the one."""

    path: Path
    #: Who named it: an option, a variable, or the place where it lies.
    origin: Origin

    @property
    def table(self) -> tuple[str, ...]:
        """Return the keys that lead to our part of the file: none where all of it is ours."""
        return table_of(self.path)


def find(
    explicit: str | Path | None = None,
    *,
    start: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Found:
    """Return the configuration file: `explicit`, or the first that is found.

    Args:
        explicit: the file that the user named.
        start: the directory to search upward from; the working directory if it is None.
        environ: the environment variables; those of the process if it is None.

    Raises:
        ConfigError: when there is none; it says where this looked.

    """
    environ = os.environ if environ is None else environ
    if explicit is not None:
        return Found(Path(explicit), "--config")
    if environ.get(VARIABLE):
        return Found(Path(environ[VARIABLE]), "$GQLAUTH_CONFIG")
    start = _here() if start is None else start
    folders = [] if start is None else list(_upward(start))
    for folder in folders:
        for path in _candidates(folder):
            return Found(path, "project")
    user = user_file()
    if _is_file(user):
        return Found(user, "user")
    raise ConfigError(
        f"no configuration found: no {_OURS[0]} (nor {_OURS[1]}, a pyproject.toml with "
        "[tool.gqlauth], or a graphql-config file with extensions.gqlauth) "
        f"{_looked_in(folders)}, and no {user}; "
        'make one by "gql config init", or name one by --config or $' + VARIABLE
    )


def user_file() -> Path:
    """Return where the user's own configuration lies, be it there or not."""
    from platformdirs import user_config_path  # noqa: PLC0415 - only where no project has one

    return user_config_path("gqlauth", appauthor=False) / _OURS[0]


def _here() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it was removed under us
        return None


def _looked_in(folders: list[Path]) -> str:
    if len(folders) > 1:
        return f"in {folders[0]} or the folders above it, up to {folders[-1]}"
    return f"in {folders[0] if folders else 'the working directory, which is gone'}"


def _upward(start: Path) -> Iterator[Path]:
    """Yield the folders from `start` to the root of its repository, or of the file system."""
    start = start.absolute()
    for folder in (start, *start.parents):
        yield folder
        if any(_is_there(folder / name) for name in _REPOSITORY):
            return


def _candidates(folder: Path) -> Iterator[Path]:
    for name in _OURS:
        if _is_file(folder / name):
            yield folder / name
    for name in _SHARED:
        if _is_file(folder / name) and has_our_part(folder / name):
            yield folder / name


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder that may not be looked into has nothing for us
        return False
