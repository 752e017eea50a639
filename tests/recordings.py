"""Requests as browsers record them: entries of a HAR file, with all that stands beside the request."""

from __future__ import annotations

from typing import Any

__all__ = ["CHROME", "FIREFOX"]

# As Chrome exports a request over HTTP/2 with a form, and what else it puts beside it.
CHROME: dict[str, Any] = {
    "_connectionId": "107",
    "_initiator": {"type": "script", "stack": {"callFrames": []}},
    "_priority": "High",
    "_resourceType": "fetch",
    "cache": {},
    "connection": "443",
    "pageref": "page_1",
    "request": {
        "method": "POST",
        "url": "https://shop.example/cart/add?item=a%20b&n=2",
        "httpVersion": "http/2.0",
        "headers": [
            {"name": ":authority", "value": "shop.example"},
            {"name": ":method", "value": "POST"},
            {"name": ":path", "value": "/cart/add?item=a%20b&n=2"},
            {"name": ":scheme", "value": "https"},
            {"name": "accept", "value": "*/*"},
            {"name": "accept-encoding", "value": "gzip, deflate, br, zstd"},
            {"name": "content-length", "value": "17"},
            {"name": "content-type", "value": "application/x-www-form-urlencoded"},
            {"name": "cookie", "value": "a=1"},
            {"name": "user-agent", "value": "Mozilla/5.0"},
            {"name": "cookie", "value": "b=2"},
        ],
        "queryString": [{"name": "item", "value": "a%20b"}, {"name": "n", "value": "2"}],
        "cookies": [{"name": "a", "value": "1", "path": "/", "httpOnly": True}],
        "headersSize": -1,
        "bodySize": 17,
        "postData": {
            "mimeType": "application/x-www-form-urlencoded",
            "text": "colour=r%C3%B6d&x=",
            "params": [{"name": "colour", "value": "r%C3%B6d"}, {"name": "x", "value": ""}],
        },
    },
    "response": {"status": 200, "content": {"size": 2, "mimeType": "text/plain", "text": "ok"}},
    "serverIPAddress": "192.0.2.1",
    "startedDateTime": "2024-05-01T10:00:00.000Z",
    "time": 12.5,
    "timings": {"blocked": 1.0, "dns": -1, "ssl": -1, "connect": -1, "send": 0.1, "wait": 11, "receive": 0.3},
}

# As Firefox exports a request over HTTP/1.1.
FIREFOX: dict[str, Any] = {
    "startedDateTime": "2024-05-01T12:00:00.000+02:00",
    "request": {
        "bodySize": 0,
        "method": "GET",
        "url": "http://localhost:3000/search?q=%C3%BC#top",
        "httpVersion": "HTTP/1.1",
        "headers": [
            {"name": "Host", "value": "localhost:3000"},
            {"name": "User-Agent", "value": "Mozilla/5.0 Firefox/125.0"},
            {"name": "Accept", "value": "text/html"},
            {"name": "Connection", "value": "keep-alive, X-Hop"},
            {"name": "X-Hop", "value": "1"},
            {"name": "Upgrade-Insecure-Requests", "value": "1"},
            {"name": "TE", "value": "trailers"},
            {"name": "Cookie", "value": "sid=1; theme=dark"},
        ],
        "cookies": [],
        "queryString": [{"name": "q", "value": "ü"}],
        "headersSize": 300,
    },
    "response": {"status": 200, "headers": []},
    "cache": {},
    "timings": {"wait": 3},
    "time": 3,
    "_securityState": "insecure",
}
