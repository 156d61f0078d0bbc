"""``gql api``: ask a GraphQL API, with the token that it wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gqlauth._cli._globals import Command, endpoint_names, timeout_option

if TYPE_CHECKING:
    from gqlauth._cli._globals import Globals


def _operation_names(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[str]:
    """Return the names of operations that begin with `incomplete`, of the QUERY that is there."""
    from gqlauth._cli._document import operations_of  # noqa: PLC0415 - for a shell alone

    # click leaves an argument where it is when an option behind it has no value yet.
    query = context.params.get("query") or next(iter(context.args), None)
    names = operations_of(query)
    return [name for name in names if name.startswith(incomplete)]


@click.command(cls=Command)
@click.argument("query", required=False, metavar="[QUERY | @FILE | -]")
@click.option(
    "-e",
    "--endpoint",
    metavar="NAME|URL",
    help="The endpoint; else the default one. A URL that no endpoint has gets no token.",
    shell_complete=endpoint_names,
)
@click.option(
    "-o",
    "--operation",
    metavar="NAME",
    help="The operation, where there are several.",
    shell_complete=_operation_names,
)
@click.option("-f", "raw", multiple=True, metavar="KEY=VALUE", help="A variable that is text.")
@click.option(
    "-F",
    "typed",
    multiple=True,
    metavar="KEY=VALUE",
    help="A variable as the query declares it, else as it looks: true, 5, {…}; @FILE or @- for"
    " a text, or for an upload where the query declares one.",
)
@click.option("--variables", "given", metavar="JSON|@FILE|-", help="All variables, as an object.")
@click.option("-H", "extra", multiple=True, metavar="'K: V'", help="A header of the request.")
@click.option("-i", "--include", is_flag=True, help="Write the answer's status and headers, too.")
@click.option("-q", "--jq", metavar="EXPR", help="Filter the answer by a jq program.")
@click.option("--silent", is_flag=True, help="Do not write the answer.")
@click.option("--paginate", is_flag=True, help="Ask for all pages, by $endCursor and pageInfo.")
@click.option("--slurp", is_flag=True, help="With --paginate: write all pages as one array.")
@click.option("--allow-partial", is_flag=True, help="Exit with 0 where data come with errors.")
@click.option("--no-auth", is_flag=True, help="Send no token.")
@click.option("--dry-run", is_flag=True, help="Show the request; ask nobody for anything.")
@timeout_option("Give up after so many seconds.")
@click.pass_obj
def api(settings: Globals, /, **options: Any) -> int:  # noqa: ANN401 - Options has their types
    """Ask a GraphQL API, and write what it answers.

    QUERY is the document, @FILE one that holds it, and - standard input, which is also read
    where QUERY is missing and it is no terminal. -f query=… works too.

    \b
    gql api '{ me { id } }'
    gql api @orders.graphql -F first=10 -f 'filter[state]=open'
    gql api 'query($id: ID!) { order(id: $id) { total } }' -f id=o-1 -q .data.order.total
    gql api 'mutation($file: Upload!) { add(file: $file) { id } }' -F file=@invoice.pdf

    Exits with 1 where the answer has errors, 2 where the command or the configuration is wrong,
    4 where a server refused the credential, and 5 where trying again may help.
    """  # noqa: D301 - click wants the character itself
    from gqlauth._cli._ask import Options, ask  # noqa: PLC0415 - help asks nobody

    return ask(settings, Options(**options))
