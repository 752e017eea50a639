"""A lead-in fires on the connections of a run before its window opens: off the clock, and counted."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

import cannon
from cannon.errors import UsageError
from cannon.pace import Pace
from cannon.plan import Engine, Plan, Stop, Warmup
from cannon.profile import Constant
from cannon.slots import Slot
from cannon.target import Target
from tests.firing import conserved, fire_at, plan_at
from tests.servers.real import Nginx
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

MS = 1_000_000


def _plan(**settings: Any) -> Plan:
    return Plan(targets=(Target.parse("http://127.0.0.1:1/"),), **settings)


@pytest.mark.parametrize("engine", [Engine.NATIVE, Engine.H11])
@pytest.mark.parametrize("pace", [None, Pace(Constant(2_000.0))])
def test_the_servers_own_count_is_what_was_sent_in_the_window_and_outside(
    engine: Engine, pace: Pace | None
) -> None:
    with Nginx() as nginx:
        plan = plan_at(nginx.url(), connections=3, lead_in_ns=150 * MS, engine=engine, pace=pace, workers=2)
        result = cannon.run(plan)
        assert nginx.statuses() == {200: result.requests.sent + result.outside.warmup}
    assert result.outside.warmup > 0
    assert result.requests.in_flight == 0
    assert result.connects.made == 3, "the window has the connections of the lead-in"
    assert result.latency_ms.count == result.requests.completed


def test_a_response_has_all_its_bytes_also_where_some_came_before_the_window(rude: Rude) -> None:
    whole = cannon.run(plan_at(rude.url("/drip/1"), duration_s=0.2)).bytes
    plan = plan_at(rude.url("/drip/1"), connections=4, lead_in_ns=130 * MS, duration_s=0.2)
    slot = Slot.of(cannon.run(plan), connections=4)
    assert slot.bytes_per_response == whole.per_response
    assert slot.body_bytes_per_response == whole.body_per_response


def test_at_a_rate_the_lead_in_and_the_window_have_each_their_share_of_what_is_due() -> None:
    with Nginx() as nginx:
        tally = fire_at(nginx.url(), lead_in_ns=100 * MS, duration_s=0.2, pace=Pace(Constant(1_000.0)))
    assert conserved(tally)
    assert tally.sent + tally.led_in + tally.never_sent == 300
    # A third; what a busy machine kept from being sent in time was sent in the window.
    assert 40 <= tally.led_in <= 120


def test_at_a_rate_what_was_sent_before_the_window_is_in_no_figure_though_it_ends_inside(rude: Rude) -> None:
    # Due at 0, 100 and 200 ms; the second is under way when the window opens.
    tally = fire_at(rude.url("/slow/60"), lead_in_ns=130 * MS, duration_s=0.1, pace=Pace(Constant(10.0)))
    assert conserved(tally)
    assert (tally.led_in, tally.led_in_completed, tally.sent, tally.never_sent) == (2, 2, 1, 0)
    assert tally.response.count == tally.succeeded == 1
    assert tally.row.requests == 1, "it ended in the window, and the one that was sent there after it"


def test_a_lead_in_needs_a_window_of_some_duration_and_no_log() -> None:
    with pytest.raises(UsageError, match="lead-in"):
        _plan(lead_in_ns=1, stop=Stop(amount=20))
    with pytest.raises(UsageError, match="--log"):
        _plan(lead_in_ns=1, log="a.csv")
    with pytest.raises(UsageError, match="lead-in"):
        _plan(lead_in_ns=-1)


def test_neither_the_preflight_nor_the_warm_up_has_one() -> None:
    warm = msgspec.structs.replace(_plan(lead_in_ns=5), warmup=Warmup(Stop()))
    warmup = warm.for_warmup()
    assert warmup is not None
    assert (warmup.lead_in_ns, warm.for_preflight().lead_in_ns) == (0, 0)
