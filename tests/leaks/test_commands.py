"""No command tells a secret: in no state, and at no verbosity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from tests.leaks.commands import ASKING, COMMANDS, EVERYWHERE, leaves, lines, uncovered
from tests.leaks.states import STATES

if TYPE_CHECKING:
    from tests.leaks.world import World


@pytest.mark.parametrize("state", STATES)
def test_tells_no_secret(world: World, state: str) -> None:
    """Neither its output, nor a warning, nor a file that it leaves behind holds one."""
    stands = STATES[state]
    stands.prepare(world)
    # It is the state that is meant.
    assert world("auth", "status", "--check").code == stands.code

    leaks = {}
    for verbosity in EVERYWHERE:
        for line in lines(verbosity, ASKING if stands.of_servers else COMMANDS):
            outcome = world(*line, echoes=stands.echoes)
            if outcome.leaks:
                leaks[line] = outcome.leaks

    assert leaks == {}


def test_every_command_and_option_is_covered() -> None:
    """A command or an option that is new stands in the tables of the harness, or this fails."""
    assert uncovered(leaves()) == set()


def test_a_new_one_would_be_missed() -> None:
    """What is compared are the commands that there are, with all of their options."""
    known = leaves()
    known["auth types"].params.append(click.Option(["--secrets"]))
    try:
        missing = uncovered({**known, "auth dump": click.Command("dump")})
    finally:
        known["auth types"].params.pop()

    assert missing == {"auth dump", "auth types --secrets"}
    assert COMMANDS.keys() == known.keys()
