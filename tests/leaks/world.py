"""A project full of canaries: its servers, its environment, and all that a run leaves behind."""

from __future__ import annotations

import os
import subprocess
import tempfile
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote

import attrs
import keyring
from keyring.backend import KeyringBackend

from gqlauth._cli._gql import run
from gqlauth._plugins import PluginGroup
from tests.leaks.canaries import (
    ACCESS_TOKEN,
    API_KEY,
    BEARER,
    CLIENT_SECRET,
    HEADER_KEY,
    PARAMETER,
    PASSWORD,
    POSTED_SECRET,
    PRIVATE_KEY,
    SHARED_KEY,
    Canary,
    Search,
)
from tests.support.http_server import Answer, HttpServer, Request, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

#: Each kind of authentication, of client authentication and of secret; to be formatted.
CONFIG: Final = """\
default_endpoint = "orders"

[endpoints.orders]
url = "{api}/graphql"
headers = {{ "X-Key" = {{ env = "ORDERS_KEY" }} }}
timeout = 5.0

[endpoints.orders.auth]
type = "client_credentials"
token_url = "{tokens}/token"
client_id = "orders-cli"
client_secret = {{ env = "ORDERS_SECRET" }}
params = {{ "device" = {{ env = "ORDERS_PARAMETER" }}, "holder" = {{ file = "key.pem" }} }}
headers = {{ "X-Shared" = {{ env = "SHARED_KEY" }} }}
timeout = {timeout}

[endpoints.posted]
url = "{api}/posted"

[endpoints.posted.auth]
type = "client_credentials"
token_url = "{tokens}/posted"
client_id = "posted-cli"
client_secret = {{ file = "posted.txt" }}
token_endpoint_auth_method = "client_secret_post"
timeout = {timeout}

[endpoints.raw]
url = "{api}/raw"

[endpoints.raw.auth]
type = "client_credentials"
token_url = "{tokens}/raw"
client_id = "raw-cli"
client_secret = {{ env = "ORDERS_SECRET" }}
token_endpoint_auth_method = "client_secret_basic_raw"
timeout = {timeout}

[endpoints.bearer]
url = "{api}/bearer"
auth = {{ type = "bearer", token = {{ keyring = "orders/ana" }} }}

[endpoints.basic]
url = "{api}/basic"
auth = {{ type = "basic", username = "ana", password = {{ command = ["cat", "password.txt"] }} }}

[endpoints.header]
url = "{api}/header"
auth = {{ type = "header", name = "X-Api-Key", prefix = "Key", value = {{ env = "API_KEY" }} }}

[endpoints.public]
url = "{api}/public"
"""

#: The variables that hold secrets.
VARIABLES: Final = {
    "ORDERS_SECRET": CLIENT_SECRET,
    "ORDERS_KEY": HEADER_KEY,
    "ORDERS_PARAMETER": PARAMETER,
    "SHARED_KEY": SHARED_KEY,
    "API_KEY": API_KEY,
}
#: The files that hold secrets.
FILES: Final = {"posted.txt": POSTED_SECRET, "password.txt": PASSWORD, "key.pem": PRIVATE_KEY}
#: What ``gql auth token`` may print.
PRINTABLE: Final = frozenset({"access token", "access token that is a JWT"}) | {
    canary.what for canary in (BEARER, PASSWORD, API_KEY)
}


def gives(token: Canary) -> Answer:
    """Return the answer of a token endpoint that gives `token`."""
    return json_answer({"access_token": token.text, "token_type": "Bearer", "expires_in": 3600})


def data(_request: Request) -> Answer:
    """Answer as an API that is content."""
    return json_answer({"data": {"me": {"id": "1"}}})


def echo(request: Request) -> str:
    """Return all that was sent: as it came, decoded, and each value by itself."""
    headers = [f"{name}: {value}" for name, value in request.headers.items()]
    words = [word for value in request.headers.values() for word in value.split()]
    body = request.body.decode(errors="replace")
    values = parse_qsl(body, keep_blank_values=True)
    alone = [value for _, value in values]
    return "\n".join([request.path, body, unquote(body), *headers, *alone, *words])


def echoed(request: Request) -> str:
    """Return the same in one line, as a header may carry it: in the bytes of UTF-8."""
    return " ".join(echo(request).split()).encode().decode("latin-1")


@attrs.frozen
class Leak:
    """A canary, and where it was found."""

    canary: str
    where: str

    @classmethod
    def of(cls, canaries: set[Canary], where: str) -> set[Leak]:
        return {cls(canary.what, where) for canary in canaries}


@attrs.frozen
class Outcome:
    """What a run of ``gql`` came to."""

    stdout: str
    stderr: str
    code: int
    leaks: set[Leak]


class Ring(KeyringBackend):
    """A keyring with one entry."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def get_password(self, service: str, username: str) -> str | None:
        return BEARER.text if (service, username) == ("orders", "ana") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise AssertionError("nothing of ours writes to a keyring")


class World:
    """A project, its servers, and the runs of ``gql`` in it."""

    def __init__(
        self,
        root: Path,
        monkeypatch: pytest.MonkeyPatch,
        capture: pytest.CaptureFixture[str],
        tokens: HttpServer,
        api: HttpServer,
    ) -> None:
        self.root = root
        self.monkeypatch = monkeypatch
        self.tokens = tokens
        self.api = api
        self.search = Search()
        self._capture = capture
        self.project = root / "project"
        # A search for a configuration ends at the repository's root.
        (self.project / ".git").mkdir(parents=True)
        monkeypatch.chdir(self.project)
        self._set_environment()
        self._spawned: list[tuple[Any, Mapping[str, str] | None]] = []
        self._watch_processes()
        monkeypatch.setattr(keyring.core, "_keyring_backend", Ring())
        # What is installed does not change, and is asked for at each run.
        monkeypatch.setattr(PluginGroup, "find", cache(PluginGroup.find))
        for name, canary in FILES.items():
            self.file(name, f"{canary.text}\n").chmod(0o600)
        tokens.respond = lambda _: gives(ACCESS_TOKEN)
        api.respond = data
        self.configure()

    def _set_environment(self) -> None:
        for name in list(os.environ):
            if name.startswith(("GQLAUTH", "XDG_")) or name.lower().endswith("_proxy"):
                self.monkeypatch.delenv(name)
        home = self.root / "home"
        for name, folder in {
            "HOME": home,
            "XDG_CONFIG_HOME": home / ".config",
            "XDG_STATE_HOME": home / ".state",
            "XDG_CACHE_HOME": home / ".cache",
            "TMPDIR": home / "tmp",
        }.items():
            folder.mkdir(parents=True, exist_ok=True)
            self.monkeypatch.setenv(name, str(folder))
        self.monkeypatch.setattr(tempfile, "tempdir", None)
        self.monkeypatch.setenv("GQLAUTH_TRUST", "1")
        for name, canary in VARIABLES.items():
            self.monkeypatch.setenv(name, canary.text)

    def configure(self, text: str = CONFIG, **places: str) -> None:
        """Write the configuration, for these servers unless others are named."""
        servers = {"tokens": self.tokens.url, "api": self.api.url, "timeout": "5.0"}
        self.file("gqlauth.toml", text.format(**servers | places))

    def file(self, name: str, text: str) -> Path:
        path = self.project / name
        path.write_text(text, encoding="utf-8")
        return path

    def __call__(self, *arguments: str, echoes: bool = False) -> Outcome:
        """Run ``gql``, and look for canaries in all that it says and leaves behind.

        Where the API `echoes`, standard output is what the server sent, and not looked at.
        """
        self._capture.readouterr()
        self._spawned.clear()
        before = dict(os.environ)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                code = run(arguments)
            except SystemExit as ended:  # a completion
                code = ended.code if isinstance(ended.code, int) else 1
        captured = self._capture.readouterr()
        said = "\n".join(str(warning) for warning in warned)
        leaks = Leak.of(self.search(captured.err), "standard error")
        leaks |= Leak.of(self.search(said), "warnings")
        leaks |= self.left_behind()
        leaks |= self._handed_on(before)
        told = Leak.of(self.search(captured.out), "standard output")
        if arguments[:2] == ("auth", "token"):
            told = {leak for leak in told if leak.canary not in PRINTABLE}
        if not (arguments[:1] == ("api",) and echoes):
            leaks |= told
        return Outcome(captured.out, captured.err, code, leaks)

    def _handed_on(self, before: dict[str, str]) -> set[Leak]:
        """Return the leaks to other processes: by arguments, or variables that were not there."""
        leaks: set[Leak] = set()
        for arguments, variables in self._spawned:
            leaks |= Leak.of(self.search(repr(arguments)), "the arguments of a process")
            new = set((variables or {}).items()) - set(before.items())
            leaks |= Leak.of(self.search(repr(new)), "the environment of a process")
        new = set(os.environ.items()) - set(before.items())
        return leaks | Leak.of(self.search(repr(new)), "the environment")

    def _watch_processes(self) -> None:
        begin = subprocess.Popen.__init__

        def watched(process: Any, args: Any, *rest: Any, **settings: Any) -> None:
            self._spawned.append((args, settings.get("env")))
            begin(process, args, *rest, **settings)

        self.monkeypatch.setattr(subprocess.Popen, "__init__", watched)

    def left_behind(self) -> set[Leak]:
        """Return the leaks in the names and contents of files: the user's, and temporary ones."""
        leaks: set[Leak] = set()
        for path in self.root.rglob("*"):
            place = str(path.relative_to(self.root))
            leaks |= Leak.of(self.search(place), "the name of a file")
            if path.is_file() and path.parent != self.project:
                leaks |= Leak.of(self.search(path.read_bytes().decode("latin-1")), place)
        return leaks
