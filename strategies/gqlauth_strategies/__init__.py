"""The strategies that come with gqlauth: one small file a grant, registered like anyone's.

Each is imported when it is first asked for (PEP 562): a configuration seldom has more than one.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing's, which takes a while to import
if TYPE_CHECKING:
    from gqlauth_strategies.basic import Basic as Basic
    from gqlauth_strategies.bearer import Bearer as Bearer
    from gqlauth_strategies.client_credentials import ClientCredentials as ClientCredentials
    from gqlauth_strategies.header import Header as Header

__all__ = ["Basic", "Bearer", "ClientCredentials", "Header"]

_HOMES = {
    "Basic": "basic",
    "Bearer": "bearer",
    "ClientCredentials": "client_credentials",
    "Header": "header",
}


if not TYPE_CHECKING:  # to whom a name that is not above is a mistake

    def __getattr__(name: str) -> object:
        from importlib import import_module  # noqa: PLC0415 - one of what nobody pays for unasked

        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
