"""What diagnostics say in each state, of what a configuration and the cache hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from gqlauth import ConfigError, Secret, Token, TokenRefusedError, TokenUnavailableError
from gqlauth._config import Endpoint, EndpointAuthConfig
from gqlauth._entry import Snapshot
from gqlauth._options import AuthOptions
from gqlauth._report import report
from gqlauth_strategies import Bearer, ClientCredentials

if TYPE_CHECKING:
    from pathlib import Path

    from gqlauth import EndpointStatus, GqlAuthError, TokenEndpoint

NOW = 1_800_000_000.0
STRATEGY = ClientCredentials(
    token_url="https://id.example.com/token",
    client_id="orders-cli",
    client_secret=Secret("s3cret"),
    scopes=("read",),
)


@attrs.frozen
class Unset:
    """A source that nothing can be read from."""

    trouble: str | None = "environment variable GONE is not set"

    def __str__(self) -> str:
        return "env GONE"

    def check(self) -> str | None:
        return self.trouble

    async def read(self) -> str:
        raise AssertionError("diagnostics read no secret")


def endpoint(strategy: object = STRATEGY, **options: Any) -> Endpoint:
    auth = EndpointAuthConfig(
        type="client_credentials",
        strategy=strategy,  # type: ignore[arg-type]
        options=AuthOptions(**options),
    )
    return Endpoint(name="orders", url="https://api.example.com/graphql", auth=auth)


def token(expires_in: float | None = 3600.0, **settings: Any) -> Token:
    return Token("t0ken", expires_in=expires_in, **settings).issued(NOW, 1000.0)


def snapshot(  # what the cache holds, each as it is by default
    kept: Token | None = None,
    *,
    refresh_at: float | None = None,
    usable: bool = False,
    in_flight: bool = False,
    error: GqlAuthError | None = None,
) -> Snapshot:
    return Snapshot(
        token=kept, refresh_at=refresh_at, usable=usable, in_flight=in_flight, error=error
    )


def status(of: Endpoint | None = None, held: Snapshot | None = None, **how: Any) -> EndpointStatus:
    return report(endpoint() if of is None else of, held, **{"wall": NOW, **how})


DOWN = TokenUnavailableError("is unavailable", status=503)
REFUSED = TokenRefusedError("refused the client", status=401, error="invalid_client")


def test_none_without_auth() -> None:
    """An endpoint without auth has nothing to tell but its URL."""
    bare = Endpoint(name="public", url="https://api.example.com/graphql")
    told = status(bare)
    assert (told.name, told.type, told.state, told.error) == ("public", "none", "none", None)


@pytest.mark.parametrize(
    ("held", "state"),
    [
        pytest.param(None, "empty", id="nothing known"),
        pytest.param(snapshot(), "empty", id="an entry without a token"),
        pytest.param(snapshot(in_flight=True), "refreshing", id="the first on its way"),
        pytest.param(snapshot(token(), usable=True, refresh_at=NOW + 1), "valid", id="serving"),
        pytest.param(snapshot(token(None), usable=True), "valid", id="for ever"),
        pytest.param(
            snapshot(token(), usable=True, refresh_at=NOW), "refreshing", id="refresh due"
        ),
        pytest.param(
            snapshot(token(), usable=True, refresh_at=NOW + 1, in_flight=True),
            "refreshing",
            id="refresh under way",
        ),
        pytest.param(snapshot(token()), "expired", id="past its end"),
        pytest.param(snapshot(token(), in_flight=True), "refreshing", id="the next on its way"),
        pytest.param(snapshot(error=DOWN), "failing", id="the server is down"),
        pytest.param(snapshot(error=REFUSED), "rejected", id="the server refused"),
        pytest.param(snapshot(error=ConfigError("no")), "misconfigured", id="configured wrong"),
        pytest.param(
            snapshot(token(), usable=True, refresh_at=NOW + 1, error=DOWN),
            "valid",
            id="serving while the refresh fails",
        ),
    ],
)
def test_states(held: Snapshot | None, state: str) -> None:
    """What the cache holds decides."""
    assert status(held=held).state == state


@pytest.mark.parametrize(
    ("error", "state"),
    [(DOWN, "unreachable"), (REFUSED, "rejected"), (ConfigError("no"), "misconfigured")],
)
def test_a_check_tells_what_it_came_to(error: GqlAuthError, state: str) -> None:
    """It does so even while an older token serves."""
    told = status(held=snapshot(token(), usable=True), checked=True, error=error)
    assert (told.state, told.error, told.checked) == (state, str(error), True)


def test_a_failed_refresh_is_told_beside_a_token_that_serves() -> None:
    """The state is that of the token; the error is there to be read."""
    told = status(held=snapshot(token(), usable=True, refresh_at=NOW + 1, error=DOWN))
    assert told.error == "is unavailable: 503"


def test_a_secret_that_cannot_be_had_is_misconfigured() -> None:
    """That is known without reading it."""
    strategy = attrs.evolve(STRATEGY, client_secret=Secret.from_source(Unset()))
    told = status(endpoint(strategy))
    assert (told.state, told.error) == ("misconfigured", "environment variable GONE is not set")
    assert told.secret_source == "env GONE"


def test_a_secret_in_a_header_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token request needs it no less than the client's own."""
    strategy = attrs.evolve(STRATEGY, headers={"X-Key": Secret.from_source(Unset())})
    assert status(endpoint(strategy)).state == "misconfigured"


def test_a_missing_ca_file_is_misconfigured(tmp_path: Path) -> None:
    """It is told before a request fails for it."""
    told = status(endpoint(ca_file=tmp_path / "gone.pem"))
    assert told.state == "misconfigured"
    assert told.error == f"ca_file {tmp_path / 'gone.pem'} is no file"


def test_all_that_is_shown_of_a_token() -> None:
    """Its end, its fingerprint and its scopes; not its text."""
    held = snapshot(token(scopes=("read", "write")), usable=True, refresh_at=NOW + 3300)
    told = status(held=held, wall=NOW + 600)
    assert (told.expires_at, told.expires_in, told.refresh_at) == (NOW + 3600, 3000, NOW + 3300)
    assert told.scopes == ("read", "write")
    assert told.fingerprint == token().fingerprint
    assert "t0ken" not in repr(told)
    assert "s3cret" not in repr(told)


def test_what_is_configured_is_shown() -> None:
    """Without a token, the scopes are those that are asked for."""
    told = status()
    assert (told.token_url, told.client_id) == ("https://id.example.com/token", "orders-cli")
    assert (told.scopes, told.secret_source) == (("read",), "given in code")


def test_a_static_token_has_no_token_url() -> None:
    """Nobody is asked for it."""
    told = status(endpoint(Bearer(token=Secret("abc"))))
    assert (told.token_url, told.client_id, told.scopes) == (None, None, ())


def test_a_plugin_may_be_no_attrs_class_and_have_its_scopes_as_text() -> None:
    """Diagnostics take what there is."""

    class Plain:
        scopes = "a b"

        async def fetch(self, _endpoint: TokenEndpoint, /) -> Token:
            raise AssertionError

    told = status(endpoint(Plain()))
    assert (told.scopes, told.secret_source, told.state) == (("a", "b"), None, "empty")
