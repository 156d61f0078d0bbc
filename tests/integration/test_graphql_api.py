"""The GraphQL API: whom it lets in, and how it says no, without gqlauth in between."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.servers import client_secret, graphql_api, oidc_provider

if TYPE_CHECKING:
    from tests.support.servers import Api, Provider

ME = "{ me { id scopes tokenType } }"


def token(provider: Provider, client_id: str = "basic", **fields: str) -> str:
    answer = httpx.post(
        provider.token_url,
        data={"grant_type": "client_credentials", "scope": "api:read", **fields},
        auth=(client_id, client_secret(client_id) or ""),
        trust_env=False,
    )
    text: str = answer.raise_for_status().json()["access_token"]
    return text


def post(url: str, query: str = ME, bearer: str | None = None, **headers: str) -> httpx.Response:
    authorization = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
    return httpx.post(
        url, json={"query": query}, headers={**authorization, **headers}, trust_env=False
    )


def test_jwt_is_verified(provider: Provider, api: Api) -> None:
    """A JWT for the API is let in, and the answer tells whose it is."""
    answer = post(api.url, bearer=token(provider, audience=api.audience))

    told = {"id": "basic", "scopes": ["api:read"], "tokenType": "jwt"}
    assert answer.json() == {"data": {"me": told}}


def test_opaque_token_is_asked_about(provider: Provider, api: Api) -> None:
    """An opaque token is let in until it is revoked."""
    bearer = token(provider)
    before = post(api.url, bearer=bearer)
    provider.revoke_opaque_tokens()
    after = post(api.url, bearer=bearer)

    assert before.json()["data"]["me"]["tokenType"] == "opaque"
    assert after.status_code == 401


def test_jwt_of_another_issuer_is_refused(api: Api) -> None:
    """The signature of another authorization server does not hold here."""
    with oidc_provider() as other:
        answer = post(api.url, bearer=token(other, audience=api.audience))

    assert answer.status_code == 401


def test_jwt_for_another_audience_is_refused(provider: Provider, api: Api) -> None:
    """A token for another API does not hold here."""
    answer = post(api.url, bearer=token(provider, audience="https://api.example.com"))

    assert answer.status_code == 401
    assert "aud" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("audience", [True, False], ids=["jwt", "opaque"])
def test_expired_token_is_refused(provider: Provider, api: Api, *, audience: bool) -> None:
    """A token that has ended does not hold any more."""
    fields = {"audience": api.audience} if audience else {}
    bearer = token(provider, "short", **fields)
    before = post(api.url, bearer=bearer)
    sleep(3.1)  # the seconds of a JWT are whole ones
    after = post(api.url, bearer=bearer)

    assert [before.status_code, after.status_code] == [200, 401]


def test_tampered_jwt_is_refused(provider: Provider, api: Api) -> None:
    """A JWT without its own signature does not hold."""
    head, _, _ = token(provider, audience=api.audience).rpartition(".")

    assert post(api.url, bearer=f"{head}.AAAA").status_code == 401


def test_missing_scope_is_forbidden(provider: Provider, api: Api) -> None:
    """A token that holds, but for something else, is a 403 that says so (RFC 6750)."""
    answer = post(api.url, bearer=token(provider, audience=api.audience, scope="api:write"))

    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("dialect", "status", "said"),
    [
        ("graphql", 401, {"errors": [{"message": "inactive token"}]}),
        (
            "apollo",
            200,
            {"errors": [{"message": "inactive token", "extensions": {"code": "UNAUTHENTICATED"}}]},
        ),
        (
            "hasura",
            200,
            {
                "errors": [
                    {
                        "message": "Could not verify JWT: inactive token",
                        "extensions": {"path": "$", "code": "invalid-jwt"},
                    }
                ]
            },
        ),
        (
            "appsync",
            401,
            {"errors": [{"message": "inactive token", "errorType": "UnauthorizedException"}]},
        ),
        ("github", 401, {"message": "Bad credentials"}),
        (
            "forbidden",
            403,
            {"errors": [{"message": "not for you", "extensions": {"code": "FORBIDDEN"}}]},
        ),
        ("broken", 500, {"errors": [{"message": "internal server error"}]}),
        ("neither", 200, {}),
        ("open", 200, {"data": {"me": None}}),
        ("nowhere", 404, {"errors": [{"message": "no such path"}]}),
    ],
)
def test_each_dialect_says_no_in_its_own_way(
    api: Api, dialect: str, status: int, said: dict[str, Any]
) -> None:
    """A token that does not hold is told of as servers of that kind do."""
    answer = post(api.at(dialect), bearer="unknown")

    assert (answer.status_code, answer.json()) == (status, said)


def test_html_is_a_page(api: Api) -> None:
    """One path answers as a sign-in page does: HTML, and all is well."""
    answer = post(api.at("html"))

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")


def test_challenge_asks_for_a_bearer_token(api: Api) -> None:
    """A 401 of the first dialect says what it wants (RFC 6750)."""
    answer = post(api.url)

    assert answer.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer static-token"}, 200),
        ({"Authorization": "Basic dXNlcjpzdGF0aWMtcGFzc3dvcmQ="}, 200),
        ({"X-Api-Key": "static-key"}, 200),
        ({"X-Api-Key": "another"}, 401),
        ({}, 401),
    ],
)
def test_static_credentials_are_fixed(api: Api, headers: dict[str, str], status: int) -> None:
    """One path takes a fixed bearer token, a fixed password or a fixed API key."""
    assert post(api.at("static"), **headers).status_code == status


def test_mutation_needs_its_scope_and_counts(provider: Provider, api: Api) -> None:
    """A mutation runs with `api:write` only, and each run counts."""
    reader = token(provider, audience=api.audience)
    writer = token(provider, audience=api.audience, scope="api:read api:write")
    before = api.count("mutations")
    refused = post(api.url, "mutation { increment }", reader).json()
    done = post(api.url, "mutation { increment }", writer).json()

    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert done == {"data": {"increment": before + 1}}
    assert api.count("mutations") == before + 1


def test_fields_may_fail_and_take_time(provider: Provider, api: Api) -> None:
    """A field that fails leaves the others alone."""
    query = '{ me { id email salary } echo(text: "x") slow(seconds: 0.01) }'
    answer = post(api.url, query, token(provider, audience=api.audience)).json()

    me = {"id": "basic", "email": None, "salary": None}
    assert answer["data"] == {"me": me, "echo": "x", "slow": 0.01}
    codes = [error["extensions"]["code"] for error in answer["errors"]]
    assert codes == ["FORBIDDEN", "UNAUTHENTICATED"]


@pytest.mark.parametrize(
    ("accept", "status", "media_type"),
    [
        ("application/json", 200, "application/json"),
        ("application/graphql-response+json", 400, "application/graphql-response+json"),
    ],
)
def test_media_type_is_the_one_asked_for(
    api: Api, accept: str, status: int, media_type: str
) -> None:
    """A query that is invalid is a 200 or a 400, as the media type has it, and has no data."""
    answer = post(api.at("open"), "{ nope }", accept=accept)

    assert (answer.status_code, answer.headers["content-type"]) == (status, media_type)
    assert "data" not in answer.json()


@pytest.mark.parametrize("body", [b"{", b"[]", b"3", b'{"variables": {}}'])
def test_what_is_no_graphql_is_a_bad_request(api: Api, body: bytes) -> None:
    """A body that is no GraphQL request is a 400."""
    assert httpx.post(api.at("open"), content=body, trust_env=False).status_code == 400


def test_only_posts_are_answered(api: Api) -> None:
    """A GET is a 405 that names what is taken."""
    answer = httpx.get(api.url, trust_env=False)

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_requests_are_counted_by_path() -> None:
    """Each request counts for its path, and each refusal."""
    with graphql_api("http://127.0.0.1:9") as own:
        post(own.url)
        post(own.at("static"), **{"X-Api-Key": "static-key"})

        assert (own.count("/graphql"), own.count("/graphql refused")) == (1, 1)
        assert (own.count("/static"), own.count("/static refused")) == (1, 0)
