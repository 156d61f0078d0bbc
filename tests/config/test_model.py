"""What a configuration is once it is read, and what will keep its tokens from being had."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import pytest

from gqlauth import Secret
from gqlauth._config import Config, Endpoint, EndpointAuthConfig
from gqlauth._options import AuthOptions
from gqlauth.errors import Problem
from gqlauth_strategies import Bearer

if TYPE_CHECKING:
    from tests.config.conftest import Project

UNSET = """
    [auth.acme]
    type = "client_credentials"
    token_url = "https://id.example.com/token"
    client_id = "acme"
    client_secret = { env = "UNSET_SECRET" }
    headers = { "X-Key" = { file = "key" } }
    ca_file = "ours.pem"

    [endpoints.a]
    url = "https://a.example"
    auth = "acme"
    headers = { "X-Key" = { env = "UNSET_SECRET" } }

    [endpoints.b]
    url = "https://b.example"
    auth = "acme"
"""


class TestCheck:
    def test_tells_all_that_is_missing(self, project: Project) -> None:
        """Secrets and files that are not there are told once each, and load nonetheless."""
        loaded = project.load(UNSET)

        assert loaded.problems == ()
        root = project.root
        unset = "environment variable UNSET_SECRET is not set"
        assert [str(one) for one in loaded.config.check()] == [
            f"gqlauth.toml:13: endpoints.a.headers.X-Key: {unset}",
            f"gqlauth.toml:6: auth.acme.client_secret: {unset}",
            f"gqlauth.toml:7: auth.acme.headers.X-Key: secret file {root}/key does not exist",
            f"gqlauth.toml:8: auth.acme.ca_file: {root}/ours.pem is no file",
        ]

    def test_tells_the_files_of_a_certificate(self, project: Project) -> None:
        """Relative to the configuration file, and where each stands."""
        certificate = 'certificate_file = "a.pem"\ncertificate_key_file = "a.key"'
        text = UNSET.replace('client_secret = { env = "UNSET_SECRET" }', certificate)
        project.file("", "a.pem")
        told = [str(one) for one in project.load(text).config.check()]

        assert (
            f"gqlauth.toml:7: auth.acme.certificate_key_file: {project.root}/a.key is no file"
            in (told)
        )
        assert not any("certificate_file" in one for one in told)

    def test_tells_the_ca_file_of_an_endpoint(self, project: Project) -> None:
        """At the endpoint whose it is; one given in code stands in no file."""
        text = '[endpoints.a]\nurl = "https://a.example"\nca_file = "own.pem"'
        told = f"ca_file {project.root}/own.pem is no file"
        loaded = project.load(text).require()

        assert [str(one) for one in loaded.check()] == [f"gqlauth.toml:1: endpoints.a: {told}"]
        project.file("", "own.pem")
        assert loaded.check() == ()
        coded = Endpoint(name="a", url="https://a.example", ca_file=Path("/none/own.pem"))
        assert list(coded.problems()) == [Problem("ca_file /none/own.pem is no file")]

    def test_is_content_with_what_is_there(self, project: Project) -> None:
        """Where all is there, nothing is told, and no command was run."""
        project.monkeypatch.setenv("UNSET_SECRET", "s3cr3t")
        project.file("s3cr3t", "key")
        project.file("", "ours.pem")
        text = UNSET.replace('{ file = "key" }', '{ command = ["touch", "ran"] }')

        assert project.load(text).require().check() == ()
        assert not (project.root / "ran").exists()

    def test_of_what_cannot_be_looked_at(self, project: Project) -> None:
        """A file that the system lets nobody look at is no file."""
        endpoint = endpoint_with(AuthOptions(ca_file=project.root / ("a" * 300)))

        (problem,) = endpoint.problems()
        assert problem.message.endswith("is no file")

    def test_of_an_endpoint_without_auth(self) -> None:
        """It wants nothing."""
        assert list(Endpoint(name="a", url="https://a.example").problems()) == []


class TestGivenInCode:
    def test_place(self, tmp_path: Path) -> None:
        """What was given in code stands in no file."""
        endpoint = endpoint_with(AuthOptions(ca_file=tmp_path / "a"))

        assert list(endpoint.problems()) == [Problem(f"ca_file {tmp_path / 'a'} is no file")]

    def test_nothing_is_wrong(self, tmp_path: Path) -> None:
        """A file that is there is well."""
        (tmp_path / "a").touch()

        assert list(endpoint_with(AuthOptions(ca_file=tmp_path / "a")).problems()) == []

    def test_headers(self) -> None:
        """Headers are held to the rules of a file."""
        with pytest.raises(ValueError, match="no name that a header may have"):
            Endpoint(name="a", url="https://a.example", headers={"a b": "c"})

    def test_empty(self) -> None:
        """A configuration of nothing has nothing wrong in it."""
        assert Config().check() == ()

    def test_places_make_no_difference(self, project: Project) -> None:
        """Equal endpoints that stand in different places are equal."""
        text = (
            '[endpoints.a]\nurl = "https://a.example"\nauth = { type = "bearer", token.env = "A" }'
        )

        one = project.load(text).config.endpoints
        other = project.load(f"\n\n{text}", "other.toml").config.endpoints

        assert one == other


class TestSecrets:
    def test_of_all_kinds_of_fields(self) -> None:
        """They are found in mappings, lists, sets and classes, in the order of the fields."""
        secrets = [Secret(f"s3cr3t-{number}") for number in range(5)]

        @attrs.frozen
        class Inner:
            one: Secret
            text: str = "a"

        @attrs.frozen
        class Outer(Bearer):
            table: dict[str, Secret | str]
            items: list[Inner]
            bag: frozenset[Secret]

        strategy = Outer(
            secrets[1],
            {"a": secrets[2], "b": "c"},
            [Inner(secrets[3])],
            frozenset({secrets[4]}),
        )
        endpoint = Endpoint(
            name="a",
            url="https://a.example",
            headers={"X-A": secrets[0], "X-B": "b"},
            auth=EndpointAuthConfig(type="outer", strategy=strategy),
        )

        assert [one.reveal() for one in endpoint.secrets()] == [one.reveal() for one in secrets]

    def test_without_auth(self) -> None:
        """An endpoint without auth has those of its headers."""
        secret = Secret("s3cr3t")
        endpoint = Endpoint(name="a", url="https://a.example", headers={"X-A": secret})

        assert list(endpoint.secrets()) == [secret]


def endpoint_with(options: AuthOptions) -> Endpoint:
    strategy = Bearer(Secret("s3cr3t"))
    auth = EndpointAuthConfig(type="bearer", strategy=strategy, options=options)
    return Endpoint(name="a", url="https://a.example", auth=auth)
