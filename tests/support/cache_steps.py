"""Schedules for a `TokenCache`: steps that hypothesis draws, and what often comes together.

A schedule is a list of steps, each of them one thing that callers, the authorization server, the
API or the clocks do. Nothing is awaited between two steps but where a step says so: what stands
between two pauses happens in one moment, and tasks run when a pause lets them.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import attrs
from hypothesis import strategies as st

Outcome = Literal["token", "same", "refused", "unavailable", "later", "broken"]

KEYS: Final = ("a", "b", "c")
#: Of the tokens of a key, those that the API may still refuse.
RECENT: Final = 3


@attrs.frozen
class Get:
    """A caller asks for a token."""

    key: str
    renew: bool


@attrs.frozen
class Cancel:
    """One of those who wait gives up."""

    which: int


@attrs.frozen
class Land:
    """The authorization server answers the flight of a key."""

    key: str
    outcome: Outcome
    life: float | None


@attrs.frozen
class Invalidate:
    """The API refuses one of the last tokens of a key."""

    key: str
    which: int


@attrs.frozen
class Forget:
    """A user clears a key."""

    key: str


@attrs.frozen
class Move:
    """The clocks are moved: by time, by sleep, or by hand."""

    wall: float
    monotonic: float


@attrs.frozen
class Pause:
    """The tasks run: for one step of each, or until all wait."""

    settle: bool


Step = Get | Cancel | Land | Invalidate | Forget | Move | Pause

_KEYS: Final = st.sampled_from(["a", "a", "a", "b", "b", "c"])
_LIVES: Final = st.sampled_from([-1.0, 2.0, 60.0, 60.0, 3600.0, None])
_OUTCOMES: Final = st.sampled_from([*get_args(Outcome), "token", "same"])
_SECONDS: Final = st.sampled_from([-3600.0, -1.0, 0.0, 0.5, 4.0, 58.0, 61.0, 3600.0])
_PASSED: Final = st.sampled_from([0.5, 1.5, 6.0, 46.0, 58.0, 61.0, 3300.0, 3600.0])
_SETTLE: Final = Pause(settle=True)

_GETS: Final = st.builds(Get, _KEYS, st.sampled_from([False, False, True]))
_LANDS: Final = st.builds(Land, _KEYS, _OUTCOMES, _LIVES)
_MOVES: Final = st.one_of(
    st.builds(Move, _SECONDS, _SECONDS), _PASSED.map(lambda seconds: Move(seconds, seconds))
)
_INVALIDATIONS: Final = st.builds(Invalidate, _KEYS, st.integers(0, RECENT - 1))
_STEPS: Final[st.SearchStrategy[Step]] = st.one_of(
    _GETS,
    _LANDS,
    _MOVES,
    _INVALIDATIONS,
    st.builds(Pause, st.booleans()),
    st.builds(Cancel, st.integers(0, 5)),
    st.builds(Forget, _KEYS),
)


def _fetched(renew: bool, meanwhile: list[Step], land: Land) -> list[Step]:  # noqa: FBT001 - drawn
    return [Get(land.key, renew), _SETTLE, *meanwhile, land, _SETTLE]


#: What often comes together, so that most schedules get somewhere.
_SCENES: Final[st.SearchStrategy[list[Step]]] = st.one_of(
    st.lists(_STEPS, min_size=1, max_size=3),
    st.builds(_fetched, st.booleans(), st.just([]), _LANDS),
    st.builds(_fetched, st.booleans(), st.lists(_STEPS, max_size=3), _LANDS),
    st.builds(_fetched, st.just(value=True), st.tuples(_INVALIDATIONS).map(list), _LANDS),
    st.builds(lambda move, get: [move, get, _SETTLE], _MOVES, _GETS),
)
SCHEDULES: Final[st.SearchStrategy[list[Step]]] = st.lists(_SCENES, min_size=1, max_size=12).map(
    lambda scenes: [step for scene in scenes for step in scene]
)
