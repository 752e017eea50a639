"""The demo: what is shown as a command line is what is done, one part after the other, each with its report."""

from __future__ import annotations

import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from cannon import origin
from cannon.cli import front, main
from cannon.cli.front import Front
from cannon.errors import InvalidRun
from cannon.plan import Plan, Stop
from cannon.rounds import ComparisonPlan, Mode
from cannon.runner import Interrupt
from cannon.target import Target
from cannon.validity import Validity
from tests.cli.fakes import FakeCompare, FakeRun
from tests.comparisons import a_comparison
from tests.results import a_result, an_empty_tally

URL = "http://127.0.0.1:4321"
FRONT_URL = "http://127.0.0.1:8765"


@dataclass
class Fronts:
    """In place of HAProxy: `path` None where it is not installed; what it was put in front of, whether it is there."""

    path: str | None = "/usr/sbin/haproxy"
    failure: str | None = None
    before: list[tuple[str, str]] = field(default_factory=list)
    stands: bool = False

    def program(self) -> str | None:
        """Where it is."""
        return self.path

    @contextmanager
    def fronted(self, path: str, url: str) -> Iterator[Front]:
        """It is only said to be there. Process 1 always is."""
        if self.failure is not None:
            raise InvalidRun(self.failure)
        self.before.append((path, url))
        self.stands = True
        try:
            yield Front(FRONT_URL, 1)
        finally:
            self.stands = False


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the demo runs; its origin is only said to be there."""

    @contextmanager
    def started() -> Iterator[str]:
        yield URL

    monkeypatch.setattr(origin, "started", started)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def fronts(monkeypatch: pytest.MonkeyPatch) -> Fronts:
    """HAProxy, as the demo sees it."""
    found = Fronts()
    monkeypatch.setattr(front, "program", found.program)
    monkeypatch.setattr(front, "fronted", found.fronted)
    return found


def shown(out: str) -> list[list[str]]:
    """The command lines that were shown, without their first word."""
    return [shlex.split(line)[2:] for line in out.splitlines() if line.startswith("$ cannon ")]


def without_seed(plan: ComparisonPlan) -> ComparisonPlan:
    """The same for comparing: its seed is drawn."""
    return msgspec.structs.replace(plan, seed=0)


def test_the_origin_is_fired_at_and_the_report_written(folder: Path) -> None:
    run = FakeRun()
    assert main(["demo"], run=run, weigh=FakeCompare()) == 0
    assert run.plan == Plan(
        targets=(Target.parse(f"{URL}/"),), stop=Stop(duration_ns=5 * 10**9), connections=10
    )
    assert (folder / "reports" / "demo.json").read_bytes() == run.result.to_json()


def test_then_a_text_is_compared_with_itself_compressed_and_the_origin_with_haproxy(
    folder: Path, fronts: Fronts
) -> None:
    weigh = FakeCompare()
    assert main(["demo"], run=FakeRun(), weigh=weigh) == 0
    compression, haproxy = weigh.plans
    assert (compression.mode, compression.names) == (Mode.COMPRESSION, ("identity", "gzip"))
    assert {side.plan.targets[0].url for side in compression.sides} == {f"{URL}/text"}
    assert (haproxy.mode, haproxy.names) == (Mode.NAMED, ("direct", "haproxy"))
    assert [side.plan.targets[0].url for side in haproxy.sides] == [f"{URL}/", f"{FRONT_URL}/"]
    assert haproxy.processes == (("haproxy", 1),)
    assert fronts.before == [("/usr/sbin/haproxy", URL)]
    for name in ("demo-compression.json", "demo-haproxy.json"):
        assert (folder / "reports" / name).read_bytes() == weigh.found.to_json()


def test_haproxy_stands_while_it_is_compared_and_no_longer(fronts: Fronts) -> None:
    stood: list[bool] = []
    weigh = FakeCompare(during=lambda interrupt: stood.append(fronts.stands))
    main(["demo"], run=FakeRun(), weigh=weigh)
    assert stood == [False, True]
    assert not fronts.stands


def test_there_are_intervals_and_it_all_takes_less_than_a_minute() -> None:
    run, weigh = FakeRun(), FakeCompare()
    main(["demo"], run=run, weigh=weigh)
    all_ns = run.plan.stop.duration_ns
    for plan in weigh.plans:
        assert plan.rounds >= 6
        # A round more, which is thrown away, and what a slot takes to start and to end.
        slot_ns = plan.slot_ns + plan.slot_lead_in_ns + 250_000_000
        all_ns += len(plan.passes) * (plan.rounds + 1) * len(plan.sides) * slot_ns
    assert all_ns < 55 * 10**9


def test_the_command_lines_come_first_and_what_to_try_last(capsys: pytest.CaptureFixture[str]) -> None:
    main(["demo"], run=FakeRun(), weigh=FakeCompare())
    out = capsys.readouterr().out
    assert out.startswith(f"$ cannon -d 5 -c 10 -l -o reports/demo.json {URL}/\n")
    assert f"-o reports/demo-compression.json --compression gzip {URL}/text\n" in out
    assert f"-o reports/demo-haproxy.json --pid haproxy=1 direct={URL}/ haproxy={FRONT_URL}/\n" in out
    written, next_steps = out.partition("\nWritten to reports/: ")[2].split("\n\n", 1)
    assert written.splitlines()[0] == "demo.json, demo-compression.json, demo-haproxy.json"
    assert "\n  cannon compare direct=http" in next_steps
    assert all(len(line) <= 80 for line in next_steps.splitlines())
    assert out.endswith("  cannon --help\n")


def test_the_command_lines_shown_fire_and_compare_the_same_plans(capsys: pytest.CaptureFixture[str]) -> None:
    run, weigh = FakeRun(), FakeCompare()
    main(["demo"], run=run, weigh=weigh)
    run_again, weigh_again = FakeRun(), FakeCompare()
    for words in shown(capsys.readouterr().out):
        assert main(words, run=run_again, weigh=weigh_again) == 0
    assert run.plans == run_again.plans
    assert [*map(without_seed, weigh.plans)] == [*map(without_seed, weigh_again.plans)]


def test_without_haproxy_a_line_says_which_package_brings_it(
    folder: Path, fronts: Fronts, capsys: pytest.CaptureFixture[str]
) -> None:
    fronts.path = None
    weigh = FakeCompare()
    assert main(["demo"], run=FakeRun(), weigh=weigh) == 0
    captured = capsys.readouterr()
    assert (
        "cannon: HAProxy is not installed, so nothing is put in front of the origin; apt install haproxy\n"
        in (captured.err)
    )
    assert weigh.plan.mode is Mode.COMPRESSION
    assert "Written to reports/: demo.json, demo-compression.json\n" in captured.out
    assert not (folder / "reports" / "demo-haproxy.json").exists()


def test_a_run_that_failed_ends_the_demo_and_proposes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    weigh = FakeCompare()
    assert main(["demo"], run=FakeRun(result=a_result(tally=an_empty_tally())), weigh=weigh) == 3
    assert weigh.plans == []
    assert "Try next" not in capsys.readouterr().out


def test_a_comparison_that_is_not_valid_ends_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    weigh = FakeCompare(found=a_comparison(validity=Validity("invalid", ["gzip is another page"])))
    assert main(["demo"], run=FakeRun(), weigh=weigh) == 3
    assert len(weigh.plans) == 1
    assert "Try next" not in capsys.readouterr().out


@pytest.mark.parametrize("part", [1, 2])
def test_an_interrupt_ends_it_all_at_once_with_its_exit_code(
    part: int, fronts: Fronts, capsys: pytest.CaptureFixture[str]
) -> None:
    weigh = FakeCompare()

    def during(interrupt: Interrupt | None) -> None:
        if len(weigh.plans) == part:
            assert interrupt is not None
            signal.raise_signal(signal.SIGINT)
            weigh.found = a_comparison(interrupted=interrupt.reason)

    weigh.during = during
    assert main(["demo"], run=FakeRun(), weigh=weigh) == 130
    assert len(weigh.plans) == part
    assert not fronts.stands
    assert "Try next" not in capsys.readouterr().out


def test_an_interrupt_of_the_run_is_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    weigh = FakeCompare()
    assert main(["demo"], run=FakeRun(result=a_result(interrupted="SIGTERM")), weigh=weigh) == 143
    assert weigh.plans == []


def test_haproxy_that_does_not_start_is_told_and_ends_it(
    fronts: Fronts, capsys: pytest.CaptureFixture[str]
) -> None:
    fronts.failure = "the server 'haproxy' ended with exit code 1 before it listened"
    assert main(["demo"], run=FakeRun(), weigh=FakeCompare()) == 3
    assert capsys.readouterr().err.endswith(f"cannon: {fronts.failure}\n")


def test_a_folder_that_cannot_be_made_is_bad_usage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "reports").write_text("a file")
    assert main(["demo"], run=FakeRun(), weigh=FakeCompare()) == 2
    assert capsys.readouterr().err == (
        "cannon: the folder reports cannot be made here: File exists; run cannon demo in a folder of your own\n"
    )
