"""Scenario: what its events and placeholders come to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cannon.errors import UsageError
from cannon.filling import values_of
from cannon.scenario import Action, Event, Scenario, configuration_name
from cannon.scenario_file import read
from tests.staging import a_service, a_table, written

VALUES = {"dir": "/run", "here": "/files", "port.web": "4001", "cert": "/run/cert.pem", "key": "/run/key.pem"}


def a_scenario(folder: Path, **changes: Any) -> Scenario:
    """Of one service, whose configuration may be web.cfg."""
    path = folder / "web.cfg"
    if not path.exists():
        path.write_text("listen {port.web}\n")
    return read(written(folder, a_table(**changes)))


@pytest.mark.parametrize(
    ("at", "at_s"), [("3s", 3.0), ("250ms", 0.25), ("2", 2.0), ("25%", 2.0), ("0%", 0.0), ("12.5 %", 1.0)]
)
def test_an_event_is_at_a_time_or_at_a_share_of_the_window(at: str, at_s: float) -> None:
    assert Event(at=at, stop="web").at_s(8.0) == at_s


def test_an_event_stops_or_starts_a_service() -> None:
    stop, start = Event(at="1s", stop="a"), Event(at="1s", start="b")
    assert (stop.action, stop.service) == (Action.STOP, "a")
    assert (start.action, start.service) == (Action.START, "b")


def test_ports_are_those_of_all_services_in_order(tmp_path: Path) -> None:
    services = [a_service(ports=["web", "stats"]), a_service("other")]
    assert a_scenario(tmp_path, service=services).ports == ("web", "stats", "other")


def test_every_text_is_filled(tmp_path: Path) -> None:
    service = a_service(
        command=["server", "-f", "{configuration}", "{here}"],
        environment={"PORT": "{port.web}"},
        configuration="web.cfg",
        counters={"kind": "haproxy", "at": "{dir}/web.sock"},
        page="http://127.0.0.1:{port.web}/stats",
    )
    side = {"name": "a", "url": "http://127.0.0.1:{port.web}/", "settings": {"ca": ["{cert}"]}}
    load = {"headers": ["X-Port: {port.web}"], "proxy": "http://127.0.0.1:{port.web}", "connections": 3}
    table = {"service": [service], "side": [side], "load": load}
    found = a_scenario(tmp_path, **table).filled(VALUES)
    (filled,) = found.services
    assert filled.command == ["server", "-f", "/run/web.cfg", "/files"]
    assert filled.environment == {"PORT": "4001"}
    assert filled.counters is not None and filled.counters.at == "/run/web.sock"
    assert filled.page == "http://127.0.0.1:4001/stats"
    assert found.sides[0].url == "http://127.0.0.1:4001/"
    assert found.sides[0].settings == {"ca": ["/run/cert.pem"]}
    assert found.load == {
        "headers": ["X-Port: 4001"],
        "proxy": "http://127.0.0.1:4001",
        "connections": 3,
    }


def test_the_finding_is_left_for_who_knows_what_was_measured(tmp_path: Path) -> None:
    assert a_scenario(tmp_path, finding="{b.p50}").filled(VALUES).finding == "{b.p50}"


def test_a_configuration_is_named_for_its_service_and_keeps_its_ending(tmp_path: Path) -> None:
    (tmp_path / "shared.conf").write_text("a {port.web} { b }")
    found = a_scenario(tmp_path, service=[a_service(configuration="shared.conf")])
    assert configuration_name(found.services[0]) == "web.conf"
    assert found.configuration(found.services[0], VALUES) == "a 4001 { b }"


def test_a_service_may_have_no_configuration(tmp_path: Path) -> None:
    found = a_scenario(tmp_path)
    assert found.configuration(found.services[0], VALUES) is None


@pytest.mark.parametrize(
    ("changes", "needs"),
    [
        ({}, False),
        ({"service": [a_service(command=["server", "--tls={cert}"])]}, True),
        ({"service": [a_service(environment={"KEY": "{key}"})]}, True),
        ({"service": [a_service(configuration="tls.cfg")]}, True),
        ({"load": {"ca": ["{cert}"]}}, True),
        ({"side": [{"name": "a", "url": "https://h/", "settings": {"ca": "{cert}"}}]}, True),
    ],
    ids=["nothing", "a command", "an environment", "a configuration", "the load", "a side"],
)
def test_a_certificate_is_needed_where_anything_is_led_to_it(
    changes: dict[str, Any], needs: bool, tmp_path: Path
) -> None:
    (tmp_path / "tls.cfg").write_text("bind :{port.web} ssl crt {cert}\n")
    assert a_scenario(tmp_path, **changes).needs_certificate is needs


def of_service(**changes: Any) -> dict[str, Any]:
    return {"service": [a_service(**changes)]}


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        (of_service(command=["server", "{nothing}"]), "service[0].command[1]"),
        (of_service(command=["server", "{configuration}"]), "service[0].command[1]"),
        (of_service(environment={"A": "{nothing}"}), "service[0].environment.A"),
        (of_service(page="http://{nothing}/"), "service[0].page"),
        (of_service(counters={"kind": "haproxy", "at": "{nothing}"}), "service[0].counters.at"),
        (of_service(configuration="nothing.cfg"), "nothing.cfg"),
        ({"side": [{"name": "a", "url": "http://{nothing}/"}]}, "side[0].url"),
        ({"side": [{"url": "h", "settings": {"ca": ["x", "{nothing}"]}}]}, "side[0].settings.ca"),
        ({"load": {"headers": ["X: {nothing}"]}}, "load.headers"),
    ],
)
def test_a_placeholder_that_nothing_fills_is_refused_with_its_key(
    changes: dict[str, Any], where: str, tmp_path: Path
) -> None:
    (tmp_path / "nothing.cfg").write_text("listen {nothing}\n")
    with pytest.raises(UsageError) as refusal:
        a_scenario(tmp_path, **changes)
    assert refusal.value.message.startswith(
        f"{tmp_path}/tried.toml: {where}: nothing fills the placeholder {{"
    )


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.write_bytes(b"caf\xe9"), "a configuration is a text in UTF-8"),
        (lambda path: path.write_text("x" * (1 << 20) + "y"), "no configuration is longer than 1024 KiB"),
        (lambda path: path.unlink(), "No such file or directory"),
    ],
    ids=["no text", "too long", "gone meanwhile"],
)
def test_a_configuration_that_cannot_be_filled_is_refused(
    make: Callable[[Path], object], why: str, tmp_path: Path
) -> None:
    found = a_scenario(tmp_path, service=[a_service(configuration="web.cfg")])
    make(tmp_path / "web.cfg")
    with pytest.raises(UsageError, match=rf"^web\.cfg: {why}$"):
        found.configuration(found.services[0], values_of(found, tmp_path, {"web": 1}))
