"""Trust: which files of a project need it, what of them it covers, and where it is remembered."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gqlauth import AuthService, ConfigError
from gqlauth._config import find, load, read
from gqlauth._config._deeds import LONGEST_TOLD, MOST_TOLD
from gqlauth._config._trust import VARIABLE, Unread, trust

if TYPE_CHECKING:
    from gqlauth._config import Loaded
    from tests.config.conftest import Project

ORDERS = """\
default_endpoint = "orders"

[endpoints.orders]
url = "https://orders.example.com/graphql"
headers = { "X-Tenant" = "${TENANT:-acme}", "X-Plain" = "plain" }
timeout = 30.0

[endpoints.orders.auth]
type = "client_credentials"
token_url = "https://id.example.com/oauth2/token"
client_id = "orders-cli"
client_secret = { env = "ORDERS_SECRET" }
scopes = ["orders:read"]
params = { tenant = "acme" }

[endpoints.billing]
url = "https://billing.example.com/graphql"
auth = "acme"

[auth.acme]
type = "bearer"
token = { command = ["op", "read", "op://vault/acme token"] }
"""


def found(project: Project) -> Loaded:
    """Load the file that is found in the project."""
    return load(find(start=project.root, environ=project.environ), environ=project.environ)


def distrusted(project: Project, text: str, name: str = "gqlauth.toml") -> list[str]:
    """Return what is told of a file in the project that nobody said anything of."""
    project.file(text, name)
    return [str(problem) for problem in found(project).distrust]


def trusted(project: Project, text: str = ORDERS) -> Path:
    """Write a file in the project, and trust it."""
    path = project.file(text)
    trust(read(path))
    assert found(project).distrust == ()
    return path


def records(project: Project) -> list[Path]:
    return list((project.root.parent / "home").rglob("trust/*"))


class TestNeed:
    def test_what_it_would_do_is_told(self, project: Project) -> None:
        """All that a file would do is told at its place, below why it is not used."""
        assert distrusted(project, ORDERS) == [
            (
                "gqlauth.toml: not trusted: it was found in a project, and uses secrets or "
                'variables; if all of this is as it should be: "gql config trust"'
            ),
            "gqlauth.toml:4: endpoints.orders.url: sends to https://orders.example.com/graphql",
            "gqlauth.toml:5: endpoints.orders.headers.X-Tenant: reads variables: ${TENANT:-acme}",
            (
                "gqlauth.toml:10: endpoints.orders.auth.token_url: sends to "
                "https://id.example.com/oauth2/token"
            ),
            (
                "gqlauth.toml:12: endpoints.orders.auth.client_secret: reads the "
                "environment variable ORDERS_SECRET"
            ),
            "gqlauth.toml:17: endpoints.billing.url: sends to https://billing.example.com/graphql",
            "gqlauth.toml:22: auth.acme.token: runs op read 'op://vault/acme token'",
        ]

    def test_a_cache_counts(self, project: Project) -> None:
        """It may run a command."""
        text = '[cache]\nstore = "disk"\nkey = { command = ["op", "read"] }\n'
        assert distrusted(project, text)[1:] == ["gqlauth.toml:3: cache.key: runs op read"]
        assert not distrusted(project, '[cache]\nstore = "disk"\n')

    def test_another_store_is_another_file(self, project: Project) -> None:
        """Trust in what keeps tokens in memory is none in what keeps them elsewhere."""
        path = trusted(project, f'{ORDERS}\n[cache]\nstore = "memory"\n')
        path.write_text(path.read_text().replace('"memory"', '"disk"'))
        assert found(project).distrust

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("", id="nothing"),
            pytest.param('[endpoints.a]\nurl = "https://a.example"', id="no auth"),
            pytest.param('[endpoints.a]\nurl = "https://a.example"\nauth = "none"', id="none"),
            pytest.param(
                '[endpoints.a]\nurl = "https://a.example"\nauth = { type = "None" }', id="type none"
            ),
            pytest.param(
                '[endpoints.a]\nurl = "https://a.example"\nheaders = { a = "$$b" }', id="plain text"
            ),
            pytest.param("endpoints = 7", id="no table of endpoints"),
            pytest.param("[endpoints]\na = 7", id="no endpoint"),
        ],
    )
    def test_what_uses_nothing_needs_none(self, project: Project, text: str) -> None:
        """A file without authentication, secrets and variables is used as it is."""
        assert distrusted(project, text) == []

    @pytest.mark.parametrize(
        ("settings", "deed"),
        [
            ('headers = { a = { env = "A" } }', "headers.a: reads the environment variable A"),
            ('headers = { a = { file = "s" } }', "headers.a: reads the file s"),
            ('headers = { a = { Keyring = "s/u" } }', "headers.a: reads from the keyring s/u"),
            ("headers = { a = { file = 7 } }", "headers.a: reads the file 7"),
            ('headers = { a = { command = "ls" } }', "headers.a: reads from the command ls"),
            ('headers = { a = { command = ["a b"] } }', "headers.a: runs 'a b'"),
            ('retry_on = ["${A}"]', "retry_on[0]: reads variables: ${A}"),
            ('auth = { type = "x", params = { env = "A" }, y = "http://y" }', "y: sends to http"),
            ('auth = { ca_file = "a" }', "ca_file: trusts servers by the certificates in a"),
            ('auth = { key_file = "/a" }', "key_file: reads the file /a"),
            ('auth = { y = "https://me:s3cr3t@y" }', "y: sends to https://***@y"),
            ('auth = { y = "https://${A}@y" }', "y: reads variables: https://${A}@y"),
        ],
    )
    def test_each_use_needs_it(self, project: Project, settings: str, deed: str) -> None:
        """Whatever is read, run or replaced needs trust, wherever it stands."""
        told = distrusted(project, f'[endpoints.a]\nurl = "https://a.example"\n{settings}\n')

        assert "not trusted" in told[0]
        assert deed in told[-1]

    @pytest.mark.parametrize(
        "settings",
        [
            'auth = { type = "client_credentials", token_url = "https://id.example" }',
            'auth = { use = "none" }',
            'auth = "acme"',
            "auth = 7",
        ],
    )
    def test_a_token_is_a_secret_too(self, project: Project, settings: str) -> None:
        """Authentication needs trust also where no secret is named: its token goes somewhere."""
        told = distrusted(project, f'[endpoints.a]\nurl = "https://a.example"\n{settings}\n')

        assert len(told) >= 2

    def test_a_profile_that_nobody_uses(self, project: Project) -> None:
        """A profile needs trust by itself."""
        told = distrusted(project, '[auth.file]\ntype = "bearer"\ntoken = { env = "T" }')

        assert told[1:] == ["gqlauth.toml:3: auth.file.token: reads the environment variable T"]

    def test_a_shared_file(self, project: Project) -> None:
        """In a file of others, places count from its root."""
        told = distrusted(
            project, '[tool.gqlauth.auth.a]\ntoken = { env = "T" }\n', "pyproject.toml"
        )

        assert told[1:] == [
            "pyproject.toml:2: tool.gqlauth.auth.a.token: reads the environment variable T"
        ]

    @pytest.mark.parametrize("origin", ["--config", "$GQLAUTH_CONFIG", "user"])
    def test_a_file_that_the_user_chose_needs_none(self, project: Project, origin: str) -> None:
        """One that is named, and the user's own, is used at once."""
        path = project.file(ORDERS, "../home/.config/gqlauth/gqlauth.toml")
        project.environ = {"GQLAUTH_CONFIG": str(path)} if origin == "$GQLAUTH_CONFIG" else {}
        named = path if origin == "--config" else None
        chosen = find(named, start=project.root, environ=project.environ)

        assert origin == chosen.origin
        assert load(chosen, environ=project.environ).distrust == ()

    @pytest.mark.parametrize(("value", "count"), [("1", 0), ("0", 7), ("", 7), ("yes", 7)])
    def test_unattended(self, project: Project, value: str, count: int) -> None:
        """``GQLAUTH_TRUST=1`` trusts any file; no other value does."""
        project.environ = {VARIABLE: value}

        assert count == len(distrusted(project, ORDERS))


class TestTelling:
    def test_control_characters_are_escaped(self, project: Project) -> None:
        """What a file says drives no terminal."""
        told = distrusted(project, '[auth.a]\ntoken = { command = ["\\u001b[2K\\nls"] }')

        assert told[1].endswith(r"runs '\x1b[2K\nls'")

    def test_a_long_text_is_cut(self, project: Project) -> None:
        """A text is told up to a length, and how much more there is."""
        told = distrusted(project, f'[auth.a]\ntoken = {{ env = "{"N" * 1000}" }}')

        assert told[1].endswith(f"N… ({1000 - LONGEST_TOLD} characters more)")

    def test_many_are_counted(self, project: Project) -> None:
        """Past a number of things, the others are counted."""
        words = ", ".join('"${A}"' for _ in range(MOST_TOLD + 3))
        told = distrusted(project, f'[endpoints.a]\nurl = "a"\nretry_on = [{words}]')

        assert len(told) == MOST_TOLD + 2
        assert told[-1] == "gqlauth.toml: does 3 things more of the kind"

    def test_none_hides_a_command(self, project: Project) -> None:
        """Where not all is told, commands are, wherever they stand."""
        words = ", ".join('"${A}"' for _ in range(MOST_TOLD))
        told = distrusted(
            project, f'[endpoints.a]\nretry_on = [{words}]\nheaders.b = {{ command = ["ls"] }}'
        )

        assert told[1] == "gqlauth.toml:3: endpoints.a.headers.b: runs ls"

    @pytest.mark.parametrize(
        "does",
        [
            "token=$(curl evil.example)",
            "curl --header 'Authorization: Bearer $(curl evil.example)'",
            "password='$(curl evil.example)'; pass show orders",
        ],
    )
    def test_no_mask_hides_a_part(self, project: Project, does: str) -> None:
        """What looks like a credential is told as it stands: a mask would hide what it does."""
        distrusted(project, f'[auth.a]\ntoken = {{ command = ["sh", "-c", "{does}"] }}')

        (problem,) = found(project).distrust[1:]

        assert problem.message == f"runs {shlex.join(['sh', '-c', does])}"
        assert problem.verbatim


class TestBeforeTrust:
    def test_no_variable_is_read(self, project: Project) -> None:
        """Before, each variable stands for itself: its value is in nothing that could be shown."""
        project.environ = {"TENANT": "s3cr3t"}
        project.file(ORDERS)

        loaded = found(project)

        assert loaded.config.endpoints["orders"].headers["X-Tenant"] == "${TENANT}"
        assert "s3cr3t" not in repr(loaded)

    def test_there_are_no_variables_to_be_listed(self) -> None:
        """What walks the environment of such a file finds nothing in it."""
        assert dict(Unread()) == {}
        assert len(Unread()) == 0

    def test_what_a_variable_would_say_is_no_mistake(self, project: Project) -> None:
        """What cannot be known before is not told as wrong; what is wrong anyhow is."""
        project.environ = {"TYPE": "s3cr3t"}
        project.file(
            """\
            [endpoints.a]
            url = "https://${HOST}/graphql"
            auth = { type = "${TYPE}" }

            [endpoints.b]
            urll = "https://b.example"
            auth = "${PROFILE}"
            """
        )

        loaded = found(project)

        assert list(loaded.broken) == ["a", "b"]
        assert [problem.key for problem in loaded.problems] == ["endpoints.b.urll"]
        assert "s3cr3t" not in repr(loaded)

    def test_nothing_is_handed_out(self, project: Project) -> None:
        """A configuration that is not trusted cannot be had; that is told before its mistakes."""
        project.file(ORDERS + "[endpoints.c]\nurl = 7")

        with pytest.raises(ConfigError, match="not trusted") as caught:
            found(project).require()

        assert "endpoints.c" not in str(caught.value)


class TestDigest:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            pytest.param("[endpoints.billing]", "# a comment\n[endpoints.billing]", id="comment"),
            pytest.param("timeout = 30.0", "timeout = 5", id="timeout"),
            pytest.param('"orders:read"', '"orders:write", "b"', id="scopes"),
            pytest.param('"orders-cli"', '"other"', id="client"),
            pytest.param('default_endpoint = "orders"', "", id="default"),
            pytest.param("timeout = 30.0", 'retry_on = ["A"]', id="codes"),
            pytest.param(
                'type = "bearer"\ntoken = { command = ["op", "read", "op://vault/acme token"] }',
                'token.command = [ "op", "read", "op://vault/acme token" ]\ntype = "bearer"',
                id="order and form",
            ),
        ],
    )
    def test_an_edit_elsewhere_asks_for_nothing(self, project: Project, old: str, new: str) -> None:
        """What decides neither what is run nor where anything goes may change."""
        trusted(project)

        assert old in ORDERS
        assert distrusted(project, ORDERS.replace(old, new)) == []

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            pytest.param("https://orders", "https://evil", id="url"),
            pytest.param("https://id", "https://evil", id="token URL"),
            pytest.param("ORDERS_SECRET", "OTHER", id="secret"),
            pytest.param("env =", "file =", id="source"),
            pytest.param('"read"', '"write"', id="command"),
            pytest.param("acme token", "acme", id="command of a profile"),
            pytest.param(":-acme", ":-other", id="variable"),
            pytest.param('"plain"', '"${HOME}"', id="new variable"),
            pytest.param('"orders-cli"', '"${HOME}"', id="variable where a text may change"),
            pytest.param('scopes = ["orders:read"]', 'audience = "https://x"', id="audience"),
            pytest.param('"client_credentials"', '"basic"', id="type"),
            pytest.param('"acme"\n\n[auth', '"other"\n\n[auth', id="profile"),
            pytest.param("timeout = 30.0", "allow_insecure_http = true", id="http"),
            pytest.param("timeout = 30.0", 'origins = ["https://x"]', id="origin"),
            pytest.param('client_id = "orders-cli"', 'ca_file = "x"', id="certificates"),
            pytest.param('"acme" }', '"other" }', id="field of the token request"),
            pytest.param('"plain"', '"other"', id="header"),
        ],
    )
    def test_a_change_of_what_matters_asks_again(
        self, project: Project, old: str, new: str
    ) -> None:
        """What decides what is run, or where something goes, wants to be trusted anew."""
        trusted(project)

        assert old in ORDERS
        told = distrusted(project, ORDERS.replace(old, new))

        assert told[0].startswith("gqlauth.toml: not trusted: it has changed since it was, ")
        assert len(told) > 5

    def test_of_any_format(self, project: Project) -> None:
        """What YAML alone can say, such as a date, is covered too."""
        text = "extensions: {gqlauth: {auth: {a: {token: {env: T}, since: 2024-01-01, b: []}}}}"
        path = project.file(text, ".graphqlrc.yml")
        trust(read(path))

        assert distrusted(project, text, ".graphqlrc.yml") == []
        assert distrusted(project, text.replace("2024", "2025"), ".graphqlrc.yml") != []


class TestRecord:
    def test_is_the_users_alone(self, project: Project) -> None:
        """It is a file that nobody else can read, and nothing else is left."""
        path = trusted(project)
        trust(read(path))

        (record,) = records(project)
        content = json.loads(record.read_bytes())
        assert record.stat().st_mode & 0o777 == 0o600
        assert record.parent.stat().st_mode & 0o777 == 0o700
        assert content == {"version": 1, "path": str(path), "digest": content["digest"]}

    def test_is_of_one_place(self, project: Project) -> None:
        """The same file elsewhere is not trusted."""
        trusted(project)
        (project.root / "below" / ".git").mkdir(parents=True)
        project.file(ORDERS, "below/gqlauth.toml")
        project.root /= "below"

        assert "it was found in a project" in str(found(project).distrust[0])

    @pytest.mark.parametrize(
        "content", [b"", b"\xff", b"[]", b"{}", b'{"version": 2}', b'{"version": 1, "path": ""}']
    )
    def test_that_is_broken_is_none(self, project: Project, content: bytes) -> None:
        """What cannot be read as a record stands for none."""
        trusted(project)
        (record,) = records(project)
        record.write_bytes(content)

        assert "it was found in a project" in str(found(project).distrust[0])

    def test_a_copy_for_another_file_is_none(self, project: Project) -> None:
        """A record under another's name is not that one's."""
        trusted(project)
        (record,) = records(project)
        content: dict[str, Any] = json.loads(record.read_bytes())
        record.write_text(json.dumps({**content, "path": "/elsewhere"}), encoding="ascii")

        assert found(project).distrust != ()

    def test_no_place_for_it(self, project: Project) -> None:
        """Where it cannot be written, that is told."""
        path = project.file(ORDERS)
        project.monkeypatch.setenv("XDG_STATE_HOME", str(path))

        with pytest.raises(ConfigError, match=r"trust cannot be remembered in .*: Not a directory"):
            trust(read(path))

    def test_is_whole_or_not_there(self, project: Project) -> None:
        """Where it cannot take its place, nothing is left behind."""
        path = project.file(ORDERS)

        def full(*_: object) -> None:
            raise OSError(28, os.strerror(28))

        project.monkeypatch.setattr(Path, "replace", full)
        with pytest.raises(ConfigError, match="No space left"):
            trust(read(path))

        assert records(project) == []


class TestLibrary:
    def test_a_path_from_code_is_trusted(self, project: Project) -> None:
        """Who writes the path into a program has chosen the file."""
        service = AuthService.from_config(project.file(ORDERS))

        assert list(service.config.endpoints) == ["orders", "billing"]

    def test_a_file_that_is_found_is_not(self, project: Project) -> None:
        """Without a path, a file of the project is found, and asks for the same trust."""
        path = project.file(ORDERS)
        with pytest.raises(ConfigError, match="not trusted: it was found in a project"):
            AuthService.from_config()

        trust(read(path))

        assert list(AuthService.from_config().config.endpoints) == ["orders", "billing"]

    def test_where_nobody_is_there_to_ask(self, project: Project) -> None:
        """The variable counts for the library too."""
        project.file(ORDERS)
        project.monkeypatch.setenv(VARIABLE, "1")

        assert AuthService.from_config().config.default_endpoint == "orders"
