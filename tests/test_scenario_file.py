"""What a scenario's file says is read as it is; what is wrong with it is told with the file and the dotted key."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from cannon.errors import UsageError
from cannon.rounds import Allowed
from cannon.scenario import Action, Kind
from cannon.scenario_file import read
from tests.staging import a_service, a_table, toml, written

SIDE = {"url": "http://127.0.0.1:{port.web}/"}


def refusal_of(path: Path) -> str:
    """What is said of the file, after its name."""
    with pytest.raises(UsageError) as refusal:
        read(path)
    assert refusal.value.message.startswith(f"{path}: ")
    assert refusal.value.message.isprintable()
    return refusal.value.message.removeprefix(f"{path}: ")


def refused(folder: Path, **changes: Any) -> str:
    return refusal_of(written(folder, a_table(**changes)))


def of_service(**changes: Any) -> dict[str, Any]:
    return {"service": [a_service(**changes)]}


def with_events(*events: dict[str, str]) -> dict[str, Any]:
    return {"kind": "run", "event": [*events]}


def with_gates(kind: str, *gates: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "gate": [*gates]}


def test_all_that_a_file_may_say_is_read(tmp_path: Path) -> None:
    service = a_service(
        ready="/health?a=1",
        package="nodejs",
        page="http://127.0.0.1:{port.web}/",
        counters={"kind": "nginx", "at": "http://127.0.0.1:{port.web}/"},
        environment={"PORT": "{port.web}"},
    )
    events = [{"at": "25%", "stop": "web"}, {"at": "2s", "start": "web"}]
    gate = [{"expression": "errors < 0.1%"}]
    table = a_table(kind="run", service=[service], event=events, gate=gate, spread="pid")
    found = read(written(tmp_path, table, "mine.toml"))
    assert (found.name, found.folder, found.file) == ("mine", tmp_path, str(tmp_path / "mine.toml"))
    assert (found.question, found.kind, found.spread) == ("What does it cost?", Kind.RUN, "pid")
    assert [event.action for event in found.events] == [Action.STOP, Action.START]
    assert found.gates == ("errors < 0.1%",)
    assert found.services[0].ready == "/health?a=1"


def test_what_is_left_out_is_empty(tmp_path: Path) -> None:
    found = read(written(tmp_path, a_table(load=None)))
    assert found.kind is Kind.COMPARE
    assert (found.load, found.differs, found.events, found.gates, found.spread) == ({}, (), (), (), None)


def test_sides_and_what_they_differ_in_are_read(tmp_path: Path) -> None:
    sides = [{"name": "a", **SIDE}, {"name": "b", **SIDE, "settings": {"insecure": True}}]
    found = read(written(tmp_path, a_table(side=sides, differs=["tls", "body"])))
    assert [side.name for side in found.sides] == ["a", "b"]
    assert found.sides[1].settings == {"insecure": True}
    assert found.differs == (Allowed.TLS, Allowed.BODY)


def test_the_question_moves_no_terminal(tmp_path: Path) -> None:
    assert read(written(tmp_path, a_table(question="\x1b[31mred?"))).question == r"\x1b[31mred?"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"question": None}, "the key 'question' is missing"),
        ({"service": None}, "the key 'service' is missing"),
        (of_service(name=1), "service[0].name: expected str, got int"),
        ({"service": [{"name": "web"}]}, "the key 'service[0].command' is missing"),
        ({"service": "web"}, "service: expected array, got str"),
        ({"kind": "race"}, "kind: 'race' is none of compare, run"),
        ({"differs": ["price"]}, "differs[0]: 'price' is none of tls, encoding, status, body, reuse"),
        ({"color": "red"}, "there is no key 'color' in a scenario"),
        (of_service(ready=True), "service[0].ready: expected str | null, got bool"),
        (of_service(portz=["web"]), "there is no key 'service[0].portz' in a scenario"),
        ({"side": [{**SIDE, "link": "x"}]}, "there is no key 'side[0].link' in a scenario"),
        ({"load": [1]}, "load: expected object, got array"),
        (with_events({"at": "1s", "stop": "web", "kill": "web"}), "there is no key 'event[0].kill' in a"),
    ],
)
def test_a_key_that_is_missing_unknown_or_of_another_kind_is_named(
    changes: dict[str, Any], told: str, tmp_path: Path
) -> None:
    assert refused(tmp_path, **changes).startswith(told)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (of_service(name="my web"), "service[0].name: 'my web' is no name: it takes letters, digits and _"),
        (of_service(name="1st"), "service[0].name: '1st' is no name"),
        (of_service(name="../etc"), "service[0].name: '../etc' is no name"),
        (of_service(name=""), "service[0].name: '' is no name"),
        (of_service(name="cannon"), "service[0].name: 'cannon' is what measures; give the service a name of"),
        (
            {"service": [a_service(), a_service(ports=["other"])]},
            "service[1].name: two services have the name 'web'; give each its own",
        ),
        (of_service(command=[]), "service[0].command: it has no word; e.g. command = ["),
        (of_service(command=["", "x"]), "service[0].command: it has no word"),
        (of_service(command=["sh", "a\0b"]), "service[0]: no command and no environment can hold a NUL"),
        (of_service(environment={"A": "\0"}), "service[0]: no command and no environment can hold a NUL"),
        (of_service(environment={"A=B": "1"}), "service[0].environment: 'A=B' is no name of a variable"),
        (of_service(environment={"": "1"}), "service[0].environment: '' is no name of a variable"),
        (of_service(ports=["Web"]), "service[0].ports: 'Web' is no name of a port: it takes small letters"),
        (of_service(ports=["web", "web"]), "service[0].ports: two ports have the name 'web'"),
        (
            {"service": [a_service(), a_service("other", ports=["web"])]},
            "service[1].ports: two ports have the name 'web'; give each its own",
        ),
        (of_service(ready="health"), "service[0].ready: it is a path that answers on the first of its ports"),
        (of_service(ready="/a b"), "service[0].ready: it is a path"),
        (of_service(ready="/\r\nX: y"), "service[0].ready: it is a path"),
        (of_service(ready="/", ports=[], command=["x"]), "service[0].ready: it is a path"),
        (
            of_service(counters={"kind": "iis", "at": "x"}),
            "service[0].counters.kind: 'iis' is no kind of proxy that can be read; they are haproxy, nginx",
        ),
        (of_service(configuration="no.cfg"), "service[0].configuration: there is no file 'no.cfg' beside"),
        (of_service(configuration="."), "service[0].configuration: there is no file '.' beside"),
        (of_service(configuration="\0"), r"service[0].configuration: there is no file '\x00' beside"),
        (of_service(configuration="x" * 5000), "service[0].configuration: there is no file 'xxx"),
        (of_service(configuration="/dev/zero"), "service[0].configuration: there is no file '/dev/zero'"),
    ],
)
def test_a_service_that_could_not_be_started_is_refused(
    changes: dict[str, Any], told: str, tmp_path: Path
) -> None:
    assert refused(tmp_path, **changes).startswith(told)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"side": []}, "side: there is none; e.g. [[side]] url = "),
        ({"side": [{"name": "base", **SIDE}]}, "side[0].name: 'base' is no name for a side"),
        ({"side": [{"name": "a b", **SIDE}]}, "side[0].name: 'a b' is no name for a side"),
        (
            {"side": [{"name": "a", **SIDE}, {"name": "b", **SIDE}, {"name": "a", **SIDE}]},
            "side[2].name: two sides have the name 'a'; give each its own",
        ),
        ({"kind": "run", "side": [SIDE, SIDE]}, "side: a run has one, and its settings stand in [load]"),
        ({"kind": "run", "side": [{**SIDE, "settings": {"insecure": True}}]}, "side: a run has one"),
        ({"kind": "run", "differs": ["tls"]}, "differs: one run has no sides that could differ"),
        ({"event": [{"at": "1s", "stop": "web"}]}, 'event: events happen in a run; write kind = "run"'),
    ],
)
def test_what_does_not_go_together_is_refused(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    assert refused(tmp_path, **changes).startswith(told)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"at": "1s"}, "event[1]: it stops a service or starts it again; e.g. at = "),
        ({"at": "1s", "stop": "web", "start": "web"}, "event[1]: it stops a service or starts it again"),
        ({"at": "1s", "stop": "wep"}, "event[1].stop: 'wep' is none of the services web"),
        ({"at": "1s", "start": ""}, "event[1].start: '' is none of the services web"),
        ({"at": "soon", "stop": "web"}, "event[1].at: 'soon' is no time; e.g. at = "),
        ({"at": "", "stop": "web"}, "event[1].at: '' is no time"),
        ({"at": "%", "stop": "web"}, "event[1].at: '%' is no time"),
        ({"at": "nan%", "stop": "web"}, "event[1].at: 'nan%' is no time"),
        ({"at": "1e1%", "stop": "web"}, "event[1].at: '1e1%' is no time"),
        ({"at": "-1s", "stop": "web"}, "event[1].at: '-1s' is no time"),
        ({"at": "101%", "stop": "web"}, "event[1].at: it lies inside the window; e.g. at = "),
        ({"at": "9" * 400 + "%", "stop": "web"}, "event[1].at: '999"),
    ],
)
def test_an_event_that_cannot_happen_is_refused(event: dict[str, str], told: str, tmp_path: Path) -> None:
    assert refused(tmp_path, **with_events({"at": "0%", "stop": "web"}, event)).startswith(told)


@pytest.mark.parametrize("kind", ["run", "compare"])
def test_what_has_to_hold_is_left_to_who_knows_the_sides(kind: str, tmp_path: Path) -> None:
    gates = with_gates(kind, {"expression": "p90@b < a + 10%"}, {"expression": ""})
    assert read(written(tmp_path, a_table(**gates))).gates == ("p90@b < a + 10%", "")


@pytest.mark.parametrize("kind", ["run", "compare"])
@pytest.mark.parametrize(
    ("gate", "told"),
    [
        ({}, "the key 'gate[0].expression' is missing"),
        ({"expression": 5}, "gate[0].expression: expected str, got int"),
        ({"expression": "p99 < 1s", "x": 1}, "there is no key 'gate[0].x' in a scenario"),
    ],
)
def test_a_gate_is_its_expression_and_nothing_else(
    gate: dict[str, Any], told: str, kind: str, tmp_path: Path
) -> None:
    assert refused(tmp_path, **with_gates(kind, gate)) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("question = 1\nquestion = 2\n", "question: the key is given twice"),
        (
            toml(a_table(service=None)) + "[[service]]\nname = 'a'\n[[service]]\nname = 'b'\nname = 'c'\n",
            "service[1].name: the key is given twice",
        ),
        ("load = { rate = 1, rate = 2 }", "load: the key 'rate' is given twice"),
        ("[load]\na = 1\n[load]\nb = 1\n", "load: the key is given twice"),
        ("question", "it is no TOML: Expected '=' after a key"),
        ("", "the key 'question' is missing"),
        (f"load = {'[' * 5000}", "it is nested too deep"),
        (f"load = {{ rate = {'1' * 5000} }}", "a number in it is too long"),
        (f"# {'x' * (1 << 20)}\n", "no scenario is longer than 64 KiB"),
        ("\0", "it is no TOML: "),
    ],
    ids=lambda value: value[:30].strip() or "nothing",
)
def test_what_is_no_such_file_is_refused(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "tried.toml"
    path.write_text(text)
    assert refusal_of(path).startswith(told)


def test_a_thousand_tables_in_each_other_are_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "tried.toml"
    path.write_text(f"{toml(a_table(load=None))}load.{'a.' * 2_000}b = 1\n")
    with pytest.raises(UsageError):
        # Whether it is the reader or who makes words of it that refuses: none may break.
        read(path).filled({})


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: None, "No such file or directory"),
        (lambda path: path.write_bytes(b"question = 'caf\xe9'"), "a scenario is a text in UTF-8"),
        (lambda path: path.symlink_to("/dev/zero"), "no scenario is longer than 64 KiB"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
    ],
    ids=["a folder", "nothing", "no text", "a device", "a circle"],
)
def test_what_cannot_be_read_is_refused(make: Any, told: str, tmp_path: Path) -> None:
    path = tmp_path / "tried.toml"
    make(path)
    assert refusal_of(path) == told


def test_a_scenario_beside_its_files_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "web.cfg").write_text("listen {port.web}")
    written(tmp_path, a_table(service=[a_service(configuration="web.cfg")]))
    monkeypatch.chdir(tmp_path)
    found = read(Path("tried.toml"))
    monkeypatch.chdir(os.sep)
    assert found.configuration(found.services[0], {"port.web": "1"}) == "listen 1"
