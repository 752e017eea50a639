"""A timer with nothing to do: what a machine makes of due times when nobody works in between.

    python benchmarks/idle_timer.py PER_S SECONDS

Sleeps to each of the moments start + k / PER_S and stamps when it is awake; one that has passed is not slept for.
Prints a line of JSON: the coefficient of variation of the times between stamps, and the p99 of how late they were.
"""

from __future__ import annotations

import json
import sys
import time

from quantiles import order_statistic, variation


def main() -> None:
    per_s, seconds = (float(word) for word in sys.argv[1:])
    between_ns = 1e9 / per_s
    start_ns = time.monotonic_ns() + 10_000_000
    due_ns = [start_ns + round(place * between_ns) for place in range(round(per_s * seconds))]
    awake_ns = []
    for moment_ns in due_ns:
        left_ns = moment_ns - time.monotonic_ns()
        if left_ns > 0:
            time.sleep(left_ns / 1e9)
        awake_ns.append(time.monotonic_ns())
    late_ns = sorted(awake - due for awake, due in zip(awake_ns, due_ns, strict=True))
    print(json.dumps({"variation": variation(awake_ns), "late_p99_us": order_statistic(late_ns, 99) / 1e3}))


if __name__ == "__main__":
    main()
