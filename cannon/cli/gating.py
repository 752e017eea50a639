"""What has to hold: gates and their baselines, read before anything is sent, judged after.

Law: a gate or a baseline that cannot be read is refused before anything is sent, with the place where it stands: the
command line, the file of a scenario, the project's pyproject.toml. A baseline of another set-up is InvalidRun then,
since nothing that is measured could be set against it. Gates of the command line stand instead of the project's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannon.cli.session import say
from cannon.errors import InvalidRun, UsageError
from cannon.text import clean

if TYPE_CHECKING:
    from cannon.cli.options import Options
    from cannon.comparison import Comparison
    from cannon.gate_grammar import Known
    from cannon.gates import Gate
    from cannon.host import Host
    from cannon.project import Project
    from cannon.result import Result
    from cannon.rounds import ComparisonPlan
    from cannon.settings import PlanSettings

__all__ = [
    "INCONCLUSIVE",
    "Gating",
    "comparison_gating",
    "of_project",
    "refuse",
    "run_gating",
    "saved_gating",
]

INCONCLUSIVE = 5
"""The exit code of --inconclusive fail."""

_WARN = "warn"
_FAIL = "fail"
_GATE = "--gate"
_BASELINE = "--baseline"
_EXAMPLE = "--gate 'p99 < 200ms'"
_AGAINST_BASE = "--gate 'p99 < base + 10%'"
_LONGEST = 120
_REFERRED = re.compile(r"[@<>=]\s*([A-Za-z_][A-Za-z0-9_]*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Gating:
    """Gates, and the baselines of the same kind as what they judge. `strict`: an open verdict costs the exit code;
    `notes`: what must be known of them, a line each, for the user.
    """

    gates: tuple[Gate, ...] = ()
    results: tuple[Result, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    strict: bool = False
    notes: tuple[str, ...] = ()

    def judged(self, result: Result) -> Result:
        """The result with its verdicts."""
        import msgspec

        from cannon.judging import judge_run

        if not self.gates:
            return result
        gates = [judge_run(gate, result, self.results) for gate in self.gates]
        return msgspec.structs.replace(result, gates=gates)

    def judged_comparison(self, comparison: Comparison) -> Comparison:
        """The comparison with its verdicts."""
        import msgspec

        from cannon.judging import judge_comparison

        if not self.gates:
            return comparison
        gates = [judge_comparison(gate, comparison, self.comparisons) for gate in self.gates]
        return msgspec.structs.replace(comparison, gates=gates)

    def exit_code(self, measured: Result | Comparison) -> int:
        """That of what was measured; an open verdict comes after all else."""
        from cannon.gates import Verdict

        is_open = any(gate.verdict == Verdict.INCONCLUSIVE for gate in measured.gates)
        return measured.exit_code or (INCONCLUSIVE if self.strict and is_open else 0)


def run_gating(
    options: Options, plan: PlanSettings, places: Sequence[str] = (), project: Project | None = None
) -> Gating:
    """The gates of a run. `places`: where the first of the options' gates stand, if not on the command line; `project`:
    whose gates hold if the options have none.

    UsageError, InvalidRun: nothing was sent.
    """
    from cannon.host import this_host

    asked = _Asked.of(options, places, project)
    return _of_run(asked, plan, this_host()) if asked.gates else Gating()


def comparison_gating(
    options: Options,
    plan: ComparisonPlan,
    services: Sequence[str] = (),
    places: Sequence[str] = (),
    project: Project | None = None,
) -> Gating:
    """The gates of a comparison; `services`: processes whose CPU is measured besides. The rest as of `run_gating`."""
    from cannon.host import this_host

    asked = _Asked.of(options, places, project)
    processes = (*(name for name, _ in plan.processes), *services)
    return _of_comparison(asked, plan, plan.names, processes, this_host()) if asked.gates else Gating()


def saved_gating(options: Options, saved: Result | Comparison, project: Project | None = None) -> Gating:
    """The gates of what was measured before, of one at least. UsageError, InvalidRun: nothing was judged."""
    from cannon.result import Result
    from cannon.slots import OWN

    asked = _Asked.of(options, (), project)
    if not asked.gates:
        raise UsageError(f"there is no gate to judge by; add one, e.g. {_EXAMPLE}")
    if isinstance(saved, Result):
        gating = _of_run(asked, saved.plan, saved.host)
    else:
        names = [side.name for side in saved.sides]
        measured = {name for found in saved.rounds for slot in found.slots.values() for name in slot.cpu_us}
        gating = _of_comparison(asked, saved, names, sorted(measured - {OWN}), saved.host)
    if not gating.gates:
        raise UsageError(f"there is no gate of a run to judge by; add one, e.g. {_EXAMPLE}")
    return gating


def of_project(options: Options) -> Project | None:
    """The project whose gates hold for a command with these options: none where they have gates of their own."""
    from cannon.project import read

    return None if options.gates else read(say)


def refuse(options: Options, reason: str) -> None:
    """Raise UsageError for any option of gates; `reason` follows its name."""
    for name, given in (
        (_GATE, options.gates),
        (_BASELINE, options.baselines),
        ("--baseline-mismatch", options.baseline_mismatch),
        ("--inconclusive", options.inconclusive),
        ("--abort-on-fail", options.abort_on_fail_ns),
    ):
        if given:
            raise UsageError(f"{name} {reason}")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What has to hold, before any of it is read: each gate with what opens a message about it, then what does so for
    baselines, and their files. `of_project`: it stands in pyproject.toml.
    """

    gates: tuple[tuple[str, str], ...] = ()
    baseline_place: str = _BASELINE
    baselines: tuple[str, ...] = ()
    tolerant: bool = False
    strict: bool = False
    of_project: bool = False

    @classmethod
    def of(cls, options: Options, places: Sequence[str], project: Project | None) -> _Asked:
        """UsageError for options of gates where there is none."""
        if options.gates:
            where = [*places, *[_GATE] * (len(options.gates) - len(places))]
            return cls(
                tuple(zip(where, options.gates, strict=True)),
                baselines=options.baselines,
                tolerant=options.baseline_mismatch == _WARN,
                strict=options.inconclusive == _FAIL,
            )
        if project is None or not project.gates:
            refuse(options, f"is of gates, and there is none; add one, e.g. {_EXAMPLE}")
            return cls()
        return cls._of_project(options, project)

    @classmethod
    def _of_project(cls, options: Options, project: Project) -> _Asked:
        """What an option says goes before what the project says."""
        from cannon.project import place

        return cls(
            tuple((place("gates", number), text) for number, text in enumerate(project.gates)),
            _BASELINE if options.baselines else place("baselines"),
            options.baselines or project.baselines,
            (options.baseline_mismatch or project.baseline_mismatch) == _WARN,
            (options.inconclusive or project.inconclusive) == _FAIL,
            of_project=True,
        )


def _of_run(asked: _Asked, plan: PlanSettings, host: Host) -> Gating:
    from cannon.baselines import differences, read_results
    from cannon.gate_grammar import Known

    notes: list[str] = []
    gates, paths = _parsed(asked, Known(baseline=bool(asked.baselines)), notes)
    results = read_results(paths, asked.baseline_place)
    notes += _apart(asked, paths, [differences(plan, host, each) for each in results])
    notes += _remarks(asked, gates, paths, results, host)
    return Gating(gates, results=tuple(results), strict=asked.strict, notes=tuple(notes))


def _of_comparison(
    asked: _Asked,
    compared: ComparisonPlan | Comparison,
    sides: Sequence[str],
    processes: Sequence[str],
    host: Host,
) -> Gating:
    from cannon.baselines import comparison_differences, read_comparisons
    from cannon.gate_grammar import Known

    notes: list[str] = []
    gates, paths = _parsed(asked, Known(tuple(sides), tuple(processes), bool(asked.baselines)), notes)
    comparisons = read_comparisons(paths, asked.baseline_place)
    notes += _apart(asked, paths, [comparison_differences(compared, host, each) for each in comparisons])
    notes += _remarks(asked, gates, paths, comparisons, host)
    return Gating(gates, comparisons=tuple(comparisons), strict=asked.strict, notes=tuple(notes))


def _parsed(asked: _Asked, known: Known, notes: list[str]) -> tuple[tuple[Gate, ...], Sequence[str]]:
    """The gates, and the baselines that are to be read: none where no gate is set against them."""
    from cannon.gate_grammar import parse
    from cannon.gates import BASE, Reference

    gates: list[Gate] = []
    for where, text in asked.gates:
        try:
            gates.append(parse(text, known))
        except UsageError as error:
            if not (asked.of_project and not known.sides and _is_of_sides(text)):
                raise UsageError(f"{where}: {error.message}") from None
            # A project has one file for its runs and its comparisons.
            shown = clean(text, _LONGEST)
            notes.append(f"{where}: '{shown}' is of a comparison, and this is one run; it is not judged")
    if any(isinstance(gate.bound, Reference) and gate.bound.name == BASE for gate in gates):
        return tuple(gates), asked.baselines
    if asked.baselines and asked.baseline_place == _BASELINE:
        raise UsageError(
            f"{_BASELINE} is what 'base' in a gate stands for, and none names it; e.g. {_AGAINST_BASE}"
        )
    if asked.baselines and gates:
        notes.append(f"{asked.baseline_place}: no gate is set against 'base', so they are not looked at")
    return tuple(gates), ()


def _is_of_sides(text: str) -> bool:
    """Whether a line is a gate wherever there are the sides that it names, and it does name one."""
    from cannon.gate_grammar import Known, parse
    from cannon.gates import BASE

    names = tuple(name for name in _REFERRED.findall(text) if name != BASE)
    try:
        # One more, which is the last and so the one that is meant where none is named.
        parse(text, Known((*names, "last"), baseline=True))
    except UsageError:
        return False
    return bool(names)


def _apart(asked: _Asked, paths: Sequence[str], differences: Sequence[Sequence[str]]) -> list[str]:
    """A line for each baseline of another set-up. InvalidRun, unless that was said to be no matter."""
    from cannon.saved import place_of

    told = []
    for path, found in zip(paths, differences, strict=True):
        if not found:
            continue
        told.append(f"{place_of(path, asked.baseline_place)} is of another set-up: {'; '.join(found)}")
        if not asked.tolerant:
            raise InvalidRun(f"{told[0]}; make it anew here, or add --baseline-mismatch warn")
    return told


def _remarks(
    asked: _Asked,
    gates: Sequence[Gate],
    paths: Sequence[str],
    baselines: Sequence[Result] | Sequence[Comparison],
    host: Host,
) -> list[str]:
    """What the reader of a verdict must know: whose gates these are, and what the baselines are worth."""
    from cannon.baselines import remarks
    from cannon.prediction import LEAST

    told = remarks(paths, baselines, host, asked.baseline_place)
    if 0 < len(paths) < LEAST:
        had = "1 baseline tells" if len(paths) == 1 else f"{len(paths)} baselines tell"
        told.append(f"{had} nothing of chance between runs, and {LEAST} do: give {LEAST - len(paths)} more")
    if asked.of_project and gates:
        from cannon.project import NAME

        told.append(f"gates of {NAME}: {', '.join(gate.expression for gate in gates)}")
    return told
