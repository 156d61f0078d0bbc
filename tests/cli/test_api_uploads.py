"""``gql api -F``: files that go out with the variables."""

from __future__ import annotations

import io
import json
import os
import sys
from email import message_from_bytes
from typing import TYPE_CHECKING, Any

import click
import pytest

from gqlauth._cli._fields import fields
from gqlauth._cli._inputs import Inputs
from gqlauth._cli._uploads import Upload, opened
from tests.support.graphql_api import ME
from tests.support.http_server import json_answer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.graphql_api import Api
    from tests.support.http_server import Request

ONE = "mutation($file: Upload!) { add(file: $file) }"
MANY = "mutation($files: [Upload!]!, $n: Int) { add(files: $files, n: $n) }"
IMAGE = b"\x89PNG\r\n\x1a\n\0\xff"


@pytest.fixture
def image(api: Api) -> Path:
    """Give a file that is no text."""
    path = api.gql.project / "a.png"
    path.write_bytes(IMAGE)
    return path


def parts(request: Request) -> list[tuple[dict[str, str], bytes]]:
    """Return what a form holds: how each part is called, and what is in it."""
    kind = request.headers["content-type"]
    message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + request.body)
    found = []
    for part in message.get_payload():
        assert not isinstance(part, str)
        named = dict((part.get_params(header="content-disposition") or [])[1:])
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if part["content-type"]:
            named["type"] = part.get_content_type()
        found.append((named, content))
    return found


def form(request: Request) -> dict[str, bytes]:
    return {named["name"]: content for named, content in parts(request)}


def made(kind: str, *texts: str) -> Any:
    return fields((), texts, Inputs(), {"a": kind})["a"]


class TestSent:
    def test_file(self, api: Api, image: Path) -> None:
        """What the query declares an upload is sent beside the variables, which come first."""
        assert api(ONE, "-F", "file=@a.png").code == 0

        (operations, asked), (mapped, places), (file, content) = parts(api.request)
        assert (operations, mapped) == ({"name": "operations"}, {"name": "map"})
        assert json.loads(asked) == {"query": ONE, "variables": {"file": None}}
        assert json.loads(places) == {"0": ["variables.file"]}
        assert file == {"name": "0", "filename": "a.png", "type": "image/png"}
        assert content == IMAGE

    def test_files(self, api: Api, image: Path) -> None:
        """Those of a list have their places in it, and other variables stay as they are."""
        (api.gql.project / "b.txt").write_text("b")

        api(MANY, "-F", "files[]=@a.png", "-F", "files[]=@b.txt", "-F", "n=5")

        sent = form(api.request)
        assert json.loads(sent["operations"])["variables"] == {"files": [None, None], "n": 5}
        assert json.loads(sent["map"]) == {"0": ["variables.files.0"], "1": ["variables.files.1"]}
        assert (sent["0"], sent["1"]) == (IMAGE, b"b")

    def test_headers(self, api: Api, image: Path) -> None:
        """It is authenticated as ever, and says that no form of a web page sent it."""
        api(ONE, "-F", "file=@a.png", "-H", "GraphQL-Preflight: 2")

        sent = api.request.headers
        assert sent["authorization"].startswith("Bearer ")
        assert sent["content-type"].startswith("multipart/form-data; boundary=")
        assert int(sent["content-length"]) == len(api.request.body)
        assert (sent["apollo-require-preflight"], sent["graphql-preflight"]) == ("true", "2")

    def test_content_type(self, api: Api, image: Path) -> None:
        """The content type tells what stands between the files, and is not to be set."""
        outcome = api(ONE, "-F", "file=@a.png", "-H", "Content-Type: text/plain")

        assert outcome.code == 2
        assert outcome.stderr.startswith("gql: -H Content-Type: this header is gql's own to set")

    def test_without_files(self, api: Api) -> None:
        """Without a file, it is a request like any other."""
        api("mutation($file: Upload) { add(file: $file) }", "-F", "file=null")

        assert api.asked["variables"] == {"file": None}
        assert "graphql-preflight" not in api.request.headers

    def test_text(self, api: Api) -> None:
        """What is no upload is the text of the file, also within an input object."""
        (api.gql.project / "b.txt").write_text("b")

        query = "mutation($text: String!, $in: In) { m }"
        api(query, "-F", "text=@b.txt", "-F", "in[file]=@b.txt")

        assert api.asked["variables"] == {"text": "b", "in": {"file": "b"}}

    def test_name_that_is_no_text(self, api: Api) -> None:
        """A file's name is told as far as it is text."""
        name = os.fsdecode(b"\xff.txt")
        (api.gql.project / name).write_text("b")

        assert api(ONE, "-F", f"file=@{name}").code == 0
        assert b'filename="\xef\xbf\xbd.txt"' in api.request.body

    def test_again(self, api: Api, image: Path) -> None:
        """Where the token is refused by a 401, nothing ran: all of it is sent once more."""
        api.answers(json_answer({"errors": []}, 401), json_answer(ME))

        assert api(ONE, "-F", "file=@a.png").code == 0
        first, second = api.server.requests
        assert first.body == second.body
        assert first.headers["authorization"] != second.headers["authorization"]

    def test_once(self, api: Api, image: Path) -> None:
        """Where something may have run, it is not."""
        errors = [{"message": "no", "extensions": {"code": "UNAUTHENTICATED"}}]
        api.answers(json_answer({"data": None, "errors": errors}))

        outcome = api(ONE, "-F", "file=@a.png")

        assert outcome.code == 4
        assert "what may be a mutation is not sent twice" in outcome.stderr
        assert len(api.server.requests) == 1


class TestReadOnce:
    """What can be read once is sent with its length all the same, and can be sent again."""

    def test_standard_input(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        """A pipe comes in."""
        read, write = os.pipe()
        os.write(write, IMAGE)
        os.close(write)
        api.answers(json_answer({"errors": []}, 401), json_answer(ME))
        with open(read) as piped:  # noqa: PTH123 - of a descriptor
            monkeypatch.setattr(sys, "stdin", piped)
            assert api(ONE, "-F", "file=@-").code == 0

        assert len(api.server.requests) == 2
        named, content = parts(api.request)[-1]
        assert (named["filename"], content) == ("stdin", IMAGE)

    def test_rest_of_standard_input(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of a file that somebody has begun to read, what is left."""
        path = api.gql.project / "b.txt"
        path.write_text("one\ntwo\n")
        with path.open("rb") as begun:
            begun.readline()
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(begun))
            api(ONE, "-F", "file=@-")

        assert form(api.request)["0"] == b"two\n"

    def test_named_pipe(self, api: Api) -> None:
        """As ``<(…)`` of a shell is one."""
        read, write = os.pipe()
        os.write(write, IMAGE)
        os.close(write)
        try:
            assert api(ONE, "-F", f"file=@/dev/fd/{read}").code == 0
        finally:
            os.close(read)

        assert form(api.request)["0"] == IMAGE

    def test_empty(self, api: Api) -> None:
        """A file without a length is read, as one of /proc has none."""
        (api.gql.project / "empty").touch()

        assert api(ONE, "-F", "file=@empty").code == 0
        assert form(api.request)["0"] == b""

    def test_closed(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        """Standard input that is closed is told."""
        monkeypatch.setattr(sys, "stdin", None)

        outcome = api(ONE, "-F", "file=@-")

        assert outcome.code == 2
        assert outcome.stderr.startswith("gql: -F file: cannot read standard input: it is closed")

    def test_twice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is there for one field."""
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        with pytest.raises(click.UsageError, match=r"can be read once, and -F a\[\] reads it"):
            made("[Upload]", "a[]=@-", "a[]=@-")


class TestValue:
    @pytest.mark.parametrize(
        ("kind", "text", "depth"),
        [
            ("Upload", "a=@{}", 0),
            ("Upload!", "a=@{}", 0),
            ("[Upload!]!", "a[]=@{}", 1),
            ("[Upload!]!", "a=@{}", 1),
            ("[[Upload]]", "a=@{}", 2),
        ],
    )
    def test_upload(self, tmp_path: Path, kind: str, text: str, depth: int) -> None:
        """A file for a list is one in a list."""
        path = tmp_path / "a"
        path.touch()

        value = made(kind, text.format(path))

        for _ in range(depth):
            (value,) = value
        assert (value.name, value.option.partition("[")[0]) == (str(path), "-F a")

    @pytest.mark.parametrize("text", ["a=text", "a=@", "a=null", "a="])
    def test_no_file(self, text: str) -> None:
        """What names no file is told."""
        with pytest.raises(click.UsageError) as failure:
            made("Upload!", text)

        assert failure.value.message == (
            "-F a: the query declares Upload!: @FILE belongs here, or @- for standard input"
        )

    def test_null(self) -> None:
        """Where it may be null, it may."""
        assert made("Upload", "a=null") is None


class TestTrouble:
    @pytest.mark.parametrize(
        ("name", "told"),
        [("missing", "No such file or directory"), (".", "Is a directory"), ("a\0", "embedded")],
    )
    @pytest.mark.parametrize("options", [(), ("--dry-run",)])
    def test_file(self, api: Api, name: str, told: str, options: tuple[str, ...]) -> None:
        """What cannot be read is told before anybody is asked, also by --dry-run."""
        outcome = api(ONE, "-F", f"file=@{name}", *options)

        assert outcome.code == 2
        assert outcome.stderr.startswith("gql: -F file: cannot read ")
        assert told in outcome.stderr
        assert api.server.requests == api.tokens.requests == []

    def test_gone(self, tmp_path: Path) -> None:
        """So is what is gone by the time that it is to be sent."""
        gone = {"variables.file": Upload(str(tmp_path / "gone"), "-F file")}
        with (
            pytest.raises(click.UsageError, match=r"-F file: cannot read .*: No such"),
            opened(gone),
        ):
            raise AssertionError("it was opened")

    @pytest.mark.parametrize("becomes", [b"", b"x" * 10])
    def test_shorter_or_longer(self, tmp_path: Path, becomes: bytes) -> None:
        """One that changes while it is sent is sent as long as was told, or not at all."""
        path = tmp_path / "a.txt"
        path.write_bytes(b"12345")
        with opened({"variables.file": Upload(str(path), "-F file")}) as files:
            content = files[0].content
            length = content.seek(0, os.SEEK_END)
            content.seek(0)
            path.write_bytes(becomes)
            if becomes:
                assert content.read(100) + content.read(100) == b"xxxxx"
            else:
                told = "-F file: cannot read .*a.txt: it became shorter while it was sent"
                with pytest.raises(click.UsageError, match=told):
                    content.read(100)

        assert length == 5

    def test_pages(self, api: Api, image: Path) -> None:
        """Pages are many requests, and a file is uploaded by one."""
        query = (
            "query($endCursor: String, $file: Upload!) {"
            " like(file: $file, after: $endCursor) { pageInfo { hasNextPage endCursor } } }"
        )
        outcome = api(query, "-F", "file=@a.png", "--paginate")

        assert outcome.code == 2
        assert outcome.stderr.startswith(
            "gql: --paginate: each page is a request, and would upload the files\n"
        )


def test_dry_run(api: Api, image: Path) -> None:
    """Files are named, each with its place, and not read."""
    read, write = os.pipe()
    os.write(write, IMAGE)
    os.close(write)
    with open(read) as piped:  # noqa: PTH123 - of a descriptor
        api.gql.monkeypatch.setattr(sys, "stdin", piped)
        outcome = api(
            *(MANY, "-F", "files[]=@a.png", "-F", "files[]=@-", "--dry-run"),
            *("-e", "static", "-H", "X-A: 1"),
        )
        assert os.read(read, 100) == IMAGE

    assert (outcome.code, outcome.stderr) == (0, "")
    head, body, files = outcome.stdout.split("\n\n")
    assert head.splitlines()[1:] == [
        "Content-Type: multipart/form-data",
        "Apollo-Require-Preflight: true",
        "GraphQL-Preflight: 1",
        "X-A: 1",
        "User-Agent: acme",
        "Accept: *** (env ORDERS_KEY)",
        "Authorization: *** (gqlauth.toml:16 bearer)",
    ]
    assert json.loads(body)["variables"] == {"files": [None, None]}
    assert files.splitlines() == ["variables.files.0: @a.png", "variables.files.1: @-"]
    assert api.server.requests == []
