"""A run without figures, or whose figures do not add up, is invalid; one with doubts is suspect."""

from __future__ import annotations

import pytest
from hypothesis import given

from cannon.doubts import doubts, saturated
from cannon.errors import Fault
from cannon.evidence import Evidence
from cannon.plan import Stop
from cannon.tally import Tally
from cannon.validity import Validity, bailing, judge
from tests.evidence import a_load, evidences, some_evidence
from tests.results import a_failing_tally, a_paced_plan, a_paced_tally, a_plan, a_tally
from tests.strategies import tallies

PLAN = a_plan()
TALLY = a_tally()


def judged(tally: Tally, evidence: Evidence, *problems: str) -> Validity:
    """The verdict on a run in a closed loop that nobody interrupted."""
    return judge(PLAN, tally, evidence, problems=[*problems], ended=False)


@given(evidences)
def test_a_run_with_doubts_is_suspect_and_tells_them_all(evidence: Evidence) -> None:
    validity = judged(TALLY, evidence)
    assert validity.reasons == [str(doubt) for doubt in doubts(evidence)]
    assert validity.verdict == ("suspect" if validity.reasons else "valid")


@given(evidences)
def test_a_saturated_client_is_never_valid(evidence: Evidence) -> None:
    assert not saturated(evidence) or judged(TALLY, evidence).verdict == "suspect"


@pytest.mark.parametrize(
    ("tally", "problems", "said"),
    [
        (Tally(), [], ["no request succeeded"]),
        (a_tally(never_sent=7), [], ["7 requests were never sent: nothing could be reached any more"]),
        (
            a_tally(never_sent=7_000),
            [],
            ["7,000 requests were never sent: nothing could be reached any more"],
        ),
        (a_tally(), ["worker 1 was lost"], ["worker 1 was lost"]),
        (
            a_tally(sent=3),
            [],
            ["cannon lost count: 3 sent, but 10,000 completed, 0 failed and 0 in flight"],
        ),
    ],
)
def test_a_run_without_figures_or_that_does_not_add_up_is_invalid(
    tally: Tally, problems: list[str], said: list[str]
) -> None:
    validity = judged(tally, some_evidence(a_load(1.0)), *problems)
    assert (validity.verdict, validity.reasons) == ("invalid", said)


def test_what_an_amount_lacks_is_no_flaw_of_a_run_that_somebody_ended() -> None:
    plan = a_paced_plan(stop=Stop(amount=20_000))
    tally, evidence = a_paced_tally(never_sent=7), some_evidence(a_load(0.1))
    found = [judge(plan, tally, evidence, problems=[], ended=ended).verdict for ended in (False, True)]
    assert found == ["invalid", "valid"]


def test_errors_that_end_a_run_are_those_of_requests_dials_and_expectations() -> None:
    assert bailing(TALLY) == 0
    assert bailing(a_failing_tally()) == 8 + 3 + 13
    assert bailing(a_tally(errors={Fault.RESET: 1, Fault.ABORTED: 9})) == 1


@given(tallies, tallies)
def test_what_ends_a_run_adds_up_over_workers(one: Tally, other: Tally) -> None:
    assert bailing(one) + bailing(other) == bailing(one + other)
