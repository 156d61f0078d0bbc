"""Endpoints that graphql-config's extension ``endpoints`` tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gqlauth import ConfigError
from gqlauth._config import Found, _document, load

if TYPE_CHECKING:
    from tests.config.conftest import Project

NAME = ".graphqlrc.yml"
URL = "https://orders.example.com/graphql"


def loaded(project: Project, endpoints: str, gqlauth: str = "{}") -> str:
    return f"extensions:\n  endpoints: {endpoints}\n  gqlauth: {gqlauth}\n"


class TestOffered:
    """Each is offered by its name, as the other tools that read the file have it."""

    def test_url_and_headers(self, project: Project) -> None:
        """Its URL and headers are taken; what else it says is for others."""
        text = loaded(
            project,
            f"{{orders: {{url: '{URL}', headers: {{X-Tenant: acme}}, introspect: false}}}}",
        )

        (endpoint,) = project.load(text, NAME).require().endpoints.values()

        assert (endpoint.name, endpoint.url, endpoint.headers, endpoint.auth) == (
            "orders",
            URL,
            {"X-Tenant": "acme"},
            None,
        )

    def test_url_alone(self, project: Project) -> None:
        """Older files write just the URL."""
        config = project.load(loaded(project, f"{{orders: '{URL}'}}"), NAME).require()

        assert config.endpoint("orders").url == URL

    def test_beside_ours(self, project: Project) -> None:
        """They stand beside those of ours, and one of them may be the default."""
        ours = "{default_endpoint: dev, endpoints: {orders: {url: 'https://o.example.com'}}}"
        text = loaded(project, f"{{dev: {{url: '{URL}'}}}}", ours)

        config = project.load(text, NAME).require()

        assert [*config.endpoints] == ["orders", "dev"]
        assert config.endpoint().name == "dev"

    def test_without_url(self, project: Project) -> None:
        """One without a URL, as for subscriptions alone, is not offered."""
        text = loaded(project, "{a: {subscription: {url: 'wss://a.example.com'}}, b: 1}")

        assert project.load(text, NAME).require().endpoints == {}

    @pytest.mark.parametrize("endpoints", ["[]", "1", "null"])
    def test_of_another_kind(self, project: Project, endpoints: str) -> None:
        """What is no table of endpoints is left to those whom it is for."""
        assert project.load(loaded(project, endpoints), NAME).require().endpoints == {}

    def test_in_pyproject(self, project: Project) -> None:
        """In files that are not graphql-config's, there are none."""
        text = f'[extensions.endpoints]\norders = "{URL}"\n[tool.gqlauth]\n'

        assert project.load(text, "pyproject.toml").require().endpoints == {}


class TestCompleted:
    """An endpoint of ours without a URL is completed by theirs of its name."""

    def test_auth(self, project: Project) -> None:
        """We say how its token is got; the Authorization that others are told is left out."""
        text = loaded(
            project,
            f"{{orders: {{url: '{URL}', headers: {{authorization: 'Bearer ${{T}}', X-A: a}}}}}}",
            "{endpoints: {orders: {auth: {type: bearer, token: {env: T}}}}}",
        )

        endpoint = project.load(text, NAME).require().endpoint("orders")

        assert (endpoint.url, endpoint.headers) == (URL, {"X-A": "a"})
        assert endpoint.auth is not None

    def test_no_auth(self, project: Project) -> None:
        """Where we say that there is none, theirs stays."""
        text = loaded(
            project,
            f"{{orders: {{url: '{URL}', headers: {{Authorization: 'Basic YTpi'}}}}}}",
            "{endpoints: {orders: {auth: none}}}",
        )

        endpoint = project.load(text, NAME).require().endpoint("orders")

        assert endpoint.headers == {"Authorization": "Basic YTpi"}

    def test_headers(self, project: Project) -> None:
        """A header of ours replaces theirs, in whatever case that is written."""
        text = loaded(
            project,
            f"{{orders: {{url: '{URL}', headers: {{x-tenant: a, X-B: b}}}}}}",
            "{endpoints: {orders: {headers: {X-Tenant: c}}}}",
        )

        endpoint = project.load(text, NAME).require().endpoint("orders")

        assert endpoint.headers == {"X-B": "b", "X-Tenant": "c"}

    def test_own_url(self, project: Project) -> None:
        """One with a URL of its own takes nothing: those headers are for another place."""
        text = loaded(
            project,
            f"{{orders: {{url: '{URL}', headers: {{X-Key: k}}}}}}",
            "{endpoints: {orders: {url: 'https://eu.example.com'}}}",
        )

        endpoint = project.load(text, NAME).require().endpoint("orders")

        assert (endpoint.url, endpoint.headers) == ("https://eu.example.com", {})


class TestVariables:
    """Their variables are written as graphql-config has them."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("https://${HOST}/a", "https://h.example.com/a"),
            ("${HOST_URL:https://d.example.com:8443/a}", "https://d.example.com:8443/a"),
            ("${HOST_URL: 'https://d.example.com'}", "https://d.example.com"),
            ('${HOST_URL:"https://d.example.com"}', "https://d.example.com"),
            ("https://${EMPTY:d}.example.com", "https://d.example.com"),
            ("https://d.example.com/$$a", "https://d.example.com/$$a"),
        ],
    )
    def test_forms(self, project: Project, text: str, expected: str) -> None:
        """A default follows one colon, and may be quoted; a `$` is just that."""
        project.environ = {"HOST": "h.example.com", "EMPTY": ""}
        quoted = text.replace("'", "''")
        found = project.load(loaded(project, f"{{orders: '{quoted}'}}"), NAME).require()

        assert found.endpoint("orders").url == expected

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("https://${HOST}", "environment variable HOST is not set"),
            ("https://${HOST:}", "a ${ that is neither ${NAME} nor ${NAME:default}"),
            ("https://${HOST", "a ${ that is neither ${NAME} nor ${NAME:default}"),
        ],
    )
    def test_that_cannot_be_had(self, project: Project, text: str, told: str) -> None:
        """One that is not set, or is none, is told where it stands."""
        assert project.told(loaded(project, f"{{orders: '{text}'}}"), NAME) == [
            f"2: extensions.endpoints.orders: {told}"
        ]


class TestPlaces:
    """What is wrong is told where it stands in the file."""

    def test_of_theirs(self, project: Project) -> None:
        """A mistake in an endpoint of theirs is not told as one of ours."""
        text = (
            "extensions:\n  gqlauth: {}\n  endpoints:\n    a:\n      url: http://a.example.com\n"
            "    b:\n      url: 1\n      headers:\n        X: [1]\n"
        )

        assert project.told(text, NAME) == [
            (
                "5: extensions.endpoints.a.url: http is for loopback hosts only: use https, or set"
                " allow_insecure_http = true beside it"
            ),
            "7: extensions.endpoints.b.url: expected text, got a number",
            "9: extensions.endpoints.b.headers.X: expected text, got a list",
        ]

    def test_beside_it(self, project: Project) -> None:
        """What allows http may stand beside their URL, too."""
        text = loaded(project, "{a: {url: 'http://a.example.com/', allow_insecure_http: true}}")

        assert project.load(text, NAME).require().endpoint("a").allow_insecure_http

    def test_of_both(self, project: Project) -> None:
        """Of an endpoint that both tell of, each key has its own place."""
        text = (
            "extensions:\n  endpoints:\n    a:\n      url: ftp://a.example.com\n"
            "      headers: {X-A: 1}\n"
            "  gqlauth:\n    endpoints:\n      a:\n        timeout: x\n"
            "        headers: {X-B: 2}\n"
        )

        assert project.told(text, NAME) == [
            "4: extensions.endpoints.a.url: is no URL: it must begin with https://",
            "5: extensions.endpoints.a.headers.X-A: expected text, got a number",
            "9: extensions.gqlauth.endpoints.a.timeout: expected a number, got text",
            "10: extensions.gqlauth.endpoints.a.headers.X-B: expected text, got a number",
        ]

    def test_ours_of_another_kind(self, project: Project) -> None:
        """What is no table of ours is told as ever."""
        told = "3: extensions.gqlauth.endpoints: expected a table of tables, got a list"

        assert project.told(loaded(project, f"{{a: '{URL}'}}", "{endpoints: []}"), NAME) == [told]


def test_trust(project: Project) -> None:
    """What they read counts for trust, and is told as it stands there."""
    text = loaded(project, "{orders: {url: 'https://${HOST:o.example.com}/', headers: {}}}")
    path = project.file(text, NAME)

    doubts = load(Found(path, "project"), environ={}).distrust

    assert [str(doubt) for doubt in doubts][1:] == [
        (
            f"{NAME}:2: extensions.endpoints.orders.url: reads variables:"
            " https://${HOST:o.example.com}/"
        )
    ]


def test_needs_no_trust(project: Project) -> None:
    """Plain URLs need none."""
    path = project.file(loaded(project, f"{{orders: '{URL}'}}"), NAME)

    assert load(Found(path, "project"), environ={}).distrust == ()


@pytest.mark.parametrize(
    ("endpoints", "gqlauth"),
    [
        (f"{{a: &a {{headers: {{{', '.join(f'h{n}: x' for n in range(400))}}}}}, LINES}}", "{}"),
        ("&a {a: *a}", "{}"),
        ("{}", "&a {endpoints: {a: *a}}"),
        ("&a [*a]", "{}"),
    ],
    ids=["many", "theirs itself", "ours itself", "list"],
)
def test_too_much(
    project: Project, monkeypatch: pytest.MonkeyPatch, endpoints: str, gqlauth: str
) -> None:
    """Anchors that multiply endpoints are told before any is copied."""
    copied: list[object] = []
    monkeypatch.setattr(_document, "with_endpoints", lambda *given: copied.append(given))
    endpoints = endpoints.replace("LINES", ", ".join(f"b{n}: *a" for n in range(400)))

    told = project.told(loaded(project, endpoints, gqlauth), NAME)

    assert (told, copied) == (["holds too much, or is nested too deeply"], [])


def test_names_are_text(project: Project) -> None:
    """A name that YAML reads as something else is told."""
    with pytest.raises(ConfigError, match="a key here is read as true or false: put it in quotes"):
        project.load(loaded(project, f"{{on: '{URL}'}}"), NAME)
