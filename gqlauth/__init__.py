"""gqlauth: every GraphQL request carries a valid token, forever, without anyone copying one.

The names below are imported when they are first used (PEP 562), so that ``import gqlauth`` costs
next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing's, which takes a while to import
if TYPE_CHECKING:
    from gqlauth._endpoint import TokenEndpoint as TokenEndpoint
    from gqlauth._httpx import EndpointAuth as EndpointAuth
    from gqlauth._log_filter import RedactingFilter as RedactingFilter
    from gqlauth._options import AuthOptions as AuthOptions
    from gqlauth._redact import redact_secrets as redact_secrets
    from gqlauth._secret import Secret as Secret
    from gqlauth._service import AuthService as AuthService
    from gqlauth._status import EndpointStatus as EndpointStatus
    from gqlauth._token import Strategy as Strategy
    from gqlauth._token import Token as Token
    from gqlauth._version import __version__ as __version__
    from gqlauth.errors import ConfigError as ConfigError
    from gqlauth.errors import GqlAuthError as GqlAuthError
    from gqlauth.errors import SecretError as SecretError
    from gqlauth.errors import ServiceClosedError as ServiceClosedError
    from gqlauth.errors import StrategyError as StrategyError
    from gqlauth.errors import TokenError as TokenError
    from gqlauth.errors import TokenRefusedError as TokenRefusedError
    from gqlauth.errors import TokenUnavailableError as TokenUnavailableError

_HOMES = {
    "AuthOptions": "gqlauth._options",
    "AuthService": "gqlauth._service",
    "ConfigError": "gqlauth.errors",
    "EndpointAuth": "gqlauth._httpx",
    "EndpointStatus": "gqlauth._status",
    "GqlAuthError": "gqlauth.errors",
    "RedactingFilter": "gqlauth._log_filter",
    "Secret": "gqlauth._secret",
    "SecretError": "gqlauth.errors",
    "ServiceClosedError": "gqlauth.errors",
    "Strategy": "gqlauth._token",
    "StrategyError": "gqlauth.errors",
    "Token": "gqlauth._token",
    "TokenEndpoint": "gqlauth._endpoint",
    "TokenError": "gqlauth.errors",
    "TokenRefusedError": "gqlauth.errors",
    "TokenUnavailableError": "gqlauth.errors",
    "__version__": "gqlauth._version",
    "redact_secrets": "gqlauth._redact",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - sorted() gives a list of the names


if not TYPE_CHECKING:  # to whom a name that is not above is a mistake

    def __getattr__(name: str) -> object:
        from importlib import import_module  # noqa: PLC0415 - one of what nobody pays for unasked

        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
