"""The exact interval of Wilcoxon's signed-rank test around the Hodges-Lehmann estimate.

Law: pure. Walsh averages w = (x_i + x_j) / 2, i <= j, sorted; the estimate is their median, the interval [w_(k),
w_(N+1-k)] with the largest k for which 2 P(W+ <= k - 1) <= alpha, by counting (dynamic programming), no approximation.
It is closed, so ties only make it wider. Fewer than six values have no interval of 95 %.
"""

from __future__ import annotations

__all__: list[str] = []
