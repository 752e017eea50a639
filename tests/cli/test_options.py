from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest

from cannon.cli.options import OPTIONS, Options
from cannon.cli.options.compare import COMPARE, REFUSED, CompareOptions
from cannon.gate_grammar import parse
from cannon.profile import Ramp, Steps
from cannon.route import Proxy
from tests.cli.reading import read


def test_options_and_fields_are_the_same_names() -> None:
    assert {option.name for option in OPTIONS} == set(Options.__dataclass_fields__)


def test_no_name_belongs_to_two_options() -> None:
    names = [name for option in OPTIONS for name in option.names]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("-p 10", {"pipelining": 10}),
        ("--pipelining=3", {"pipelining": 3}),
        (
            "-M 100 -O 1k -D 5 -B 3",
            {"per_connection": 100, "overall": 1000, "reconnect_after": 5, "bailout": 3},
        ),
        (
            "--maxConnectionRequests 1 --maxOverallRequests 2 --reconnectRate 0 --bailout 4",
            {"per_connection": 1, "overall": 2, "reconnect_after": 0, "bailout": 4},
        ),
        ("-f", {"forever": True}),
        ("--forever", {"forever": True}),
        ("-R 2k/s", {"overall_rate": Fraction(2000)}),
        ("--overallRate 0.5", {"overall_rate": Fraction(1, 2)}),
        ("-r 90/m", {"connection_rate": Fraction(3, 2)}),
        ("--connectionRate=7", {"connection_rate": Fraction(7)}),
        ("--ramp 0..500/s:30s", {"ramp": Ramp(0.0, 500.0, 30_000_000_000)}),
        ("--steps 100,200/s:10s", {"steps": Steps((100.0, 200.0), 10_000_000_000)}),
        ("--find-rate p99<50ms", {"find_rate": parse("p99<50ms")}),
        ("--arrivals poisson --seed 0", {"arrivals": "poisson", "seed": 0}),
        ("--timestamps loop", {"timestamps": "loop"}),
        ("-C", {"ignore_omission": True}),
        ("--ignoreCoordinatedOmission", {"ignore_omission": True}),
        ("-F form.json", {"form": "form.json"}),
        ("--form={}", {"form": "{}"}),
        ("--har a.har", {"har": "a.har"}),
        ("-I", {"ids": True}),
        ("--idReplacement", {"ids": True}),
        ("--compressed", {"compressed": True}),
        ("-E OK", {"expect_body": "OK"}),
        ("--expectBody=", {"expect_body": ""}),
        ("-S /run/x.sock", {"socket_path": "/run/x.sock"}),
        ("--socketPath x", {"socket_path": "x"}),
        ("--on-port", {"on_port": True}),
        ("--onPort", {"on_port": True}),
        ("--proxy http://127.0.0.1:3128", {"proxy": Proxy.parse("http://127.0.0.1:3128")}),
        ("--connect-to [::1]:80", {"connect_to": ("::1", 80)}),
        ("--bind 127.0.0.1", {"bind": "127.0.0.1"}),
        ("-x", {"excludes_errors": True}),
        ("--excludeErrorStats", {"excludes_errors": True}),
        ("-V", {}),
        ("--verbose", {}),
        ("--no-verbose", {"verbose": False}),
        ("--format autocannon", {"format": "autocannon"}),
        ("-l", {"latency": True}),
        ("--latency", {"latency": True}),
        ("--renderLatencyTable", {"latency": True}),
        ("-j", {"json": True}),
        ("-n", {"progress": False}),
        ("--no-progress", {"progress": False}),
        ("--no-renderProgressBar", {"progress": False}),
        ("--progress", {"progress": True}),
        ("--renderProgressBar", {"progress": True}),
        ("-k", {"insecure": True}),
        ("--insecure", {"insecure": True}),
        ("-s a.example", {"servername": "a.example"}),
        ("--servername a.example.", {"servername": "a.example"}),
        ("-s bücher.example", {"servername": "xn--bcher-kva.example"}),
        ("--cert a.pem --key a.key", {"cert": "a.pem", "key": "a.key"}),
        ("--ca a.pem", {"ca": (("a.pem",),)}),
        ("--ca a.pem --ca=b.pem", {"ca": (("a.pem",), ("b.pem",))}),
        ("--ca [ a.pem b.pem ] --ca c.pem", {"ca": (("a.pem", "b.pem"), ("c.pem",))}),
        ("--tls-session fresh", {"tls_session": "fresh"}),
        ("--statusCodes", {"status_codes": True}),
        ("--renderStatusCodes", {"status_codes": True}),
        ("-o a.json --output b.json", {"outputs": ("a.json", "b.json")}),
        ("--stream x", {"stream": "x"}),
        ("--header A:1 --headers B:2 -H A:3", {"headers": ("A:1", "B:2", "A:3")}),
    ],
)
def test_an_option_becomes_a_field_of_the_options(line: str, changed: Mapping[str, Any]) -> None:
    assert read(*line.split()) == Options(**changed)


COMPARE_NAMES = {option.name for option in COMPARE}


def test_a_comparison_has_every_option_of_a_run_or_says_why_not() -> None:
    for option in OPTIONS:
        assert (option.name in COMPARE_NAMES) != (set(option.names) <= REFUSED.keys())


def test_options_and_fields_of_a_comparison_are_the_same_names() -> None:
    own = set(CompareOptions.__dataclass_fields__)
    assert own == COMPARE_NAMES - set(Options.__dataclass_fields__)


def test_no_name_belongs_to_two_options_of_a_comparison() -> None:
    names = [name for option in COMPARE for name in option.names]
    assert len(names) == len(set(names))
    assert not REFUSED.keys() & set(names)


def test_a_name_takes_a_value_in_all_commands_or_in_none() -> None:
    for option in COMPARE:
        others = [each for each in OPTIONS if set(each.names) & set(option.names)]
        assert all((each.read is None) == (option.read is None) for each in others)
