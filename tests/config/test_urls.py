"""What a URL must be, so that a token may go there."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gqlauth import ConfigError, Secret
from gqlauth._config._urls import check_urls, is_loopback, url_problem
from gqlauth_strategies import ClientCredentials

HTTP = "http is for loopback hosts only: use https, or set allow_insecure_http = true beside it"


@pytest.mark.parametrize(
    "url",
    [
        "https://orders.example.com/graphql",
        "HTTPS://ORDERS.EXAMPLE.COM",
        "https://orders:8443/graphql?version=2",
        "https://orders_1.example.com./",
        "https://192.0.2.7/",
        "https://[2001:db8::1]:8443/",
        "https://bücher.example/",
        "https://xn--bcher-kva.example/",
        "https://orders.example.com/bücher",
        "http://localhost:4000/graphql",
        "http://LocalHost./",
        "http://api.localhost/",
        "http://127.0.0.1/",
        "http://127.8.9.10:80/",
        "http://[::1]:4000/",
        "http://[0:0:0:0:0:0:0:1]/",
    ],
)
def test_good(url: str) -> None:
    """Any https URL will do, and http to this machine itself; httpx takes each of them."""
    assert url_problem(url) is None
    assert httpx.URL(url).host


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        *(
            (url, HTTP)
            for url in (
                "http://orders.example.com/",
                "http://localhost.example.com/",
                "http://notlocalhost/",
                "http://127.0.0.1.example.com/",
                "http://0.0.0.0/",
                "http://10.0.0.1/",
                "http://2130706433/",
                "http://[::2]/",
            )
        ),
        *(
            (url, "is no URL: it must begin with https://")
            for url in (
                "",
                "orders",
                "orders.example.com/graphql",
                "localhost:4000",
                "//orders.example.com",
                "ws://orders.example.com",
                "file:///etc/passwd",
            )
        ),
        *(
            (url, "is no URL")
            for url in (
                "https://",
                "https:///graphql",
                "https://:443/",
                "https://orders:port/",
                "https://orders:0/",
                "https://orders:65536/",
                "https://[::1/",
                "https://orders example.com/",
                "https://orders.example.com/a b",
                "https://orders.example.com/\n",
                "https://orders.example.com/\x7f",
                "https://orders.example.com/\u202e",
                "https://orders.example.com/" + "a" * 65_536,
            )
        ),
        *(
            (url, "is no URL: its host is none")
            for url in (
                "https://or<ders/",
                "https://orders%2eexample.com/",
                "https://good.example.com\\.evil.example.com/",
                "https://a,b/",
                "https://./",
                "https://999.0.0.1/",
                "https://0177.0.0.1/",
                "https://-ä.example/",
                "https://xn--/",
                "https://☃.example/",
            )
        ),
        ("https://me:s3cr3t@orders.example.com/", "a URL here holds no user name and no password"),
        ("https://@orders.example.com/", "a URL here holds no user name and no password"),
        (
            "https://good.example.com\\@evil.example.com/",
            "a URL here holds no user name and no password",
        ),
        ("https://orders.example.com/#top", "a URL here has no fragment (#…)"),
    ],
)
def test_bad(url: str, problem: str) -> None:
    """All else is told, without the URL: it may hold what is secret."""
    assert url_problem(url) == problem


def test_address_in_brackets() -> None:
    """What stands in brackets is an address of IPv6."""
    assert str(url_problem("https://[v1.a]/")).startswith("is no URL")
    assert str(url_problem("https://[orders]/")).startswith("is no URL")


def test_insecure() -> None:
    """``http`` may be allowed to any host; what is no URL still is none."""
    assert url_problem("http://orders.example.com/", insecure=True) is None
    assert url_problem("http://or<ders/", insecure=True) == "is no URL: its host is none"


@settings(deadline=None)  # the first URL may import httpx
@given(st.text(max_size=20))
def test_httpx_takes_what_is_good(text: str) -> None:
    """No URL that is good here is refused by httpx later."""
    url = f"https://{text}"
    if url_problem(url) is None:
        assert httpx.URL(url).host


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("a.localhost.", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("", False),
        ("localhost.com", False),
        ("::", False),
        ("128.0.0.1", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:  # noqa: FBT001 - it is what is expected
    """Names that mean this machine whoever resolves them, and its addresses (RFC 6761)."""
    assert is_loopback(host) is expected


class TestGivenInCode:
    def strategy(self, token_url: str) -> ClientCredentials:
        return ClientCredentials(
            token_url=token_url, client_id="orders", client_secret=Secret("s3cr3t")
        )

    def test_good(self) -> None:
        """What is good in a file is good in code."""
        strategy = self.strategy("http://localhost/token")

        check_urls(strategy, ["https://orders.example.com/"], insecure=False)

    def test_bad(self) -> None:
        """All that is wrong is told, without what may be secret."""
        strategy = self.strategy("http://id.example.com/token")

        with pytest.raises(ConfigError) as raised:
            check_urls(strategy, ["https://me:s3cr3t@a.example/?key=s3cr3t#s3cr3t"], insecure=False)

        assert str(raised.value) == (
            "url https://a.example/: a URL here holds no user name and no password\n"
            f"token_url: {HTTP}"
        )

    def test_strategy_that_is_no_attrs_class(self) -> None:
        """Of a strategy that tells no fields, none is looked at."""
        check_urls(object(), ["http://orders.example.com/"], insecure=True)
