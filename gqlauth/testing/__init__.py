"""What a strategy, or an application that uses gqlauth, is tested with; by any test runner.

No test runner is imported, and nothing goes over the network.
"""

from __future__ import annotations

from gqlauth.testing._check import check_strategy
from gqlauth.testing._clock import FrozenClock
from gqlauth.testing._server import AuthorizationServer

__all__ = ["AuthorizationServer", "FrozenClock", "check_strategy"]
