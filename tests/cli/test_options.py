from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cannon.cli.options import OPTIONS, Options
from tests.cli.reading import read


def test_options_and_fields_are_the_same_names() -> None:
    assert {option.name for option in OPTIONS} == set(Options.__dataclass_fields__)


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("-l", {"latency": True}),
        ("--latency", {"latency": True}),
        ("--renderLatencyTable", {"latency": True}),
        ("-j", {"json": True}),
        ("-n", {"progress": False}),
        ("--no-progress", {"progress": False}),
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


def test_an_amount_beside_a_duration_is_worth_a_note() -> None:
    assert read("-a", "100", "-d", "5").notes == ("-d is not looked at: -a 100 tells when the run ends",)
    assert read("-a", "100").notes == read("-d", "5").notes == ()
