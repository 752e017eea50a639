"""Rig: the services of a scenario, started in order, watched, stopped.

Law: nothing of them outlives the block, nor a cannon that is killed (cannon.services). A service is ready when it
listens on all of its ports and, where it says so, a path answers. Where one fails, what all of them have said is kept.
"""

from __future__ import annotations

import http.client
import os
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from cannon.consumption import Consumption
from cannon.errors import InvalidRun, UsageError
from cannon.filling import Filling
from cannon.programs import path_of
from cannon.scenario import Scenario, ServicePlan, configuration_name
from cannon.services import START_LIMIT_S, Service
from cannon.text import clean

__all__ = ["HOST", "Rig", "check_programs"]

HOST = "127.0.0.1"
"""Where services listen, and nowhere else."""

_LOOK_S = 0.02
_LAST_MOMENT_S = 0.2
_ANSWER_LIMIT_S = 2.0
_FAILURE = 400


def check_programs(scenario: Scenario) -> None:
    """UsageError, with the package that brings it, for the first program that is not installed."""
    for service in scenario.services:
        program = service.command[0]
        if path_of(program) is None:
            helps = f"; on Debian: apt-get install {clean(service.package, 60)}" if service.package else ""
            raise UsageError(f"{clean(program)}: not found{helps}")


class Rig:
    """The services of a scenario, filled in. UsageError for a placeholder that nothing fills.

    `configurations`: the texts of their files. `failed`: the service that ended by itself, or did not get ready; with
    `last_words`, lines that may be shown, and `logs`, by service, once they are stopped.
    """

    def __init__(self, scenario: Scenario, filling: Filling) -> None:
        self._folder = Path(filling.values["dir"])
        self._ports = filling.ports
        self._plans = {service.name: service for service in scenario.filled(filling.values).services}
        texts = {
            service.name: scenario.configuration(service, filling.values) for service in scenario.services
        }
        self.configurations = {name: text for name, text in texts.items() if text is not None}
        self._running: dict[str, Service] = {}
        self._clocks: dict[str, Consumption] = {}
        self._spent_ns = dict.fromkeys(self._plans, 0)
        self._read_ns = dict.fromkeys(self._plans, 0)
        self._lost: dict[str, str] = {}
        self.failed: str | None = None
        self.last_words: dict[str, tuple[str, ...]] = {}
        self.logs: dict[str, bytes] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self.close)
            for name in self._plans:
                self.start(name)
            stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        until_s = time.monotonic() + (_LAST_MOMENT_S if isinstance(error, InvalidRun) else 0)
        # What could not be fired at may be about to end: its sockets do so first.
        while self._running and not self.lost() and (left_s := until_s - time.monotonic()) > 0:
            next(iter(self._running.values())).lost_within(min(_LOOK_S, left_s))
        self.close()

    @property
    def processes(self) -> tuple[tuple[str, int], ...]:
        """The first process of each service that runs, by name."""
        return tuple(
            (name, service.pid) for name, service in self._running.items() if service.pid is not None
        )

    def start(self, name: str) -> None:
        """Start a service and wait until it is ready. InvalidRun where it runs already, or does not get ready;
        UsageError where its command cannot be run.
        """
        if name in self._running:
            raise InvalidRun(f"service '{name}' {self.lost().get(name, 'runs already')}")
        plan = self._plans[name]
        self._configure(plan)
        program = path_of(plan.command[0]) or plan.command[0]
        ports = [self._ports[port] for port in plan.ports]
        service = Service([program, *plan.command[1:]], ports[0] if ports else 0, plan.environment)
        try:
            self._running[name] = service.__enter__()
        except UsageError as error:
            raise UsageError(f"service '{name}': {error.message.partition('; e.g. ')[0]}") from None
        try:
            if ports:
                service.wait_for(frozenset(ports), START_LIMIT_S)
            if plan.ready is not None:
                _wait_for_answer(plan, service, ports[0])
        except InvalidRun as failure:
            self.failed = name
            self._lost[name] = service.lost or "did not get ready"
            raise InvalidRun(f"service '{name}': {failure.message}") from None
        if service.pid is not None:
            self._clocks[name] = Consumption([(name, service.pid)])

    def stop(self, name: str) -> None:
        """Stop a service. InvalidRun where it does not run, or has ended by itself."""
        if name not in self._running:
            raise InvalidRun(f"service '{name}' does not run")
        lost = self.lost().get(name)
        self._account(name)
        service = self._running.pop(name)
        service.stop()
        self._keep(name, service)
        if lost is not None:
            raise InvalidRun(f"service '{name}' {lost} before")

    def cpu_s(self) -> dict[str, float]:
        """By service, CPU time from its start on, also of what it was before it was stopped."""
        return {name: (self._spent_ns[name] + self._reading(name)) / 1e9 for name in self._plans}

    def lost(self) -> dict[str, str]:
        """By name, how services have ended by themselves, or not become ready; also once they are stopped."""
        for name, service in self._running.items():
            if name not in self._lost and (lost := service.lost) is not None:
                self._lost[name] = lost
        self.failed = self.failed or next(iter(self._lost), None)
        return dict(self._lost)

    def close(self) -> None:
        """Stop them all, the last first."""
        for name, service in reversed(self._running.items()):
            service.stop()
            self._keep(name, service)
        self._running.clear()

    def _configure(self, plan: ServicePlan) -> None:
        text = self.configurations.get(plan.name)
        if text is None:
            return
        path = self._folder / configuration_name(plan)
        try:
            path.write_text(text, "utf-8")
        except OSError as error:
            why = clean(error.strerror or str(error))
            raise InvalidRun(f"service '{plan.name}': {clean(os.fspath(path))}: {why}") from None

    def _keep(self, name: str, service: Service) -> None:
        self.last_words[name] = service.output
        self.logs[name] = self.logs.get(name, b"") + service.log

    def _account(self, name: str) -> None:
        self._spent_ns[name] += self._reading(name)
        self._clocks.pop(name, None)
        self._read_ns[name] = 0

    def _reading(self, name: str) -> int:
        """Since it was started last; where it is gone, what it was when that was read last."""
        clock = self._clocks.get(name)
        if clock is not None:
            self._read_ns[name] = clock.read().cpu_ns.get(name, self._read_ns[name])
        return self._read_ns[name]


def _wait_for_answer(plan: ServicePlan, service: Service, port: int) -> None:
    """Until a path answers with no failure."""
    until_s = time.monotonic() + START_LIMIT_S
    assert plan.ready is not None
    last = "nothing"
    while (now_s := time.monotonic()) < until_s:
        if (lost := service.lost) is not None:
            service.stop()
            raise InvalidRun(f"it {lost} before {plan.ready} answered")
        connection = http.client.HTTPConnection(HOST, port, timeout=_ANSWER_LIMIT_S)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", plan.ready)
            answer = connection.getresponse()
            if answer.status < _FAILURE:
                connection.close()
                return
            last = f"status {answer.status}"
        connection.close()
        service.lost_within(min(_LOOK_S, until_s - now_s))
    service.stop()
    raise InvalidRun(f"{plan.ready} answers with no success after {START_LIMIT_S:g} s (last: {last})")
