"""One probe of the API, with the token."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from gqlauth._cli._answer import NoAnswerError, error_code, error_lines, read_answer
from gqlauth._cli._check._certificates import certificate_hint
from gqlauth._cli._check._step import LATER, Outcome, failed
from gqlauth._cli._failure import REFUSED, SUCCESS, UNAVAILABLE, Failure, clean
from gqlauth._cli._send import Call, default_headers, send
from gqlauth._cli._verdict import Verdict
from gqlauth.errors import GqlAuthError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gqlauth._cli._answer import Answer, Reply
    from gqlauth._cli._check._subject import Subject
    from gqlauth._cli._verdict import Judgement

#: It asks for what every API has, whoever asks (GraphQL specification, section 4.4).
PROBE: Final = b'{"query": "{ __typename }"}'
#: Errors of the answer that are told, at the most.
MOST_ERRORS: Final = 3
# The token is good, and may not do this (RFC 6750, section 3.1).
_FORBIDDEN: Final = 403


async def api(subject: Subject) -> Outcome:
    """Ask the API what it is, following no redirect."""
    endpoint = subject.endpoint
    call = Call(
        config=subject.service.config,
        endpoint=endpoint,
        headers=tuple(default_headers(endpoint)),
        body=PROBE,
        authenticate=True,
        timeout=endpoint.timeout,
    )
    url = clean(endpoint.url.partition("?")[0])
    try:
        reply = await send(call, subject.service)
    except (GqlAuthError, Failure) as error:
        hint = certificate_hint(error, endpoint.ca_file, "the endpoint's ca_file")
        return failed(error, endpoint.name, hint=hint, url=url)
    answer, trouble = None, ""
    try:
        answer = read_answer(reply)
    except NoAnswerError as error:
        trouble = str(error)
    judgement = Verdict(
        endpoint=endpoint, reply=reply, answer=answer, trouble=trouble, allow_partial=True
    ).judgement()
    return _outcome(subject, url, reply, answer, judgement)


def _outcome(
    subject: Subject, url: str, reply: Reply, answer: Answer | None, judgement: Judgement
) -> Outcome:
    errors = () if answer is None else answer.errors
    codes = [clean(reply.clean(code)) for code in map(error_code, errors[:MOST_ERRORS]) if code]
    facts = {
        "url": url,
        "status": reply.status,
        # Neither where it did not come to that.
        "accepted": {SUCCESS: True, REFUSED: False}.get(judgement.code),
        "codes": codes,
    }
    if judgement.code == SUCCESS:
        accepted = "" if subject.endpoint.auth is None else ", accepted"
        return Outcome(detail=f"{url}: {reply.status}{accepted}", facts=facts)
    lines = [judgement.text or f"the API answered {reply.status}, with errors"]
    if answer is not None:
        lines += map(reply.clean, islice(error_lines(answer), MOST_ERRORS))
    return Outcome(
        state="failed",
        detail="\n".join([url, *map(clean, lines)]),
        hint="\n".join([clean(judgement.hint), *_hints(subject, reply, codes, judgement)]).strip(),
        code=judgement.code,
        facts=facts,
    )


def _hints(subject: Subject, reply: Reply, codes: list[str], judgement: Judgement) -> Iterator[str]:
    if judgement.code == REFUSED:
        if subject.odd_claims:
            yield "the claims of the token are not those that were asked for, as told above"
    elif judgement.code == UNAVAILABLE:
        yield LATER
    elif reply.status == _FORBIDDEN:
        yield "the token is known, and may not do this: check scopes"
    elif codes and not judgement.text:
        yield f"if {codes[0]} means that the token is refused, add it to retry_on"
