"""The scenarios that come with cannon: there, in order, as they are promised to be; and how one is named."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from cannon import catalogue
from cannon.catalogue import folder, located, shipped
from cannon.errors import UsageError
from cannon.scenario_file import read

_LINES = 40
_FIXED_PORT = re.compile(
    r"(?:127\.0\.0\.1|localhost|0\.0\.0\.0|::\]|\*|bind |listen |port )[: ]*\d{2,5}\b(?!\.)"
)


def test_all_that_are_promised_are_there() -> None:
    promised = {
        *("node-baseline", "node-compression", "node-cluster", "http-keepalive"),
        *("haproxy-reverse-proxy", "haproxy-passthrough", "haproxy-load-balancing", "haproxy-failover"),
        *("haproxy-compression", "haproxy-tls-termination", "haproxy-rate-limit"),
        *("nginx-reverse-proxy", "nginx-compression", "nginx-tls", "nginx-rate-limit", "nginx-static"),
        *("caddy-reverse-proxy", "varnish-cache", "squid-forward-proxy"),
    }
    assert promised <= shipped().keys()


def test_they_are_in_the_order_of_the_alphabet() -> None:
    assert [*shipped()] == sorted(path.stem for path in folder().glob("*.toml"))


@pytest.mark.parametrize("name", shipped())
def test_each_is_sound_and_short_and_says_what_it_is(name: str) -> None:
    path = shipped()[name]
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= _LINES
    assert re.fullmatch(r"# \w.*\.", text.splitlines()[0])
    found = read(path)
    assert found.question.endswith("?")
    assert all(service.command for service in found.services)


@pytest.mark.parametrize("name", shipped())
def test_no_port_is_fixed(name: str) -> None:
    found = read(shipped()[name])
    texts = [(shipped()[name]).read_text("utf-8")]
    texts += [
        (found.folder / service.configuration).read_text("utf-8")
        for service in found.services
        if service.configuration is not None
    ]
    lines = [line.partition("#")[0] for text in texts for line in text.splitlines()]
    assert [line for line in lines if _FIXED_PORT.search(line)] == []


@pytest.mark.parametrize("name", shipped())
def test_every_program_is_brought_by_a_package_that_is_named(name: str) -> None:
    found = read(shipped()[name])
    packages = {service.command[0]: service.package for service in found.services if service.package}
    for service in found.services:
        assert service.command[0] in packages or service.command[0] == "{python}"


def test_a_name_is_that_of_a_file() -> None:
    assert located("haproxy-reverse-proxy") == folder() / "haproxy-reverse-proxy.toml"


def test_a_path_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.toml"
    path.touch()
    monkeypatch.chdir(tmp_path)
    assert located("mine.toml") == Path("mine.toml")
    assert located(str(path)) == path
    path.rename(tmp_path / "mine.txt")
    assert located("./mine.txt") == Path("mine.txt")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "haproxy-reverse-prxy",
            "there is no scenario 'haproxy-reverse-prxy'; did you mean haproxy-reverse-proxy?",
        ),
        ("zzz", "there is no scenario 'zzz'; cannon scenario list names them all"),
        ("", "there is no scenario ''; cannon scenario list names them all"),
        ("\x1b[31m", r"there is no scenario '\x1b[31m'; cannon scenario list names them all"),
        ("nowhere.toml", "there is no scenario 'nowhere.toml': no such file"),
        ("/nowhere/x", "there is no scenario '/nowhere/x': no such file"),
        ("./\0", r"there is no scenario './\x00': no such file"),
        ("/dev/zero", "there is no scenario '/dev/zero': it is no file"),
        ("./", "there is no scenario './': it is no file"),
    ],
)
def test_what_is_none_is_refused_with_what_may_be_meant(name: str, told: str) -> None:
    with pytest.raises(UsageError) as refusal:
        located(name)
    assert refusal.value.message == told


def test_a_name_that_no_file_can_have_is_refused_too() -> None:
    with pytest.raises(UsageError, match=r"^there is no scenario '/x+.*': no such file$"):
        located(f"/{'x' * 5000}")


def test_a_pipe_that_never_ends_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(UsageError, match=r": it is no file$"):
        located(str(tmp_path / "pipe.toml"))


def test_those_inside_the_package_go_before_those_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "cannon"
    for place in (package, tmp_path):
        (place / "scenarios").mkdir(parents=True)
    (tmp_path / "scenarios" / "beside.toml").touch()
    monkeypatch.setattr(catalogue, "_PACKAGE", package)
    assert [*shipped()] == []
    (package / "scenarios").rmdir()
    assert [*shipped()] == ["beside"]
