"""The console under each load model: what is timed from when, who could not keep up, and the share of each URL."""

from __future__ import annotations

import msgspec

from cannon.reports.console import render
from cannon.sequence import Step
from cannon.tally import Histogram, StepTally
from cannon.target import Target
from tests.reports.samples import PAGE, RESULTS
from tests.results import a_plan, a_result, a_tally, latencies_ns

UNDER_A_RATE = """\
Stat             2.5%       50%     97.5%       99%      Avg    Stdev      Max
──────────────────────────────────────────────────────────────────────────────
Response       364 µs    435 µs   1.44 ms   2.32 ms   558 µs   651 µs  33.4 ms
Service        334 µs    400 µs   1.40 ms   2.28 ms   523 µs   650 µs  33.4 ms
Late          30.3 µs   35.0 µs   39.8 µs   39.9 µs  35.0 µs  2.89 µs  40.0 µs

Stat               1%      2.5%       50%     97.5%      Avg    Stdev      Min
──────────────────────────────────────────────────────────────────────────────
Req/Sec           833       833     1,000     1,167    1,000      118      833
Bytes/Sec      148 kB    148 kB    178 kB    208 kB   178 kB  21.0 kB   148 kB

rates are of 10 samples, one every 1 s
Response is timed from when a request was due: a stall cannot hide the wait
Late is from due to sent; where cannon itself was late, p99 is 39.9 µs

open loop: 1,000/s asked, 1,000/s achieved
10,000 requests in 10.00 s, 1.8 MB read
"""

NOT_KEPT_UP = """\
open loop: 0..3,000/s over 10 s (poisson) asked (1,500/s on average), 1,000/s
achieved, 5,000 never sent
the target could not keep up: 5,000 of 15,000 requests were never sent;
percentiles are lower bounds
10,000 requests in 10.00 s, 1.8 MB read
"""

TARGETS = """\
Target       Requests       50%       99%      Max  Status
───────────────────────────────────────────────────────────────────────────
/a              5,006    400 µs   2.27 ms  22.1 ms  200: 5,000, 404: 3, ...
/b              4,994    400 µs   2.29 ms  22.1 ms  200
"""


def test_under_a_rate_response_service_and_lateness_stand_apart() -> None:
    assert render(RESULTS["under a rate"], PAGE) == UNDER_A_RATE


def test_with_latency_service_times_stand_beside_response_times_and_who_stamped_them_is_told() -> None:
    text = render(RESULTS["under a rate"], PAGE, latency=True)
    assert "\nPercentile  Response   Service\n" in text
    assert "\nthe kernel stamped the ends of responses: no delay of cannon's is in them\n" in text
    assert "the kernel" not in render(RESULTS["plain"], PAGE, latency=True)


def test_a_target_that_could_not_keep_up_is_told_with_the_lines() -> None:
    assert render(RESULTS["under a rate it could not keep"], PAGE, verbose=False) == NOT_KEPT_UP


def test_each_url_has_its_line() -> None:
    assert TARGETS in render(RESULTS["several URLs"], PAGE)
    assert "Target" not in render(RESULTS["plain"], PAGE)


def test_urls_of_several_servers_are_told_whole() -> None:
    targets = tuple(Target.parse(f"http://{host}:4000/") for host in ("one", "two"))
    lines = render(a_result(plan=a_plan(targets=targets)), PAGE).splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("http")] == [
        ["http://one:4000/", "0"],
        ["http://two:4000/", "0"],
    ]


def test_steps_of_a_sequence_stand_under_their_names() -> None:
    steps = tuple(Step(name=name, target=0, method="GET", path="/") for name in ("log in", "look"))
    tally = a_tally(steps={1: StepTally({200: 30}, Histogram.of(*latencies_ns(30)))})
    text = render(a_result(plan=a_plan(sequence=steps), tally=tally), PAGE)
    assert "\nStep         Requests " in text
    assert "\nlog in              0         -         -        -\n" in text
    assert "\nlook               30   ~392 µs  " in text
    assert "~ fewer than 20 samples" in text


def test_with_pipelining_the_closed_loop_says_how_many_are_in_flight() -> None:
    text = render(a_result(plan=a_plan(pipelining=10)), PAGE)
    assert "\nclosed loop: each connection keeps 10 requests in flight, never more (see -R)\n" in text


def test_what_excluded_errors_leave_out_is_told_with_the_lines() -> None:
    plan = a_plan(excludes_errors=True)
    result = a_result(plan=plan, tally=msgspec.structs.replace(a_tally(), succeeded=9_988))
    assert render(result, PAGE, verbose=False).splitlines()[-2] == (
        "latencies and bytes a second are of the 9,988 successes alone (-x)"
    )
