"""Names that this version knows of and does not have: options of autocannon, and commands whose words are kept free.

Law: asking for one is told apart from a slip of the fingers. A name leaves this table when it is built.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["LATER_COMMANDS", "LATER_OPTIONS"]

LATER_COMMANDS = frozenset({"check", "compare", "merge", "report", "scenario"})

_OPTIONS = (
    "-p/--pipelining",
    "-S/--socketPath",
    "--on-port/--onPort",
    "-F/--form",
    "--har",
    "-B/--bailout",
    "-M/--maxConnectionRequests",
    "-O/--maxOverallRequests",
    "-r/--connectionRate",
    "-R/--overallRate",
    "-C/--ignoreCoordinatedOmission",
    "-D/--reconnectRate",
    "-I/--idReplacement",
    "-f/--forever",
    "-x/--excludeErrorStats",
    "-E/--expectBody",
    "-V/--verbose/--no-verbose",
    "--arrivals",
    "--seed",
    "--timestamps",
    "--ramp",
    "--steps",
    "--find-rate",
    "--http2",
    "--streams",
    "--proxy",
    "--connect-to",
    "--bind",
    "--compressed",
    "--requests",
    "--data",
    "--hooks",
    "--cluster",
    "--gate",
    "--baseline",
    "--inconclusive",
    "--abort-on-fail",
    "--format",
)

LATER_OPTIONS: Mapping[str, str] = {name: names for names in _OPTIONS for name in names.split("/")}
"""From a name to how the option is called in messages."""
