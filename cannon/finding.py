"""Finding: the answer of a scenario, a sentence in which each placeholder becomes what was measured, in words.

Law: pure. The words are those that the verdicts of the rows allow, and nothing is called a difference that may be
none. What was not measured says so; no placeholder that was checked ever raises, or stays in the sentence.

In a comparison, where SIDE is the name of a side, and SERVICE that of a service:

    {rate}                      "500/s": the common rate of the latency pass
    {SIDE.rps}                  "8,120/s": of the capacity pass; "at least 8,120/s" where cannon was the limit
    {SIDE.rps.change}           "28 % fewer requests per second [21, 35 %]", "as many requests per second (within 5 %)"
    {SIDE.p50}                  "1.23 ms"; p90, p99, p99_9 and mean likewise
    {SIDE.p50.added}            "0.15 ms more at p50 [0.10, 0.20]"; of the mean: "0.15 ms more on average [0.10, 0.20]"
    {SIDE.p50.change}           "38 % more time at p50 [36, 41 %]"
    {SIDE.bytes}                "20.2 kB": of one response, on the wire
    {SIDE.bytes.change}         "80 % fewer bytes per response"
    {SIDE.ratio}                "bodies 5.0 times smaller"; "responses ..." where the comparison is not one of codings
    {SIDE.break_even}           "pays off on links slower than 320 Mbit/s [291, 356]"
    {SIDE.cpu}                  "75.2 us of CPU per request": of all services together, and not of cannon
    {SIDE.cpu.change}           "34 % more CPU per request [30, 38 %]": of all services together
    {SIDE.cpu.SERVICE}          "34.0 us of CPU per request in haproxy"
    {SIDE.cpu.SERVICE.change}   "2.1 % more CPU per request in node [1.2, 3.0 %]"
    {SIDE.errors}               "no errors", "0.31 % errors": of the latency pass, a 503 is none
    {SIDE.goodput}              "1,985/s [1,960, 2,010]": answers of 2xx in the latency pass
    {SIDE.refused}              "34 % answered 503, 12 % cut off", "none": requests of that pass without a 2xx
    {SIDE.handshake}            "2.31 ms for a new handshake [2.24, 2.40] and 0.62 ms for a resumed one [0.58, 0.66]"
    {SIDE.spread}               "101 and 99 of 200 answers", "between 31 and 46 of 200 answers over 5 values of pid"

What is of a change (.change, .added, ratio, break_even) is against the base, the first side, which has none itself.
The words of a change follow a verb such as "takes", "has", "needs": "HAProxy takes {haproxy.rps.change}".

In a run:

    {rate}                      "500/s": what was asked for; "no set rate" in a closed loop
    {rps}                       "8,120/s": successes
    {p50}                       "1.23 ms"; p90, p99, p99_9, mean and max likewise
    {bytes}                     "20.2 kB": of one response, on the wire
    {errors}                    "no errors", "8 errors in 1,000 requests (0.8 %)", "... and 13 failed dials"
    {status.503}                "no request", "7 of 1,000 requests (0.7 %)": how many were answered so
    {cpu}                       "75.2 us of CPU per request": of all services together
    {cpu.SERVICE}               "34.0 us of CPU per request in haproxy"
    {spread}                    as in a comparison
    {outage.SERVICE}            "no request failed", "3 requests failed, all within 1 s of the stop", "requests failed for
                                up to 4 s (310 of 4,000)", "requests failed to the end (4,000 of 4,000)"
    {recovery.SERVICE}          "back at 90 % of the rate before within 2 s of its start, in rows of 1 s"
    {outage.SERVICE.2}          the same of its second stop; {recovery.SERVICE.2} of its second start

In both:

    {counter.SERVICE.OF.FIGURE} "12 ms": what a proxy said of itself when all was over, e.g. {counter.haproxy.web.qtime_ms}
"""
