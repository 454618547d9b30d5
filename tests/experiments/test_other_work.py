"""How busy a machine is with other work: by the counters of Linux, else by the load average."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path

import pytest

from automorph.experiments import other_work
from automorph.experiments.other_work import OtherWork


class Machine:
    """The counters of a machine of four cores, with a clock that the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.stat, self.waited = folder / "stat", folder / "schedstat"
        self.now = self.own = 0.0
        monkeypatch.setattr(other_work, "_STAT", self.stat)
        monkeypatch.setattr(other_work, "_WAITED", self.waited)
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(os, "cpu_count", lambda: 4)
        monkeypatch.setattr(
            os, "times", lambda: os.times_result((self.own, 0.0, 0.0, 0.0, self.now))
        )
        monkeypatch.setattr(other_work.torch.accelerator, "is_available", lambda: False)
        self.counters(0, 0)

    def counters(self, worked: float, waited: float) -> None:
        ticks = round((100 + worked) * os.sysconf("SC_CLK_TCK"))
        self.stat.write_text(f"cpu  {ticks} 0 0 999999 5 0 0 0 7 7\ncpu0 1 2 3\n")
        self.waited.write_text(f"123 {round(waited * 1e9)} 5\n")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(monkeypatch, tmp_path)


@pytest.mark.parametrize(
    ("worked", "waited", "share"),
    [
        (10.0, 0.0, 0.0),  # This process alone.
        (30.0, 0.0, 0.5),  # Two of four cores with other work.
        (10.0, 4.0, 0.4),  # A limit of a container keeps this process waiting.
        (9.9, 0.0, 0.0),  # Counters are rounded.
        (500.0, 0.0, 1.0),
    ],
)
def test_the_work_of_others_is_measured(
    machine: Machine, worked: float, waited: float, share: float
) -> None:
    other = OtherWork()
    machine.now, machine.own = 10.0, 10.0
    machine.counters(worked, waited)
    assert other.share() == pytest.approx(share)


def test_without_counters_the_load_average_is_used(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.stat.unlink()
    machine.waited.unlink()
    other = OtherWork()
    machine.now, machine.own = 10.0, 10.0
    monkeypatch.setattr(os, "getloadavg", lambda: (3.0, 0.0, 0.0))
    assert other.share() == pytest.approx(0.5)
    monkeypatch.delattr(os, "getloadavg")
    assert other.share() is None


def test_on_an_accelerator_it_is_unknown(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other_work.torch.accelerator, "is_available", lambda: True)
    other = OtherWork()
    machine.now = 10.0
    assert other.share() is None


def burn(until: float) -> None:
    while time.monotonic() < until:
        pass


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="needs the counters of Linux")
def test_a_machine_that_burns_is_busy() -> None:
    context = multiprocessing.get_context("spawn")
    count = os.cpu_count() or 1
    burners = [context.Process(target=burn, args=(time.monotonic() + 6,)) for _ in range(count)]
    for one in burners:
        one.start()
    try:
        time.sleep(2)  # They import first.
        other = OtherWork()
        burn(time.monotonic() + 1)
        share = other.share()
    finally:
        for one in burners:
            one.kill()
            one.join()
    assert share is not None
    assert share > 0.3
