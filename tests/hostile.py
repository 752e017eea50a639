"""Text that a server, a file or a name may hold to be more than text, and results in which all text is such.

`spoilt(found, text)` puts it into every string of a Result or a Comparison, keys of mappings too, so that no field is
forgotten when one is added. `told_by(text)` are results whose text cannot be told apart but by what it says: whatever
shape a report has, it has with one as with the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

import msgspec

from cannon.comparison import Comparison
from cannon.plan import Plan, Stop
from cannon.result import GateVerdict, Result, TargetResult
from cannon.target import Target
from cannon.tls import Tls
from tests.comparisons import SIDE, a_compression_comparison, a_dropped, a_tls_comparison, no_row
from tests.results import a_failing_tally, a_result
from tests.scenario_reports import a_scenario_report

__all__ = ["PLAIN", "TEXTS", "WORDS", "a_comparison_of", "a_result_of", "spoilt", "texts_of", "worded"]

PLAIN = "harmless"
"""Text that no format has a meaning for."""

TEXTS: Mapping[str, str] = {
    "html": "</script><img src=x onerror=alert(1)><!-- ",
    "attribute": "\"' onmouseover='alert(1)' javascript:alert(1) ",
    "escapes": "\x1b[2J\x1b]0;owned\x07\x1b]8;;http://evil\x1b\\ \x9b31m\x7f ",
    "bidi": "\N{RIGHT-TO-LEFT OVERRIDE}txt.exe\N{LEFT-TO-RIGHT ISOLATE}\N{ZERO WIDTH SPACE} ",
    "lines": "a\nb\r\nc\rd\x0be\x0cf\x85g\N{LINE SEPARATOR}h\N{PARAGRAPH SEPARATOR}# i\n- j\n\n    k ",
    "command": "::error title=owned::owned\n::error::owned\r::set-output name=a::b ##[error]owned %0A::warning::owned ",
    "command that folds": " ".join(["::error::owned ##[error]owned"] * 9) + " ",
    "rich": "[/x][bold red]x[/bold red][link=http://evil]x[/link][@click=app.quit]x[/] :boom: ",
    "markdown": "**b** _i_ [x](http://evil) ![x](http://evil/x) <http://evil> `c` ~~s~~ | cell | @user #1 http://evil ",
    "markdown blocks": "```\n</details>\n# h\n\n| a |\n|---|\n| b |\n\n---\n> q\n1. l ",
    "formula": '=HYPERLINK("http://evil","x")+cmd|\' /C calc\'!A0 ',
    "formula of plus": "+1+1;2,3 ",
    "formula of minus": "-1+1\t=2 ",
    "formula of at": "@SUM(1,2) ",
    "formula of wide signs": "\uff1d1\uff0b1 ",
    "formula behind a tab": "\t=1+1 ",
    "formula behind a return": "\r=1+1 ",
    "quotes": '"," ";" \\" \\ ',
    "xml": "]]><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;&amp;<failure/>\x00\x08\x0b\ufffe\uffff ",
    "surrogates and marks": "\ufeff\ud7ff\ue000\U0001f4a5\U000e0041e\u0301 ",
    "long": "x" * 5_000,
}
"""By what they try."""

_KEPT = frozenset({"schema", "histogram"})
"""Fields that are read back before anything is shown."""

WORDS: Mapping[str, frozenset[str]] = {
    "Cannon": frozenset({"engine"}),
    "Client": frozenset({"timestamps"}),
    "Comparison": frozenset({"interrupted", "mode", "order"}),
    "GateVerdict": frozenset({"unit", "verdict"}),
    "Noise": frozenset({"metric", "of"}),
    "PaceSettings": frozenset({"arrivals", "profile", "scope"}),
    "PlanSettings": frozenset({"engine", "timestamps"}),
    "Result": frozenset({"interrupted", "status"}),
    "Row": frozenset({"metric", "of", "unit"}),
    "Slot": frozenset({"status"}),
    "TargetResult": frozenset({"status"}),
    "TlsSettings": frozenset({"sessions"}),
    "Validity": frozenset({"verdict"}),
    "Worker": frozenset({"state"}),
    "EventReport": frozenset({"action"}),
}
"""Fields that hold one of a few words, or statuses, by the type that has them."""

Found = TypeVar("Found", Result, Comparison)


def spoilt(found: Found, text: str) -> Found:
    """The same with `text` before every string, the names of sides among them, wherever they stand."""
    put = _put(found, text)
    assert isinstance(put, type(found))
    return put


def texts_of(found: object) -> list[str]:
    """The strings of a value that may hold anything, keys too."""
    if isinstance(found, Enum):
        return []
    if isinstance(found, str):
        return [found]
    if isinstance(found, msgspec.Struct):
        return [text for name in _foreign(found) for text in texts_of(getattr(found, name))]
    if isinstance(found, dict):
        return [text for pair in found.items() for part in pair for text in texts_of(part)]
    return [text for part in found for text in texts_of(part)] if isinstance(found, list | tuple) else []


def worded(found: Any, kind: str, field: str, word: str) -> Any:
    """The same with this word in a field of a type that takes one of a few, wherever it stands."""
    if isinstance(found, msgspec.Struct):
        changes = {name: worded(getattr(found, name), kind, field, word) for name in found.__struct_fields__}
        if type(found).__name__ == kind:
            changes[field] = word
        return msgspec.structs.replace(found, **changes)
    if isinstance(found, dict):
        return {key: worded(value, kind, field, word) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return [worded(part, kind, field, word) for part in found]
    return found


def _put(found: Any, text: str) -> Any:
    if isinstance(found, Enum):
        return found
    if isinstance(found, str):
        return text + found
    if isinstance(found, msgspec.Struct):
        changes = {name: _put(getattr(found, name), text) for name in _foreign(found)}
        return msgspec.structs.replace(found, **changes)
    if isinstance(found, dict):
        return {_put(key, text): _put(value, text) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return type(found)(_put(part, text) for part in found)
    return found


def _foreign(found: msgspec.Struct) -> list[str]:
    words = WORDS.get(type(found).__name__, frozenset())
    return [name for name in found.__struct_fields__ if name not in _KEPT and name not in words]


def _gates() -> list[GateVerdict]:
    """One of each verdict."""
    return [
        GateVerdict("p99 < 2ms", "fail", 5.1, 2.0, 4.9, 5.3, "ms", "p99 was 5.1 ms"),
        GateVerdict("errors == 0", "pass", 0.0, 0.0, None, None, "", ""),
        GateVerdict("rps > base - 5%", "inconclusive", 900.0, 950.0, 880.0, 990.0, "/s", "rps was 900/s"),
        GateVerdict("p99.9 < 9ms", "fail", None, 9.0, None, None, "ms", "p99.9 takes 20,000 samples"),
    ]


def a_result_of(text: str) -> Result:
    """A run in which everything that can be told is told, with this text in all of it."""
    plan = Plan(
        targets=(Target.parse("https://localhost:4000/a"), Target.parse("https://localhost:4000/b")),
        stop=Stop(duration_ns=10_000_000_000),
        headers=(("X-Note", "n"),),
        tls=Tls(verify=False, server_name="localhost"),
        title="t",
    )
    found = a_result(plan=plan, tally=a_failing_tally())
    latency = found.latency_ms
    found = msgspec.structs.replace(
        found,
        targets=[TargetResult(name, f"https://h/{name}", 9, {"200": 9}, latency) for name in ("a", "b")],
        connects=msgspec.structs.replace(found.connects, negotiated={"TLSv1.3 TLS_AES": 9}),
        validity=msgspec.structs.replace(found.validity, verdict="suspect", reasons=["r", "s"]),
        gates=_gates(),
        scenario=a_scenario_report(),
    )
    return spoilt(found, text)


def a_comparison_of(text: str) -> Comparison:
    """A comparison of which the same holds."""
    found, tls = a_compression_comparison(), a_tls_comparison()
    more = {
        "dropped": [a_dropped(side="gzip")],
        "equivalence": msgspec.structs.replace(
            found.equivalence, same=False, differences=["d"], varies=["v"]
        ),
        "gates": _gates(),
        "handshakes": [msgspec.structs.replace(each, side="gzip") for each in tls.handshakes],
        "rows": [*found.rows, no_row("p99_9", "r", base="identity", side="gzip")],
        "scenario": a_scenario_report(),
        "validity": msgspec.structs.replace(found.validity, verdict="suspect", reasons=["r", "s"]),
        "warnings": ["w"],
    }
    assert SIDE != "gzip"
    return spoilt(msgspec.structs.replace(found, **more), text)
