"""``auth = "none"``: the authentication that says that there is none."""

from __future__ import annotations

from gqlauth._plugins import canonical
from gqlauth._registry import NO_AUTH


def is_none(auth: object) -> bool:
    """Tell whether an ``auth``, as it stands in a file, says that requests go out bare."""
    name = auth.get("type") if isinstance(auth, dict) and "use" not in auth else auth
    return isinstance(name, str) and canonical(name) == NO_AUTH
