"""What a run says of the rate it was fired at: that it holds, that it does not, or that cannon was the limit."""

from __future__ import annotations

from typing import Any

import msgspec

from cannon.errors import Fault
from cannon.gate_grammar import parse
from cannon.gates import Verdict
from cannon.result import Result
from cannon.search import trial_of
from tests.results import a_paced_plan, a_paced_tally, a_result, an_empty_tally, latencies_ns

SECOND_NS = 1_000_000_000
GATE = parse("p99 < 50ms")
PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


def a_run(
    count: int = 10_000, *, saturated: bool = False, middle_ns: int = 400_000, **counted: Any
) -> Result:
    """A run of ten seconds at 1,000 a second."""
    tally = a_paced_tally(latencies_ns(count, middle_ns), **counted)
    result = a_result(tally=tally, plan=a_paced_plan())
    return msgspec.structs.replace(result, client=msgspec.structs.replace(result.client, saturated=saturated))


def test_a_run_in_which_the_gate_holds_passes() -> None:
    trial = trial_of(1000, GATE, a_run())
    assert (trial.rate, trial.achieved_per_s, trial.verdict, trial.reason) == (1000, 1000, PASS, "")
    assert trial.value is not None
    assert 2 < trial.value < 3


def test_a_run_in_which_the_gate_fails_says_why() -> None:
    trial = trial_of(1000, GATE, a_run(middle_ns=40_000_000))
    assert (trial.verdict, trial.reason) == (FAIL, "p99 was 228 ms")


def test_a_target_that_was_not_sent_all_that_was_due_did_not_keep_up() -> None:
    trial = trial_of(1000, GATE, a_run(9_800, never_sent=200))
    assert (trial.verdict, trial.reason) == (FAIL, "2 % of what was due was never sent")
    assert trial.achieved_per_s == 980


def test_a_few_that_wait_at_the_last_moment_are_no_failure() -> None:
    assert trial_of(1000, GATE, a_run(9_950, never_sent=50)).verdict is PASS


def test_a_saturated_client_is_the_limit_where_it_did_not_send_all() -> None:
    trial = trial_of(1000, GATE, a_run(9_000, never_sent=1_000, saturated=True))
    assert trial.verdict is INCONCLUSIVE
    assert trial.reason == "10 % of what was due was never sent, and cannon was the limit"


def test_a_saturated_client_is_the_limit_where_the_gate_fails() -> None:
    assert trial_of(1000, GATE, a_run(middle_ns=40_000_000, saturated=True)).verdict is INCONCLUSIVE


def test_a_saturated_client_under_which_the_gate_holds_is_no_matter() -> None:
    assert trial_of(1000, GATE, a_run(saturated=True)).verdict is PASS


def errors(count: int) -> dict[str, Any]:
    return {
        "succeeded": 10_000,
        "sent": 10_000 + count,
        "errors": {Fault.RESET: count},
    }


def test_a_target_that_refuses_what_it_is_asked_did_not_keep_up() -> None:
    trial = trial_of(1000, GATE, a_run(**errors(1_111)))
    assert (trial.verdict, trial.reason) == (FAIL, "10 % of what was sent did not succeed")
    assert trial_of(1000, GATE, a_run(**errors(50))).verdict is PASS


def test_a_gate_on_errors_says_itself_how_many_there_may_be() -> None:
    gate = parse("errors < 20%")
    assert trial_of(1000, gate, a_run(**errors(1_111))).verdict is PASS


def test_an_invalid_run_says_nothing_for_its_target() -> None:
    trial = trial_of(
        1000, parse("errors < 100%"), a_result(plan=a_paced_plan(), problems=["worker 1 was lost"])
    )
    assert (trial.verdict, trial.reason) == (FAIL, "worker 1 was lost")


def test_a_run_without_a_response_fails() -> None:
    assert trial_of(1000, GATE, a_result(tally=an_empty_tally(), plan=a_paced_plan())).verdict is FAIL


def test_a_run_without_a_window_has_achieved_nothing_that_could_be_told() -> None:
    result = a_result(plan=a_paced_plan(), duration_ns=0)
    assert trial_of(1000, GATE, result).achieved_per_s is None
