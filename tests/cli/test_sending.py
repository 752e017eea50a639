from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.cli.sending import MOST_BYTES_WITH_IDS, Sending, sending_of, sets_content_type
from cannon.errors import UsageError
from cannon.form import HELD_BYTES
from cannon.sequence import Streamed
from cannon.target import Target
from tests.cli.reading import read

TARGET = Target.parse("http://127.0.0.1:4000/")
FORM = json.dumps({"a": {"type": "text", "value": "b"}})


def sent(*words: str) -> Sending:
    return sending_of(read(*words), (TARGET,))


def refusal(*words: str) -> str:
    with pytest.raises(UsageError) as raised:
        sent(*words)
    return raised.value.message


def har_file(folder: Path, *entries: Mapping[str, object]) -> str:
    """A HAR file of these requests."""
    path = folder / "a.har"
    path.write_text(json.dumps({"log": {"entries": [{"request": entry} for entry in entries]}}))
    return str(path)


def test_without_options_it_is_a_get_of_nothing() -> None:
    assert sent() == Sending("GET", (), b"")


@pytest.mark.parametrize(
    ("header", "name", "value"),
    [
        ("K: V", "K", "V"),
        ("K:V", "K", "V"),
        ("K=V", "K", "V"),
        ("K=a:b", "K", "a:b"),
        ("K: a=b", "K", "a=b"),
        ("K:", "K", ""),
        ("K:\t V \t", "K", "V"),
    ],
)
def test_the_first_colon_or_equals_sign_parts_a_header(header: str, name: str, value: str) -> None:
    assert sent("-H", header).headers == ((name, value),)


def test_a_repeated_header_is_kept_in_its_order() -> None:
    assert sent("-H", "A: 1", "-H", "B: 2", "-H", "A: 3").headers == (("A", "1"), ("B", "2"), ("A", "3"))


@pytest.mark.parametrize("header", ["K", "", ":V", "=V", "K V", "K : V", "K\r\n: V", "K\0: V", "Ü: V"])
def test_a_header_without_a_valid_name_is_refused_and_not_repeated(header: str) -> None:
    message = refusal("-H", "A: 1", "-H", header)
    assert message.startswith("-H/--headers: header 2 has no ")
    assert message.endswith("; e.g. -H 'Accept: text/html'")


def test_a_body_keeps_the_bytes_of_the_command_line() -> None:
    assert sent("-b", os.fsdecode(b"\xff")).body == b"\xff"


@given(content=st.binary(max_size=200))
def test_a_body_from_a_file_is_its_bytes(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("body") / "body"
    path.write_bytes(content)
    assert sent("-i", str(path)).body == content


def test_a_large_file_is_streamed(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(HELD_BYTES + 1)
    body = sent("-i", str(path)).body
    assert isinstance(body, Streamed)
    assert len(body) == HELD_BYTES + 1


def a_large_file(folder: Path, text: bytes, size_bytes: int = 3 * HELD_BYTES) -> str:
    """A file with this in its middle."""
    path = folder / "large"
    with path.open("wb") as file:
        file.seek(size_bytes // 2)
        file.write(text)
        file.truncate(size_bytes)
    return str(path)


def test_a_large_file_that_ids_go_into_is_held(tmp_path: Path) -> None:
    path = a_large_file(tmp_path, b"[<id>]")
    assert sent("-I", "-i", path).body == Path(path).read_bytes()
    assert isinstance(sent("-i", path).body, Streamed)
    body = sent("-I", "-F", json.dumps({"a": {"type": "file", "path": path}})).body
    assert isinstance(body, bytes)
    assert body.count(b"[<id>]") == 1


def test_a_large_file_without_a_place_for_an_id_is_streamed(tmp_path: Path) -> None:
    assert isinstance(sent("-I", "-i", a_large_file(tmp_path, b"[id]")).body, Streamed)


def test_a_file_that_is_too_large_for_ids_is_refused(tmp_path: Path) -> None:
    most = sent("-I", "-i", a_large_file(tmp_path, b"[<id>]", MOST_BYTES_WITH_IDS)).body
    assert len(most) == MOST_BYTES_WITH_IDS
    path = a_large_file(tmp_path, b"[<id>]", MOST_BYTES_WITH_IDS + 1)
    assert refusal("-I", "-i", path) == (
        "-I/--idReplacement finds [<id>] in a body of 16,777,217 bytes, and one that ids go into is held:"
        " 16,777,216 at most; take the mark out, or make the body smaller"
    )
    assert isinstance(sent("-i", path).body, Streamed)


def test_a_form_is_posted_with_its_content_type() -> None:
    sending = sent("-F", FORM, "-H", "A: 1", "-H", "content-type: canary")
    assert sending.method == "POST"
    (first, (name, value)) = sending.headers
    assert first == ("A", "1")
    assert name == "Content-Type"
    boundary = value.removeprefix("multipart/form-data; boundary=")
    assert isinstance(sending.body, bytes)
    assert sending.body.startswith(f"--{boundary}\r\n".encode())
    assert b'name="a"\r\n\r\nb\r\n' in sending.body


def test_a_form_goes_by_the_method_that_is_given() -> None:
    assert sent("-F", FORM, "-m", "PUT").method == "PUT"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-b", "x", "-i", "y"), "-b/--body and -i/--input both give the body; leave one of them out"),
        (("-b", "x", "-F", "{}"), "-b/--body and -F/--form both give the body; leave one of them out"),
        (("-i", "x", "-F", "{}"), "-i/--input and -F/--form both give the body; leave one of them out"),
    ],
)
def test_two_bodies_are_refused(words: tuple[str, ...], message: str) -> None:
    assert refusal(*words) == message


def test_a_har_file_says_what_is_sent(tmp_path: Path) -> None:
    path = har_file(
        tmp_path,
        {"method": "PUT", "url": "http://127.0.0.1:4000/a", "headers": [{"name": "X", "value": "1"}]},
        {"method": "GET", "url": "http://other/b", "headers": []},
    )
    sending = sent("--har", path, "-H", "Y: 2", "-m", "POST", "-b", "x", "-F", "{}", "-i", "nowhere")
    (step,) = sending.sequence
    assert (step.method, step.path, step.headers) == ("PUT", "/a", (("X", "1"), ("Y", "2")))
    assert sending.body == b""


@pytest.mark.parametrize(
    ("words", "expected"), [((), False), (("-H", "A: 1"), False), (("-H", "CONTENT-type=1"), True)]
)
def test_whether_a_content_type_is_given_is_seen_in_any_case(
    words: tuple[str, ...], *, expected: bool
) -> None:
    assert sets_content_type(read(*words)) is expected
