"""Handshakes: sampled by rounds, whole and resumed, and counted by the servers' own word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from cannon.comparison import Handshake
from cannon.errors import Fault, InvalidRun
from cannon.handshakes import MOST_ROUNDS, Handshakes, handshake_plan
from cannon.plan import Engine, Limits, Plan, Stop, Warmup
from cannon.result import Result
from cannon.rounds import ComparisonPlan, Side, orders
from cannon.rows import Change
from cannon.runner import run
from cannon.tally import Example, Histogram
from cannon.target import Target
from cannon.tls import Sessions, Tls
from tests.comparisons import a_comparison_plan, a_side
from tests.firing import plan_at
from tests.results import a_plan, a_result, a_tally, an_empty_tally
from tests.servers.certificates import Certificates
from tests.servers.real import Nginx, Node, Secure
from tests.servers.rude_tls import RudeTls
from tests.servers.tls_wires import Greeting

pytest_plugins = ("tests.servers.fixtures",)

US = 1000
EACH = 16


class Gun:
    """What fires, and remembers what. `answer` makes the result of each plan."""

    def __init__(self, answer: Callable[[Plan], Result], names: tuple[str, ...]) -> None:
        self._answer = answer
        self.plans: list[Plan] = []
        self.sent = dict.fromkeys(names, 0)

    def run(self, plan: Plan) -> Result:
        """Fire it."""
        self.plans.append(plan)
        return self._answer(plan)

    @property
    def sessions(self) -> list[tuple[str, Sessions]]:
        """Of each run, the scheme and what became of sessions."""
        return [(plan.targets[0].scheme, plan.tls.sessions) for plan in self.plans]


def a_tls_side(name: str = "tls") -> Side:
    return a_side(name, targets=(Target.parse("https://127.0.0.1:9443/"),))


def a_handshake_result(plan: Plan, us: int = 1000, resumes: bool = True, sent: int = EACH) -> Result:
    """A run of a sample: dials of a tenth of `us`, whole handshakes of `us`, resumed ones of half of that."""
    secure = plan.targets[0].scheme == "https"
    resumed = EACH - 1 if secure and resumes and plan.tls.sessions is Sessions.RESUME else 0
    return a_result(
        plan=plan,
        tally=a_tally(
            [50 * US] * sent,
            connect=Histogram.of(*[us * US // 10] * EACH),
            tls=Histogram.of(*[us * US] * (EACH - resumed if secure else 0)),
            tls_resumed=Histogram.of(*[us * US // 2] * resumed),
        ),
    )


def measured(
    answer: Callable[[Plan], Result], rounds: int = 6, sides: tuple[Side, ...] | None = None
) -> tuple[Handshakes, Gun]:
    """All rounds of a plain side and one with TLS, fired."""
    sides = (a_side("plain"), a_tls_side()) if sides is None else sides
    plan = ComparisonPlan(sides=sides, rounds=rounds, seed=4)
    gun = Gun(answer, plan.names)
    handshakes = Handshakes(plan, gun)
    handshakes.measure()
    return handshakes, gun


def ms(change: Change | None) -> tuple[float | None, ...]:
    """An estimate and its ends, without the digits that histograms add."""
    assert change is not None
    return tuple(
        None if value is None else round(value, 2) for value in (change.estimate, change.low, change.high)
    )


def test_without_tls_there_is_nothing_to_tell() -> None:
    plan = a_comparison_plan()
    gun = Gun(a_handshake_result, plan.names)
    handshakes = Handshakes(plan, gun)
    assert not handshakes.wanted
    handshakes.measure()
    assert (gun.plans, handshakes.found(), handshakes.told) == ([], [], [])


def test_a_side_with_tls_has_two_runs_a_round_and_a_plain_one_its_dials() -> None:
    handshakes, gun = measured(a_handshake_result)
    assert handshakes.wanted
    assert Counter(gun.sessions) == {
        ("http", Sessions.FRESH): 6,
        ("https", Sessions.FRESH): 6,
        ("https", Sessions.RESUME): 6,
    }
    plain, tls = handshakes.found()
    assert (plain.side, plain.fresh_ms, plain.resumed_ms) == ("plain", None, None)
    assert ms(plain.connect_ms) == (0.1, 0.1, 0.1)
    assert (tls.side, ms(tls.connect_ms)) == ("tls", (0.1, 0.1, 0.1))
    assert (ms(tls.fresh_ms), ms(tls.resumed_ms)) == ((1.0, 1.0, 1.0), (0.5, 0.5, 0.5))


def test_sides_come_in_drawn_order() -> None:
    _, gun = measured(a_handshake_result, rounds=8)
    schemes = [scheme for scheme, sessions in gun.sessions if sessions is Sessions.FRESH]
    drawn = orders(("plain", "tls"), 8, a_comparison_plan().order, 4, "handshakes")
    assert schemes == [{"plain": "http", "tls": "https"}[name] for order in drawn for name in order]
    assert len(set(drawn)) == 2


def test_the_round_is_the_sample() -> None:
    speeds = {name: iter((1000, 1100, 1200, 1300, 1400, 9000)) for name in Sessions}

    def answer(plan: Plan) -> Result:
        secure = plan.targets[0].scheme == "https"
        return a_handshake_result(plan, next(speeds[plan.tls.sessions]) if secure else 1000)

    fresh = measured(answer)[0].found()[1].fresh_ms
    # The median of the means of every two rounds; the ends that six values have are the least and the most of them.
    assert ms(fresh) == (1.25, 1.0, 9.0)


def test_fewer_rounds_than_six_have_no_interval() -> None:
    handshakes, _ = measured(a_handshake_result, rounds=5)
    assert ms(handshakes.found()[1].fresh_ms) == (1.0, None, None)


def test_no_more_rounds_are_fired_than_it_takes() -> None:
    handshakes, gun = measured(a_handshake_result, rounds=40)
    assert handshakes.rounds == MOST_ROUNDS
    assert len(gun.plans) == 3 * MOST_ROUNDS


def test_a_server_that_resumes_nothing_has_no_figure_for_it() -> None:
    handshakes, _ = measured(lambda plan: a_handshake_result(plan, resumes=False))
    tls = handshakes.found()[1]
    assert tls.resumed_ms is None
    assert ms(tls.fresh_ms) == (1.0, 1.0, 1.0)


def test_whatever_was_sent_is_counted() -> None:
    _, gun = measured(a_handshake_result)
    assert gun.sent == {"plain": 6 * (EACH + 1), "tls": 12 * (EACH + 1)}, (
        "a made-up result has one of a preflight"
    )


def test_a_side_that_fails_is_told_and_asked_no_more_and_the_others_go_on() -> None:
    def answer(plan: Plan) -> Result:
        if plan.targets[0].scheme == "https":
            raise InvalidRun("127.0.0.1:9443 refused the connection")
        return a_handshake_result(plan)

    handshakes, gun = measured(answer)
    assert handshakes.told == [
        "side 'tls': handshakes failed in 3 of 3 rounds: 127.0.0.1:9443 refused the connection"
    ]
    assert [each.side for each in handshakes.found()] == ["plain"]
    assert Counter(scheme for scheme, _ in gun.sessions) == {"http": 6, "https": 3}


def test_a_run_without_handshakes_is_left_out_and_says_why() -> None:
    failing = iter((True, False, False, False, False, False))

    def answer(plan: Plan) -> Result:
        if plan.targets[0].scheme == "https" and plan.tls.sessions is Sessions.FRESH and next(failing):
            examples = {Fault.TLS: Example(at_ns=1, message="the handshake failed: bad record")}
            return a_result(plan=plan, tally=a_tally([1] * 3, examples=examples))
        return a_handshake_result(plan)

    handshakes, gun = measured(answer)
    assert handshakes.told == [
        "side 'tls': handshakes failed in 1 of 6 rounds: the handshake failed: bad record"
    ]
    assert ms(handshakes.found()[1].fresh_ms) == (1.0, None, None), "five rounds are left"
    assert gun.sent["tls"] == 11 * (EACH + 1) + 3 + 1


def test_handshakes_that_hang_are_told_as_such() -> None:
    def answer(plan: Plan) -> Result:
        if plan.targets[0].scheme == "https":
            return a_result(plan=plan, tally=a_tally([], attempted=1, made=0, connecting=1))
        return a_handshake_result(plan)

    handshakes, _ = measured(answer)
    assert handshakes.told == ["side 'tls': handshakes failed in 3 of 3 rounds: none ended within 2 s"]


def test_an_interrupted_run_is_no_sample_and_no_failure() -> None:
    handshakes, gun = measured(lambda plan: a_result(plan=plan, tally=an_empty_tally(), interrupted="SIGINT"))
    assert (handshakes.found(), handshakes.told) == ([], [])
    assert gun.sent == {"plain": 6, "tls": 12}


def test_what_is_fired_is_one_connection_after_the_other_and_nothing_else() -> None:
    plan = a_plan(
        connections=50,
        workers=4,
        pipelining=8,
        warmup=Warmup(Stop(amount=10)),
        engine=Engine.HTTPX,
        tls=Tls(verify=False),
        timeout_ns=10**10,
    )
    fired = handshake_plan(plan, Sessions.FRESH)
    assert (fired.connections, fired.workers, fired.pipelining) == (1, 1, 1)
    assert fired.limits == Limits(reconnect_after=1, overall=EACH, bailout=3)
    assert (fired.warmup, fired.pace, fired.lead_in_ns, fired.preflight) == (None, None, 0, False)
    assert fired.engine is Engine.NATIVE
    assert fired.tls == Tls(verify=False, sessions=Sessions.FRESH)
    assert fired.timeout_ns == fired.stop.duration_ns == 2 * 10**9
    assert (fired.targets, fired.headers) == (plan.targets, plan.headers)


class _Runner:
    """The real thing."""

    def __init__(self, *names: str) -> None:
        self.sent = dict.fromkeys(names, 0)

    def run(self, plan: Plan) -> Result:
        """Fire it."""
        return run(plan)


def really_measured(url: str, certificates: Certificates) -> tuple[Handshakes, int, Handshake | None]:
    """One round of one side, twice: the handshakes, what was sent in all, and what was found of the first."""
    sides = tuple(Side(name, plan_at(url, connections=10, tls=Tls(ca=(certificates.ca,)))) for name in "ab")
    runner = _Runner("a", "b")
    handshakes = Handshakes(ComparisonPlan(sides=sides, rounds=1), runner)
    handshakes.measure()
    found = handshakes.found()
    return handshakes, sum(runner.sent.values()), found[0] if found else None


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_nginx_logs_what_was_whole_what_was_resumed_and_every_request(
    certificates: Certificates, version: str
) -> None:
    with Nginx(secure=Secure(certificates.server, versions=(version,))) as nginx:
        handshakes, sent, found = really_measured(nginx.url(), certificates)
        visits = nginx.visits()
    assert handshakes.told == []
    assert len(visits) == sent == 4 * EACH
    assert Counter(visit.resumed for visit in visits) == {False: 2 * (EACH + 1), True: 2 * (EACH - 1)}
    assert len({visit.connection for visit in visits}) == 4 * EACH
    assert found is not None and found.connect_ms and found.fresh_ms and found.resumed_ms
    assert 0 < found.connect_ms.estimate < found.fresh_ms.estimate
    assert found.resumed_ms.estimate > 0


def test_a_real_server_that_resumes_nothing_is_told_as_it_is(certificates: Certificates) -> None:
    with Nginx(secure=Secure(certificates.server, resumes=False)) as nginx:
        _, sent, found = really_measured(nginx.url(), certificates)
        assert nginx.resumed() == {False: 4 * EACH}
    assert sent == 4 * EACH
    assert found is not None and found.fresh_ms is not None and found.resumed_ms is None


def test_node_counts_the_same(certificates: Certificates) -> None:
    with Node(secure=Secure(certificates.server)) as node:
        _, sent, found = really_measured(node.url(), certificates)
        seen = node.seen()
    assert (seen.requests, seen.secured, seen.resumed) == (sent, 4 * EACH, 2 * (EACH - 1))
    assert found is not None


@pytest.mark.parametrize("greeting", [Greeting.ALERT, Greeting.RESET])
def test_a_server_that_breaks_handshakes_off_is_told_in_its_words(
    certificates: Certificates, greeting: Greeting
) -> None:
    with RudeTls(certificates.server, greeting=greeting) as server:
        handshakes, sent, found = really_measured(server.url(), certificates)
        assert server.untouched
    assert (sent, found) == (0, None)
    assert [line.partition(":")[0] for line in handshakes.told] == ["side 'a'", "side 'b'"]
    assert all("handshakes failed in 1 of 1 rounds: " in line for line in handshakes.told)
