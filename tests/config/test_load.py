"""From a file to endpoints, and all that is wrong in it at once."""

from __future__ import annotations

import copy
import importlib.metadata
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from gqlauth import ConfigError, Secret
from gqlauth._config import RETRY_ON, Found, find, load
from gqlauth._secret_sources import EnvSource
from gqlauth.errors import Problem

if TYPE_CHECKING:
    from tests.config.conftest import Project

UNSENDABLE = "has characters that no header may carry"
TWO_WITH_ONE_BROKEN = """
    [endpoints.orders]
    url = "https://orders.example.com/graphql"

    [endpoints.billing]
    url = "billing"
    timeout = "long"
"""


class TestSound:
    def test_defaults(self, project: Project) -> None:
        """An endpoint needs no more than a URL."""
        endpoint = project.endpoint("")

        assert endpoint.name == "orders"
        assert endpoint.url == "https://orders.example.com/graphql"
        assert endpoint.headers == {}
        assert endpoint.timeout == 30
        assert endpoint.retry_on == RETRY_ON
        assert endpoint.origins == ()
        assert not endpoint.allow_insecure_http
        assert endpoint.auth is None

    def test_place(self, project: Project) -> None:
        """Where an endpoint stands is told, copied, and never written out with the whole file."""
        place = project.endpoint("").place

        assert repr(place).endswith("gqlauth.toml: endpoints.orders")
        assert copy.deepcopy(place) is place
        with pytest.raises(TypeError, match="a place in a file cannot be pickled"):
            pickle.dumps(place)

    def test_settings(self, project: Project) -> None:
        """All that an endpoint may say."""
        project.environ["TENANT"] = "acme"

        endpoint = project.endpoint("""
            headers = { X-Tenant = "${TENANT}", X-Key = { env = "KEY" } }
            timeout = 1
            retry_on = ["NOPE"]
            origins = ["http://cdn.example.com"]
            allow_insecure_http = true
        """)

        key = Secret.from_source(EnvSource("KEY"))
        assert endpoint.headers == {"X-Tenant": "acme", "X-Key": key}
        assert (endpoint.timeout, endpoint.retry_on) == (1, ("NOPE",))
        assert endpoint.origins == ("http://cdn.example.com",)
        assert endpoint.allow_insecure_http

    def test_names_are_as_they_are(self, project: Project) -> None:
        """In the name of an endpoint nothing is replaced."""
        loaded = project.load('[endpoints."$${A} b"]\nurl = "https://a.example"\n')

        assert [one.name for one in loaded.require().endpoints.values()] == ["$${A} b"]

    def test_found_or_named(self, project: Project) -> None:
        """It reads what was found, or what is named, by text or path."""
        path = project.file('endpoints.a.url = "https://a.example"\n')

        assert load(find(environ={})).found == Found(path, "project")
        assert load("gqlauth.toml").found == Found(Path("gqlauth.toml"), "--config")
        assert load(path).found == Found(path, "--config")

    def test_path_is_absolute(self, project: Project) -> None:
        """The configuration knows where it was read, wherever the process goes from there."""
        path = project.file()

        assert load("gqlauth.toml").config.path == path

    def test_variables_of_the_process(self, project: Project) -> None:
        """The variables are those of the process, unless others are given."""
        project.monkeypatch.setenv("HOST_OF_ORDERS", "a.example")
        path = project.file('endpoints.a.url = "https://${HOST_OF_ORDERS}"\n')

        assert load(path).require().endpoints["a"].url == "https://a.example"

    def test_scans_no_environment(self, project: Project) -> None:
        """Where nothing is wrong, only our own distribution's entry points are read."""

        def refuse(**_: object) -> NoReturn:
            raise AssertionError("the environment was scanned")

        project.monkeypatch.setattr(importlib.metadata, "distributions", refuse)
        example = Path(__file__).parents[2] / "fixtures" / "config" / "good" / "gqlauth.toml"

        assert load(example, environ={}).require().default_endpoint == "orders"


class TestProblems:
    def test_sound_endpoints_stand_beside_broken_ones(self, project: Project) -> None:
        """What is wrong with one endpoint takes nothing from the others."""
        loaded = project.load(TWO_WITH_ONE_BROKEN)

        assert list(loaded.config.endpoints) == ["orders"]
        assert loaded.broken == {"billing": loaded.problems}
        assert loaded.problems == (
            Problem(
                "is no URL: it must begin with https://",
                file="gqlauth.toml",
                line=6,
                key="endpoints.billing.url",
            ),
            Problem(
                "expected a number, got text",
                file="gqlauth.toml",
                line=7,
                key="endpoints.billing.timeout",
            ),
        )

    def test_require(self, project: Project) -> None:
        """Who needs all of it sound is told all that is not."""
        loaded = project.load(TWO_WITH_ONE_BROKEN)

        with pytest.raises(ConfigError) as raised:
            loaded.require()

        assert raised.value.problems == loaded.problems
        assert raised.value.__cause__ is None

    def test_are_in_the_order_of_the_file(self, project: Project) -> None:
        """They are told from the first line to the last."""
        told = project.told("""
            [endpoints.a]
            url = "a"
            [auth.b]
            type = "basic"
            [endpoints.c]
            url = "https://a.example"
            auth = "b"
            d = 1
        """)

        assert [one.partition(":")[0] for one in told] == ["3", "4", "4", "9"]

    def test_key_that_is_misspelt_is_not_missing_too(self, project: Project) -> None:
        """Of a key that is misspelt it is not told, too, that it is missing."""
        assert project.told('[endpoints.a]\nurll = "https://a.example"\n') == [
            '2: endpoints.a.urll: unknown key; did you mean "url"?'
        ]

    def test_names_drive_no_terminal(self, project: Project) -> None:
        """Whatever stands in a file comes out as text that does nothing."""
        told = project.told('default_endpoint = "\\u001b[31m\\u202e"\n"\\u0007" = 1\n')

        assert told == [
            '1: default_endpoint: there is no endpoint "\\x1b[31m\\u202e"',
            '2: "\\u0007": unknown key',
        ]

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("endpoints = 1", ["1: endpoints: expected a table of tables, got a number"]),
            ("auth = []", ["1: auth: expected a table of tables, got a list"]),
            ("auth.a = 1", ["1: auth.a: expected a table, got a number"]),
            ("endpoints.a = 1", ["1: endpoints.a: expected a table, got a number"]),
            ("endpoints.a = {}", ["1: endpoints.a.url: missing"]),
            ("default_endpoint = 1", ["1: default_endpoint: expected text, got a number"]),
            (
                'default_endpoint = "${A}"',
                ["1: default_endpoint: environment variable A is not set"],
            ),
        ],
    )
    def test_of_the_whole(self, project: Project, text: str, told: list[str]) -> None:
        """Tables that are none are told."""
        assert project.told(text) == told


class TestDefaultEndpoint:
    def test_is_one_of_them(self, project: Project) -> None:
        """The default is the name of an endpoint, and may come from a variable."""
        project.environ["A"] = "b"
        text = 'default_endpoint = "${A}"\nendpoints.b.url = "https://b.example"\n'

        assert project.load(text).require().default_endpoint == "b"

    def test_none(self, project: Project) -> None:
        """There need not be one."""
        text = 'endpoints.b.url = "https://b.example"\n'

        assert project.load(text).require().default_endpoint is None

    def test_broken_one(self, project: Project) -> None:
        """One that is broken is there, and it is told what is wrong with itself only."""
        told = project.told('default_endpoint = "b"\nendpoints.b.url = "b"\n')

        assert told == ["2: endpoints.b.url: is no URL: it must begin with https://"]

    def test_unknown(self, project: Project) -> None:
        """One that is not there is told, with what may be meant."""
        told = project.told('default_endpoint = "bb"\nendpoints.b.url = "https://b.example"\n')

        assert told == ['1: default_endpoint: there is no endpoint "bb"; did you mean "b"?']


class TestHeaders:
    def test_authorization_without_auth(self, project: Project) -> None:
        """Without ``auth``, an endpoint may send an Authorization of its own."""
        endpoint = project.endpoint('headers = { Authorization = { env = "A" } }\nauth = "none"\n')

        assert list(endpoint.headers) == ["Authorization"]

    @pytest.mark.parametrize("auth", ['{ type = "bearer", token = { env = "A" } }', '"acme"'])
    def test_authorization_beside_auth(self, project: Project, auth: str) -> None:
        """Beside ``auth``, be that sound or not, it is told that one of them must go."""
        told = project.told(
            '[endpoints.a]\nurl = "https://a.example"\n'
            f'headers = {{ AUTHORIZATION = "s3cr3t" }}\nauth = {auth}\n'
        )

        assert told[0] == (
            "3: endpoints.a.headers.AUTHORIZATION: the endpoint has an auth, which sends its "
            "own: leave out one of the two"
        )

    @pytest.mark.parametrize(
        ("headers", "message"),
        [
            ('{ "" = "a" }', '"" is no name that a header may have'),
            ('{ "a:" = "a" }', '"a:" is no name that a header may have'),
            ('{ "ä" = "a" }', '"ä" is no name that a header may have'),
            ('{ a = "a", A = "a" }', "A is there twice"),
            (
                '{ a = "s3cr3t\\r\\nb: c" }',
                "the value of a has characters that no header may carry",
            ),
            ('{ a = "s3cr3t ä" }', "the value of a has characters that no header may carry"),
            ('{ a = " s3cr3t" }', "the value of a begins or ends with a space"),
            ('{ a = "s3cr3t\\t" }', "the value of a begins or ends with a space"),
        ],
    )
    def test_that_cannot_be_sent(self, project: Project, headers: str, message: str) -> None:
        """Names and values that HTTP does not allow are told, the values unseen."""
        told = project.told(f'[endpoints.a]\nurl = "https://a.example"\nheaders = {headers}\n')

        assert told == [f"3: endpoints.a.headers: {message}"]

    def test_empty_value(self, project: Project) -> None:
        """An empty value is one."""
        assert project.endpoint('headers = { a = "", b = "c d" }').headers == {"a": "", "b": "c d"}
