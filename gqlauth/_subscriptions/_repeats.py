"""What comes twice, as two connections serve one subscription while it moves."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Self

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence


@attrs.define(eq=False)
class Repeats:
    """The events that the new connection will bring though the old one has brought them."""

    _left: deque[Any] = attrs.field(factory=deque, repr=False)

    @classmethod
    def of(cls, seen: Sequence[Any], held: Sequence[Any], least: int = 1) -> Self:
        """Find them: in what the old one brought meanwhile, by what the new one began with.

        They are the last of what was `seen` that `held` begins with; none, where that is empty.
        Where events are alike it is as few as can be, and none if these are fewer than `least`:
        one that comes twice is better than a lost one.
        """
        if not held:
            return cls()
        for start in reversed(range(len(seen))):
            if all(one == other for one, other in zip(seen[start:], held, strict=False)):
                alike = min(len(seen) - start, len(held))
                return cls(deque(seen[start:])) if alike >= least else cls()
        return cls()

    def has(self, event: Any) -> bool:  # noqa: ANN401 - what can be compared
        """Tell whether `event`, the new connection's next, is one of them."""
        if self._left:
            if self._left.popleft() == event:
                return True
            self._left.clear()
        return False
