from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cannon import host
from cannon.cli.planning import planned
from tests.cli.reading import read
from tests.cli.test_sending import FORM, har_file
from tests.servers.certificates import Certificates

pytest_plugins = ("tests.servers.fixtures",)

URL = "http://127.0.0.1:4000/"
HTTPS = "https://127.0.0.1:4000/"


def notes(words: list[str], *urls: str) -> tuple[str, ...]:
    return planned(read(*words), urls or [URL]).notes


@pytest.mark.parametrize(
    ("url", "line", "expected"),
    [
        (URL, "", ()),
        (URL, "-a 100", ()),
        (URL, "-d 5", ()),
        (URL, "-a 100 -d 5", ("-d is not looked at: -a 100 tells when the run ends",)),
        (URL, "-r 10 -R 100", ("-R is not looked at: -r gives each connection its rate",)),
        (URL, "-M 10 -O 100", ("-O is not looked at: -M tells when each connection is done",)),
        (URL, "-R 10 --arrivals poisson --seed 3", ()),
        (
            URL,
            "-R 10 --seed 3",
            ("--seed is not looked at: even arrivals leave nothing to chance; give --arrivals poisson",),
        ),
        (
            URL,
            "-R 10 -C",
            ("-C only changes the JSON of autocannon: service time is told beside response time anyway",),
        ),
        (URL, "--steps 1,2/s:10s", ()),
        (URL, "--steps 1,2/s:10s -d 20", ()),
        (URL, "--steps 1,2/s:10s -d 10 -a 100", ("-d is not looked at: -a 100 tells when the run ends",)),
        (
            URL,
            "--steps 1,2/s:10s -d 19",
            ("-d ends the run before --steps has been gone through; leave it out for the whole of it",),
        ),
        (
            URL,
            "--ramp 1..2/s:10s -d 9",
            ("-d ends the run before --ramp has been gone through; leave it out for the whole of it",),
        ),
        (HTTPS, "", ()),
        (HTTPS, "-k", ()),
        (HTTPS, "-s a.example --tls-session fresh", ()),
        (URL, "-k", ("-k is not looked at: no URL is of https",)),
        (URL, "-k -s a.example", ("-k, -s are not looked at: no URL is of https",)),
        (URL, "--tls-session resume", ("--tls-session is not looked at: no URL is of https",)),
        (
            URL,
            "-a 10 -d 5 -k",
            (
                "-d is not looked at: -a 10 tells when the run ends",
                "-k is not looked at: no URL is of https",
            ),
        ),
    ],
)
def test_an_option_that_changes_nothing_is_worth_a_note(
    url: str, line: str, expected: tuple[str, ...]
) -> None:
    assert notes(line.split(), url) == expected


def test_one_url_of_https_is_enough_for_what_is_of_tls() -> None:
    assert notes(["-k"], URL, HTTPS) == ()


def test_a_root_is_of_no_use_where_nothing_is_verified(certificates: Certificates) -> None:
    assert notes(["-k", "--ca", certificates.ca], HTTPS) == (
        "--ca is not looked at: with -k, nothing is verified",
    )


def test_urls_that_get_no_connection_are_told() -> None:
    assert notes(["-c", "2"], URL, URL) == ()
    assert notes(["-c", "1"], URL, URL, URL) == ("2 of 3 URLs get no connection; give -c 3 or more",)


def test_a_content_type_beside_a_form_is_told() -> None:
    assert notes(["-F", FORM]) == ()
    assert notes(["-F", FORM, "-H", "content-type: a/b"]) == (
        "-H Content-Type is not looked at: -F sets it, with the boundary of its parts",
    )


def test_what_a_har_file_sets_aside_is_told(tmp_path: Path) -> None:
    path = har_file(tmp_path, {"method": "GET", "url": URL, "headers": []})
    assert notes(["--har", path, "-H", "A: 1"]) == ()
    assert notes(["--har", path, "-m", "POST", "-b", "x"]) == (
        "-m, -b are not looked at: --har says what is sent",
    )
    assert notes(["--har", path, "-F", "{}"]) == ("-F is not looked at: --har says what is sent",)


def test_other_origins_of_a_har_file_are_named_but_not_all_of_many(tmp_path: Path) -> None:
    urls = [URL, *(f"https://user:canary@h{number}/" for number in range(7))]
    path = har_file(tmp_path, *({"method": "GET", "url": url, "headers": []} for url in urls))
    (note,) = notes(["--har", path])
    assert note == (
        "--har: its requests to https://h0, https://h1, https://h2, https://h3, https://h4 and 2 more"
        " are left out: no URL has that origin"
    )


def test_a_har_file_that_comes_from_a_pipe_is_read_once() -> None:
    entries = [{"request": {"method": "GET", "url": url, "headers": []}} for url in (URL, "http://other/")]
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "w", encoding="utf-8") as file:
            json.dump({"log": {"entries": entries}}, file)
        found = planned(read("--har", f"/dev/fd/{reading}"), [URL])
    finally:
        os.close(reading)
    assert [step.path for step in found.plan.sequence] == ["/"]
    assert found.notes == ("--har: its requests to http://other are left out: no URL has that origin",)


@pytest.mark.parametrize(
    ("cores", "expected"),
    [
        (1, ("3 workers hold each other up on 1 usable core; try -w 1",)),
        (2, ("3 workers hold each other up on 2 usable cores; try -w 2",)),
        (3, ()),
    ],
)
def test_more_workers_than_usable_cores_is_worth_a_note(
    cores: int, expected: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "_usable_cores", lambda: cores)
    assert notes(["-w", "3"]) == expected
