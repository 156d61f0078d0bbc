"""``gql api --paginate``: all pages, by one command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gqlauth._cli._answer import Answer
from gqlauth._cli._pages import Pages
from tests.support.http_server import json_answer

if TYPE_CHECKING:
    from tests.support.graphql_api import Api
    from tests.support.http_server import Answer as HttpAnswer

ASK = (
    "query Orders($endCursor: String) {"
    " orders(after: $endCursor) { ids pageInfo { hasNextPage endCursor } } }"
)


def page(*ids: int, after: str | None = None) -> dict[str, Any]:
    info = {"hasNextPage": after is not None, "endCursor": after}
    return {"data": {"orders": {"ids": [*ids], "pageInfo": info}}}


ERRORS = {**page(3, after="c"), "errors": [{"message": "too slow"}]}
FIRST, SECOND, LAST = page(1, 2, after="b"), page(3, after="c"), page(4)


@pytest.fixture
def paged(api: Api) -> Api:
    """Give an API of three pages."""
    api.answers(*map(json_answer, (FIRST, SECOND, LAST)))
    return api


def cursors(api: Api) -> list[Any]:
    asked = [json.loads(request.body) for request in api.server.requests]
    return [one.get("variables", {}).get("endCursor") for one in asked]


def test_all_pages(paged: Api) -> None:
    """Each is asked for where the one before ends, with one token, and written as it came."""
    outcome = paged(ASK, "--paginate")

    assert outcome.code == 0
    assert [json.loads(line) for line in outcome.stdout.splitlines()] == [FIRST, SECOND, LAST]
    assert cursors(paged) == [None, "b", "c"]
    assert len(paged.tokens.requests) == 1


def test_other_variables(paged: Api) -> None:
    """Each request has them all; a cursor that is given is where it begins."""
    paged(ASK, "--paginate", "-f", "endCursor=a", "-F", "n=5")

    assert cursors(paged) == ["a", "b", "c"]
    assert paged.asked["variables"]["n"] == 5


def test_filter(paged: Api) -> None:
    """A filter is given each page by itself."""
    outcome = paged(ASK, "--paginate", "-q", ".data.orders.ids[]")

    assert outcome.stdout.split() == ["1", "2", "3", "4"]


def test_heads(paged: Api) -> None:
    """Each page has a status of its own."""
    assert paged(ASK, "--paginate", "-i").stdout.count("HTTP/1.1 200") == 3


class TestSlurp:
    def test_one_array(self, paged: Api) -> None:
        """All pages are one JSON array."""
        outcome = paged(ASK, "--paginate", "--slurp")

        assert (outcome.code, json.loads(outcome.stdout)) == (0, [FIRST, SECOND, LAST])

    def test_filter(self, paged: Api) -> None:
        """A filter is given that array."""
        outcome = paged(ASK, "--paginate", "--slurp", "-q", "length")

        assert outcome.stdout == "3\n"

    def test_filter_that_fails(self, paged: Api) -> None:
        """A filter that fails decides the status, as nothing else went wrong."""
        assert paged(ASK, "--paginate", "--slurp", "-q", ".data").code == 1

    def test_silent(self, paged: Api) -> None:
        """Nothing is written where nothing is to be."""
        assert paged(ASK, "--paginate", "--slurp", "--silent").stdout == ""

    def test_trouble_on_the_way(self, api: Api) -> None:
        """What was had is written, and the status tells what ended it."""
        api.answers(json_answer(FIRST), json_answer({}, 503))

        outcome = api(ASK, "--paginate", "--slurp")

        assert (outcome.code, json.loads(outcome.stdout)) == (5, [FIRST])

    @pytest.mark.parametrize("options", [("--slurp",), ("--slurp", "--paginate", "--include")])
    def test_wrong_company(self, api: Api, options: tuple[str, ...]) -> None:
        """It wants --paginate, and no --include."""
        outcome = api(ASK, *options)

        assert outcome.code == 2
        assert outcome.stderr.startswith("gql: --slurp: it puts pages into one array: --paginate")


class TestEnd:
    def test_errors(self, api: Api) -> None:
        """A page with errors is the last."""
        api.answers(*map(json_answer, (FIRST, ERRORS, LAST)))

        outcome = api(ASK, "--paginate")

        assert (outcome.code, outcome.stderr) == (1, "gql: too slow\n")
        assert cursors(api) == [None, "b"]

    def test_partial(self, api: Api) -> None:
        """Unless that may pass."""
        api.answers(*map(json_answer, (FIRST, ERRORS, LAST)))

        assert api(ASK, "--paginate", "--allow-partial").code == 0
        assert cursors(api) == [None, "b", "c"]

    def test_circle(self, api: Api) -> None:
        """An API that leads back is not followed for ever."""
        api.answers(json_answer(FIRST))

        outcome = api(ASK, "--paginate")

        assert (outcome.code, outcome.stderr) == (
            1,
            "gql: --paginate: the API leads back to a page that it has sent already\n",
        )
        assert cursors(api) == [None, "b"]

    @pytest.mark.parametrize(
        "answer",
        [json_answer({"data": {"orders": None}}), json_answer(page(1, after=""))],
        ids=["no pageInfo", "no cursor"],
    )
    def test_no_more(self, api: Api, answer: HttpAnswer) -> None:
        """Where an answer does not say where the next begins, it is the last."""
        api.answers(answer)

        assert api(ASK, "--paginate").code == 0
        assert cursors(api) == [None]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (
            "query { orders { pageInfo { hasNextPage endCursor } } }",
            (
                "gql: --paginate: the query takes no cursor: declare $endCursor: String, and "
                "give it to the connection as after: $endCursor"
            ),
        ),
        (
            "query($endCursor: String) { orders(after: $endCursor) { ids } }",
            (
                "gql: --paginate: the query does not ask where the next page begins: select"
                " pageInfo { hasNextPage endCursor }"
            ),
        ),
    ],
)
def test_query_without_pages(api: Api, query: str, told: str) -> None:
    """What the query lacks is told before anything is sent."""
    outcome = api(query, "--paginate")

    assert (outcome.code, outcome.stderr.splitlines()[0]) == (2, told)
    assert api.server.requests == []


def test_numbers_of_any_size() -> None:
    """A number of more digits than Python reads is no reason to stop."""
    text = json.dumps(FIRST).replace("[1, 2]", "1" * 5000)

    assert Pages().next_cursor(Answer(text=text, has_data=True, errors=())) == "b"


def test_first_page_info() -> None:
    """The first counts, also within lists."""
    text = '{"data": {"a": [1, {"pageInfo": {"hasNextPage": true, "endCursor": "x"}}], "b": {}}}'

    assert Pages().next_cursor(Answer(text=text, has_data=True, errors=())) == "x"
