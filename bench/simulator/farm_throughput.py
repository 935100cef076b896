"""What a second core brings a whole farm: the same queue, with leaderboard, node and children, on one core and on two.

The leaderboard's work and the node's are on the same cores as the drives, on both sides: one job at a time with all of
it on one core, two at a time on two. Beside that one job with the second core free for what is beside the drive, as it
is where nobody pins anything. What counts is from the first run that is given out to the last score, by the clock of
the leaderboard's store; the start of a farm does not. Called by farm.py.
"""

import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import psutil
import sqlalchemy as sa

from bench.busy import OthersShare
from leaderboard.store.database import open_readers
from leaderboard.store.tables import SUBMISSION_STATES
from shared.units import NS_PER_S

_GIVE_UP_S = 900.0


@dataclass(frozen=True, slots=True)
class FarmSpell:
    """How a farm drove a queue. Seconds of processor: of its children, of its node, of the leaderboard.

    `others`: the share of the machine that went to other programs meanwhile.
    """

    clock_s: float
    children_s: float
    node_s: float
    server_s: float
    others: float


@dataclass(frozen=True, slots=True)
class FarmScaling:
    """Two jobs at a time beside one, 1.0 is all. `others`: the share of the machine that went to other programs.

    `pinned`: one core beside two; `free`: one job that has the second core for all but its drive.
    """

    pinned: float
    free: float
    by_processor: float
    others: float
    spells: tuple[dict[str, FarmSpell], ...]


@dataclass(frozen=True, slots=True)
class QueuedFarm:
    """A leaderboard that runs. `submit` leaves submissions there, and says their ids."""

    url: str
    key: str
    server_pid: int
    store: pathlib.Path
    submit: Callable[[], set[str]]

    def scaling(self, rounds: int) -> FarmScaling:
        """Drive the queue in all three ways, so many times."""
        cores = sorted(os.sched_getaffinity(0))
        ways = {"pinned": (1, cores[:1]), "free": (1, cores[:2]), "two": (2, cores[:2])}
        spells = tuple({name: self.drive(*way) for name, way in ways.items()} for _ in range(rounds))
        every = [spell for each in spells for spell in each.values()]

        def ratio(way: str, cost: Callable[[FarmSpell], float]) -> float:
            return statistics.median(cost(each[way]) / cost(each["two"]) for each in spells)

        others = statistics.fmean(spell.others for spell in every)
        by_processor = ratio("pinned", lambda spell: spell.children_s + spell.node_s + spell.server_s)
        pinned, free = (ratio(way, lambda spell: spell.clock_s) / 2 for way in ("pinned", "free"))
        return FarmScaling(pinned, free, by_processor, others, spells)

    def drive(self, jobs: int, cores: Iterable[int]) -> FarmSpell:
        """Let a farm that is stopped meanwhile find what is left in the queue."""
        words = [sys.executable, "-m", "raceday", "farm", "--server", self.url, "--jobs", str(jobs), "--no-live"]
        every = os.sched_getaffinity(0)
        farm = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ | {"RACEDAY_KEY": self.key})
        try:
            assert farm.stdout is not None
            if "canary" not in (first := farm.stdout.readline()):
                raise RuntimeError(f"the farm did not start: {first}")
            farm.send_signal(signal.SIGSTOP)
            wanted = self.submit()
            for pid in (farm.pid, self.server_pid):
                _pin(pid, cores)
            before, others = self._spent(farm.pid), OthersShare()
            farm.send_signal(signal.SIGCONT)
            clock_s = self._between(wanted)
            after = self._spent(farm.pid)
            children_s, node_s, server_s = (later - earlier for earlier, later in zip(before, after, strict=True))
            share = others.share(children_s + node_s + server_s)
        finally:
            farm.send_signal(signal.SIGCONT)
            farm.terminate()
            farm.communicate()
            _pin(self.server_pid, every)
        return FarmSpell(clock_s, children_s, node_s, server_s, share)

    def _between(self, wanted: set[str]) -> float:
        """Seconds from the first run that was given out to the last score."""
        readers, until_s = open_readers(self.store), time.monotonic() + _GIVE_UP_S
        try:
            while True:
                with readers.read() as db:
                    steps = [step for step in db.execute(sa.select(SUBMISSION_STATES)) if step.submission_id in wanted]
                scored = [step.at_utc_ns for step in steps if step.state == "scored"]
                if len(scored) == len(wanted):
                    began = min(step.at_utc_ns for step in steps if step.state == "evaluating")
                    return float(max(scored) - began) / NS_PER_S
                if time.monotonic() > until_s:
                    raise RuntimeError(f"{len(scored)} of {len(wanted)} submissions are scored")
                time.sleep(0.2)
        finally:
            readers.close()

    def _spent(self, farm: int) -> tuple[float, float, float]:
        """Seconds of processor so far: of the farm's children that ended, of the rest of it, of the leaderboard."""
        node = psutil.Process(farm)
        starters = [each.cpu_times() for each in node.children()]
        children = sum(each.children_user + each.children_system for each in starters)
        own = [node.cpu_times(), *starters]
        server = psutil.Process(self.server_pid).cpu_times()
        return children, sum(each.user + each.system for each in own), float(server.user + server.system)


def _pin(pid: int, cores: Iterable[int]) -> None:
    """Keep a process, its threads and its children, and what they start, on these cores."""
    process = psutil.Process(pid)
    for each in (process, *process.children(recursive=True)):
        for thread in each.threads():
            os.sched_setaffinity(thread.id, cores)
