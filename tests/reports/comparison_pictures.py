"""The page of a comparison as it is to look, exactly."""

from __future__ import annotations

__all__ = ["BELOW_EACH_OTHER", "COMPRESSED", "PAGE", "SECURED", "WIDE"]

PAGE = """\
direct   http://127.0.0.1:8000/  (the base)
haproxy  http://127.0.0.1:8080/
10 rounds of a 1 s slot for each side and pass, order seed 4127, margin 5 %

haproxy against direct
             direct  haproxy      added [95 % interval]        change [95 %]
────────────────────────────────────────────────────────────────────────────────
Latency, every side at 3,700 requests/s
  p50       0.81 ms  1.12 ms  +0.31 ms   [+0.29, +0.33]   +38 %   [+36, +41]
            slower, by more than 5 %
  p90       1.46 ms  1.98 ms  +0.52 ms   [+0.44, +0.60]   +36 %   [+30, +41]
            slower, by more than 5 %
  p99       3.90 ms  4.71 ms  +0.80 ms   [+0.42, +1.21]   +20 %   [+11, +31]
            slower, by more than 5 %
  mean      0.97 ms  1.30 ms  +0.33 ms   [+0.30, +0.36]   +34 %   [+31, +38]
            slower, by more than 5 %
Capacity: 10 connections, each asking again as soon as it is answered
  capacity  9,810/s  7,420/s  -2,390/s [-2,560, -2,250]   -24 %   [-26, -23]
            less capacity, by more than 5 %
CPU per request of each process, at 3,700 requests/s
  cannon    41.2 µs  41.6 µs   +0.4 µs     [-0.3, +1.2]  +1.0 % [-0.7, +2.9]
            no difference larger than 5 %

p99.9 not shown: needs 20,000 requests per slot, had 3,700; -d 55 would do
Noise: two identical targets on this machine would differ by up to about 2.5 %
in p50, 5.5 % in p90, 9.1 % in p99, 3.1 % in mean, 1.6 % in capacity

3,700 requests/s is 50 % of the capacity of the slowest side, haproxy
cannon itself, at worst: busy 31 % of a core, requests sent 80.0 µs late (p99)
Values are medians of the rounds; added and change are of the differences within
each round, so may not match. In brackets: where the truth lies, 95 % sure.
Each row is 95 % on its own: with 6, up to 26 % of comparisons have a wrong one.
p99 added: the change of the p99, not the p99 of what requests had added.
"""

WIDE = """\
Latency, every side at 3,700 requests/s
  p50       0.81 ms  1.12 ms  +0.31 ms   [+0.29, +0.33]   +38 %   [+36, +41]  slower, by more than 5 %
"""

COMPRESSED = """\
Body of one response   on the wire       decoded    smaller by
──────────────────────────────────────────────────────────────
identity                 100,000 B     100,000 B
gzip                      20,000 B     100,000 B       5 times

gzip gains time on links slower than 320 Mbit/s [291, 356], and costs time on
faster ones
Not in this speed: round trips and TCP's slow start (below about 14 kB none is
saved), and the time to decode: cannon reads the coded bytes and decodes nothing
while it measures.
"""

SECURED = """\
Connection                TCP dial         TLS handshake          TLS, resumed
──────────────────────────────────────────────────────────────────────────────
plain        90.0 µs [80.0, 100.0]                     -                     -
tls          90.0 µs [80.0, 100.0]  2.31 ms [2.24, 2.40]     620 µs [580, 660]

Once for each new connection, with its 95 % interval. What TLS costs each
request stands above: latencies are of connections that are open already.
"""

BELOW_EACH_OTHER = """\
  capacity: direct >= 1,234,567/s, haproxy >= 1,134,567/s
    added -100,000/s [-125,600, -99,900], change -8.1 % [-9.9, -8.0]
    cannot tell: cannon was the limit for direct and haproxy; try -w 2
"""
