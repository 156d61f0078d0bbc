"""The file that ``gql config init`` writes: commented, and ready to be filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gqlauth._config._document import document_of, shown
from gqlauth._config._trust import trust
from gqlauth.errors import ConfigError, Problem

if TYPE_CHECKING:
    from pathlib import Path

#: Where the JSON Schema of the latest release is, which docs/ publishes.
SCHEMA_URL: Final = "https://gqlauth.readthedocs.io/en/stable/gqlauth.schema.json"

INITIAL: Final = f"""\
#:schema {SCHEMA_URL}
# gqlauth: which token goes to which GraphQL endpoint.
# "gql config check" tells what is wrong here, "gql auth status" what the tokens are like.

# The endpoint that is meant where none is named.
default_endpoint = "example"

[endpoints.example]
url = "https://api.example.com/graphql"
# headers = {{ "X-Tenant" = "${{TENANT:-acme}}" }}
# timeout = 30.0

[endpoints.example.auth]
type = "client_credentials"                 # "gql auth types" lists them all
token_url = "https://id.example.com/oauth2/token"
client_id = "example-client"
# A secret is never written here: it is read from where it lies, each time that it is needed.
client_secret = {{ env = "EXAMPLE_CLIENT_SECRET" }}
# client_secret = {{ file = "/run/secrets/example" }}
# client_secret = {{ command = ["pass", "show", "example"] }}
scopes = []
# audience = "https://api.example.com"
# resource = ["https://api.example.com/graphql"]
# token_endpoint_auth_method = "client_secret_basic"

# Endpoints that share a client share a profile, and so one token:
#
# [auth.acme]
# type = "client_credentials"
# token_url = "https://id.example.com/oauth2/token"
# client_id = "acme"
# client_secret = {{ env = "ACME_CLIENT_SECRET" }}
#
# [endpoints.billing]
# url = "https://billing.example.com/graphql"
# auth = "acme"                             # or: {{ use = "acme", scopes = ["billing"] }}

# Where "gql" keeps tokens: on disk, if GQLAUTH_CACHE_KEY or the keyring has a key to encrypt them
# with; else in memory, until it ends. This says otherwise:
#
# [cache]
# store = "memory"
"""


def trust_initial(path: Path) -> None:
    """Trust what `write_initial` has written to `path`; not what may stand there by now.

    Raises:
        ConfigError: when that cannot be remembered.

    """
    trust(document_of(path, INITIAL))


def write_initial(path: Path) -> None:
    """Write a first configuration to `path`; never over a file that is there.

    Raises:
        ConfigError: when there is one, or it cannot be written.

    """
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(INITIAL)
    except FileExistsError:
        problem = Problem("is there already, and is left as it is", file=shown(path))
        raise ConfigError(problem) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(Problem(f"cannot be written: {reason}", file=shown(path))) from None
