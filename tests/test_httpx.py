"""Requests through an httpx client: the token in, one more try, and where it never goes."""

from __future__ import annotations

import gc
import io
import json
import logging
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import httpx
import pytest

from gqlauth import (
    EndpointAuth,
    Secret,
    SecretError,
    Token,
    TokenUnavailableError,
)
from gqlauth._httpx import LONGEST_REJECTION
from gqlauth._redact import redact_text
from gqlauth._request_headers import EndpointHeaders, origin
from gqlauth._secret_command import CommandSource
from tests.support.token_endpoint import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

pytestmark = pytest.mark.anyio

URL = "https://api.example.com/graphql"
REJECTED = b'{"errors": [{"message": "no", "extensions": {"code": "UNAUTHENTICATED"}}]}'
QUERY = {"query": "{ me { id } }"}
MUTATION = {"query": "mutation { pay }"}


@attrs.define
class Source:
    """Tokens in order; the last of them for ever."""

    tokens: list[Token] = attrs.field(factory=lambda: [Token("one"), Token("two"), Token("three")])
    error: Exception | None = None
    kept: Token | None = None
    refusals: list[Token] = attrs.field(factory=list)
    told: list[str] = attrs.field(factory=list)
    acceptances: list[Token] = attrs.field(factory=list)
    #: Whether another token may be had for one that is refused.
    others: bool = True

    def fresh(self) -> Token | None:
        return self.kept

    async def token(self) -> Token:
        if self.error is not None:
            raise self.error
        if self.kept is None:
            self.kept = self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]
        return self.kept

    def refused(self, token: Token, how: str) -> bool:
        self.refusals.append(token)
        self.told.append(how)
        if self.others and self.kept is not None and self.kept.same_text(token):
            self.kept = None
        return self.others

    def accepted(self, token: Token) -> None:
        self.acceptances.append(token)


class Api(httpx.AsyncBaseTransport):
    """A GraphQL API that answers by a script, and remembers what it was sent."""

    def __init__(self, *script: httpx.Response | Callable[[httpx.Request], httpx.Response]) -> None:
        self.script = list(script)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        # As a network does it: the request's own stream is used up.
        body = b"".join([piece async for piece in request.stream])  # type: ignore[union-attr]
        self.requests.append(
            httpx.Request(request.method, request.url, headers=request.headers, content=body)
        )
        item = self.script.pop(0) if self.script else httpx.Response(200, json={"data": {}})
        return item(request) if callable(item) else item

    @property
    def seen(self) -> list[str | None]:
        return [request.headers.get("authorization") for request in self.requests]


def auth_of(source: Source | None, **settings: Any) -> EndpointAuth:
    return EndpointAuth(
        source,
        **{"name": "orders", "origins": (URL,), "retry_on": ("UNAUTHENTICATED",), **settings},
    )


def client_of(api: Api, auth: EndpointAuth, **settings: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=api, auth=auth, **settings)


async def post(
    api: Api, source: Source | None, body: object = None, url: str = URL, **settings: Any
) -> httpx.Response:
    async with client_of(api, auth_of(source)) as client:
        return await client.post(url, json=QUERY if body is None else body, **settings)


def rejected(
    status: int = 200,
    body: bytes = REJECTED,
    *,
    media_type: str = "application/json",
    length: int | None = None,
) -> httpx.Response:
    headers = {"Server": "api", "Content-Type": media_type}
    if length is not None:
        headers["Content-Length"] = str(length)
    return httpx.Response(status, headers=headers, stream=Stream([body]))


class TestInjection:
    async def test_a_request_carries_the_token(self) -> None:
        """It goes into the Authorization header with its scheme."""
        api = Api()
        await post(api, Source())
        assert api.seen == ["Bearer one"]

    async def test_a_fresh_token_is_not_waited_for(self) -> None:
        """What is at hand is used without asking for one."""
        api, source = Api(), Source(kept=Token("kept"), error=AssertionError("asked"))
        await post(api, source)
        assert api.seen == ["Bearer kept"]

    async def test_a_fresh_token_is_put_in_without_awaiting(self) -> None:
        """The first step of the flow gives the request; there is no checkpoint on the way."""
        request = httpx.Request("POST", URL)
        flow = auth_of(Source(kept=Token("kept"))).async_auth_flow(request)
        with pytest.raises(StopIteration) as stopped:
            anext(flow).send(None)
        assert stopped.value.value is request
        assert request.headers["authorization"] == "Bearer kept"
        await flow.aclose()

    async def test_a_token_may_have_a_header_of_its_own(self) -> None:
        """An API key goes where its API looks for it."""
        api = Api()
        key = Token("key", token_type="", header_name="X-Api-Key")
        await post(api, Source([key]))
        assert api.requests[0].headers["x-api-key"] == "key"
        assert api.seen == [None]

    async def test_without_a_source_requests_go_out_bare(self) -> None:
        """An endpoint without auth needs none."""
        api = Api()
        await post(api, None)
        assert api.seen == [None]

    async def test_the_callers_authorization_wins(self) -> None:
        """Such a request is never sent again, whatever the answer."""
        api, source = Api(httpx.Response(401)), Source()
        response = await post(api, source, headers={"Authorization": "Basic mine"})
        assert response.status_code == 401
        assert api.seen == ["Basic mine"]
        assert source.refusals == []

    async def test_the_callers_own_api_key_wins(self) -> None:
        """A header that the caller has set is not replaced."""
        api = Api(httpx.Response(401))
        key = Token("key", token_type="", header_name="X-Api-Key")
        await post(api, Source([key]), headers={"X-Api-Key": "mine"})
        assert [request.headers["x-api-key"] for request in api.requests] == ["mine"]

    async def test_no_token_no_request(self) -> None:
        """It fails closed, with what kept the token from being had."""
        api = Api()
        with pytest.raises(TokenUnavailableError):
            await post(api, Source(error=TokenUnavailableError("is down")))
        assert api.requests == []


class TestRejection:
    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(httpx.Response(401), id="401"),
            pytest.param(rejected(), id="no data"),
            pytest.param(rejected(400), id="400 with the code"),
            pytest.param(
                rejected(body=REJECTED[:-1] + b', "data": null}'), id="data null, to a query"
            ),
            pytest.param(
                rejected(media_type="application/graphql-response+json"),
                id="the newer media type",
            ),
        ],
    )
    async def test_a_refused_token_is_replaced_once(self, answer: httpx.Response) -> None:
        """The token is forgotten, another got, and the request sent once more."""
        api, source = Api(answer), Source()
        response = await post(api, source)
        assert response.status_code == 200
        assert response.json() == {"data": {}}
        assert api.seen == ["Bearer one", "Bearer two"]
        assert [token.reveal() for token in source.refusals] == ["one"]
        assert api.requests[0].content == api.requests[1].content

    async def test_a_second_refusal_goes_to_the_caller(self) -> None:
        """There is no third request."""
        api, source = Api(rejected(), rejected(body=REJECTED + b" ")), Source()
        response = await post(api, source)
        assert response.content == REJECTED + b" "
        assert api.seen == ["Bearer one", "Bearer two"]

    async def test_the_same_token_again_is_not_sent_again(self) -> None:
        """The first answer goes to the caller as it is."""
        api, source = Api(rejected()), Source([Token("only")])
        response = await post(api, source)
        assert response.content == REJECTED
        assert api.seen == ["Bearer only"]

    async def test_a_failed_renewal_is_raised(self) -> None:
        """Why there is no other token says more than the 401."""

        def refuse(request: httpx.Request) -> httpx.Response:
            source.error = TokenUnavailableError("is down")
            return httpx.Response(401)

        source = Source()
        with pytest.raises(TokenUnavailableError):
            await post(Api(refuse), source)

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(httpx.Response(403, content=REJECTED), id="403 without a media type"),
            pytest.param(httpx.Response(403), id="403"),
            pytest.param(httpx.Response(500), id="500"),
            pytest.param(rejected(media_type="text/html"), id="not JSON"),
            pytest.param(rejected(body=b'{"data": {"me": 1}}'), id="data"),
            pytest.param(
                rejected(body=REJECTED.replace(b"UNAUTHENTICATED", b"FORBIDDEN")), id="other code"
            ),
            pytest.param(
                rejected(body=REJECTED[:-1] + b', "data": {"me": null}}'), id="partial data"
            ),
            pytest.param(rejected(length=LONGEST_REJECTION + 1), id="too long to look"),
        ],
    )
    async def test_what_is_no_rejection_is_left_alone(self, answer: httpx.Response) -> None:
        """The caller gets the answer, and the token stays."""
        api, source = Api(answer), Source()
        response = await post(api, source)
        assert response is not None
        assert api.seen == ["Bearer one"]
        assert source.refusals == []

    async def test_a_mutation_that_may_have_run_is_not_sent_twice(self) -> None:
        """`data: null` may come from a resolver that was refused after its effect.

        The token is forgotten for the next request.
        """
        api, source = Api(rejected(body=REJECTED[:-1] + b', "data": null}')), Source()
        response = await post(api, source, MUTATION)
        assert response.json()["data"] is None
        assert api.seen == ["Bearer one"]
        assert [token.reveal() for token in source.refusals] == ["one"]

    async def test_a_mutation_that_did_not_run_is_sent_again(self) -> None:
        """Without `data`, nothing was executed (GraphQL, section 7.1)."""
        api = Api(rejected())
        await post(api, Source(), MUTATION)
        assert api.seen == ["Bearer one", "Bearer two"]

    async def test_a_body_that_cannot_be_sent_again_is_not(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The token is forgotten for the next request, and the log says why this one ended."""

        async def body() -> AsyncIterator[bytes]:
            yield json.dumps(QUERY).encode()

        api, source = Api(httpx.Response(401)), Source()
        with caplog.at_level(logging.WARNING):
            async with client_of(api, auth_of(source)) as client:
                response = await client.post(URL, content=body())
        assert response.status_code == 401
        assert [token.reveal() for token in source.refusals] == ["one"]
        assert "the body cannot be sent again" in caplog.text

    async def test_a_stream_that_can_be_sent_again_is(self) -> None:
        """The request's extensions tell so, as of files that can be read twice."""
        api = Api(httpx.Response(401))
        async with client_of(api, auth_of(Source())) as client:
            await client.post(
                URL, files={"0": io.BytesIO(b"x")}, extensions={"gqlauth.repeatable": True}
            )
        first, second = api.requests
        assert api.seen == ["Bearer one", "Bearer two"]
        assert first.content == second.content

    async def test_a_stream_is_not_sent_twice_where_it_may_have_run(self) -> None:
        """What it asks for is not known, though it can be sent again."""
        api = Api(rejected(body=REJECTED[:-1] + b', "data": null}'))
        async with client_of(api, auth_of(Source())) as client:
            await client.post(
                URL, files={"0": io.BytesIO(b"x")}, extensions={"gqlauth.repeatable": True}
            )
        assert api.seen == ["Bearer one"]

    async def test_a_streamed_body_with_a_null_answer_is_no_certain_query(self) -> None:
        """What was asked cannot be looked at any more, so it counts as a mutation."""

        async def body() -> AsyncIterator[bytes]:
            yield json.dumps(QUERY).encode()

        source = Source()
        api = Api(rejected(body=REJECTED[:-1] + b', "data": null}'))
        async with client_of(api, auth_of(source)) as client:
            await client.post(URL, content=body())
        assert api.seen == ["Bearer one"]

    @pytest.mark.parametrize(
        ("second", "told"),
        [
            (rejected, "200, UNAUTHENTICATED"),
            (lambda: httpx.Response(401), "401"),
            (lambda: rejected(401), "401, UNAUTHENTICATED"),
        ],
    )
    async def test_a_second_refusal_is_told_to_the_source(
        self, second: Callable[[], httpx.Response], told: str
    ) -> None:
        """It knows then that another would be of no use."""
        source = Source()
        await post(Api(httpx.Response(401), second()), source)
        assert [token.reveal() for token in source.refusals] == ["one", "two"]
        assert source.told == ["401", told]

    async def test_where_no_other_is_to_be_had_the_answer_stands(self) -> None:
        """The caller gets the API's own words, and nothing is asked for."""
        api, source = Api(httpx.Response(401, text="no")), Source(others=False)
        response = await post(api, source)
        assert (response.status_code, response.text) == (401, "no")
        assert api.seen == ["Bearer one"]

    @pytest.mark.parametrize(
        ("answer", "accepted"),
        [
            pytest.param(httpx.Response(200, json={"data": {}}), True, id="data"),
            pytest.param(httpx.Response(204), True, id="nothing"),
            pytest.param(
                httpx.Response(294, json={"data": {"a": 1}, "errors": [{}]}), True, id="294"
            ),
            pytest.param(
                rejected(body=REJECTED[:-1] + b', "data": {"me": null}}'),
                False,
                id="partly refused",
            ),
            pytest.param(httpx.Response(403), False, id="403"),
            pytest.param(httpx.Response(500), False, id="500"),
        ],
    )
    async def test_what_the_api_accepts_is_told_to_the_source(
        self,
        answer: httpx.Response,
        accepted: bool,  # noqa: FBT001 - a parameter
    ) -> None:
        """A success without a word of rejection, and nothing else."""
        source = Source()
        await post(Api(answer), source)
        assert bool(source.acceptances) == accepted
        assert source.refusals == []

    async def test_the_acceptance_of_a_replacement_is_told(self) -> None:
        """It ends what the refusal began."""
        source = Source()
        await post(Api(httpx.Response(401)), source)
        assert [token.reveal() for token in source.acceptances] == ["two"]

    @pytest.mark.parametrize(
        ("body", "seen"),
        [
            (b'{"errors": [{"message": "no"}], "data": null}', 1),
            (b'[{"errors": [{"message": "no"}], "data": null}]', 1),
            (b'{"errors": "[API] Invalid API key or access token"}', 2),
            (b'{"message": "no \\"data\\""}', 2),
            (b'"data"', 2),
            (b'{"data"', 2),
        ],
    )
    async def test_a_401_after_execution_does_not_repeat_a_mutation(
        self, body: bytes, seen: int
    ) -> None:
        """A resolver may ask for the status 401 after its effect: `data` is there, then."""
        api, source = Api(rejected(401, body)), Source()
        await post(api, source, MUTATION)
        assert len(api.seen) == seen
        assert source.refusals[0].reveal() == "one"
        api = Api(rejected(401, body))
        await post(api, Source())
        assert len(api.seen) == 2

    async def test_a_long_401_does_not_repeat_a_mutation(self) -> None:
        """It is not looked into, and may hold what the mutation came to."""
        body = b'{"data": {"pay": "' + b"x" * LONGEST_REJECTION + b'"}}'
        api, source = Api(rejected(401, body, length=len(body))), Source()
        await post(api, source, MUTATION)
        assert api.seen == ["Bearer one"]
        assert source.refusals[0].reveal() == "one"
        api = Api(rejected(401, body, length=len(body)))
        await post(api, Source())
        assert len(api.seen) == 2

    async def test_a_mutation_that_a_redirect_answered_is_not_repeated(self) -> None:
        """303 says that it was done; what is refused is another request."""
        see_other = httpx.Response(303, headers={"location": "/done"})
        api, source = Api(see_other, httpx.Response(401)), Source()
        async with client_of(api, auth_of(source), follow_redirects=True) as client:
            response = await client.post(URL, json=MUTATION)
        assert response.status_code == 401
        assert [request.method for request in api.requests] == ["POST", "GET"]
        assert [token.reveal() for token in source.refusals] == ["one"]

    async def test_a_redirect_within_the_origin_changes_nothing(self) -> None:
        """307 repeats the request with its token, and a refusal is one."""
        moved = httpx.Response(307, headers={"location": "/v2/graphql"})
        api, source = Api(moved, httpx.Response(401)), Source()
        async with client_of(api, auth_of(source), follow_redirects=True) as client:
            response = await client.post(URL, json=MUTATION)
        assert response.status_code == 200
        assert api.seen == ["Bearer one", "Bearer one", "Bearer two"]

    @pytest.mark.parametrize(
        ("url", "sent"),
        [
            (f"{URL}?query=%7Bme%7D", 2),
            (f"{URL}?query=mutation%7Bpay%7D", 1),
            (f"{URL}?query=query+A%7Ba%7D+mutation+B%7Bb%7D&operationName=A", 2),
            (f"{URL}?extensions=%7B%7D", 1),
        ],
    )
    async def test_what_a_get_request_asks_is_read_from_its_url(self, url: str, sent: int) -> None:
        """GraphQL over HTTP forbids mutations there; not every server does."""
        api = Api(rejected(body=REJECTED[:-1] + b', "data": null}'))
        async with client_of(api, auth_of(Source())) as client:
            await client.get(url)
        assert len(api.seen) == sent

    async def test_late_refusals_of_an_old_token_cost_nothing(self) -> None:
        """Two calls with one token are refused, one long after the other: one replacement."""
        source, late = Source(), anyio.Event()

        class Slow(Api):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                answer = await super().handle_async_request(request)
                if request.url.path == "/slow" and answer.status_code == 401:
                    await late.wait()
                return answer

        def refuse(request: httpx.Request) -> httpx.Response:
            good = request.headers["authorization"] != "Bearer one"
            return httpx.Response(200 if good else 401, json={"data": {}} if good else None)

        api = Slow(refuse, refuse, refuse, refuse)
        async with client_of(api, auth_of(source)) as client, anyio.create_task_group() as tasks:
            tasks.start_soon(client.post, "https://api.example.com/slow")
            await anyio.wait_all_tasks_blocked()
            assert (await client.post(URL, json=QUERY)).status_code == 200
            kept = source.kept
            late.set()
        assert source.kept is kept
        assert api.seen == ["Bearer one", "Bearer one", "Bearer two", "Bearer two"]
        assert [token.reveal() for token in source.refusals] == ["one", "one"]

    @pytest.mark.parametrize(
        ("kind", "length", "sent"),
        [
            ("text/event-stream", None, 1),
            ("multipart/mixed", None, 1),
            ("text/event-stream", 4, 2),
            ("text/plain", None, 2),
        ],
    )
    async def test_a_refusal_that_may_never_end_is_not_followed_up(
        self, kind: str, length: int | None, sent: int
    ) -> None:
        """To send again, httpx reads it to its end first."""
        api, source = Api(rejected(401, b"data", media_type=kind, length=length)), Source()
        async with (
            client_of(api, auth_of(source)) as client,
            client.stream("POST", URL, json=QUERY) as response,
        ):
            assert response.is_stream_consumed == (sent > 1)
        assert len(api.seen) == sent
        assert [token.reveal() for token in source.refusals] == ["one"]

    async def test_an_answer_is_parsed_only_where_it_mentions_a_code(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Data is the caller's to parse."""
        monkeypatch.setattr("gqlauth._graphql.json.loads", lambda content: pytest.fail("parsed"))
        body = b'{"data": {"me": 1}, "errors": [{"extensions": {"code": "FORBIDDEN"}}]}'
        async with client_of(Api(rejected(body=body)), auth_of(Source())) as client:
            assert (await client.post(URL, json=QUERY)).content == body

    @pytest.mark.parametrize("body", [REJECTED, REJECTED + b" " * LONGEST_REJECTION])
    async def test_an_answer_that_a_hook_has_read_is_looked_into(self, body: bytes) -> None:
        """It is found a rejection, or no rejection where it is long, as if it had not been."""
        source = Source()
        first = rejected(body=body, length=len(body))
        answers = [first, httpx.Response(200, stream=Stream([b'{"data": {}}']))]
        read: list[bytes] = []

        async def hook(response: httpx.Response) -> None:
            read.append(await response.aread())

        async with client_of(
            Api(*answers), auth_of(source), event_hooks={"response": [hook]}
        ) as client:
            await client.post(URL, json=QUERY)

        refused = 1 if body == REJECTED else 0
        assert len(source.refusals) == refused
        assert len(source.acceptances) == 1
        assert len(read) == 1 + refused

    async def test_an_answer_that_a_hook_took_as_a_stream_is_accepted(self) -> None:
        """Of what is gone, no kind but JSON would have been looked into."""
        source = Source()
        stream = httpx.Response(200, headers={"Content-Type": "text/plain"}, stream=Stream([b"x"]))

        async def hook(response: httpx.Response) -> None:
            _ = [piece async for piece in response.aiter_raw()]

        auth = auth_of(source)
        async with (
            client_of(Api(stream), auth, event_hooks={"response": [hook]}) as client,
            client.stream("POST", URL, json=QUERY) as response,
        ):
            assert response.status_code == 200

        assert len(source.acceptances) == 1

    async def test_a_batch_that_is_refused_is_sent_again(self) -> None:
        """All of it, as nothing of it ran."""
        api = Api(rejected(body=b"[" + REJECTED + b"," + REJECTED + b"]"))
        await post(api, Source(), [QUERY, MUTATION])
        assert api.seen == ["Bearer one", "Bearer two"]
        assert api.requests[0].content == api.requests[1].content

    @pytest.mark.parametrize("kind", ["text/event-stream", "multipart/mixed; boundary=-"])
    async def test_streams_are_not_read_ahead(self, kind: str) -> None:
        """The caller gets the answer before its first piece is there."""
        pieces = iter([b"first"])
        answer = httpx.Response(200, headers={"content-type": kind}, stream=Stream(pieces))
        async with (
            client_of(Api(answer), auth_of(Source())) as client,
            client.stream("POST", URL, json=QUERY) as response,
        ):
            assert not response.is_stream_consumed
            assert next(pieces) == b"first"


class TestOrigins:
    @pytest.mark.parametrize(
        "url",
        [
            "https://other.example.com/graphql",
            "http://api.example.com/graphql",
            "https://api.example.com:8443/graphql",
            "https://api.example.com.evil.example/graphql",
        ],
    )
    async def test_another_origin_sees_no_token(self, url: str) -> None:
        """Scheme, host and port count."""
        api, source = Api(httpx.Response(401)), Source()
        await post(api, source, url=url)
        assert api.seen == [None]
        assert source.refusals == []

    async def test_it_is_told_once_an_origin(self, caplog: pytest.LogCaptureFixture) -> None:
        """The warning names the origin, and does not flood the log."""
        with caplog.at_level(logging.WARNING):
            async with client_of(Api(), auth_of(Source())) as client:
                for url in ("https://a.example/1", "https://a.example/2", "https://b.example/"):
                    await client.post(url, json=QUERY)
        told = [record for record in caplog.records if record.name == "gqlauth"]
        assert len(told) == 2
        assert "https://a.example:443" in told[0].getMessage()

    async def test_the_default_port_is_the_same_origin(self) -> None:
        """It may be written or left out."""
        api = Api()
        await post(api, Source(), url="https://api.example.com:443/other/path")
        assert api.seen == ["Bearer one"]

    async def test_further_origins_may_be_named(self) -> None:
        """They get the token too."""
        api = Api()
        auth = auth_of(Source(), origins=(URL, "https://eu.example.com"))
        async with client_of(api, auth) as client:
            await client.post("https://eu.example.com/graphql", json=QUERY)
        assert api.seen == ["Bearer one"]

    async def test_what_another_origin_refuses_is_no_refusal(self) -> None:
        """A client that follows redirects ends where the token never was."""
        api = Api(
            httpx.Response(307, headers={"location": "https://other.example.com/"}),
            httpx.Response(401),
        )
        source = Source()
        async with client_of(api, auth_of(source), follow_redirects=True) as client:
            response = await client.post(URL, json=QUERY)
        assert response.status_code == 401
        assert api.seen == ["Bearer one", None]
        assert source.refusals == []

    async def test_a_request_that_lost_its_token_on_the_way_refuses_none(self) -> None:
        """A redirect out and back comes without: httpx takes the header off between origins."""
        api = Api(
            httpx.Response(307, headers={"location": "https://other.example.com/"}),
            httpx.Response(307, headers={"location": URL}),
            httpx.Response(401),
        )
        source = Source()
        async with client_of(api, auth_of(source), follow_redirects=True) as client:
            response = await client.post(URL, json=QUERY)
        assert response.status_code == 401
        assert api.seen == ["Bearer one", None, None]
        assert source.refusals == []

    async def test_what_another_origin_accepts_is_no_acceptance(self) -> None:
        """It may have been sent the key, and is still not the one to say."""
        api = Api(httpx.Response(307, headers={"location": "https://other.example.com/"}))
        source = Source([Token("key", token_type="", header_name="X-Api-Key")])
        async with client_of(api, auth_of(source), follow_redirects=True) as client:
            await client.post(URL, json=QUERY)
        assert api.requests[1].headers["x-api-key"] == "key"
        assert source.acceptances == []

    def test_origin_of_a_url(self) -> None:
        """It is scheme, host and port, the usual one filled in."""
        assert origin(httpx.URL("https://API.example.com/x")) == ("https", "api.example.com", 443)
        assert origin(httpx.URL("http://[::1]:8000/x")) == ("http", "::1", 8000)
        assert origin(httpx.URL("https://api.example.com:0/")) == ("https", "api.example.com", 0)


class TestEndpointHeaders:
    async def sent(self, url: str, **given: str) -> httpx.Headers:
        api = Api()
        hook = EndpointHeaders({"X-Tenant": "acme", "X-Key": Secret("k-1")}, (URL,))
        async with httpx.AsyncClient(transport=api, event_hooks={"request": [hook]}) as client:
            await client.post(url, json=QUERY, headers=given)
        return api.requests[0].headers

    async def test_they_go_to_the_endpoint(self) -> None:
        """A secret among them is resolved."""
        headers = await self.sent(URL)
        assert (headers["x-tenant"], headers["x-key"]) == ("acme", "k-1")

    async def test_they_go_nowhere_else(self) -> None:
        """They may be as secret as the token."""
        headers = await self.sent("https://other.example.com/")
        assert not {"x-tenant", "x-key"} & set(headers)

    async def test_they_follow_no_redirect(self) -> None:
        """The client would take them along, and drops none but `Authorization` by itself."""
        key = Token("key", token_type="", header_name="X-Api-Key")
        api = Api(
            httpx.Response(307, headers={"location": f"{URL}/new"}),
            httpx.Response(307, headers={"location": "https://other.example.com/"}),
        )
        hook = EndpointHeaders({"X-Tenant": "acme"}, (URL,))
        async with client_of(
            api, auth_of(Source([key])), follow_redirects=True, event_hooks={"request": [hook]}
        ) as client:
            await client.post(URL, json=QUERY, headers={"X-Mine": "1"})
        own = {"x-tenant", "x-api-key"}
        assert [own & set(request.headers) for request in api.requests] == [own, own, set()]
        assert api.requests[2].headers["x-mine"] == "1"

    async def test_the_request_wins(self) -> None:
        """What the caller put on it stays."""
        headers = await self.sent(URL, **{"x-tenant": "mine"})
        assert (headers["x-tenant"], headers["x-key"]) == ("mine", "k-1")

    @pytest.mark.parametrize("text", ["k\n1", " k-1", "k-1\x00", "kéy"])
    async def test_a_secret_that_no_header_may_carry(self, text: str) -> None:
        """It is refused before the client sees it, which would log it."""
        api = Api()
        hook = EndpointHeaders({"X-Key": Secret(text)}, (URL,))
        async with httpx.AsyncClient(transport=api, event_hooks={"request": [hook]}) as client:
            with pytest.raises(SecretError) as caught:
                await client.post(URL, json=QUERY)

        assert str(caught.value) == (
            "the secret (given in code) has characters that no header may carry"
        )
        assert api.requests == []

    async def test_a_secret_is_known_as_long_as_its_request(self) -> None:
        """What comes of the request is logged meanwhile, and may hold an echo."""
        source = CommandSource(("printf", "k3y-of-mine"))
        hook = EndpointHeaders({"X-Key": Secret.from_source(source)}, (URL,))
        echo = "answer k3y-of-mine"
        async with httpx.AsyncClient(transport=Api(), event_hooks={"request": [hook]}) as client:
            response = await client.post(URL, json=QUERY)
            assert redact_text(echo) == "answer ***"
            del response

        gc.collect()
        assert redact_text(echo) == echo
