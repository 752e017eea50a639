"""A plan in a file: every setting in its unit, no secret."""

from __future__ import annotations

import pytest

from cannon.pace import Arrivals, Pace, Scope
from cannon.plan import Engine, Limits, Plan, Stop, Timestamps, Warmup
from cannon.profile import Constant, Profile, Ramp, Steps
from cannon.route import Proxy, ProxyKind, Route
from cannon.sequence import FilePiece, Step, Streamed
from cannon.settings import LimitSettings, PaceSettings, PlanSettings, RouteSettings, TlsSettings
from cannon.target import Target
from cannon.tls import Sessions, Tls

TARGET = Target.parse("http://user:canary@127.0.0.1:4000/?token=canary")


def test_durations_are_in_seconds_and_secrets_are_gone() -> None:
    plan = Plan(
        targets=(TARGET,),
        headers=(("Authorization", "Bearer canary"), ("Accept", "text/html")),
        body=b"canary",
        stop=Stop(duration_ns=1_500_000_000),
        warmup=Warmup(Stop(duration_ns=500_000_000), connections=2),
        timeout_ns=1_000_000_000,
    )
    shown = PlanSettings.of(plan)
    assert "canary" not in repr(shown)
    assert (shown.duration_s, shown.amount, shown.warmup_s, shown.warmup_connections) == (1.5, None, 0.5, 2)
    assert (shown.timeout_s, shown.drain_s, shown.sample_s, shown.body_bytes) == (1.0, 1.0, 1.0, 6)
    assert ("Accept", "text/html") in shown.headers


def test_an_amount_stands_instead_of_a_duration() -> None:
    shown = PlanSettings.of(Plan(targets=(TARGET,), stop=Stop(amount=100), warmup=Warmup(Stop(amount=20))))
    assert (shown.duration_s, shown.amount, shown.warmup_s, shown.warmup_amount) == (None, 100, None, 20)


def test_over_plain_http_there_is_nothing_to_tell_of_tls() -> None:
    assert PlanSettings.of(Plan(targets=(TARGET,), tls=Tls(verify=False))).tls is None


def test_over_https_a_report_tells_that_the_server_was_verified() -> None:
    shown = PlanSettings.of(Plan(targets=(TARGET, Target.parse("https://localhost/"))))
    assert shown.tls == TlsSettings(
        verify=True, server_name=None, ca=[], cert=None, key=False, sessions="resume"
    )


def test_httpx_resumes_no_sessions_whatever_the_plan_says() -> None:
    plan = Plan(targets=(Target.parse("https://localhost/"),), engine=Engine.HTTPX)
    shown = PlanSettings.of(plan).tls
    assert shown is not None
    assert shown.sessions == "fresh"


def test_over_https_a_report_tells_every_setting_but_where_the_key_lies() -> None:
    tls = Tls(
        verify=False,
        server_name="a.example",
        ca=("a.pem", "b.pem"),
        cert="client.pem",
        key="canary.key",
        sessions=Sessions.FRESH,
    )
    shown = PlanSettings.of(Plan(targets=(Target.parse("https://localhost/"),), tls=tls))
    assert shown.tls == TlsSettings(
        verify=False,
        server_name="a.example",
        ca=["a.pem", "b.pem"],
        cert="client.pem",
        key=True,
        sessions="fresh",
    )
    assert "canary" not in repr(shown)


SECOND_NS = 1_000_000_000


def test_in_a_closed_loop_there_is_neither_rate_nor_pace() -> None:
    shown = PlanSettings.of(Plan(targets=(TARGET,)))
    assert (shown.rate, shown.pace) == (None, None)


@pytest.mark.parametrize(
    ("profile", "rate", "name", "per_s", "each_s"),
    [
        (Constant(500), 500.0, "constant", [500.0], None),
        (Ramp(0, 500, 30 * SECOND_NS), None, "ramp", [0.0, 500.0], 30.0),
        (Steps((100, 200, 400), 10 * SECOND_NS), None, "steps", [100.0, 200.0, 400.0], 10.0),
    ],
)
def test_a_rate_is_told_as_one_number_or_by_how_it_changes(
    profile: Profile, rate: float | None, name: str, per_s: list[float], each_s: float | None
) -> None:
    shown = PlanSettings.of(Plan(targets=(TARGET,), pace=Pace(profile, Arrivals.POISSON, 7)))
    assert shown.rate == rate
    assert shown.pace == PaceSettings(
        profile=name, per_s=per_s, each_s=each_s, arrivals="poisson", seed=7, scope="tool"
    )


def test_a_rate_of_each_connection_is_told_as_that_of_all_together() -> None:
    plan = Plan(targets=(TARGET,), connections=4, pace=Pace(Constant(50), scope=Scope.CONNECTION))
    shown = PlanSettings.of(plan)
    assert shown.pace is not None
    assert (shown.rate, shown.pace.per_s, shown.pace.scope) == (200, [50], "connection")


def test_what_limits_a_run_and_how_its_requests_are_made_is_told() -> None:
    plan = Plan(
        targets=(TARGET,),
        pipelining=3,
        limits=Limits(per_connection=9, overall=8, reconnect_after=7, bailout=6),
        ids=True,
        compressed=True,
        expect_body=b"canary",
        excludes_errors=True,
        timestamps=Timestamps.KERNEL,
        sequence=(Step(name="only", target=0, method="GET", path="/"),),
    )
    shown = PlanSettings.of(plan)
    assert shown.limits == LimitSettings(per_connection=9, overall=8, reconnect_after=7, bailout=6)
    assert (shown.pipelining, shown.expect_body_bytes, shown.sequence_steps) == (3, 6, 1)
    assert shown.ids and shown.compressed and shown.excludes_errors
    assert shown.timestamps == "kernel"
    assert "canary" not in repr(shown)


def test_a_body_that_is_streamed_counts_as_long_as_it_is() -> None:
    body = Streamed((b"head", FilePiece("canary.bin", 1_000)))
    shown = PlanSettings.of(Plan(targets=(TARGET,), method="POST", body=body))
    assert shown.body_bytes == 1_004
    assert "canary" not in repr(shown)


@pytest.mark.parametrize(
    ("route", "shown"),
    [
        (Route(), None),
        (
            Route(proxy=Proxy(ProxyKind.SOCKS5, "proxy.example", 1080, "canary:canary"), bind="127.0.0.2"),
            RouteSettings(
                proxy="socks5://proxy.example:1080", socket_path=None, connect_to=None, bind="127.0.0.2"
            ),
        ),
        (
            Route(connect_to=("::1", 8080)),
            RouteSettings(proxy=None, socket_path=None, connect_to="[::1]:8080", bind=None),
        ),
        (
            Route(socket_path="/run/a.sock"),
            RouteSettings(proxy=None, socket_path="/run/a.sock", connect_to=None, bind=None),
        ),
    ],
)
def test_the_way_to_the_server_is_told_without_secrets(route: Route, shown: RouteSettings | None) -> None:
    assert PlanSettings.of(Plan(targets=(TARGET,), route=route)).route == shown
