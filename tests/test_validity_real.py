"""Fired as a user fires: at a server that is faster than cannon, and at one that is slower.

The machine that runs these tests may be taken by others meanwhile, and cannon then says so, too: each test asks for
the reason that is its point, and takes the others as they come.
"""

from __future__ import annotations

import re

from cannon.result import Result
from tests.firing import result_of, run_cli
from tests.servers.real import Nginx
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

OF_THE_MACHINE = re.compile(r"for a CPU |\(steal\)|stood still")


def of_cannon(result: Result) -> list[str]:
    """The reasons that are of cannon's own doing."""
    return [reason for reason in result.validity.reasons if not OF_THE_MACHINE.search(reason)]


def test_a_client_that_is_slower_than_its_server_is_saturated_and_says_so() -> None:
    # h11 takes ten times as long for a response as nginx does: it is never idle, and handles all ten in every turn.
    with Nginx() as nginx:
        process = run_cli("-j", "--engine", "h11", "-d", "1", "-c", "10", nginx.url())
    result = result_of(process)
    assert process.returncode == 0, "suspect is no failure"
    assert result.validity.verdict == "suspect"
    assert result.client.saturated
    delay = next(reason for reason in of_cannon(result) if "own delay" in reason)
    assert "try fewer connections, e.g. -c 5" in delay
    assert process.stderr.startswith("cannon: suspect: ")
    assert process.stderr.count("\n") == len(result.validity.reasons)


def test_a_server_that_takes_its_time_leaves_cannon_idle_and_its_figures_alone(rude: Rude) -> None:
    process = run_cli("-j", "-d", "1", "-c", "2", rude.url("/slow/20"))
    result = result_of(process)
    assert process.returncode == 0
    assert of_cannon(result) == []
    assert not result.client.saturated
    assert result.client.busy is not None
    assert result.client.busy < 0.5
    # A line on stderr only where others took the machine away.
    assert (process.stderr == "") == (result.validity.verdict == "valid")
