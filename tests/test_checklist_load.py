"""The open loop: when requests are sent, seen from the server, and what becomes of those that cannot be.

Rates are the tool's. What was due was sent or is told as never sent; nothing is added to what was measured. Bounds of
time are wide: the machine is shared, and what is meant to fail here fails by far.
"""

from __future__ import annotations

import itertools
import math
import os
import statistics
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from cannon.errors import Fault
from cannon.pace import Arrivals, Pace, Scope
from cannon.plan import Limits
from cannon.profile import Constant, Ramp, Steps
from cannon.tally import Tally
from tests.firing import conserved, counted, fire_at, result_of, run_cli
from tests.servers.real import Nginx
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

MS = 1_000_000
SECOND_NS = 1_000_000_000


def rate(per_s: float, **settings: Any) -> Pace:
    """An even one of the tool, with changes."""
    return Pace(Constant(per_s), **settings)


def arrivals_ns(server: Rude) -> list[int]:
    """When the server had each request, from the first on."""
    stamps = sorted(request.at_ns for request in server.received)
    return [stamp - stamps[0] for stamp in stamps]


# When.


def test_forty_requests_at_twenty_a_second_take_two_seconds(rude: Rude) -> None:
    result = result_of(run_cli("-j", "-R", "20", "-a", "40", "-c", "10", "--no-preflight", rude.url("/ok")))
    assert (result.requests.sent, result.requests.completed, rude.requests) == (40, 40, 40)
    assert 1.95 <= result.duration_s < 2.5
    assert result.requests.per_s == pytest.approx(20, rel=0.2)


@pytest.mark.parametrize("connections", [1, 2, 3])
def test_a_rate_of_each_connection_is_as_many_times_the_rate(rude: Rude, connections: int) -> None:
    pace = rate(20, scope=Scope.CONNECTION)
    tally = fire_at(rude.url("/ok"), amount=10 * connections, connections=connections, pace=pace)
    assert tally.completed == 10 * connections
    assert 450 * MS <= tally.row.window_ns < 900 * MS
    assert set(Counter(request.connection for request in rude.received).values()) == {10}
    between = statistics.median(later - one for one, later in itertools.pairwise(arrivals_ns(rude)))
    assert between == pytest.approx(50 * MS / connections, rel=0.5), "they do not fire at the same moment"


def test_a_rate_lower_than_the_number_of_connections_is_kept(rude: Rude) -> None:
    tally = fire_at(rude.url("/ok"), amount=50, connections=50, pace=rate(100))
    assert (tally.sent, tally.made) == (50, 50)
    assert 490 * MS <= tally.row.window_ns < 900 * MS
    assert counted(rude, tally)


@pytest.mark.parametrize(("per_s", "amount", "connections"), [(0.5, 1, 1), (2, 2, 1), (4_000, 2_000, 20)])
def test_a_rate_is_kept_at_the_low_end_and_at_the_high(
    rude: Rude, per_s: float, amount: int, connections: int
) -> None:
    tally = fire_at(rude.url("/ok"), amount=amount, connections=connections, pace=rate(per_s))
    assert (tally.sent, tally.completed) == (amount, amount)
    last_ns = (amount - 1) / per_s * SECOND_NS
    assert last_ns <= tally.row.window_ns < last_ns + 600 * MS


def test_the_rate_over_two_workers_is_that_of_the_tool(rude: Rude) -> None:
    options = ("-w", "2", "-c", "4", "-R", "100", "-a", "80", "--no-preflight")
    result = result_of(run_cli("-j", *options, rude.url("/ok")))
    assert (result.requests.sent, rude.requests) == (80, 80)
    assert [worker.sent for worker in result.workers] == [40, 40]
    # 79 distances of 10 ms. Twice the rate would take 0.4 s.
    assert 700 * MS < arrivals_ns(rude)[-1] < 1_300 * MS


def test_the_rate_of_a_run_for_a_time_is_what_nginx_has_in_its_log() -> None:
    with Nginx() as nginx:
        options = ("-w", "2", "-c", "3", "-R", "200", "-d", "500ms", "--no-preflight")
        result = result_of(run_cli("-j", *options, nginx.url()))
        assert nginx.count() == result.requests.sent
    requests = result.requests
    assert requests.due == requests.sent + requests.never_sent == 100
    assert requests.sent > 50


def test_requests_are_not_sent_in_bursts_at_the_second(rude: Rude) -> None:
    fire_at(rude.url("/ok"), duration_s=1.3, connections=4, pace=rate(100))
    slots = Counter(stamp // (100 * MS) for stamp in arrivals_ns(rude))
    # Even: 10 in each. In bursts: 100 in the first of each second.
    assert len(slots) >= 10
    assert max(slots.values()) <= 40


@pytest.mark.parametrize(
    "pace",
    [
        rate(200),
        rate(200, arrivals=Arrivals.POISSON, seed=7),
        Pace(Ramp(0, 400, SECOND_NS // 2)),
        Pace(Steps((100, 400), SECOND_NS // 5)),
    ],
    ids=["even", "poisson", "ramp", "steps"],
)
def test_requests_come_to_the_server_when_they_are_due(rude: Rude, pace: Pace) -> None:
    tally = fire_at(rude.url("/ok"), amount=80, connections=8, pace=pace)
    assert tally.completed == 80
    dues = list(itertools.islice(pace.due_ns(), 80))
    came = arrivals_ns(rude)
    off = [abs((stamp - came[0]) - (due - dues[0])) for stamp, due in zip(came, dues, strict=True)]
    # Of half of them: a machine that is taken away holds up some. Without the pace they all come at once.
    assert statistics.median(off) < 20 * MS


# What becomes of what is due.


def dues(pace: Pace, connections: int, duration_ns: int) -> int:
    """How many are due in a time."""
    if pace.scope is Scope.TOOL:
        walks = [pace.due_ns()]
    else:
        walks = [pace.connection_due_ns(index, connections) for index in range(connections)]
    return sum(1 for walk in walks for _ in itertools.takewhile(lambda due: due < duration_ns, walk))


@pytest.mark.parametrize(
    "pace",
    [
        rate(150),
        rate(333.3, arrivals=Arrivals.POISSON, seed=3),
        rate(90, scope=Scope.CONNECTION),
        Pace(Ramp(0, 600, SECOND_NS // 5)),
        Pace(Steps((100, 0, 400), SECOND_NS // 20)),
    ],
    ids=["even", "poisson", "of each connection", "ramp", "steps"],
)
@pytest.mark.parametrize("path", ["/ok", "/slow/30", "/stall", "/close"])
@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_due_was_sent_or_is_told_as_never_sent(
    rude: Rude, pace: Pace, path: str, workers: int
) -> None:
    tally = fire_at(
        rude.url(path),
        duration_s=0.15,
        connections=3,
        workers=workers,
        pace=pace,
        timeout_s=0.1,
        drain_s=0.1,
    )
    assert tally.sent + tally.never_sent == dues(pace, 3, 150 * MS)
    assert tally.late.count == tally.sent
    assert tally.response.count == tally.completed + tally.errors.get(Fault.TIMEOUT, 0)
    assert counted(rude, tally)


def test_of_what_is_due_nothing_is_forgotten_when_no_server_is_there() -> None:
    with Rude() as gone:
        url = gone.url("/ok")
    # Longer than twice the timeout, after which an amount would be given up.
    tally = fire_at(url, duration_s=0.4, timeout_s=0.1, sample_ns=20 * MS, connections=2, pace=rate(100))
    assert (tally.sent, tally.never_sent) == (0, 40)


def test_in_a_closed_loop_nothing_is_due_though_no_server_is_there() -> None:
    with Rude() as gone:
        url = gone.url("/ok")
    tally = fire_at(url, duration_s=0.4, timeout_s=0.1, sample_ns=20 * MS, limits=Limits(overall=7))
    assert (tally.sent, tally.never_sent) == (0, 0)


def test_a_server_that_cannot_keep_up_is_told_in_a_line_and_the_run_is_no_failure(rude: Rude) -> None:
    options = ("-R", "200", "-c", "2", "-d", "300ms", "--no-preflight")
    process = run_cli(*options, rude.url("/slow/40"))
    assert process.returncode == 0
    assert "never sent" in process.stdout + process.stderr


def test_no_sample_is_invented_for_a_server_that_is_overloaded(rude: Rude) -> None:
    tally = fire_at(rude.url("/slow/50"), duration_s=0.4, connections=1, pace=rate(100))
    assert 4 <= tally.completed == tally.response.count == tally.service.count <= 9
    response, service = tally.response.max_ns, tally.service.percentile_ns(50)
    assert response is not None and service is not None
    # The last one sent was due long before; none of them took as long to be answered.
    assert service < 150 * MS < 200 * MS < response


def test_no_sample_is_invented_for_a_server_that_keeps_up_but_takes_its_time(rude: Rude) -> None:
    tally = fire_at(rude.url("/slow/40"), amount=10, connections=2, pace=rate(20))
    assert tally.response.count == 10
    assert tally.response.min_ns is not None and tally.response.min_ns >= 39 * MS
    assert tally.never_sent == 0


def test_a_timeout_counts_from_when_its_request_was_due(rude: Rude) -> None:
    tally = fire_at(rude.url("/stall"), duration_s=0.3, timeout_s=0.1, pace=rate(100))
    timeouts = tally.errors[Fault.TIMEOUT]
    assert tally.response.count == timeouts >= 2
    assert tally.response.max_ns is not None and tally.response.max_ns >= 180 * MS
    assert tally.service.max_ns is not None and tally.service.max_ns < 101 * MS


def test_one_connection_that_is_stuck_holds_up_no_other(rude: Rude) -> None:
    tally = fire_at(
        rude.url("/stall"),
        rude.url("/ok"),
        duration_s=0.3,
        drain_s=0.05,
        connections=2,
        pace=rate(100),
    )
    assert tally.sent + tally.never_sent == 30
    assert (tally.in_flight, tally.completed) == (1, tally.sent - 1)
    assert tally.sent >= 20


@pytest.mark.parametrize("reconnect_after", [1, 3])
def test_connections_are_made_anew_under_a_rate_as_well(rude: Rude, reconnect_after: int) -> None:
    limits = Limits(reconnect_after=reconnect_after)
    tally = fire_at(rude.url("/ok"), amount=12, pace=rate(200), limits=limits)
    assert (tally.completed, tally.made, rude.accepted) == (12, 12 // reconnect_after, 12 // reconnect_after)
    assert counted(rude, tally)


@pytest.mark.parametrize(("limits", "sent"), [(Limits(per_connection=4), 8), (Limits(overall=5), 5)])
def test_limits_hold_under_a_rate_as_well(rude: Rude, limits: Limits, sent: int) -> None:
    tally = fire_at(rude.url("/ok"), duration_s=5, connections=2, pace=rate(200), limits=limits)
    assert (tally.sent, tally.completed) == (sent, sent)
    assert tally.row.window_ns < SECOND_NS


# The end from outside.


def interrupted(server: Rude, enough: Callable[[Rude], bool], **settings: Any) -> Tally:
    """The sum of a run that is told to stop once the server has had enough."""
    reading, writing = os.pipe()

    def stop() -> None:
        server.wait_for(enough)
        os.write(writing, b".")

    thread = threading.Thread(target=stop)
    thread.start()
    try:
        return fire_at(server.url("/slow/30"), control=reading, **settings)
    finally:
        thread.join()
        os.close(writing)
        os.close(reading)


@pytest.mark.parametrize("stop", [{"duration_s": 30}, {"amount": 3_000}], ids=["time", "amount"])
def test_of_a_run_that_is_interrupted_only_what_was_due_by_then_was_never_sent(
    rude: Rude, stop: dict[str, Any]
) -> None:
    tally = interrupted(rude, lambda seen: seen.requests >= 6, pace=rate(100), **stop)
    assert 6 <= tally.sent < 100
    assert tally.never_sent > 0, "the server is too slow for it"
    assert tally.sent + tally.never_sent == math.ceil(tally.row.window_ns * 100 / SECOND_NS)
    assert (conserved(tally), tally.in_flight) == (True, 0)
