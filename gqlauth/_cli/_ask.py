"""The course of ``gql api``: from options to a request, and from its answer to an exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import click

from gqlauth._cli import _json
from gqlauth._cli._answer import Answer
from gqlauth._cli._declared import declared
from gqlauth._cli._document import document, operation_name
from gqlauth._cli._dry_run import dry_run
from gqlauth._cli._failure import SUCCESS
from gqlauth._cli._fields import fields, merged, variables
from gqlauth._cli._headers import headers
from gqlauth._cli._inputs import Inputs
from gqlauth._cli._jq import Filter
from gqlauth._cli._output import as_text, head, write
from gqlauth._cli._pages import CURSOR, Pages, check_pages, slurped
from gqlauth._cli._run import run, waiting
from gqlauth._cli._send import DEFAULT_HEADERS, Call, default_headers, send, stream_headers
from gqlauth._cli._target import target
from gqlauth._cli._telling import Teller, read
from gqlauth._cli._uploads import opened, parted
from gqlauth._graphql import asks_subscription
from gqlauth._service import AuthService

if TYPE_CHECKING:
    from gqlauth._cli._answer import Reply
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
    paginate: bool
    slurp: bool


def ask(settings: Globals, options: Options) -> int:
    """Do what `options` say, and return the exit status.

    Raises:
        click.UsageError: when they contradict each other, or one cannot be read.
        GqlAuthError: when the configuration is wrong, or there is no token to be had.
        Failure: when there is no answer to be had.

    """
    if options.jq is not None and options.silent:
        raise click.UsageError("--jq and --silent: one writes what the other hides")
    if options.slurp and (options.include or not options.paginate):
        told = "it puts pages into one array: --paginate gets them, and --include has no place"
        raise click.UsageError(f"--slurp: {told}")
    body, uploads = parted(_body(options))
    if uploads and options.paginate:
        raise click.UsageError("--paginate: each page is a request, and would upload the files")
    given = headers(options.extra, uploads=bool(uploads))
    program = None if options.jq is None else Filter(options.jq)
    config, endpoint = target(settings, options.endpoint)
    subscribes = asks_subscription(body)
    if subscribes and (uploads or options.paginate):
        what = "--paginate: a subscription has no pages" if options.paginate else ""
        raise click.UsageError(what or "a subscription uploads no files")
    own = stream_headers(endpoint) if subscribes else DEFAULT_HEADERS
    call = Call(
        config=config,
        endpoint=endpoint,
        headers=(
            *default_headers(
                endpoint, {name.lower() for name, _ in given}, own, uploads=bool(uploads)
            ),
            *given,
        ),
        body=_encoded(body),
        authenticate=not options.no_auth,
        timeout=options.timeout,
    )
    if options.dry_run:
        write("".join(f"{line}\n" for line in dry_run(call, body, uploads)))
        return SUCCESS
    if subscribes:
        from gqlauth._cli._subscribe import subscribe  # noqa: PLC0415 - few ask for that

        return subscribe(Teller(settings, options, call, program))
    with opened(uploads) as files:
        asking = _Asking(Teller(settings, options, attrs.evolve(call, files=files), program), body)
        return run(asking.pages if options.paginate else asking.once)


@attrs.frozen
class _Asking:
    """One question, and what becomes of its answers."""

    teller: Teller
    body: dict[str, Any] = attrs.field(repr=False)

    @property
    def options(self) -> Options:
        return self.teller.options

    @property
    def call(self) -> Call:
        return self.teller.call

    @property
    def waiting_for(self) -> str:
        return f"{self.call.endpoint.name} ({self.call.host})"

    async def once(self) -> int:
        """Ask, write the answer, and return the exit status."""
        with waiting(self.waiting_for):
            reply = await send(self.call)
        return self.told(reply, *read(reply))

    async def pages(self) -> int:
        """Ask for page after page, write each or all in one, and return the exit status."""
        pages, all_of_them, call, written = Pages(), list[Answer](), self.call, SUCCESS
        try:
            async with AuthService(call.config, short_lived=True) as service:
                while True:
                    with waiting(self.waiting_for):
                        reply = await send(call, service)
                    answer, trouble = read(reply)
                    if self.options.slurp and answer is not None:
                        all_of_them.append(answer)
                        code = self.teller.judge(reply, answer, trouble)
                    else:
                        code = self.told(reply, answer, trouble)
                    cursor = None if code or answer is None else pages.next_cursor(answer)
                    if cursor is None:
                        break
                    given = {**self.body.get("variables", {}), CURSOR: cursor}
                    call = attrs.evolve(call, body=_encoded({**self.body, "variables": given}))
        finally:
            # What was had is written, whatever ends it.
            if all_of_them:
                written = self.teller.write(slurped(all_of_them), as_text)
        return code or written

    def told(self, reply: Reply, answer: Answer | None, trouble: str) -> int:
        """Write the answer, say what is wrong with it, and return the exit status."""
        if self.options.include:
            write(head(reply))
        written = self.teller.write(answer, as_text)
        return self.teller.judge(reply, answer, trouble) or written


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
    types = declared(text, operation)
    if options.paginate:
        check_pages(text, types)
    told = fields(raw, typed, inputs, types)
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
