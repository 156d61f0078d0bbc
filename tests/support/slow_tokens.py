"""A token endpoint that takes its time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from tests.support.http_server import json_answer

if TYPE_CHECKING:
    from tests.support.http_server import Answer, Request

#: Seconds that the first request waits at the most.
_LIMIT: Final = 300.0


class SlowTokens:
    """A token endpoint that answers the first request when it is told to, and all others."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.gate = threading.Event()
        self.count = 0

    def __call__(self, _request: Request) -> Answer:
        self.count += 1
        number = self.count
        if number == 1:
            self.asked.set()
            self.gate.wait(_LIMIT)
        return json_answer(
            {"access_token": f"token-{number}", "token_type": "Bearer", "expires_in": 3600}
        )
