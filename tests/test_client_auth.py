"""How a client proves itself: nothing of the secret is told where that fails."""

from __future__ import annotations

import pickle
import traceback

import pytest

from gqlauth._client_auth import auth_headers
from gqlauth._secret import Secret

TEXT = "correct-horse-battery"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_basic_raw"])
def test_a_client_id_that_cannot_be_encoded(method: str) -> None:
    """The error holds the client id alone, and no frame has the secret in a variable."""
    with pytest.raises(UnicodeEncodeError) as raised:
        auth_headers(method, "\ud800", Secret(TEXT))
    told = traceback.TracebackException.from_exception(raised.value, capture_locals=True)

    assert raised.value.object == "\ud800"
    assert TEXT not in "".join(told.format())
    assert TEXT.encode() not in pickle.dumps(raised.value)
