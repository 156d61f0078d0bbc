"""``--paginate``: one page after another, as ``gh api graphql`` asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs
import click

from gqlauth._cli import _json
from gqlauth._cli._answer import Answer
from gqlauth._cli._failure import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The variable that says where a page begins.
CURSOR: Final = "endCursor"


def check_pages(text: str, types: Mapping[str, str]) -> None:
    """Look whether the document `text`, with variables of `types`, can be asked for pages.

    Raises:
        click.UsageError: when it cannot, with what it lacks.

    """
    if CURSOR not in types:
        raise click.UsageError(
            "--paginate: the query takes no cursor: declare $endCursor: String,"
            " and give it to the connection as after: $endCursor"
        )
    if not all(word in text for word in ("pageInfo", "hasNextPage", CURSOR)):
        raise click.UsageError(
            "--paginate: the query does not ask where the next page begins:"
            " select pageInfo { hasNextPage endCursor }"
        )


@attrs.define
class Pages:
    """Goes from page to page."""

    #: Where the last one began that was asked for.
    _seen: set[str] = attrs.field(factory=set)

    def next_cursor(self, answer: Answer) -> str | None:
        """Return where the page after `answer` begins; None where that is the last one.

        The first ``pageInfo`` counts, in the order of the answer.

        Raises:
            Failure: when it leads back to a page that was there.

        """
        info = next(_page_infos(_json.read(answer.text)), {})
        cursor = info.get(CURSOR)
        if info.get("hasNextPage") is not True or not isinstance(cursor, str) or not cursor:
            return None
        if cursor in self._seen:
            raise Failure("--paginate: the API leads back to a page that it has sent already")
        self._seen.add(cursor)
        return cursor


def _page_infos(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from _page_infos(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "pageInfo" and isinstance(item, dict):
                yield item
            else:
                yield from _page_infos(item)


def slurped(pages: list[Answer]) -> Answer:
    """Return all pages as one: an array of what the API sent."""
    text = ",\n".join(page.text.strip() for page in pages)
    return Answer(text=f"[{text}]\n", has_data=any(page.has_data for page in pages), errors=())
