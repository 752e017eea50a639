"""What stands in for the firing in tests of the command line: nothing is sent, everything asked is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cannon.comparison import Comparison
from cannon.plan import Plan
from cannon.progress import Progress
from cannon.result import Result
from cannon.rounds import ComparisonPlan
from cannon.runner import Interrupt, Run
from cannon.series import SeriesRow
from cannon.standing import Standing
from tests.comparisons import a_comparison
from tests.results import a_result

__all__ = ["FakeCompare", "FakeRun"]


@dataclass
class FakeRun:
    """Called as `cannon.runner.run` is; `during` is done in the middle of the run."""

    result: Result = field(default_factory=a_result)
    during: Callable[[Interrupt | None], None] = lambda interrupt: None
    notes: tuple[str, ...] = ()
    plans: list[Plan] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def __call__(
        self,
        plan: Plan,
        *,
        command: str,
        watch: Callable[[Progress], None],
        rows: Callable[[SeriesRow], None],
        note: Callable[[str], None],
        interrupt: Interrupt | None,
    ) -> Result:
        self.plans.append(plan)
        self.commands.append(command)
        for text in self.notes:
            note(text)
        result = self.answer(plan, interrupt)
        for row in result.series:
            rows(row)
        return result

    def answer(self, plan: Plan, interrupt: Interrupt | None) -> Result:
        """What comes of this plan."""
        self.during(interrupt)
        return self.result

    @property
    def plan(self) -> Plan:
        """The one plan that was fired."""
        (plan,) = self.plans
        return plan


@dataclass
class FakeCompare:
    """Called as `cannon.comparer.compare` is; `during` is done in the middle of the comparison."""

    found: Comparison = field(default_factory=a_comparison)
    during: Callable[[Interrupt | None], None] = lambda interrupt: None
    notes: tuple[str, ...] = ()
    standings: tuple[Standing, ...] = ()
    plans: list[ComparisonPlan] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    fires: list[Run] = field(default_factory=list)

    def __call__(
        self,
        plan: ComparisonPlan,
        *,
        command: str,
        watch: Callable[[Standing], None],
        note: Callable[[str], None],
        interrupt: Interrupt | None,
        fire: Run,
    ) -> Comparison:
        self.plans.append(plan)
        self.commands.append(command)
        self.fires.append(fire)
        for standing in self.standings:
            watch(standing)
        for text in self.notes:
            note(text)
        self.during(interrupt)
        return self.found

    @property
    def plan(self) -> ComparisonPlan:
        """The one plan that was compared."""
        (plan,) = self.plans
        return plan
