"""Timing of interleaved calls: in a hot loop or paced, each round beside the same round of its peer.

The benchmark and its peers run with the real-time priority that the car requests, where the kernel grants it: on a
shared machine, a median without it would measure the other processes.
"""

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vehicle.process.realtime import POLICY_PRIORITY

Call = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Times:
    """The times of all calls of each candidate in ns, and the median of each of its rounds."""

    ns: dict[str, list[int]]
    rounds: dict[str, list[float]]

    def p50_us(self, name: str) -> float:
        return statistics.median(self.ns[name]) / 1e3

    def p99_us(self, name: str) -> float:
        ordered = sorted(self.ns[name])
        return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] / 1e3

    def ratios(self, ours: str, theirs: str) -> list[float]:
        """The ratio ours / theirs of each round; a disturbance of the machine affects both in the same round."""
        return [a / b for a, b in zip(self.rounds[ours], self.rounds[theirs], strict=True)]

    def ratio(self, ours: str, theirs: str) -> float:
        """The median of the ratios of all rounds."""
        return statistics.median(self.ratios(ours, theirs))


def quartiles(ratios: Sequence[float]) -> tuple[float, float]:
    """The first and third quartile: half of the ratios lie between them."""
    low, _, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else (ratios[0], ratios[0], ratios[0])
    return low, high


Timed = Callable[[int, float], list[int]]  # count, pace_s -> ns


def in_turn(calls: Mapping[str, Call], *, rounds: int, count: int, pace_s: float = 0.0) -> Times:
    """Call each candidate `count` times in each of `rounds` rounds; the order alternates from round to round."""
    return timed_in_turn(
        {name: _timed_call(call) for name, call in calls.items()}, rounds=rounds, count=count, pace_s=pace_s
    )


def timed_in_turn(timed: Mapping[str, Timed], *, rounds: int, count: int, pace_s: float = 0.0) -> Times:
    """As `in_turn`, with candidates that time themselves, as a peer in another process does."""
    names = list(timed)
    times = Times({name: [] for name in names}, {name: [] for name in names})
    for number in range(rounds):
        turn = number % len(names)
        for name in [*names[turn:], *names[:turn]]:
            times_ns = timed[name](count, pace_s)
            times.ns[name].extend(times_ns)
            times.rounds[name].append(statistics.median(times_ns))
    return times


def paced(call: Call, count: int, pace_s: float) -> list[int]:
    """Times in ns of `count` calls, one per `pace_s` on absolute deadlines; 0: a hot loop after two untimed calls."""
    if not pace_s:
        for _ in range(2):
            call()
    times_ns, due_s = [], time.monotonic()
    for _ in range(count):
        began_ns = time.perf_counter_ns()
        call()
        times_ns.append(time.perf_counter_ns() - began_ns)
        due_s += pace_s
        if pace_s:
            time.sleep(max(0.0, due_s - time.monotonic()))
    return times_ns


def request_priority(pid: int = 0, *, threads_too: bool = False) -> bool:
    """Set real-time priority for a thread or process, on request for its new threads too; False if refused."""
    alone = 0 if threads_too else os.SCHED_RESET_ON_FORK
    try:
        os.sched_setscheduler(pid, os.SCHED_FIFO | alone, os.sched_param(POLICY_PRIORITY))
    except OSError:
        return False
    return True


def _timed_call(call: Call) -> Timed:
    return lambda count, pace_s: paced(call, count, pace_s)
