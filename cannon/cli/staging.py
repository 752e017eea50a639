"""Runs a scenario: its services started, the comparison or the run fired at them, what came of it told.

Law: whatever can be known before is refused before anything is started. However it ends, nothing is left running; where
something failed, the folder is left, with what each service has said.
"""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from types import FrameType
from typing import TYPE_CHECKING

from cannon.cli.compare import weigh
from cannon.cli.fire import shoot
from cannon.cli.gating import comparison_gating, run_gating
from cannon.cli.options import Options
from cannon.cli.options.compare import CompareOptions
from cannon.cli.planning import planned
from cannon.cli.running import INVALID, check
from cannon.cli.scenario_words import gate_places, read_words, words_of
from cannon.cli.session import Session, say, tell
from cannon.cli.sides import compared
from cannon.errors import UsageError
from cannon.scenario import Kind, Scenario
from cannon.settings import PlanSettings
from cannon.text import clean

if TYPE_CHECKING:
    from cannon.plan import Stop
    from cannon.rig import Rig
    from cannon.staged import Staged

__all__ = ["stage"]

_OPEN = 0o755
_SIGNALLED = 128
"""What shells add to the number of the signal that ended a program."""


def stage(session: Session, scenario: Scenario, words: Sequence[str], keep: str | None) -> int:
    """Run a scenario with these words after its own; returns the exit code.

    UsageError: nothing was started. InvalidRun: nothing could be measured; what the services said has been told.
    SystemExit: a signal came while nothing was measured.
    """
    with _leaving():
        return _stage(session, scenario, words, keep)


@contextmanager
def _leaving() -> Iterator[None]:
    """SIGTERM and SIGHUP leave no folder behind. While something is measured its own handlers stand instead."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(_SIGNALLED + number)

    with ExitStack() as after:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                # One that is ignored, as under nohup, stays so.
                if signal.getsignal(number) is signal.SIG_DFL:
                    after.callback(signal.signal, number, signal.signal(number, leave))
        yield


def _stage(session: Session, scenario: Scenario, words: Sequence[str], keep: str | None) -> int:
    from cannon import certificate
    from cannon.filling import filling_of
    from cannon.rig import Rig, check_programs
    from cannon.staged import Staged

    folder = _folder(keep)
    rig, has_fired = None, False
    try:
        filling = filling_of(scenario, folder)
        filled = scenario.filled(filling.values)
        check_programs(filled)
        rig = Rig(scenario, filling)
        if scenario.needs_certificate:
            certificate.make(folder)
        fire = _AIM[scenario.kind](session, filled, words)
        with rig:
            for service in filled.services:
                if service.page is not None:
                    say(f"{service.name}'s own page, while it runs: {service.page}")
            has_fired = True
            code = fire(Staged(filled, rig, say))
    finally:
        if rig is not None:
            _tell(rig, folder, is_kept=keep is not None)
            for name, how in rig.lost().items() if has_fired else ():
                say(f"service '{name}' {how} before the end")
        if keep is None and (rig is None or rig.failed is None):
            rmtree(folder, ignore_errors=True)
    return code or INVALID if rig.lost() else code


Fire = Callable[["Staged"], int]
"""Fires what was planned while the services run; returns the exit code."""


def _aim_comparison(session: Session, scenario: Scenario, words: Sequence[str]) -> Fire:
    """UsageError for whatever could not be compared."""
    own, sides = words_of(scenario)
    given = read_words(scenario.kind, [*own, *sides, *words])
    options = Options.of(given)
    plan = compared(options, CompareOptions.of(given), _plain(given, "words", sides))
    _check_finding(scenario, plan.plan.names)
    services = {service.name for service in scenario.services}
    for name, number in plan.plan.processes:
        if name in services:
            raise UsageError(
                f"--pid {name}={number}: the CPU of the service '{name}' is told anyway; leave it out"
            )
    gating = comparison_gating(options, plan.plan, sorted(services), gate_places(scenario))
    return lambda staged: weigh(
        replace(session, weigh=staged.compare(session.compare)), plan, options, gating
    )


def _aim_run(session: Session, scenario: Scenario, words: Sequence[str]) -> Fire:
    """UsageError for whatever could not be fired."""
    own, urls = words_of(scenario)
    given = read_words(scenario.kind, [*own, *urls, *words])
    options = Options.of(given)
    options = replace(options, format=options.format or session.format)
    if options.find_rate is not None or options.forever:
        raise UsageError("a scenario is one run; leave --find-rate and -f out")
    plan = planned(options, _plain(given, "urls", urls))
    check(plan.plan, options)
    _check_events(scenario, plan.plan.stop)
    _check_finding(scenario, ())
    gating = run_gating(options, PlanSettings.of(plan.plan), gate_places(scenario))
    return lambda staged: shoot(replace(session, fire=staged.run(session.run)), plan, options, gating)


_AIM = {Kind.COMPARE: _aim_comparison, Kind.RUN: _aim_run}


def _check_finding(scenario: Scenario, sides: Sequence[str]) -> None:
    """UsageError for a finding that could not be told."""
    from cannon.finding import check_finding

    services = [service.name for service in scenario.services]
    check_finding(scenario.finding, scenario.kind, sides, services, f"{scenario.file}: finding")


def _check_events(scenario: Scenario, stop: Stop) -> None:
    """UsageError for one that the run never comes to."""
    if scenario.events and stop.amount is not None:
        raise UsageError("a scenario with events is fired for a time; give -d instead of -a")
    duration_s = stop.duration_ns / 1e9
    for number, event in enumerate(scenario.events):
        if event.at_s(duration_s) >= duration_s:
            raise UsageError(
                f"{scenario.file}: event[{number}].at: the run of {duration_s:g} s is over by {event.at};"
                " give an earlier time, or a longer -d"
            )


def _plain(given: dict[str, object], name: str, own: Sequence[str]) -> tuple[str, ...]:
    """The words that are no options: those of the scenario. UsageError for one of the user's."""
    found = given[name]
    assert isinstance(found, tuple)
    for word in found:
        if word not in own:
            raise UsageError(
                f"'{clean(str(word), 60)}' is no option, and a scenario has its own URLs; e.g."
                " cannon scenario run haproxy-reverse-proxy -d 3"
            )
    return found


def _folder(keep: str | None) -> Path:
    """A new folder, or the user's. Servers that run as another user can look into it."""
    if keep is None:
        try:
            path = Path(tempfile.mkdtemp(prefix="cannon-"))
        except OSError as error:
            raise UsageError(
                f"there is no folder for the services: {clean(error.strerror or str(error))}; e.g. --keep services"
            ) from None
        path.chmod(_OPEN)
        return path
    path = Path(keep).absolute()
    try:
        # The rights of a folder that is there already are the user's affair.
        if not path.is_dir():
            path.mkdir(parents=True)
            path.chmod(_OPEN)
    except OSError as error:
        raise UsageError(f"--keep {clean(keep)}: {clean(error.strerror or str(error))}") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise UsageError(f"--keep {clean(keep)}: nothing may be written there; e.g. --keep /tmp/services")
    return path


def _tell(rig: Rig, folder: Path, *, is_kept: bool) -> None:
    """What the services have said: the end of what one said that failed; all of it in the folder, where that stays."""
    for line in rig.last_words.get(rig.failed or "", ()):
        tell(f"  {line}\n")
    if (not is_kept and rig.failed is None) or not rig.logs:
        return
    try:
        for name, log in rig.logs.items():
            (folder / f"{name}.log").write_bytes(log)
    except OSError as error:
        say(f"not all logs are in {os.fspath(folder)}: {clean(error.strerror or str(error))}")
    else:
        say(f"configurations and logs are in {os.fspath(folder)}")
