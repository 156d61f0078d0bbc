"""The course of ``gql api``: from options to a request, and from its answer to an exit status."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import attrs
import click

from gqlauth._cli import _json
from gqlauth._cli._answer import NoAnswerError, read_answer
from gqlauth._cli._declared import declared
from gqlauth._cli._document import document, operation_name
from gqlauth._cli._dry_run import dry_run
from gqlauth._cli._failure import SUCCESS, Failure, tell
from gqlauth._cli._fields import fields, merged, variables
from gqlauth._cli._headers import headers
from gqlauth._cli._inputs import Inputs
from gqlauth._cli._jq import Filter
from gqlauth._cli._output import as_text, filtered, head, write
from gqlauth._cli._run import run
from gqlauth._cli._send import Call, default_headers, send
from gqlauth._cli._target import is_url, target
from gqlauth._cli._verdict import Verdict

if TYPE_CHECKING:
    from gqlauth._cli._answer import Answer, Reply
    from gqlauth._cli._globals import Globals


@attrs.frozen(kw_only=True)
class Options:
    """What was given to ``gql api``, as click reads it."""

    query: str | None
    endpoint: str | None
    operation: str | None
    #: The ``-f``.
    raw: tuple[str, ...]
    #: The ``-F``.
    typed: tuple[str, ...]
    #: The ``--variables``.
    given: str | None
    #: The ``-H``.
    extra: tuple[str, ...] = attrs.field(repr=False)
    include: bool
    jq: str | None
    silent: bool
    allow_partial: bool
    no_auth: bool
    dry_run: bool
    timeout: float | None


def ask(settings: Globals, options: Options) -> int:
    """Do what `options` say, and return the exit status.

    Raises:
        click.UsageError: when they contradict each other, or one cannot be read.
        GqlAuthError: when the configuration is wrong, or there is no token to be had.
        Failure: when there is no answer to be had.

    """
    if options.jq is not None and options.silent:
        raise click.UsageError("--jq and --silent: one writes what the other hides")
    body = _body(options)
    given = headers(options.extra)
    program = None if options.jq is None else Filter(options.jq)
    config, endpoint = target(settings, options.endpoint)
    call = Call(
        config=config,
        endpoint=endpoint,
        headers=(*default_headers(endpoint, {name.lower() for name, _ in given}), *given),
        body=_encoded(body),
        authenticate=not options.no_auth,
        timeout=options.timeout,
    )
    if options.dry_run:
        write("".join(f"{line}\n" for line in dry_run(call, body)))
        return SUCCESS
    waiting_for = f"{endpoint.name} ({call.host})"
    return _told(settings, options, call, program, run(lambda: send(call), waiting_for=waiting_for))


def _told(
    settings: Globals, options: Options, call: Call, program: Filter | None, reply: Reply
) -> int:
    """Write the answer, say what is wrong with it, and return the exit status."""
    answer, trouble = None, ""
    try:
        answer = read_answer(reply)
    except NoAnswerError as error:
        trouble = str(error)
    written = _written(settings, options, reply, answer, program)
    verdict = Verdict(
        endpoint=call.endpoint,
        reply=reply,
        answer=answer,
        trouble=trouble,
        bare=_bare(call, options.endpoint),
        allow_partial=options.allow_partial,
    )
    return verdict.tell() or written


def _body(options: Options) -> dict[str, Any]:
    """Return what is sent: ``query``, ``variables`` and ``operationName``."""
    inputs = Inputs()
    values = {} if options.given is None else variables(options.given, inputs)
    operation = options.operation
    # What the variables become, the document says; and that may be one of the fields itself.
    raw, typed = options.raw, options.typed
    own: dict[str, Any] = {}
    as_gh_has_it = False
    if options.query is None:
        said = [tuple(filter(_is_of_gh, each)) for each in (raw, typed)]
        own = fields(said[0], said[1], inputs)
        as_gh_has_it = "query" in own
        if as_gh_has_it:
            raw, typed = (tuple(t for t in each if not _is_of_gh(t)) for each in (raw, typed))
        inputs.wanted = any(text.partition("=")[2] == "@-" for text in typed)
    text = document(options.query, own, inputs)
    if as_gh_has_it and operation is None and isinstance(own.get("operationName"), str):
        operation = own.pop("operationName")
    told = fields(raw, typed, inputs, declared(text, operation))
    values = merged(merged(values, own if as_gh_has_it else {}), told)
    name = operation_name(text, operation)
    return {
        "query": text,
        **({"variables": values} if values else {}),
        **({} if name is None else {"operationName": name}),
    }


def _is_of_gh(field: str) -> bool:
    """Tell whether a field says what is asked, as ``gh api graphql`` has it, and is no variable."""
    return field.partition("=")[0] in {"query", "operationName"}


def _encoded(body: dict[str, Any]) -> bytes:
    try:
        return _json.write(body).encode()
    except ValueError as error:
        # Not UTF-8, or nested too deep.
        raise click.UsageError(f"the query and its variables cannot be sent: {error}") from error


def _bare(call: Call, wanted: str | None) -> str:
    """Return why the request went out without a credential of the endpoint's own."""
    if any(name.lower() == "authorization" for name, _ in call.headers):
        return "it got the Authorization that -H gives"
    if call.endpoint.auth is not None:
        return "" if call.authenticate else "--no-auth sent none"
    return "no endpoint has this URL with auth, so none was sent" if is_url(wanted) else ""


def _written(
    settings: Globals,
    options: Options,
    reply: Reply,
    answer: Answer | None,
    program: Filter | None,
) -> int:
    """Write what is to be written of the answer; return an exit status, as a filter may fail."""
    if options.include:
        write(head(reply))
    if answer is None or options.silent:
        return SUCCESS
    try:
        if program is None:
            write(as_text(answer, coloured=settings.colours(sys.stdout)))
        else:
            write(filtered(answer, program))
    except Failure as failure:
        return tell(failure)
    return SUCCESS
