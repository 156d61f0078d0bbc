"""Why a server's certificate was refused, and what may mend that."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

from gqlauth._causes import causes

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

# OpenSSL's names of what it finds (X509_V_ERR_…), by their numbers.
_NOT_YET_VALID: Final = frozenset({9})
_EXPIRED: Final = frozenset({10})
_UNKNOWN_ISSUER: Final = frozenset({2, 18, 19, 20, 21})
_ANOTHER_NAME: Final = frozenset({62, 64})

_HINTS: Final[tuple[tuple[Collection[int], str], ...]] = (
    (_NOT_YET_VALID, "the certificate is not valid yet: is this machine's clock right?"),
    (_EXPIRED, "who runs the server must renew it, unless this machine's clock is wrong"),
    (_ANOTHER_NAME, "the certificate is for another host: is the URL right?"),
)


def certificate_trouble(error: BaseException) -> str:
    """Return why a certificate was refused, in OpenSSL's words; empty where none was."""
    refusal = _refusal(error)
    return "" if refusal is None else refusal.verify_message


def certificate_hint(error: BaseException, ca_file: Path | None, setting: str = "ca_file") -> str:
    """Return what may mend that a certificate was refused; empty where that is not what failed.

    `setting` is what names authorities where `ca_file` is none.
    """
    refusal = _refusal(error)
    code = None if refusal is None else refusal.verify_code
    if code in _UNKNOWN_ISSUER:
        if ca_file is not None:
            return f"who issued it is not in ca_file {ca_file}"
        return f"if an authority of your own issued it, its certificate belongs into {setting}"
    return next((hint for codes, hint in _HINTS if code in codes), "")


def _refusal(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    # On trio only a cause of a cause tells.
    for one in causes(error, implied=True):
        if isinstance(one, ssl.SSLCertVerificationError):
            return one
    return None
