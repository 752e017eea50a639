"""Options of other load testers, and what they are called here: for those who come from wrk2, hey, oha, vegeta, h2load.

Law: a name stands here only if it is no option of cannon's, and means the same wherever it is one.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ELSEWHERE", "EXPLAINED", "FLAGS_ELSEWHERE"]

ELSEWHERE: Mapping[str, str] = {
    "-z": "-d",
    "--clients": "-c",
    "--concurrency": "-c",
    "--cpus": "-w",
    "--disable-keepalive": "-D",
    "--no-tui": "-n",
    "--qps": "-R",
    "--query-per-second": "-R",
    "--rate": "-R",
    "--rps": "-R",
    "--threads": "-w",
    "--unix-socket": "-S",
    "--warm-up-time": "-W",
}
"""From their name to ours. Single letters with other meanings elsewhere are told where their value is wrong."""

EXPLAINED: Mapping[str, str] = {
    "-q": "hey's, a rate of each connection, is -r here, and oha's, of all together, is -R; e.g. -R 1000",
    "--latency-correction": "under -R a latency always counts from when its request was due",
}
"""Names that mean different things elsewhere, or ask for what is so anyway."""

FLAGS_ELSEWHERE: Mapping[str, str] = {
    "-n": " (ab, hey and oha say with -n how many requests to send: that is -a here)",
}
"""Flags that take a value elsewhere: what is added where one follows."""
