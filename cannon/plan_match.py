"""Whether two runs were of the same plan, setting by setting, and what may stand in the way of telling.

Law: pure, and a table: a setting counts unless it is none of what is measured. Where the server listens (host, port,
socket) does not count, nor a title, the interval of samples, the seed of arrivals, or where files of certificates lie;
what a file does not tell is no difference. Values are compared as they are shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from cannon.foreign import LONGEST_TEXT
from cannon.settings import PlanSettings
from cannon.text import clean

__all__ = ["AUTOCANNON", "beside", "is_partial", "places_apart", "settings_apart", "untold"]

AUTOCANNON = "autocannon"
"""The engine of a result that was made of autocannon's own file, which tells a few settings alone."""

_NONE = "none"
_LONGEST = 80
_DRAWN = re.compile(r"; boundary=cannon-[0-9a-f]{32}\Z")
"""The boundary of a form that cannon made up."""


class _Setting(msgspec.Struct, frozen=True):
    """One thing that plans may differ in. `told`: by autocannon, too."""

    name: str
    read: Callable[[PlanSettings], str]
    told: bool = False


def settings_apart(one: PlanSettings, other: PlanSettings, where: str = "here") -> list[str]:
    """What counts and differs, in words: `connections 50, here 10`. `where`: what the other is called."""
    partial = is_partial(one) or is_partial(other)
    return _apart(one, other, where, [setting for setting in _COUNTING if setting.told or not partial])


def places_apart(one: PlanSettings, other: PlanSettings, where: str = "here") -> list[str]:
    """What differs in where the server listens, and in how often it was sampled."""
    return _apart(one, other, where, _PLACES)


def untold(settings: PlanSettings) -> list[str]:
    """The names of what counts and the file does not tell."""
    return [setting.name for setting in _COUNTING if not setting.told] if is_partial(settings) else []


def is_partial(settings: PlanSettings) -> bool:
    """Whether these are settings of which a file told only a few."""
    return settings.engine == AUTOCANNON


def beside(name: str, one: str, other: str, where: str = "here") -> str:
    """How a difference is told."""
    return f"{name} {clean(one, _LONGEST)}, {where} {clean(other, _LONGEST)}"


def _apart(one: PlanSettings, other: PlanSettings, where: str, settings: Sequence[_Setting]) -> list[str]:
    found = []
    for setting in settings:
        # Texts of a file were cleaned and cut when it was read; those of a plan of now were not.
        first, second = (clean(setting.read(each), LONGEST_TEXT) for each in (one, other))
        if first != second:
            found.append(beside(setting.name, *_parted(first, second), where))
    return found


def _parted(one: str, other: str) -> tuple[str, str]:
    """Long values from shortly before the place where they part: what they begin with says nothing."""
    if max(len(one), len(other)) <= _LONGEST:
        return one, other
    pairs = enumerate(zip(one, other, strict=False))
    first = next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))
    start = max(0, first - _LONGEST // 4)
    return ("..." if start else "") + one[start:], ("..." if start else "") + other[start:]


def _schemes(settings: PlanSettings) -> str:
    return ", ".join(dict.fromkeys(url.partition("://")[0].lower() for url in _urls(settings)))


def _paths(settings: PlanSettings) -> str:
    """Path and query of each URL; an empty path is sent as /."""
    found = []
    for url in _urls(settings):
        _, _, rest = url.partition("://")
        cut = min((place for sign in "/?" if (place := rest.find(sign)) >= 0), default=len(rest))
        path = rest[cut:].partition("#")[0]
        found.append(path if path.startswith("/") else f"/{path}")
    return ", ".join(found)


def _urls(settings: PlanSettings) -> list[str]:
    """With a scheme, which autocannon leaves out where it was not given."""
    return [url if "://" in url else f"http://{url}" for url in settings.urls]


def _way(settings: PlanSettings) -> str:
    """Straight, over a Unix socket, or through which kind of proxy."""
    route = settings.route
    if route is not None and route.proxy is not None:
        return f"{route.proxy.partition('://')[0]} proxy"
    return "straight" if route is None or route.socket_path is None else "over a Unix socket"


def _pace(settings: PlanSettings) -> str:
    pace = settings.pace
    if pace is None:
        return _NONE
    rates = "..".join(f"{per_s:.12g}" for per_s in pace.per_s)
    each = "" if pace.each_s is None else f" for {pace.each_s:.12g} s"
    whose = "" if pace.scope == "tool" else f" a {pace.scope}"
    return f"{pace.profile} {rates}/s{each}{whose}, {pace.arrivals}"


def _headers(settings: PlanSettings) -> str:
    """In order, names in small letters; the name of the server is none of them, nor what is drawn for each form."""
    named = [(name.lower(), _DRAWN.sub("", value)) for name, value in settings.headers]
    return "; ".join(f"{name}: {value}" for name, value in named if name != "host") or _NONE


def _tls(settings: PlanSettings) -> str:
    tls = settings.tls
    if tls is None:
        return _NONE
    verified = "verified" if tls.verify else "not verified"
    return f"{verified}, sessions {tls.sessions}{', with a certificate' if tls.cert else ''}"


def _number(value: float | None, unit: str = "") -> str:
    return _NONE if value is None else f"{value:,.12g}{unit}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


_COUNTING: tuple[_Setting, ...] = (
    _Setting("scheme", _schemes, told=True),
    _Setting("path", _paths, told=True),
    _Setting("connections", lambda plan: _number(plan.connections), told=True),
    _Setting("pipelining", lambda plan: _number(plan.pipelining), told=True),
    _Setting("workers", lambda plan: _number(plan.workers), told=True),
    _Setting("way", _way, told=True),
    _Setting("method", lambda plan: plan.method),
    _Setting("headers", _headers),
    _Setting("body", lambda plan: _number(plan.body_bytes, " B")),
    _Setting("steps", lambda plan: _number(plan.sequence_steps)),
    _Setting("ids", lambda plan: _yes(plan.ids)),
    _Setting("compression", lambda plan: _yes(plan.compressed)),
    _Setting("rate", _pace),
    _Setting("duration", lambda plan: _number(plan.duration_s, " s")),
    _Setting("amount", lambda plan: _number(plan.amount)),
    _Setting("warm-up", lambda plan: _number(plan.warmup_s, " s")),
    _Setting("warm-up amount", lambda plan: _number(plan.warmup_amount)),
    _Setting("warm-up connections", lambda plan: _number(plan.warmup_connections)),
    _Setting("lead-in", lambda plan: _number(plan.lead_in_s, " s")),
    _Setting("timeout", lambda plan: _number(plan.timeout_s, " s")),
    _Setting("drain", lambda plan: _number(plan.drain_s, " s")),
    _Setting("requests of a connection", lambda plan: _number(plan.limits.per_connection)),
    _Setting("requests at most", lambda plan: _number(plan.limits.overall)),
    _Setting("reconnects", lambda plan: _number(plan.limits.reconnect_after)),
    _Setting("bailout", lambda plan: _number(plan.limits.bailout)),
    _Setting("engine", lambda plan: plan.engine),
    _Setting("timestamps", lambda plan: plan.timestamps),
    _Setting("TLS", _tls),
    _Setting("expected statuses", lambda plan: ", ".join(map(str, plan.expect_status)) or _NONE),
    _Setting("expected body", lambda plan: _number(plan.expect_body_bytes, " B")),
    _Setting("errors left out", lambda plan: _yes(plan.excludes_errors)),
    _Setting("preflight", lambda plan: _yes(plan.preflight)),
)
"""What counts, the commonest first."""

_PLACES: tuple[_Setting, ...] = (
    _Setting("URL", lambda plan: ", ".join(plan.urls)),
    _Setting("socket", lambda plan: (plan.route.socket_path if plan.route else None) or _NONE),
    _Setting("proxy", lambda plan: (plan.route.proxy if plan.route else None) or _NONE),
    _Setting("dialled address", lambda plan: (plan.route.connect_to if plan.route else None) or _NONE),
    _Setting("sample interval", lambda plan: _number(plan.sample_s, " s")),
)
