"""Recorded requests become steps: what the server was asked, without what belonged to the browser's connection."""

from __future__ import annotations

import base64
import json
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon import har
from cannon.errors import UsageError
from cannon.har import HarSteps, read_har
from cannon.plan import Plan
from cannon.request import Request
from cannon.sequence import Step
from cannon.target import Target
from tests.recordings import CHROME, FIREFOX

URL = "http://localhost:3000/"


def _entry(url: str = f"{URL}a", method: str = "GET", **fields: object) -> dict[str, Any]:
    return {"request": {"method": method, "url": url, "headers": [], **fields}}


def _posted(mime_type: str | None = None, *headers: tuple[str, str], **post_data: object) -> dict[str, Any]:
    if mime_type is not None:
        post_data["mimeType"] = mime_type
    told = [{"name": name, "value": value} for name, value in headers]
    return _entry(method="POST", headers=told, postData=post_data)


def _har(*entries: object) -> dict[str, Any]:
    return {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": list(entries)}}


class _Folder:
    """Where a HAR is written and read again."""

    def __init__(self, path: Path) -> None:
        self.path = path / "x.har"

    def read(self, *entries: object, urls: tuple[str, ...] = (URL,), **options: Any) -> HarSteps:
        self.path.write_text(json.dumps(_har(*entries)))
        return read_har(str(self.path), [Target.parse(url) for url in urls], **options)

    def step(self, entry: object, **options: Any) -> Step:
        (step,) = self.read(entry, **options).steps
        return step

    def refusal(self, *entries: object, **options: Any) -> str:
        with pytest.raises(UsageError) as raised:
            self.read(*entries, **options)
        message = raised.value.message
        assert message.isprintable()
        return message.removeprefix(f"--har: '{self.path}'")


@pytest.fixture
def folder(tmp_path: Path) -> _Folder:
    return _Folder(tmp_path)


def test_an_entry_of_chrome_is_sent_as_the_browser_asked(folder: _Folder) -> None:
    assert folder.step(CHROME, urls=("https://shop.example",)) == Step(
        name="POST /cart/add?item=a%20b&n=2",
        target=0,
        method="POST",
        path="/cart/add?item=a%20b&n=2",
        headers=(
            ("accept", "*/*"),
            ("accept-encoding", "gzip, deflate, br, zstd"),
            ("content-type", "application/x-www-form-urlencoded"),
            ("cookie", "a=1; b=2"),
            ("user-agent", "Mozilla/5.0"),
        ),
        body=b"colour=r%C3%B6d&x=",
    )


def test_an_entry_of_firefox_is_sent_as_the_browser_asked(folder: _Folder) -> None:
    assert folder.step(FIREFOX) == Step(
        name="GET /search?q=%C3%BC",
        target=0,
        method="GET",
        path="/search?q=%C3%BC",
        headers=(
            ("User-Agent", "Mozilla/5.0 Firefox/125.0"),
            ("Accept", "text/html"),
            ("Upgrade-Insecure-Requests", "1"),
            ("Cookie", "sid=1; theme=dark"),
        ),
    )


def test_every_step_can_be_built_with_its_own_length(folder: _Folder) -> None:
    target = Target.parse("https://shop.example")
    steps = folder.read(CHROME, urls=(target.url,)).steps
    (request,) = Request.build_all(Plan(targets=(target,), sequence=steps))
    assert request.data.endswith(b"Content-Length: 18\r\n\r\ncolour=r%C3%B6d&x=")
    assert request.data.count(b"Host: shop.example\r\n") == 1


def test_entries_of_other_origins_are_left_out_and_named_once(folder: _Folder) -> None:
    read = folder.read(
        _entry("https://cdn.example/a.js"),
        _entry("http://LOCALHOST:3000/1"),
        _entry("https://me:secret@cdn.example:443/b.js"),
        _entry("http://localhost/2"),
        _entry("wss://localhost:3000/socket"),
        _entry("data:image/png;base64,AAAA"),
        _entry("blob:http://localhost:3000/1-2-3"),
        _entry("https://localhost:3000/3"),
        _entry("http://localhost:3000/4"),
    )
    assert [step.path for step in read.steps] == ["/1", "/4"]
    assert read.other_origins == (
        "https://cdn.example",
        "http://localhost",
        "wss://localhost",
        "data:",
        "blob:",
        "https://localhost:3000",
    )


def test_each_target_walks_through_the_entries_of_its_origin(folder: _Folder) -> None:
    urls = ("http://a/x", "http://b:80", "http://a:80/y")
    read = folder.read(_entry("http://a/1"), _entry("http://b/2"), _entry("http://a/3"), urls=urls)
    assert [(step.target, step.path) for step in read.steps] == [
        (0, "/1"),
        (0, "/3"),
        (1, "/2"),
        (2, "/1"),
        (2, "/3"),
    ]


def test_a_target_without_an_entry_is_named_with_what_the_file_has(folder: _Folder) -> None:
    said = folder.refusal(_entry("http://b/1"), _entry("http://c/1"), urls=("http://u:canary@a/x",))
    assert said == " has no request to http://a; it has http://b, http://c"
    many = [_entry(f"http://h{number}/") for number in range(9)]
    assert folder.refusal(*many).endswith("it has http://h0, http://h1, http://h2, http://h3 and 5 more")
    assert folder.refusal().endswith("has no request to http://localhost:3000; it has no requests at all")


def test_headers_of_the_user_stand_instead_of_those_that_were_recorded(folder: _Folder) -> None:
    entry = _entry(headers=[{"name": "Authorization", "value": "old"}, {"name": "X-A", "value": "1"}])
    given_headers = (("authorization", "new"), ("X-B", "2"))
    assert folder.step(entry, headers=given_headers).headers == (("X-A", "1"), *given_headers)


def test_a_user_in_a_recorded_url_becomes_authorization(folder: _Folder) -> None:
    step = folder.step(_entry("http://me:pw@localhost:3000/a"))
    assert (step.path, step.headers) == ("/a", (("Authorization", "Basic bWU6cHc="),))


def test_the_name_of_a_step_holds_no_secret(folder: _Folder) -> None:
    step = folder.step(_entry(f"{URL}a?token=canary&b=1"))
    assert (step.name, step.path) == ("GET /a?token=***&b=1", "/a?token=canary&b=1")


# Bodies.


def test_a_text_is_sent_in_utf_8(folder: _Folder) -> None:
    step = folder.step(_posted("application/json", text='{"a": "ü"}'))
    assert step.body == '{"a": "ü"}'.encode()
    assert step.headers == (("Content-Type", "application/json"),)


def test_a_recorded_content_type_is_kept(folder: _Folder) -> None:
    step = folder.step(_posted("text/plain", ("content-type", "text/x"), text="a"))
    assert step.headers == (("content-type", "text/x"),)


@given(st.binary(max_size=60))
def test_base64_is_sent_as_the_bytes_it_stands_for(content: bytes) -> None:
    text = base64.b64encode(content).decode()
    data = har._PostData(text=text, encoding="base64")
    assert har._body(data, [], "x") == content


def test_fields_without_a_text_are_urlencoded(folder: _Folder) -> None:
    params = [{"name": "a b", "value": "ü&="}, {"name": "x"}]
    for text in ({}, {"text": ""}, {"text": None}):
        step = folder.step(_posted("application/x-www-form-urlencoded", params=params, **text))
        assert isinstance(step.body, bytes)
        assert parse_qsl(step.body.decode(), keep_blank_values=True) == [("a b", "ü&="), ("x", "")]
        assert step.headers == (("Content-Type", "application/x-www-form-urlencoded"),)


@pytest.mark.parametrize(
    ("mime_type", "boundary"),
    [
        ("multipart/form-data; boundary=----WebKitFormBoundaryAbC", "----WebKitFormBoundaryAbC"),
        ('multipart/form-data; boundary="q q"', "q q"),
        ("multipart/form-data", None),
    ],
)
@pytest.mark.parametrize("in_headers", [True, False])
def test_fields_of_a_multipart_form_keep_its_boundary(
    folder: _Folder, mime_type: str, boundary: str | None, *, in_headers: bool
) -> None:
    params = [
        {"name": "a", "value": "1"},
        {"name": "f", "value": "text\n", "fileName": "f.txt", "contentType": "text/x"},
    ]
    headers = (("content-type", mime_type),) if in_headers else ()
    step = folder.step(_posted(mime_type, *headers, params=params))
    (content_type,) = [value for name, value in step.headers if name.lower() == "content-type"]
    assert isinstance(step.body, bytes)
    message = BytesParser(policy=policy.HTTP).parsebytes(
        f"Content-Type: {content_type}\r\n\r\n".encode() + step.body
    )
    assert not message.defects
    if boundary is not None:
        assert message.get_boundary() == boundary
    _, first, second = message.walk()
    assert first.get_payload(decode=True) == b"1"
    assert (second.get_content_type(), second.get_filename()) == ("text/x", "f.txt")
    assert second.get_payload(decode=True) == b"text\n"


def test_a_file_whose_content_was_not_recorded_is_never_left_out_silently(folder: _Folder) -> None:
    params = [{"name": "a", "value": "1"}, {"name": "f", "fileName": "photo.jpg"}]
    said = folder.refusal(_entry(), _posted("multipart/form-data", params=params))
    assert said.startswith(
        ": log.entries[1].request.postData.params[1]: what was in the file 'photo.jpg' is not recorded;"
    )


def test_an_entry_without_a_body_has_none(folder: _Folder) -> None:
    without: tuple[object, ...] = (
        None,
        {"mimeType": "text/plain", "text": ""},
        {"mimeType": None, "params": []},
        {"mimeType": "multipart/form-data"},
    )
    for post_data in without:
        step = folder.step(_entry(postData=post_data))
        assert (step.body, step.headers) == (b"", ())


# What is wrong.


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (3, "[1]: expected object, got int"),
        ({}, "[1].request is missing"),
        ({"request": None}, "[1].request: expected object, got null"),
        ({"request": {"url": URL}}, "[1].request.method is missing"),
        ({"request": {"method": "GET"}}, "[1].request.url is missing"),
        (_entry(headers=None), "[1].request.headers: expected array, got null"),
        (_entry(headers=["x"]), "[1].request.headers[0]: expected object, got str"),
        (_entry(headers=[{"name": "a"}]), "[1].request.headers[0].value is missing"),
        (_entry(headers=[{"name": "a b", "value": ""}]), "[1].request.headers[0] 'a b' is no header name"),
        (
            _entry(headers=[{"name": "a", "value": "b\r\nc: d"}]),
            "[1].request.headers[0] a has a CR, LF or NUL",
        ),
        (_entry(headers=[{"name": "a", "value": "\ud800"}]), "[1].request.headers[0] a has half a character"),
        (_entry(method="GE T"), "[1].request.method 'GE T' is no method"),
        (_entry(method=""), "[1].request.method '' is no method"),
        (_entry(method="G\r\n"), "[1].request.method 'G\\r\\n' is no method"),
        (_entry(method="CONNECT"), "[1].request.method CONNECT asks for a tunnel"),
        (_entry("/a"), "[1].request.url is no whole URL"),
        (_entry(""), "[1].request.url is no whole URL"),
        (_entry(f"{URL}a\r\nX: y"), "[1].request.url: URL 'http://localhost:3000/a\\r\\nX: y' holds a space"),
        (_entry(f"{URL}\0"), "[1].request.url: URL 'http://localhost:3000/\\x00' holds a space"),
        (_entry(f"{URL}\ud800"), "[1].request.url: 'http://localhost:3000/\\ud800' is no URL"),
        (_entry("http://:80/"), "[1].request.url: URL 'http://:80/' has no host"),
        (_entry("http://[::1/"), "[1].request.url: URL 'http://[::1/' cannot be read"),
        (_entry("ws://[::1/"), "[1].request.url: 'ws://[::1/' is no URL"),
        (_posted(text=3), "[1].request.postData.text: expected str | null, got int"),
        (_posted(text="x", encoding="utf-7"), "[1].request.postData.encoding: 'utf-7' is not known"),
        (_posted(text="?", encoding="base64"), "[1].request.postData.text is no base64"),
        (_posted(text="\ud800"), "[1].request.postData.text holds half a character"),
        (_posted("a/b\nX: y", text="a"), "[1].request.postData.mimeType: Content-Type has a CR, LF or NUL"),
        (_posted(params=[{"value": "x"}]), "[1].request.postData.params[0].name is missing"),
        (_posted(params=[{"name": "\ud800"}]), "[1].request.postData.params hold half a character"),
        (
            _posted("multipart/form-data", params=[{"name": "\0", "value": ""}]),
            "[1].request.postData.params: \\x00 holds a NUL",
        ),
        (
            _posted("multipart/form-data", params=[{"name": "a", "value": "\ud800"}]),
            "[1].request.postData.params[0].text holds half a character",
        ),
        (
            _posted("multipart/form-data", params=[{"name": "a", "value": "", "contentType": "x\r\ny"}]),
            "[1].request.postData.params: a: the type of the file is no line of ASCII",
        ),
        (
            _posted("multipart/form-data; boundary=in", params=[{"name": "a", "value": "in"}]),
            "[1].request.postData.params: the boundary 'in' occurs",
        ),
    ],
)
def test_what_is_wrong_with_an_entry_is_told_with_its_place(
    folder: _Folder, entry: object, said: str
) -> None:
    assert folder.refusal(_entry(), entry).startswith(f": log.entries{said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", " is no JSON: Expecting value (line 1, column 1)"),
        ("[]", ": expected object, got array"),
        ("{}", ": log is missing"),
        ('{"log": {}}', ": log.entries is missing"),
        ('{"log": {"entries": {}}}', ": log.entries: expected array, got object"),
        ('{"log": {"entries": []}}', " has no request to http://localhost:3000; it has no requests at all"),
        ('{"log": {"pages": [{"id": 1, "id": 2}]}}', ": log.pages[0].id stands there twice"),
        ("[" * 100_000, " is nested too deeply"),
    ],
)
def test_what_is_no_har_is_told_with_its_file(folder: _Folder, text: str, said: str) -> None:
    folder.path.write_text(text)
    with pytest.raises(UsageError) as raised:
        read_har(str(folder.path), [Target.parse(URL)])
    assert raised.value.message == f"--har: '{folder.path}'{said}"


def test_a_har_that_is_missing_or_huge_is_refused(folder: _Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"x\.har' cannot be read: No such file or directory"):
        read_har(str(folder.path), [Target.parse(URL)])
    monkeypatch.setattr(har, "MOST_HAR_BYTES", 2**20)
    with pytest.raises(UsageError, match="'/dev/zero' is larger than it may be, 1 MiB"):
        read_har("/dev/zero", [Target.parse(URL)])
