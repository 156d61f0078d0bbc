"""The states that each command is run in: what the servers do, and how the project stands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import attrs

from tests.leaks.canaries import (
    ACCESS_TOKEN,
    CACHE_KEY,
    CLIENT_SECRET,
    HEADER_KEY,
    JWT,
    PLAIN,
    POSTED_SECRET,
    PROXY_PASSWORD,
    SHARED_KEY,
    encoded,
)
from tests.leaks.world import CONFIG, data, echo, echoed, gives
from tests.support.http_server import Answer, Request, json_answer, unused_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.leaks.world import World

HTML: Final = {"Content-Type": "text/html"}
#: Seconds for a token that never comes, and for one that is refused: a busy machine takes longer.
HASTE: Final = "0.2"
PATIENCE: Final = "30"
# It is past every deadline, so that nobody waits for it.
LATER: Final = {"Retry-After": "999"}


@attrs.frozen
class State:
    """How things stand."""

    prepare: Callable[[World], None]
    #: What ``gql auth status --check`` exits with.
    code: int
    #: The API sends back what it was sent.
    echoes: bool = False
    #: It is a state of the servers, which only what asks them can tell from another.
    of_servers: bool = False


def tokens(respond: Callable[[Request], Answer]) -> Callable[[World], None]:
    """Return what lets the token endpoint answer so."""

    def prepare(world: World) -> None:
        world.tokens.respond = respond

    return prepare


def api(respond: Callable[[Request], Answer]) -> Callable[[World], None]:
    """Return what lets the API answer so."""

    def prepare(world: World) -> None:
        world.api.respond = respond

    return prepare


def environment(**variables: str | None) -> Callable[[World], None]:
    """Return what sets variables, and takes off those that are None."""

    def prepare(world: World) -> None:
        for name, value in variables.items():
            if value is None:
                world.monkeypatch.delenv(name)
            else:
                world.monkeypatch.setenv(name, value)

    return prepare


def files(**texts: str) -> Callable[[World], None]:
    """Return what writes files of secrets."""

    def prepare(world: World) -> None:
        for name, text in texts.items():
            world.file(name.replace("_", "."), text)

    return prepare


def replaced(old: str, new: str) -> Callable[[World], None]:
    """Return what replaces a part of the configuration."""
    assert old in CONFIG

    def prepare(world: World) -> None:
        world.configure(CONFIG.replace(old, new))

    return prepare


def _refusal(request: Request) -> Answer:
    return json_answer(
        {"error": "invalid_client", "error_description": echo(request), "error_uri": echo(request)},
        401,
        WWW_Authenticate=f"Basic realm={echoed(request)}",
        X_Request_Id=echoed(request),
        X_Echo=echoed(request),
    )


def _error_of_its_own(request: Request) -> Answer:
    return json_answer({"error": echoed(request)}, 400)


def _page(request: Request) -> Answer:
    return Answer(403, f"<p>{echo(request)}</p>".encode(), HTML)


def _unavailable(request: Request) -> Answer:
    return Answer(503, echo(request).encode(), LATER)


def _redirect(request: Request) -> Answer:
    return Answer(307, b"", {"Location": f"https://elsewhere.example.com/?{echoed(request)}"})


def _cookies(request: Request) -> Answer:
    answer = gives(ACCESS_TOKEN)
    cookie = {"Set-Cookie": f"session={encoded(echo(request), 'URL-encoded')}"}
    return Answer(200, answer.body, {**answer.headers, **cookie})


def _unfit(_request: Request) -> Answer:
    return json_answer({"access_token": f"{ACCESS_TOKEN.text}\n", "token_type": "Bearer"})


def _of_another_type(_request: Request) -> Answer:
    return json_answer({"access_token": JWT.text, "token_type": f"mac-{JWT.text}"})


def _hasty(prepare: Callable[[World], None]) -> Callable[[World], None]:
    """Return the same, in a project that has no time for further tries."""

    def prepared(world: World) -> None:
        world.configure(timeout=HASTE)
        prepare(world)

    return prepared


def _cut_off(_request: Request) -> Answer:
    return Answer(200, gives(JWT).body[:-30], {"Content-Type": "application/json"})


def _nested(_request: Request) -> Answer:
    return json_answer({"result": {"accessToken": ACCESS_TOKEN.text, "jwt": JWT.text}})


def _unauthenticated(request: Request) -> Answer:
    error = {"message": echo(request), "extensions": {"code": "UNAUTHENTICATED"}, "path": ["me"]}
    return json_answer({"data": None, "errors": [error]})


def _api_refusal(request: Request) -> Answer:
    return json_answer(
        {"message": echo(request)}, 401, WWW_Authenticate=echoed(request), X_Echo=echoed(request)
    )


def _partial(request: Request) -> Answer:
    error = {"message": echo(request), "extensions": {"code": echoed(request)}}
    return json_answer({"data": {"me": None}, "errors": [error]})


def _streamed(request: Request) -> Answer:
    """Send back what was sent: in an event, in one that is no GraphQL, and in a comment."""
    error = {"message": echo(request), "extensions": {"code": echoed(request)}}
    said = echoed(request).encode("latin-1")
    body = b"data: %b\n\ndata: %b\n\n: %b\n\n" % (
        json.dumps({"errors": [error]}).encode(),
        said,
        said,
    )
    return Answer(200, body, {"Content-Type": f"text/event-stream; a={echoed(request)}"})


def _parted(request: Request) -> Answer:
    """Send it back in parts, whose boundary is what was sent, too."""
    fatal = {"payload": None, "errors": [{"message": echo(request)}]}
    body = b"--a\r\n\r\n%b\r\n--a\r\n\r\n" % json.dumps(fatal).encode()
    kind = f"multipart/mixed; boundary=a; of={echoed(request)}"
    return Answer(200, body, {"Content-Type": kind})


def _through_a_proxy(world: World, timeout: str = HASTE) -> None:
    url = f"http://ana:{encoded(PROXY_PASSWORD.text, 'URL-encoded')}@127.0.0.1:{unused_port()}"
    environment(HTTP_PROXY=url, http_proxy=url)(world)
    insecure = "allow_insecure_http = true\n"
    text = CONFIG.replace('/token"\n', f'/token"\n{insecure}')
    text = text.replace('/graphql"\n', f'/graphql"\n{insecure}')
    text = text.partition("[endpoints.posted]")[0]
    world.configure(
        text, api="http://orders.example.com", tokens="http://id.example.com", timeout=timeout
    )


def _through_a_proxy_that_refuses(world: World) -> None:
    _through_a_proxy(world, PATIENCE)
    password = encoded(PROXY_PASSWORD.text, "URL-encoded")
    url = world.api.url.replace("http://", f"http://ana:{password}@")
    environment(HTTP_PROXY=url, http_proxy=url)(world)
    world.api.respond = lambda request: Answer(407, echo(request).encode(), HTML)


def _through_a_broken_proxy(world: World) -> None:
    _through_a_proxy(world, PATIENCE)
    url = f"http://ana:{encoded(PROXY_PASSWORD.text, 'URL-encoded')}@127.0.0.1:none"
    environment(HTTP_PROXY=url, http_proxy=url)(world)


def _no_text(world: World) -> None:
    path = world.project / "posted.txt"
    path.write_bytes(POSTED_SECRET.text.encode() + b"\xff")


def _unreachable(world: World) -> None:
    nowhere = f"http://127.0.0.1:{unused_port()}"
    world.configure(tokens=nowhere, api=nowhere, timeout=HASTE)


def _without(world: World) -> None:
    (world.project / "gqlauth.toml").unlink()


STATES: Final[dict[str, State]] = {
    # The token endpoint
    "valid": State(tokens(lambda _: gives(ACCESS_TOKEN)), 0, of_servers=True),
    "valid, a JWT": State(tokens(lambda _: gives(JWT)), 0, of_servers=True),
    "valid, with a cookie": State(tokens(_cookies), 0, of_servers=True),
    "rejected": State(tokens(_refusal), 4, of_servers=True),
    "rejected in words of its own": State(tokens(_error_of_its_own), 4, of_servers=True),
    "rejected by a page": State(tokens(_page), 4, of_servers=True),
    "failing": State(tokens(_unavailable), 5, of_servers=True),
    "redirected": State(tokens(_redirect), 4, of_servers=True),
    "a token that no header may carry": State(tokens(_unfit), 4, of_servers=True),
    "a token of an unknown type": State(tokens(_of_another_type), 4, of_servers=True),
    "an answer that is cut off": State(_hasty(tokens(_cut_off)), 4, of_servers=True),
    "an answer of another shape": State(tokens(_nested), 4, of_servers=True),
    "unreachable": State(_unreachable, 5, of_servers=True),
    # The API
    "refused by the API": State(api(_api_refusal), 0, echoes=True, of_servers=True),
    "refused in GraphQL": State(api(_unauthenticated), 0, echoes=True, of_servers=True),
    "partial": State(api(_partial), 0, echoes=True, of_servers=True),
    "streamed": State(api(_streamed), 0, echoes=True, of_servers=True),
    "streamed in parts": State(api(_parted), 0, echoes=True, of_servers=True),
    "an API that fails": State(api(_unavailable), 0, echoes=True, of_servers=True),
    "an API that is a page": State(api(_page), 0, echoes=True, of_servers=True),
    "an API that redirects": State(api(_redirect), 0, echoes=True, of_servers=True),
    # The project
    "with a store": State(environment(GQLAUTH_CACHE_KEY=CACHE_KEY.text), 0),
    "with a store that has no key": State(
        replaced("[endpoints.public]", '[cache]\nstore = "disk"\n\n[endpoints.public]'), 0
    ),
    "not trusted": State(environment(GQLAUTH_TRUST=None), 2),
    "without a file": State(_without, 2),
    "unset": State(environment(ORDERS_SECRET=None, API_KEY=None), 2),
    "of several lines": State(
        environment(
            SHARED_KEY=f"a\n{SHARED_KEY.text}",
            ORDERS_KEY=f"a\n{HEADER_KEY.text}",
            API_KEY=f"\x1b[2J{CLIENT_SECRET.text}",
        ),
        2,
    ),
    "empty files": State(files(posted_txt="", password_txt="\n"), 2),
    "a file that is no text": State(_no_text, 2),
    "a file that is too long": State(files(posted_txt=POSTED_SECRET.text * 2_000), 2),
    "a command that fails": State(
        replaced('"cat", "password.txt"', '"cat", "password.txt", "missing.txt"'), 2
    ),
    "a command that shouts": State(
        replaced('"cat", "password.txt"', '"sh", "-c", "cat password.txt; cat password.txt >&2"'),
        0,
    ),
    "a secret in plain": State(
        replaced('client_secret = {{ env = "ORDERS_SECRET" }}', f'client_secret = "{PLAIN.text}"'),
        2,
    ),
    "a token in plain": State(
        replaced('token = {{ keyring = "orders/ana" }}', f'token = "{PLAIN.text}"'), 2
    ),
    "a secret in a broken line": State(
        replaced('client_secret = {{ env = "ORDERS_SECRET" }}', f"client_secret = {PLAIN.text}"), 2
    ),
    "a secret twice": State(
        replaced('client_id = "raw-cli"', f'client_secret = "{PLAIN.text}"\nclient_id = "raw-cli"'),
        2,
    ),
    "a secret where a table belongs": State(
        replaced(
            'auth = {{ type = "bearer", token = {{ keyring = "orders/ana" }} }}',
            f'auth = ["{PLAIN.text}"]',
        ),
        2,
    ),
    "a secret under an unknown source": State(
        replaced('{{ keyring = "orders/ana" }}', f'{{{{ vault = "{PLAIN.text}" }}}}'), 2
    ),
    "a secret under a misspelled key": State(
        replaced("client_secret = {{", f'client_secre = "{PLAIN.text}"\nclient_secret = {{{{'), 2
    ),
    "an Authorization beside auth": State(
        replaced('"X-Key" = {{', f'"Authorization" = "Bearer {PLAIN.text}", "X-Key" = {{{{'), 2
    ),
    "a password in a URL": State(
        replaced(
            'token_url = "{tokens}/raw"', f'token_url = "https://ana:{PLAIN.text}@id.example.com/"'
        ),
        2,
    ),
    # Between
    "through a proxy": State(_through_a_proxy, 5),
    "through a proxy that is none": State(_through_a_broken_proxy, 2),
    "through a proxy that refuses": State(_through_a_proxy_that_refuses, 4, echoes=True),
}

__all__ = ["STATES", "State", "data"]
