"""Forms as a server reads them, and bodies out of files: held when small, streamed when large."""

from __future__ import annotations

import json
import os
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cannon import form as forms
from cannon.errors import UsageError
from cannon.form import HELD_BYTES, Form, Part, file_body, held, multipart, occurs, read_form
from cannon.sequence import Body, FilePiece, Streamed


def _whole(body: Body) -> bytes:
    """What an upload would send."""
    if isinstance(body, bytes):
        return body
    return b"".join(
        piece if isinstance(piece, bytes) else Path(piece.path).read_bytes()[: piece.size_bytes]
        for piece in body.pieces
    )


def _read(form: Form) -> list[EmailMessage]:
    """The parts, as the standard library's parser of mail finds them."""
    head = f"MIME-Version: 1.0\r\nContent-Type: {form.content_type}\r\n\r\n".encode()
    message = BytesParser(policy=policy.HTTP).parsebytes(head + _whole(form.body))
    assert message.get_content_type() == "multipart/form-data"
    assert not message.defects
    parts = list(message.iter_parts())
    assert all(isinstance(part, EmailMessage) for part in parts)
    return [part for part in parts if isinstance(part, EmailMessage)]


def _form(**fields: object) -> Form:
    return read_form(json.dumps(fields))


def _refusal_of(given: str) -> str:
    with pytest.raises(UsageError) as raised:
        read_form(given)
    message = raised.value.message
    assert message.startswith("-F/--form") and message.isprintable()
    return message


def _parameter(part: EmailMessage, name: str) -> str | None:
    value = part.get_param(name, None, "content-disposition")
    return value if isinstance(value, str) else None


def test_text_and_files_arrive_as_they_were_given(tmp_path: Path) -> None:
    photo = bytes(range(256))
    (tmp_path / "photo.png").write_bytes(photo)
    text, file = _read(
        _form(
            greeting={"type": "text", "value": "grüße\r\n--"},
            photo={"type": "file", "path": f"{tmp_path}/photo.png"},
        )
    )
    assert (_parameter(text, "name"), _parameter(text, "filename")) == ("greeting", None)
    assert text.get_payload(decode=True) == "grüße\r\n--".encode()
    assert "content-type" not in text
    assert (_parameter(file, "name"), _parameter(file, "filename")) == ("photo", "photo.png")
    assert file.get_content_type() == "image/png"
    assert file.get_payload(decode=True) == photo


def test_a_form_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "form.json").write_text('{"a": {"type": "text", "value": "b"}}')
    (part,) = _read(read_form(f"{tmp_path}/form.json"))
    assert part.get_payload(decode=True) == b"b"


def test_fields_keep_their_order() -> None:
    names = [f"f{number}" for number in range(20, 0, -1)]
    parts = _read(_form(**{name: {"type": "text", "value": name} for name in names}))
    assert [_parameter(part, "name") for part in parts] == names


@pytest.mark.parametrize(("value", "sent"), [("", b""), (7, b"7"), (0.5, b"0.5")])
def test_a_value_may_be_empty_or_a_number(value: object, sent: bytes) -> None:
    (part,) = _read(_form(a={"type": "text", "value": value}))
    assert part.get_payload(decode=True) == sent


@pytest.mark.parametrize(
    ("options", "filename", "content_type"),
    [
        ({}, "data.json", "application/json"),
        ({"filename": "up/a.txt"}, "a.txt", "text/plain"),
        ({"filepath": "up/a.txt", "filename": "b"}, "up/a.txt", "text/plain"),
        ({"contentType": "x/y; z=1"}, "data.json", "x/y"),
        ({"filename": "what.is-this"}, "what.is-this", "application/octet-stream"),
        ({"filename": "a.tar.gz"}, "a.tar.gz", "application/octet-stream"),
    ],
)
def test_a_file_is_named_and_typed_as_asked(
    tmp_path: Path, options: dict[str, str], filename: str, content_type: str
) -> None:
    (tmp_path / "data.json").write_text("{}")
    (part,) = _read(_form(f={"type": "file", "path": f"{tmp_path}/data.json", "options": options}))
    assert (_parameter(part, "filename"), part.get_content_type()) == (filename, content_type)


_NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\\"), min_size=1, max_size=9)
_VALUES = st.one_of(st.binary(max_size=30), st.sampled_from((b"\r\n", b"--", b"\r\n--cannon-", b"\0")))


def _browser_name(name: str) -> bytes:
    return name.encode().replace(b'"', b"%22").replace(b"\r", b"%0D").replace(b"\n", b"%0A")


@given(st.lists(st.tuples(_NAMES, st.one_of(st.none(), _NAMES), _VALUES), min_size=1, max_size=4))
def test_whatever_names_and_values_hold_every_part_arrives(
    fields: list[tuple[str, str | None, bytes]],
) -> None:
    form = multipart([Part(name=name, content=value, filename=file) for name, file, value in fields], "-F")
    assert isinstance(form.body, bytes)
    line = b"--" + form.content_type.partition("boundary=")[2].encode()
    first, *blocks, last = form.body.split(line)
    assert (first, last) == (b"", b"--\r\n")
    for block, (name, file, value) in zip(blocks, fields, strict=True):
        head, _, content = block.partition(b"\r\n\r\n")
        expected = b'\r\nContent-Disposition: form-data; name="' + _browser_name(name) + b'"'
        if file is not None:
            expected += b'; filename="' + _browser_name(file) + b'"'
        assert (head, content) == (expected, value + b"\r\n")
    if all(name.isascii() and name.isprintable() for name, _, _ in fields):
        assert [part.get_payload(decode=True) for part in _read(form)] == [value for *_, value in fields]


def test_the_boundary_is_new_each_time_and_in_nothing_that_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    made = ["taken", "taken", "free"]
    monkeypatch.setattr("secrets.token_hex", lambda size: made.pop(0))
    form = multipart([Part(name="a", content=b"--cannon-taken")], "-F")
    assert form.content_type == "multipart/form-data; boundary=cannon-free"
    monkeypatch.undo()
    assert len({multipart([Part(name="a", content=b"")], "-F").content_type for _ in range(9)}) == 9


def test_a_boundary_that_is_given_is_kept_unless_the_form_holds_it() -> None:
    parts = [Part(name="a", content=b"x--mine")]
    assert multipart(parts, "-F", "other").content_type.endswith("boundary=other")
    with pytest.raises(UsageError, match="the boundary 'mine' occurs"):
        multipart(parts, "-F", "mine")


# Large and small.


def _sparse(path: Path, size_bytes: int) -> str:
    with open(path, "wb") as file:
        file.truncate(size_bytes)
    return str(path)


def test_a_large_file_of_a_form_is_streamed_and_its_size_is_known(tmp_path: Path) -> None:
    large = _sparse(tmp_path / "large.bin", 2**40)
    form = _form(a={"type": "text", "value": "x"}, big={"type": "file", "path": large})
    assert isinstance(form.body, Streamed)
    before, file, after = form.body.pieces
    assert file == FilePiece(os.path.realpath(large), 2**40)
    assert isinstance(before, bytes) and isinstance(after, bytes)
    assert len(form.body) == len(before) + 2**40 + len(after)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from((0, 1, 1_000, HELD_BYTES // 2, HELD_BYTES)), min_size=1, max_size=4))
def test_streamed_or_held_a_form_is_the_same_to_a_server(sizes: list[int]) -> None:
    with TemporaryDirectory() as folder:
        fields: dict[str, Any] = {}
        for position, size in enumerate(sizes):
            Path(folder, str(position)).write_bytes(bytes([65 + position]) * size)
            fields[str(position)] = {"type": "file", "path": f"{folder}/{position}"}
        form = _form(**fields)
        assert isinstance(form.body, Streamed) is (sum(sizes) > HELD_BYTES)
        assert len(form.body) == len(_whole(form.body))
        contents = [part.get_payload(decode=True) for part in _read(form)]
    assert contents == [bytes([65 + position]) * size for position, size in enumerate(sizes)]


@pytest.mark.parametrize(("over", "streamed"), [(0, False), (1, True)])
def test_a_body_is_held_up_to_a_mebibyte(tmp_path: Path, over: int, *, streamed: bool) -> None:
    path = _sparse(tmp_path / "body", HELD_BYTES + over)
    body = file_body(path)
    assert isinstance(body, Streamed) is streamed
    assert len(body) == HELD_BYTES + over


def test_a_body_is_bytes_and_no_text(tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(bytes(range(256)) + b"\r\n\xff\xfe")
    assert file_body(f"{tmp_path}/body") == bytes(range(256)) + b"\r\n\xff\xfe"


def test_a_streamed_body_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _sparse(tmp_path / "body", HELD_BYTES + 1)
    os.symlink("body", "link")
    assert file_body("link") == Streamed((FilePiece(f"{os.path.realpath(tmp_path)}/body", HELD_BYTES + 1),))


@pytest.mark.parametrize("place", [0, 10, HELD_BYTES - 3, 2 * HELD_BYTES - 3])
def test_what_stands_in_a_streamed_file_is_found_wherever_it_stands(tmp_path: Path, place: int) -> None:
    path = _sparse(tmp_path / "body", place)
    with open(path, "ab") as file:
        file.write(b"[mark]")
        file.truncate(3 * HELD_BYTES)
    body = file_body(path)
    assert isinstance(body, Streamed)
    assert occurs(b"[mark]", body)
    assert not occurs(b"[mark]x", body)
    assert held(body) == _whole(body)


def test_a_file_that_goes_before_it_is_looked_into_is_told(tmp_path: Path) -> None:
    path = _sparse(tmp_path / "body", HELD_BYTES + 1)
    body = file_body(path)
    assert isinstance(body, Streamed)
    os.unlink(path)
    for read in (held, lambda body: occurs(b"x", body)):
        with pytest.raises(UsageError, match="body' cannot be read: No such file or directory"):
            read(body)


def test_a_pipe_is_held_however_long(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    content = b"x" * (HELD_BYTES + 1)
    writer = Thread(target=(tmp_path / "pipe").write_bytes, args=(content,))
    writer.start()
    body = file_body(f"{tmp_path}/pipe")
    writer.join()
    assert body == content


def test_a_file_without_a_name_is_held(tmp_path: Path) -> None:
    path = _sparse(tmp_path / "body", HELD_BYTES + 1)
    with open(path, "rb") as file:
        os.unlink(path)
        assert file_body(f"/dev/fd/{file.fileno()}") == bytes(HELD_BYTES + 1)


def test_a_redirected_file_is_streamed_from_where_it_lies(tmp_path: Path) -> None:
    path = _sparse(tmp_path / "body", HELD_BYTES + 1)
    with open(path, "rb") as file:
        body = file_body(f"/dev/fd/{file.fileno()}")
    assert body == Streamed((FilePiece(os.path.realpath(path), HELD_BYTES + 1),))


def test_what_the_kernel_makes_up_is_read_though_it_has_no_size() -> None:
    assert file_body("/proc/self/status") != b""


def test_an_endless_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "MOST_PIPE_BYTES", 1_000)
    with pytest.raises(UsageError, match="-i/--input: '/dev/zero' is larger than a body may be"):
        file_body("/dev/zero")


@pytest.mark.parametrize(
    ("path", "said"), [("none", "No such file or directory"), (".", "Is a directory"), ("a\0", "no name")]
)
def test_an_input_that_cannot_be_read_is_named(tmp_path: Path, path: str, said: str) -> None:
    with pytest.raises(
        UsageError, match=rf"-i/--input: '.*' cannot be read: .*{said}.*; e\.g\. -i body\.json"
    ):
        file_body(f"{tmp_path}/{path}")


# What is wrong.


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{}", "a form is an object with a field or more; e.g."),
        ("[]", "a form is an object"),
        ('"a"', "a form is an object"),
        ('{"a": 1}', 'a.type: a field is of type "text" or "file"'),
        ('{"a": {}}', 'a.type: a field is of type "text" or "file"'),
        ('{"a": {"type": "txt", "value": "x"}}', 'a.type: a field is of type "text" or "file"'),
        ('{"a": {"type": "text"}}', "a.value is missing"),
        ('{"a": {"type": "text", "value": ["x"]}}', "a.value: expected int | float | str, got array"),
        ('{"a": {"type": "text", "value": true}}', "a.value: expected int | float | str, got bool"),
        ('{"a": {"type": "text", "value": "x", "path": "y"}}', "a.path is not known"),
        ('{"a": {"type": "file"}}', "a.path is missing"),
        ('{"a": {"type": "file", "path": 3}}', "a.path: expected str, got int"),
        ('{"a": {"type": "file", "path": "/none"}}', "a.path: '/none' cannot be read: No such file"),
        ('{"a": {"type": "file", "path": "/"}}', "a.path: '/' cannot be read: Is a directory"),
        ('{"a": {"type": "file", "path": "\\u0000"}}', "a.path: '\\x00' cannot be read"),
        (
            '{"a": {"type": "file", "path": "/dev/null", "options": {"size": 1}}}',
            "a.options.size is not known",
        ),
        (
            '{"a": {"type": "file", "path": "/dev/null", "options": {"contentType": "a\\r\\nX: y"}}}',
            "a: the type of the file is no line of ASCII",
        ),
        (
            '{"a": {"type": "file", "path": "/dev/null", "options": {"filename": "\\u0000"}}}',
            "a: the name of the file holds a NUL",
        ),
        ('{"a\\u0000": {"type": "text", "value": "x"}}', "a\\x00 holds a NUL"),
        ('{"a": {"type": "text", "value": "\\ud800"}}', "a.value: holds half a character"),
        ('{"\\ud800": {"type": "text", "value": "x"}}', "\\ud800: holds half a character"),
        ('{"a": 1, "a": 2}', "a stands there twice"),
        ('{"a": {"type": "text", "value": "x", "value": "y"}}', "a.value stands there twice"),
        ('{"a"', "is no JSON"),
        ('{"a":' * 100_000, "is nested too deeply"),
        ("/none/form.json", "'/none/form.json' cannot be read: No such file"),
        ("/", "'/' cannot be read: Is a directory"),
        ("/dev/zero", "'/dev/zero' is larger than it may be, 16 MiB"),
    ],
)
def test_what_is_wrong_with_a_form_is_told_with_its_key(given: str, said: str) -> None:
    assert said in _refusal_of(given)


def test_a_form_in_a_file_is_refused_with_the_name_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "form.json").write_text('{"a": {"type": "text"}}')
    assert _refusal_of(f"{tmp_path}/form.json") == f"-F/--form: '{tmp_path}/form.json': a.value is missing"


def test_fields_as_another_program_takes_them_are_refused_and_not_repeated() -> None:
    message = _refusal_of("password=canary")
    assert "takes JSON" in message and "canary" not in message
