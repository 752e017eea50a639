from __future__ import annotations

import subprocess
import sys
import time

import pytest

import neighbours
from clients import Fault
from neighbours import Spent, others, until_quiet


def test_others_took_what_was_neither_idle_nor_ours() -> None:
    before = Spent(all_s=10.0, stolen_s=1.0, own_s=4.0, there_s=100.0)
    after = Spent(all_s=18.0, stolen_s=2.0, own_s=7.0, there_s=120.0)
    assert others(before, after) == pytest.approx((8 - 3 + 1) / 20)


def test_what_is_all_ours_is_no_others() -> None:
    before = Spent(all_s=10.0, stolen_s=0.0, own_s=4.0, there_s=100.0)
    assert others(before, Spent(all_s=18.0, stolen_s=0.0, own_s=12.5, there_s=120.0)) == 0.0
    assert others(before, before) == 0.0


@pytest.mark.parametrize("ended", [False, True])
def test_what_children_use_is_ours_while_they_run_and_when_they_have_ended(ended: bool) -> None:
    used_s = 0.2
    burn = f"import time\nwhile time.process_time() < {used_s}: pass\nprint(flush=True)\ninput()"
    before = Spent.now()
    with subprocess.Popen(
        [sys.executable, "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        during = Spent.now()
        child.kill()
    after = Spent.now()
    assert (after if ended else during).own_s - before.own_s >= used_s - 0.05
    assert after.all_s - before.all_s >= used_s - 0.05
    assert after.there_s >= during.there_s >= before.there_s


def test_a_quiet_machine_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    monkeypatch.setattr(time, "sleep", naps.append)
    shares = iter([0.01, 0.5, 0.01, 0.01, 0.01, 0.01])
    monkeypatch.setattr(neighbours, "others", lambda before, after: next(shares))
    until_quiet(0.05)
    assert len(naps) == 6


def test_a_machine_that_is_never_quiet_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(neighbours, "others", lambda before, after: 0.5)
    monkeypatch.setattr(neighbours, "_LIMIT_S", 0.0)
    with pytest.raises(Fault, match="more than 5%"):
        until_quiet(0.05)
