"""The URL of a Redis: where it is, and nothing that is secret."""

from __future__ import annotations

import pytest

from gqlauth._redis_url import PORT, RedisURL


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("redis://localhost", {"hosts": (("localhost", PORT),)}),
        (
            "redis://cache.example.com:6380/3",
            {"hosts": (("cache.example.com", 6380),), "database": 3},
        ),
        ("redis://127.0.0.1:1/", {"hosts": (("127.0.0.1", 1),)}),
        ("redis://[::1]:1", {"hosts": (("::1", 1),)}),
        ("redis://worker@a", {"hosts": (("a", PORT),), "username": "worker"}),
        ("redis://work%40er@a", {"hosts": (("a", PORT),), "username": "work@er"}),
        ("rediss://a/1", {"hosts": (("a", PORT),), "tls": True, "database": 1}),
        ("redis+unix:///run/redis.sock", {"path": "/run/redis.sock"}),
        ("redis+unix:///run/a%20b?db=2", {"path": "/run/a b", "database": 2}),
        ("redis+unix://worker@/run/a", {"path": "/run/a", "username": "worker"}),
        ("redis+cluster://a", {"hosts": (("a", PORT),), "cluster": True}),
        (
            "rediss+cluster://a:1,b:2,[::1]",
            {"hosts": (("a", 1), ("b", 2), ("::1", PORT)), "cluster": True, "tls": True},
        ),
    ],
)
def test_what_it_says(text: str, parts: dict[str, object]) -> None:
    """By its scheme, its hosts, its path and its user."""
    assert RedisURL(text, **parts) == RedisURL.parsed(text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("redis://[::1", "is no URL"),
        ("redis://a b", "is no URL"),
        ("redis://a\n", "is no URL"),
        ("redis://ä", "is no URL"),
        ("mysql://a", "begins with redis, rediss, redis\\+unix, redis\\+cluster or rediss"),
        ("redis://", "a host is wanted: redis://localhost:6379/0"),
        ("redis://:1", "a host is wanted"),
        ("redis://a_b!", "a host is wanted"),
        ("redis://a:", "a port is a number"),
        ("redis://a:b", "a port is a number"),
        ("redis://a:0", "a port is a number"),
        ("redis://a:65536", "a port is a number"),
        ("redis://a/b", "a database is a number"),
        ("redis://a/-1", "a database is a number"),
        ("redis://a/1/2", "a database is a number"),
        ("redis://a?db=1", "has no query"),
        ("redis://a#b", "no fragment"),
        ("redis://a,b", "only redis\\+cluster has several hosts"),
        ("redis+cluster://a/1", "a cluster has one database"),
        ("redis+cluster://a,", "a host is wanted"),
        ("redis+unix://a/b", "the path of a socket is wanted: redis\\+unix:///run/redis.sock"),
        ("redis+unix://", "the path of a socket is wanted"),
        ("redis+unix:///a#b", "the path of a socket is wanted"),
        ("redis+unix:///a?db=b", "a database is a number"),
        ("redis+unix:///a?db=1&db=2", "all that a query says here is the database"),
        ("redis+unix:///a?timeout=1", "all that a query says here is the database"),
    ],
)
def test_what_is_none(text: str, why: str) -> None:
    """It is told what was expected."""
    with pytest.raises(ValueError, match=why):
        RedisURL.parsed(text)


@pytest.mark.parametrize(
    "text",
    [
        "redis://:s3cr3t@a",
        "redis://worker:s3cr3t@a:1/2",
        "rediss://worker:s3cr3t@a",
        "redis+unix://worker:s3cr3t@/run/a",
        "redis+cluster://worker:s3cr3t@a,b",
    ],
)
def test_a_password_is_no_part_of_it(text: str) -> None:
    """Where it belongs is told; it is not."""
    with pytest.raises(ValueError, match='no password: set "password" beside it') as caught:
        RedisURL.parsed(text)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("text", ["redis://:s3cr3t#@a", "redis://:s3cr3t", "redis://s3cr3t!@a:b"])
def test_nothing_of_it_is_quoted(text: str) -> None:
    """A password may stand anywhere in what is no URL."""
    with pytest.raises(ValueError, match=r"is wanted|is a number|has no") as caught:
        RedisURL.parsed(text)
    assert "s3cr3t" not in str(caught.value)
