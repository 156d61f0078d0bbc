"""The strategies that come with gqlauth: one small file a grant, registered like anyone's."""

from __future__ import annotations

from gqlauth_strategies.basic import Basic
from gqlauth_strategies.bearer import Bearer
from gqlauth_strategies.client_credentials import ClientCredentials
from gqlauth_strategies.header import Header

__all__ = ["Basic", "Bearer", "ClientCredentials", "Header"]
