"""Earlier results as baselines: read, told apart where they are of another set-up, noted where that does not count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from cannon.baselines import (
    comparison_differences,
    differences,
    read_comparisons,
    read_results,
    remarks,
    unknown,
)
from cannon.comparison import CommonRate, Comparison
from cannon.errors import UsageError
from cannon.pace import Arrivals, Pace
from cannon.plan import Plan, Stop
from cannon.profile import Constant
from cannon.result import Result
from cannon.rounds import ComparisonPlan, Mode, Order, Side
from cannon.settings import PlanSettings
from cannon.target import Target
from cannon.validity import Validity
from tests.comparisons import BASE, SIDE, a_comparison, a_comparison_plan, a_side_report
from tests.results import HOST, a_plan, a_result, an_empty_tally

PLAIN = Path(__file__).parent / "data" / "autocannon" / "plain.json"


class Folder:
    """Where results are saved under names."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def save(self, found: Result | Comparison, name: str = "a.json") -> str:
        path = self._path / name
        path.write_bytes(found.to_json())
        return str(path)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def a_run(**changes: Any) -> Result:
    return msgspec.structs.replace(a_result(), **changes)


def elsewhere(**changes: Any) -> Any:
    return msgspec.structs.replace(HOST, **changes)


def test_runs_are_read_in_the_order_in_which_they_are_given(folder: Folder) -> None:
    runs = [a_run(started=f"2026-01-0{day}T00:00:00.000Z") for day in (3, 1, 2)]
    assert read_results([folder.save(run, f"{number}.json") for number, run in enumerate(runs)]) == runs


def test_no_baseline_is_no_error() -> None:
    assert not read_results([])
    assert not read_comparisons([])


def test_each_kind_takes_its_own(folder: Folder) -> None:
    run, comparison = folder.save(a_run(), "r.json"), folder.save(a_comparison(), "c.json")
    with pytest.raises(UsageError, match=r"^--baseline: '.*c.json' holds a comparison, and a run takes runs"):
        read_results([run, comparison])
    with pytest.raises(UsageError, match=r"^pyproject.toml: '.*r.json' holds a run, and a comparison takes"):
        read_comparisons([run], "pyproject.toml")


def test_what_was_not_valid_or_was_cut_is_no_baseline(folder: Folder) -> None:
    with pytest.raises(UsageError, match=r"a.json' is not valid, so nothing .*: no request succeeded$"):
        read_results([folder.save(a_result(tally=an_empty_tally()))])
    with pytest.raises(
        UsageError, match=r"a.json' was interrupted \(SIGINT\); take one that ended by itself"
    ):
        read_results([folder.save(a_run(interrupted="SIGINT"))])
    invalid = a_comparison(validity=Validity("invalid", []))
    with pytest.raises(UsageError, match=r"is not valid, .*: it does not say why$"):
        read_comparisons([folder.save(invalid)])


def test_a_suspect_run_is_one(folder: Folder) -> None:
    suspect = a_run(validity=Validity("suspect", ["cannon was the limit"]))
    assert read_results([folder.save(suspect)]) == [suspect]


def test_a_run_counts_once_whatever_its_file_is_called(folder: Folder) -> None:
    one, copy = folder.save(a_run()), folder.save(a_run(), "copy.json")
    with pytest.raises(UsageError, match=r"copy.json' is the same as '.*a.json', and a baseline counts once"):
        read_results([one, copy])
    with pytest.raises(UsageError, match=r"a.json' is the same as '.*a.json'"):
        read_results([one, one])


def test_the_same_set_up_has_no_differences() -> None:
    assert differences(PlanSettings.of(a_plan()), HOST, a_run()) == []


def test_cpu_cores_and_plan_are_told_apart_the_baseline_first() -> None:
    found = a_run(
        host=elsewhere(cpu="Other CPU", cores=8),
        plan=PlanSettings.of(a_plan(connections=50, title="nightly")),
    )
    assert differences(PlanSettings.of(a_plan()), HOST, found) == [
        "CPU Other CPU, here Test CPU @ 3.00GHz",
        "cores 8, here 4",
        "connections 50, here 10",
    ]


def test_another_name_and_another_kernel_are_noted_alone_and_once_for_all_files() -> None:
    found = a_run(host=elsewhere(hostname="ci-1", kernel="Linux 5.4"))
    assert differences(PlanSettings.of(a_plan()), HOST, found) == []
    assert remarks(["a.json", "b.json", "c.json"], [found, a_run(), found], HOST) == [
        (
            "--baseline: 'a.json' (like 1 more) is from elsewhere, which is only noted: hostname ci-1, here bench;"
            " kernel Linux 5.4, here Linux 6.1.0"
        )
    ]
    assert remarks(["a.json"], [a_run()], HOST, "pyproject.toml") == []


def test_what_autocannon_does_not_tell_is_unknown_and_no_difference() -> None:
    (found,) = read_results([str(PLAIN)])
    plan = a_plan(
        targets=(Target.parse(found.plan.urls[0]),),
        connections=found.plan.connections,
        method="POST",
        workers=1,
    )
    settings = PlanSettings.of(plan)
    assert differences(settings, HOST, found) == []
    assert unknown(found)[:4] == ["CPU", "cores", "method", "headers"]
    (remark,) = remarks(["x.json"], [found], HOST)
    assert remark.startswith(
        "--baseline: 'x.json' is of autocannon, another client, which does not tell CPU, cores, "
    )
    assert remark.endswith("; see that they are the same")
    assert len(remark) < 450, "a line of the console holds it"
    other = msgspec.structs.replace(settings, connections=77)
    assert differences(other, HOST, found) == [f"connections {found.plan.connections}, here 77"]


def test_a_run_of_autocannon_can_be_set_against_one_of_cannon() -> None:
    (found,) = read_results([str(PLAIN)])
    own = a_run(
        plan=msgspec.structs.replace(a_run().plan, urls=found.plan.urls, connections=found.plan.connections)
    )
    assert differences(found.plan, found.host, own) == []


def test_a_run_tells_all_of_its_set_up() -> None:
    assert unknown(a_run()) == unknown(a_comparison()) == []


# Comparisons.


def measured(plan: ComparisonPlan, **changes: Any) -> Comparison:
    """What the file of a comparison of this plan says of it."""
    rate = CommonRate(per_s=plan.rate_per_s or 3_700.0, asked=plan.rate_per_s, reason="as asked")
    fired = [
        msgspec.structs.replace(
            side.plan,
            stop=Stop(duration_ns=plan.slot_ns),
            lead_in_ns=plan.slot_lead_in_ns,
            warmup=None,
            pace=Pace(Constant(rate.per_s), plan.arrivals, plan.seed),
        )
        for side in plan.sides
    ]
    found: dict[str, Any] = {
        "mode": plan.mode.value,
        "plan": PlanSettings.of(fired[0]),
        "sides": [a_side_report(side.name, each) for side, each in zip(plan.sides, fired, strict=True)],
        "rate": rate,
    }
    return a_comparison(**(found | changes))


def sides(**changes: Any) -> tuple[Side, ...]:
    """The usual two; `haproxy=...`: another plan of that side."""
    return tuple(
        Side(name, changes.get(name, Plan(targets=(Target.parse(url),))))
        for name, url in ((BASE, "http://127.0.0.1:8000/"), (SIDE, "http://127.0.0.1:8080/"))
    )


def a_weighing(**changes: Any) -> ComparisonPlan:
    return a_comparison_plan(**({"sides": sides()} | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"seed": 5},
        {"rounds": 20, "duration_ns": 20_000_000_000},
        {"order": Order.ABBA},
        {"margin": 0.2},
        {"precision": 0.03},
        {"sides": sides(haproxy=Plan(targets=(Target.parse("http://127.0.0.1:9999/"),), title="x"))},
    ],
    ids=str,
)
def test_what_does_not_change_what_is_measured_is_no_difference(changes: dict[str, Any]) -> None:
    assert comparison_differences(a_weighing(), HOST, measured(a_weighing(**changes))) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"duration_ns": 20_000_000_000}, ["lead-in 0.4 s, here 0.2 s", "duration 2 s, here 1 s"]),
        ({"mode": Mode.AA}, ["mode aa, here named"]),
        ({"rate_per_s": 500.0}, ["common rate 500/s, here found"]),
        ({"arrivals": Arrivals.POISSON}, ["arrivals poisson, here even"]),
        (
            {"sides": sides(haproxy=Plan(targets=(Target.parse("http://127.0.0.1:8080/a"),)))},
            ["side haproxy: path /a, here /"],
        ),
    ],
    ids=["slots", "mode", "rate", "arrivals", "path"],
)
def test_what_does_is_told(changes: dict[str, Any], told: list[str]) -> None:
    found = comparison_differences(a_weighing(), HOST, measured(a_weighing(**changes)))
    assert sorted(found) == sorted(told)


def test_sides_of_other_names_are_told_and_nothing_else() -> None:
    other = a_comparison_plan("direct", "nginx", sides=(sides()[0], Side("nginx", sides()[1].plan)))
    assert comparison_differences(a_weighing(), HOST, measured(other)) == [
        "sides direct, nginx, here direct, haproxy"
    ]


def test_rates_that_were_found_may_differ_and_those_that_were_asked_for_may_not() -> None:
    found = CommonRate(per_s=100.0, asked=None, reason="50 % of the capacity")
    assert comparison_differences(a_weighing(), HOST, measured(a_weighing(), rate=found)) == []
    asked = a_weighing(rate_per_s=500.0)
    assert comparison_differences(asked, HOST, measured(asked)) == []
    assert comparison_differences(asked, HOST, measured(a_weighing(rate_per_s=600.0))) == [
        "common rate 600/s, here 500/s"
    ]


def test_the_machine_of_a_comparison_is_noted_and_does_not_count() -> None:
    found = measured(a_weighing(), host=elsewhere(cpu="Other CPU", cores=64, hostname="ci-1"))
    assert comparison_differences(a_weighing(), HOST, found) == []
    assert remarks(["c.json"], [found], HOST) == [
        (
            "--baseline: 'c.json' is from elsewhere, which is only noted: CPU Other CPU, here Test CPU @ 3.00GHz; cores"
            " 64, here 4; hostname ci-1, here bench"
        )
    ]


def test_a_comparison_out_of_a_file_is_held_against_another_the_same_way() -> None:
    one = measured(a_weighing())
    assert comparison_differences(one, HOST, measured(a_weighing(seed=99))) == []
    assert comparison_differences(one, HOST, measured(a_weighing(rate_per_s=600.0))) == [
        "common rate 600/s, here found"
    ]
