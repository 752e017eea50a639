"""A plan in a file: every setting in its unit, no secret."""

from __future__ import annotations

from cannon.plan import Engine, Plan, Stop, Target, Warmup
from cannon.settings import PlanSettings, TlsSettings
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
