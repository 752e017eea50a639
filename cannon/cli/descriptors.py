"""Whether the processes of a run may open as many files as they will need.

Law: the limit is one of each process, so it is set against what each of them holds: a worker its connections, this
process two pipes for each worker. Found out before anything is sent; a refusal names only what would run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannon.errors import UsageError

if TYPE_CHECKING:
    from cannon.plan import Plan

__all__ = ["check_descriptors", "needed", "refusal"]

_SPARE = 64
"""For what a process has open besides."""

_WORKERS_WORTH_IT = 8
"""So many are advised on a machine of fewer cores, if that makes it run."""

_MOST_RAISED = 1 << 20
"""What Linux gives a process at most, whoever asks (fs.nr_open, unless it was changed)."""


def check_descriptors(plan: Plan) -> None:
    """Raise the limit of this process, which its workers have from it. UsageError where the system forbids it."""
    from cannon.host import descriptor_ceiling, raise_descriptor_limit, this_host

    allowed = descriptor_ceiling()
    warmup = plan.for_warmup()
    for each, prefix in ((plan, ""), (warmup, "-W/--warmup: ")):
        if each is None:
            continue
        if allowed is not None and needed(each.connections, each.workers) > allowed:
            raise UsageError(f"{prefix}{refusal(each, allowed, this_host().cores)}")
        raise_descriptor_limit(needed(each.connections, each.workers))


def needed(connections: int, workers: int) -> int:
    """How many descriptors the process that needs the most of them will have open."""
    return max(-(-connections // workers), 2 * workers) + _SPARE


def refusal(plan: Plan, allowed: int, cores: int) -> str:
    """What does not fit into `allowed` descriptors a process, and what would."""
    connections, workers = plan.connections, plan.workers
    room = max(0, allowed - _SPARE)
    crowd = 2 * workers > room
    gifts: list[str] = []
    fitting = -(-connections // max(1, room))
    if fitting <= max(cores, _WORKERS_WORTH_IT) and needed(connections, fitting) <= allowed:
        gifts.append(f"-w {fitting}")
    elif crowd and room > 1:
        gifts.append(f"-w 1 with -c {room} or less")
    if not crowd:
        gifts.append(f"-c {room * workers} or less")
    ways = [f"give {', or '.join(gifts)}"] if gifts else []
    wanted = needed(connections, workers)
    if wanted <= _MOST_RAISED and not (crowd and gifts):
        ways.append(f"raise the limit in this shell first: ulimit -n {wanted}")
    return (
        f"{f'-w {workers}' if crowd else f'-c {connections}'} takes {wanted:,} open files in one process,"
        f" and this machine allows {allowed:,}; {', or '.join(ways) or 'fire from another machine'}"
    )
