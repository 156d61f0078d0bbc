"""``gql api``, as a process of its own: uploads, variables by their types, and pages."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
import pytest

from gqlauth._stores._seal import new_key
from tests.support.servers import client_secret

if TYPE_CHECKING:
    from tests.support.servers import Api, Provider

SCRIPT: Final = str(Path(sys.executable).with_name("gql"))
CONFIG: Final = """\
[endpoints.orders]
url = "{api}"

[endpoints.orders.auth]
type = "client_credentials"
token_url = "{tokens}"
client_id = "post"
client_secret = {{ env = "POST_SECRET" }}
token_endpoint_auth_method = "client_secret_post"
scopes = ["api:read"]
"""
UPLOAD: Final = "mutation($files: [Upload!]!) { upload(files: $files) { name type size sha256 } }"
NUMBERS: Final = (
    "query($first: Int!, $endCursor: String) {"
    " numbers(first: $first, after: $endCursor) { nodes pageInfo { hasNextPage endCursor } } }"
)
#: Runs a command, and tells how much memory it had at the most, in whatever unit.
MEASURED: Final = (
    "import resource, subprocess, sys\n"
    "code = subprocess.run(sys.argv[2:]).returncode\n"
    "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
    "open(sys.argv[1], 'w').write(str(peak))\n"
    "sys.exit(code)\n"
)
#: Bytes: several times of what all of ``gql`` takes.
LARGE: Final = 128 * 1024 * 1024
IMAGE: Final = b"\x89PNG\r\n\x1a\n\0\xff" * 100_000


@attrs.frozen
class Gql:
    """Runs ``gql api`` in one project, with a store that its processes share."""

    folder: Path
    environment: dict[str, str]

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Any:
        """Return what it writes, which must be all that it says."""
        return json.loads(self.run(SCRIPT, "api", *arguments, stdin=stdin))

    def run(self, *command: str, stdin: bytes = b"") -> bytes:
        ran = subprocess.run(
            command,
            capture_output=True,
            check=False,
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            timeout=120,
        )
        assert (ran.returncode, ran.stderr.decode()) == (0, "")
        return ran.stdout

    def peak(self, *arguments: str) -> int:
        """Return how much memory it took at the most."""
        told = self.folder / "peak"
        self.run(sys.executable, "-c", MEASURED, str(told), SCRIPT, "api", *arguments)
        return int(told.read_text())

    def file(self, name: str, content: bytes) -> dict[str, Any]:
        """Write a file, and return what the API will tell of it."""
        (self.folder / name).write_bytes(content)
        return about(name, "image/png", content)


def about(name: str, kind: str, content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    return {"name": name, "type": kind, "size": len(content), "sha256": digest}


@pytest.fixture
def gql(tmp_path: Path, provider: Provider, api: Api) -> Gql:
    """Give ``gql``, with an endpoint that refuses by a 401, and whose tokens can be revoked."""
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    (project / "gqlauth.toml").write_text(CONFIG.format(api=api.url, tokens=provider.token_url))
    secret = client_secret("post")
    assert secret is not None
    ours = {
        "GQLAUTH_CACHE_KEY": new_key(),
        "GQLAUTH_TRUST": "1",
        "POST_SECRET": secret,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    kept = {name: text for name, text in os.environ.items() if not name.startswith("XDG_")}
    return Gql(project, kept | ours)


def test_files_are_uploaded(gql: Gql) -> None:
    """Each by its place in the list, with its name, its kind and all of its bytes."""
    one, two = gql.file("one.png", IMAGE), gql.file("two.png", b"")

    answer = gql(UPLOAD, "-F", "files[]=@one.png", "-F", "files[]=@two.png")

    assert answer == {"data": {"upload": [one, two]}}


def test_standard_input_is_uploaded(gql: Gql) -> None:
    """What comes through a pipe is a file as well."""
    answer = gql(UPLOAD, "-F", "files=@-", stdin=IMAGE)

    assert answer["data"]["upload"] == [about("stdin", "application/octet-stream", IMAGE)]


@pytest.mark.parametrize("name", ["one.png", "-"])
def test_upload_whose_token_is_refused_is_sent_again(
    gql: Gql, provider: Provider, api: Api, name: str
) -> None:
    """The answer is a 401, so that nothing ran: all of it is sent once more, with a new token."""
    expected = gql.file("one.png", IMAGE)
    gql("{ me { id } }")
    provider.revoke_opaque_tokens()
    asked, refused, ran = (api.count(f) for f in ("/graphql", "/graphql refused", "uploads"))

    answer = gql(UPLOAD, "-F", f"files=@{name}", stdin=IMAGE)

    (told,) = answer["data"]["upload"]
    assert (told["size"], told["sha256"]) == (expected["size"], expected["sha256"])
    assert api.count("/graphql") == asked + 2
    assert api.count("/graphql refused") == refused + 1
    assert api.count("uploads") == ran + 1


def test_large_file_is_not_held_in_memory(gql: Gql) -> None:
    """It goes from the disk to the network piece by piece."""
    for name, size in ("small", 1), ("large", LARGE):
        with (gql.folder / name).open("wb") as file:
            file.truncate(size)
    query = "mutation($files: [Upload!]!) { upload(files: $files) { size } }"

    small, large = (gql.peak(query, "-F", f"files=@{name}") for name in ("small", "large"))

    assert large < 1.5 * small, (small, large)


def test_values_are_what_the_query_declares(gql: Gql) -> None:
    """Text that looks like a number is taken for text, which the API would not do."""
    query = "query($text: String!, $seconds: Float!) { echo(text: $text) slow(seconds: $seconds) }"

    answer = gql(query, "-F", "text=5", "-F", "seconds=0")

    assert answer == {"data": {"echo": "5", "slow": 0.0}}


def test_pages_are_asked_for_with_one_token(gql: Gql, provider: Provider, api: Api) -> None:
    """Until the API says that there are no more."""
    asked, tokens = api.count("/graphql"), provider.requests("post")

    pages = gql(NUMBERS, "-F", "first=3", "--paginate", "--slurp")

    assert [page["data"]["numbers"]["nodes"] for page in pages] == [[1, 2, 3], [4, 5, 6], [7]]
    assert (api.count("/graphql"), provider.requests("post")) == (asked + 3, tokens + 1)
