"""How the requests to a side are spread over those who answer, told by a key of their JSON bodies, such as a pid.

Law: asked apart from every measurement, each request on a connection of its own, some at a time, and counted as
answered; what has no such key counts under no name.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from cannon.plan import Plan
from cannon.scenario_report import NO_KEY, SpreadReport
from cannon.text import clean

__all__ = ["ASKED", "spread_of"]

ASKED = 200
"""Requests to each side."""

_AT_A_TIME = 8
_LIMIT_S = 2.0
_ALL_LIMIT_S = 10.0
"""For all requests to a side: one that hangs is left, and what was asked by then counts."""

_LARGEST_BYTES = 1 << 20


def spread_of(name: str, plan: Plan, key: str, limit_s: float = _ALL_LIMIT_S) -> SpreadReport:
    """Ask a side and count the values of a key in what it answers. After `limit_s` no more is asked."""
    until_s = time.monotonic() + limit_s
    context = plan.tls.context() if plan.targets[0].url.startswith("https:") else None
    with ThreadPoolExecutor(_AT_A_TIME) as asking:
        answers = asking.map(lambda _: _value(plan, key, context, until_s), range(ASKED))
        values = [value for value in answers if value is not None]
    return SpreadReport(side=name, key=key, asked=len(values), counts=dict(sorted(Counter(values).items())))


def _value(plan: Plan, key: str, context: ssl.SSLContext | None, until_s: float) -> str | None:
    """What answered, None where it is too late to ask."""
    if time.monotonic() >= until_s:
        return None
    parts = urlsplit(plan.targets[0].url)
    assert parts.hostname is not None
    if context is None:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=_LIMIT_S)
    else:
        connection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=_LIMIT_S, context=context
        )
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    try:
        connection.request("GET", path, headers={**dict(plan.headers), "Connection": "close"})
        found = json.loads(connection.getresponse().read(_LARGEST_BYTES))
        return clean(str(found[key]), 60)
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, RecursionError):
        return NO_KEY
    finally:
        connection.close()
