"""From a command line of `cannon compare` to its plan."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cannon.errors import UsageError
from cannon.pace import Arrivals
from cannon.plan import Engine, Limits, Plan, Stop
from cannon.rounds import Allowed, ComparisonPlan, Mode, Order
from cannon.route import Proxy, Route
from cannon.target import Target
from cannon.tls import Tls
from tests.cli.reading import read_comparison

A, B = "a=http://127.0.0.1:4000/", "b=http://127.0.0.1:4001/x?y=z"
URL = "http://127.0.0.1:4000/"
SECOND_NS = 1_000_000_000


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PORT", raising=False)


def plan_of(*words: str) -> ComparisonPlan:
    """The plan of these words."""
    return read_comparison(*words).plan


def test_without_options_a_comparison_has_its_own_defaults_and_its_sides_those_of_a_run() -> None:
    plan = plan_of(A, B, "--seed", "1")
    assert plan == ComparisonPlan(sides=plan.sides, seed=1)
    assert [(side.name, side.plan) for side in plan.sides] == [
        ("a", Plan(targets=(Target.parse(URL),))),
        ("b", Plan(targets=(Target.parse("http://127.0.0.1:4001/x?y=z"),))),
    ]


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("--rounds 3", {"rounds": 3}),
        ("--order abba", {"order": Order.ABBA}),
        ("-d 60", {"duration_ns": 60 * SECOND_NS}),
        ("-W 0.5s", {"lead_in_ns": SECOND_NS // 2}),
        ("-W 0", {"lead_in_ns": 0}),
        ("--margin 2.5%", {"margin": 0.025}),
        ("--precision 3% --max-rounds 20", {"precision": 0.03, "most_rounds": 20}),
        ("--rate 500", {"rate_per_s": 500.0}),
        ("--rate auto", {}),
        ("--rate 500 --no-capacity", {"rate_per_s": 500.0, "capacity": False}),
        ("-R 500", {"rate_per_s": 500.0, "capacity": False}),
        ("-R 500 --no-capacity", {"rate_per_s": 500.0, "capacity": False}),
        ("--arrivals poisson", {"arrivals": Arrivals.POISSON}),
        ("--before-slot", {"before_slot": ("sh", "-c", "x y")}),
        (
            f"--pid x={os.getppid()} --pid y={os.getppid()}",
            {"processes": (("x", os.getppid()), ("y", os.getppid()))},
        ),
        (
            "--allow tls,body --allow status",
            {"allowed": frozenset({Allowed.TLS, Allowed.BODY, Allowed.STATUS})},
        ),
    ],
)
def test_an_option_becomes_a_setting_of_the_comparison(line: str, changed: Mapping[str, Any]) -> None:
    more = ["sh -c 'x y'"] if line == "--before-slot" else []
    plan = plan_of(A, B, "--seed", "1", *line.split(), *more)
    assert plan == ComparisonPlan(**{"sides": plan.sides, "seed": 1, **changed})
    assert plan.sides == plan_of(A, B).sides


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("-c 3 -p 2 -w 3", {"connections": 3, "pipelining": 2, "workers": 3}),
        ("-m POST -b x -H X:1", {"method": "POST", "body": b"x", "headers": (("X", "1"),)}),
        ("-t 3 --drain 1s -x", {"timeout_ns": 3 * SECOND_NS, "drain_ns": SECOND_NS, "excludes_errors": True}),
        ("-D 5 -B 3", {"limits": Limits(reconnect_after=5, bailout=3)}),
        ("-E OK --expect-status 200", {"expect_body": b"OK", "expect_status": (200,)}),
        ("--engine h11 --compressed -T t", {"engine": Engine.H11, "compressed": True, "title": "t"}),
        ("-k -s h.example", {"tls": Tls(verify=False, server_name="h.example")}),
        ("--connect-to 127.0.0.1:1", {"route": Route(connect_to=("127.0.0.1", 1))}),
    ],
)
def test_an_option_of_a_run_is_one_of_every_side(line: str, changed: Mapping[str, Any]) -> None:
    plan = plan_of(A, B, *line.split())
    for side, url in zip(plan.sides, (URL, "http://127.0.0.1:4001/x?y=z"), strict=True):
        assert side.plan == Plan(**{"targets": (Target.parse(url),), **changed})


def test_what_the_comparison_says_itself_is_in_no_plan_of_a_side() -> None:
    words = ["-d", "60", "-W", "1s", "-R", "5", "--arrivals", "poisson", "--seed", "3", "--debug"]
    for side in plan_of(A, B, *words).sides:
        assert side.plan.pace is None
        assert side.plan.warmup is None
        assert side.plan.stop == Stop()
        assert side.plan.preflight
        assert not side.plan.trace


def test_a_side_has_what_it_says_for_itself() -> None:
    words = [
        "-H",
        "X: 1",
        "-H",
        "Y: 1",
        "--side",
        "[",
        "b",
        "-H",
        "x: 2",
        "--proxy",
        "http://127.0.0.1:3128",
        "]",
    ]
    a, b = (side.plan for side in plan_of(A, B, *words).sides)
    assert (a.headers, a.route) == ((("X", "1"), ("Y", "1")), Route())
    assert (b.headers, b.route) == (
        (("Y", "1"), ("x", "2")),
        Route(proxy=Proxy.parse("http://127.0.0.1:3128")),
    )


def test_codings_are_asked_for_by_a_header_of_each_side() -> None:
    plan = plan_of("--compression", "gzip,br", "-H", "X: 1", URL)
    assert plan.mode is Mode.COMPRESSION
    assert {side.name: side.plan.headers for side in plan.sides} == {
        coding: (("X", "1"), ("Accept-Encoding", coding)) for coding in ("identity", "gzip", "br")
    }


def test_a_proxy_is_the_way_of_one_side() -> None:
    plan = plan_of("--proxy", "http://127.0.0.1:3128", URL)
    assert plan.mode is Mode.PROXY
    assert {side.name: side.plan.route for side in plan.sides} == {
        "direct": Route(),
        "proxy": Route(proxy=Proxy.parse("http://127.0.0.1:3128")),
    }


def test_a_url_is_compared_with_itself() -> None:
    plan = plan_of("--aa", URL)
    assert plan.mode is Mode.AA
    assert plan.names == ("a", "b")
    assert plan.sides[0].plan == plan.sides[1].plan


def test_a_seed_that_is_not_given_is_drawn_and_short() -> None:
    seeds = {plan_of(A, B).seed for _ in range(8)}
    assert len(seeds) > 1
    assert all(0 <= seed < 65_536 for seed in seeds)


def test_what_cannot_be_fired_at_a_rate_is_found_though_a_side_is_planned_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(UsageError, match="--timestamps kernel: the kernel stamps the bytes of plain TCP"):
        plan_of(A, B, "--timestamps", "kernel")


def test_more_files_than_this_machine_allows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cannon.host.descriptor_ceiling", lambda: 256)
    with pytest.raises(UsageError, match="-c 1000 takes 1,064 open files in one process"):
        plan_of(A, B, "-c", "1000")


@pytest.mark.parametrize("name", ["x.json", "X.JSON", "/dev/stdout", "x.md", "x.csv", "x.xml"])
def test_a_comparison_is_written_in_these_formats(name: str) -> None:
    plan_of(A, B, "-o", name)


@pytest.mark.parametrize("name", ["nowhere/x.json", "x.autocannon.json", "x.hgrm", "x.html", "x"])
def test_a_report_that_could_not_be_written_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"^-o/--output {name}: "):
        plan_of(A, B, "-o", name)


def har(path: Path, *urls: str) -> str:
    """The path of a HAR file with these requests."""
    entries = [{"request": {"method": "GET", "url": url, "headers": []}} for url in urls]
    path.write_text(json.dumps({"log": {"entries": entries}}), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("recorded", ["http://127.0.0.1:4000", "http://127.0.0.1:4001"])
def test_recorded_requests_of_one_side_are_sent_to_every_side(recorded: str, tmp_path: Path) -> None:
    path = har(tmp_path / "x.har", f"{recorded}/1", "http://elsewhere/", f"{recorded}/2")
    read = read_comparison(A, B, "--har", path)
    assert [[step.path for step in side.plan.sequence] for side in read.plan.sides] == [["/1", "/2"]] * 2
    assert [side.plan.targets[0].port for side in read.plan.sides] == [4000, 4001]
    assert read.notes == ("--har: its requests to http://elsewhere are left out: no URL has that origin",)


def test_a_recording_of_no_side_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"^--har: .* has no request to http://127.0.0.1:4000; it has http://h$"
    ):
        plan_of(A, B, "--har", har(tmp_path / "x.har", "http://h/"))
