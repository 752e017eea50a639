"""Which settings make a plan another one, and which do not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cannon.form import multipart
from cannon.pace import Arrivals, Pace
from cannon.plan import Engine, Limits, Plan, Stop, Timestamps, Warmup
from cannon.plan_match import AUTOCANNON, is_partial, places_apart, settings_apart, untold
from cannon.profile import Constant, Ramp
from cannon.route import Proxy, Route
from cannon.settings import PlanSettings
from cannon.target import Target
from cannon.tls import Sessions, Tls
from tests.results import a_plan


def settings(**changes: Any) -> PlanSettings:
    return PlanSettings.of(a_plan(**changes))


def target(url: str) -> tuple[Target, ...]:
    return (Target.parse(url),)


SECURE = target("https://localhost:4000/")

COUNTING: dict[str, tuple[dict[str, Any], str]] = {
    "scheme": ({"targets": SECURE}, "scheme https, here http"),
    "path": ({"targets": target("http://localhost:4000/a")}, "path /a, here /"),
    "query": ({"targets": target("http://localhost:4000/?q=1")}, "path /?q=1, here /"),
    "connections": ({"connections": 50}, "connections 50, here 10"),
    "pipelining": ({"pipelining": 4}, "pipelining 4, here 1"),
    "workers": ({"workers": 2}, "workers 2, here 1"),
    "method": ({"method": "POST"}, "method POST, here GET"),
    "headers": ({"headers": (("X-A", "1"),)}, "headers x-a: 1, here none"),
    "body": ({"method": "GET", "body": b"abc"}, "body 3 B, here 0 B"),
    "ids": ({"ids": True}, "ids yes, here no"),
    "compression": ({"compressed": True}, "compression yes, here no"),
    "rate": ({"pace": Pace(Constant(1000))}, "rate constant 1000/s, even, here none"),
    "duration": ({"stop": Stop(duration_ns=60_000_000_000)}, "duration 60 s, here 10 s"),
    "warm-up": ({"warmup": Warmup(Stop(duration_ns=10**9))}, "warm-up 1 s, here none"),
    "timeout": ({"timeout_ns": 5 * 10**9}, "timeout 5 s, here 10 s"),
    "drain": ({"drain_ns": 10**9}, "drain 1 s, here 2 s"),
    "requests of a connection": (
        {"limits": Limits(per_connection=5)},
        "requests of a connection 5, here none",
    ),
    "requests at most": ({"limits": Limits(overall=50)}, "requests at most 50, here none"),
    "reconnects": ({"limits": Limits(reconnect_after=5)}, "reconnects 5, here none"),
    "bailout": ({"limits": Limits(bailout=5)}, "bailout 5, here none"),
    "engine": ({"engine": Engine.H11}, "engine h11, here native"),
    "timestamps": ({"timestamps": Timestamps.LOOP}, "timestamps loop, here auto"),
    "expected statuses": ({"expect_status": (200, 404)}, "expected statuses 200, 404, here none"),
    "expected body": ({"expect_body": b"ok"}, "expected body 2 B, here none"),
    "errors left out": ({"excludes_errors": True}, "errors left out yes, here no"),
    "preflight": ({"preflight": False}, "preflight no, here yes"),
    "lead-in": ({"lead_in_ns": 200_000_000}, "lead-in 0.2 s, here 0 s"),
    "socket": ({"route": Route(socket_path="/run/a")}, "way over a Unix socket, here straight"),
    "proxy": (
        {"route": Route(proxy=Proxy.parse("socks5://127.0.0.1:1080"))},
        "way socks5 proxy, here straight",
    ),
}

NOT_COUNTING: dict[str, dict[str, Any]] = {
    "host": {"targets": target("http://example.test:4000/")},
    "port": {"targets": target("http://localhost:81/")},
    "user": {"targets": target("http://u:p@localhost:4000/")},
    "a slash that is sent anyhow": {"targets": target("http://localhost:4000")},
    "title": {"title": "nightly"},
    "sample interval": {"sample_ns": 500_000_000},
    "the address that is dialled": {"route": Route(connect_to=("127.0.0.1", 81))},
    "the name of the server": {"headers": (("Host", "a.test"),)},
}


@pytest.mark.parametrize(("changes", "told"), COUNTING.values(), ids=COUNTING)
def test_a_setting_that_counts_is_told_with_both_values(changes: dict[str, Any], told: str) -> None:
    assert told in settings_apart(settings(**changes), settings())


@pytest.mark.parametrize("changes", NOT_COUNTING.values(), ids=NOT_COUNTING)
def test_where_the_server_listens_and_what_a_run_is_called_do_not_count(changes: dict[str, Any]) -> None:
    assert settings_apart(settings(**changes), settings()) == []


def test_the_boundary_that_is_drawn_for_each_form_does_not_count() -> None:
    one, other = [
        settings(headers=(("Content-Type", multipart([], "-F").content_type),)),
        settings(headers=(("Content-Type", multipart([], "-F").content_type),)),
    ]
    assert one != other and settings_apart(one, other) == []


def test_the_same_plan_has_no_differences() -> None:
    assert settings_apart(settings(), settings()) == places_apart(settings(), settings()) == []


def test_every_field_of_a_plan_is_looked_at_or_left_out_on_purpose() -> None:
    """A field that is new is to be put into the table, or here."""
    looked_at = {
        *(
            "urls",
            "method",
            "headers",
            "body_bytes",
            "ids",
            "compressed",
            "expect_body_bytes",
            "sequence_steps",
        ),
        *("connections", "pipelining", "workers", "pace", "limits", "duration_s", "amount", "warmup_s"),
        *("warmup_amount", "warmup_connections", "lead_in_s", "timeout_s", "drain_s", "engine", "timestamps"),
        *("tls", "route", "expect_status", "excludes_errors", "preflight", "sample_s"),
    }
    left_out = {"title", "rate"}
    assert set(PlanSettings.__struct_fields__) == looked_at | left_out


def test_tls_counts_by_what_it_costs_and_not_by_its_files() -> None:
    plain = settings(targets=SECURE)
    assert settings_apart(settings(targets=SECURE, tls=Tls(verify=False)), plain) == [
        "TLS not verified, sessions resume, here verified, sessions resume"
    ]
    assert settings_apart(settings(targets=SECURE, tls=Tls(sessions=Sessions.FRESH)), plain) == [
        "TLS verified, sessions fresh, here verified, sessions resume"
    ]
    renamed = msgspec.structs.replace(plain, tls=_tls(plain, server_name="a.test", ca=["/elsewhere.pem"]))
    assert settings_apart(renamed, plain) == []


def _tls(plan: PlanSettings, **changes: Any) -> Any:
    assert plan.tls is not None
    return msgspec.structs.replace(plan.tls, **changes)


def test_a_rate_counts_as_it_changes_and_its_seed_does_not() -> None:
    ramp = settings(pace=Pace(Ramp(0, 500, 30_000_000_000)))
    assert settings_apart(ramp, settings(pace=Pace(Constant(500)))) == [
        "rate ramp 0..500/s for 30 s, even, here constant 500/s, even"
    ]
    one, two = (settings(pace=Pace(Constant(500), Arrivals.POISSON, seed)) for seed in (1, 2))
    assert settings_apart(one, two) == []


def test_a_plan_of_now_is_compared_as_a_file_would_have_it() -> None:
    title = settings(headers=(("X-A", "a\tb"),))
    read = msgspec.structs.replace(title, headers=[("X-A", "a\\tb")])
    assert settings_apart(read, title) == []


def test_long_values_are_told_where_they_part() -> None:
    long = f"http://localhost:4000/{'a' * 500}"
    (told,) = settings_apart(settings(targets=target(f"{long}/x")), settings(targets=target(f"{long}/y")))
    assert told.endswith("/x, here ...aaaaaaaaaaaaaaaaaaa/y")
    assert len(told) < 80


def test_several_urls_are_compared_in_order() -> None:
    two = target("http://h/a") + target("http://h/b")
    assert settings_apart(settings(targets=two), settings(targets=two[::-1])) == ["path /a, /b, here /b, /a"]


def test_places_are_told_apart_where_they_are_asked_for() -> None:
    moved: Plan = a_plan(targets=target("http://other:4000/"), sample_ns=500_000_000)
    assert places_apart(PlanSettings.of(moved), settings(), "there") == [
        "URL http://other:4000/, there http://localhost:4000/",
        "sample interval 0.5 s, there 1 s",
    ]


def test_what_autocannon_does_not_tell_is_no_difference_on_either_side() -> None:
    told = settings(connections=50)
    partial = msgspec.structs.replace(told, engine=AUTOCANNON, method="", duration_s=None, timeout_s=0.0)
    assert is_partial(partial) and not is_partial(told)
    assert settings_apart(partial, told) == settings_apart(told, partial) == []
    assert settings_apart(partial, settings()) == ["connections 50, here 10"]


def test_what_is_not_told_is_named_and_of_a_whole_plan_that_is_nothing() -> None:
    assert untold(settings()) == []
    names = untold(msgspec.structs.replace(settings(), engine=AUTOCANNON))
    assert {"method", "rate", "duration", "timeout", "TLS"} <= set(names)
    assert not {"scheme", "path", "connections"} & set(names)
