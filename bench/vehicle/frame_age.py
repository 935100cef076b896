"""Rows 7 and 8: the age of a frame at the motors, by how frames wait for the policy; the source has 30 fps."""

import queue
import statistics
import threading
import time
from collections.abc import Callable, Iterator

from bench.vehicle.table_rows import Line, line
from bench.vehicle.tick import Net, Networks
from vehicle.frames.latest_frame import LatestFrame
from vehicle.hardware.frame import Frame, Pixels

PERIOD_S = 1 / 30
SLOW_S = 1.35 * PERIOD_S
_QUEUE = 10

Sink = Callable[[Frame], None]


def freshness(networks: Networks, quick: bool) -> Iterator[Line]:
    """Row 7: woken by the newest frame, and polled at donkeycar's 20 Hz; with int8 as in the table, and with fp32."""
    seconds, rounds = (2.0, 1) if quick else (5.0, 4)
    for row, what, net in (("7", "int8", networks.int8), ("7b", "fp32", networks.fp32)):
        woken: list[float] = []
        polled: list[float] = []
        for _ in range(rounds):
            woken += _newest(net, seconds, poll_s=0.0)
            polled += _newest(net, seconds, poll_s=1 / 20)
        label = f"frame age, woken by the newest / polled at 20 Hz, {what}"
        yield _ages(row, label, woken, polled, 0.10 if row == "7" else None)


def slow_policy(networks: Networks, quick: bool) -> Iterator[Line]:
    """Row 8: a policy that takes 1.35 frame periods, fed by the newest frame and by a queue of ten."""
    seconds, small = 4.0 if quick else 12.0, networks.int8.small
    newest = _slowly_newest(small, seconds)
    queued = _slowly_queued(small, seconds)
    yield _ages("8", "frame age, policy of 1.35 periods, newest / queue of 10", newest, queued, 0.25)


def _ages(row: str, what: str, ours: list[float], theirs: list[float], max_ratio: float | None) -> Line:
    a, b = statistics.median(ours), statistics.median(theirs)
    p99s = [sorted(ages)[len(ages) * 99 // 100] for ages in (ours, theirs)]
    behind = f"{a:,.2f} / {b:,.2f} ms, p99 {p99s[0]:,.1f} / {p99s[1]:,.1f}"
    return line(row, what, a / b, "" if max_ratio is None else "max", max_ratio or 0.0, behind)


def _newest(net: Net, seconds: float, poll_s: float) -> list[float]:
    """Frame ages in ms at the motors through Raceday's whole path; a poll reads the last frame, as donkeycar does."""
    mailbox, agent = LatestFrame(), net.agent
    agent.ages_us.clear()
    with _Source(net.small, mailbox.put):
        number, due_s = 0, time.monotonic()
        end_s = due_s + seconds
        while time.monotonic() < end_s:
            if poll_s:
                due_s += poll_s
                time.sleep(max(0.0, due_s - time.monotonic()))
            found = mailbox.wait_for_newer(number if not poll_s else number - 1, 0.1)
            if found is not None:
                frame, number = found
                agent.tick(frame.pixels, frame.at_ns)
    return [age_us / 1000 for age_us in agent.ages_us]


def _slowly_newest(small: Pixels, seconds: float) -> list[float]:
    mailbox, number, ages = LatestFrame(), 0, []
    with _Source(small, mailbox.put):
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            if (found := mailbox.wait_for_newer(number, 0.1)) is not None:
                frame, number = found
                time.sleep(SLOW_S)
                ages.append((time.monotonic_ns() - frame.at_ns) / 1e6)
    return ages


def _slowly_queued(small: Pixels, seconds: float) -> list[float]:
    """Frame ages in ms with a queue of depth ten, as the stock car's inference node subscribes."""
    waiting: queue.Queue[Frame] = queue.Queue(_QUEUE)
    ages: list[float] = []

    def put(frame: Frame) -> None:
        if waiting.full():
            waiting.get_nowait()  # keep-last: the oldest is dropped
        waiting.put_nowait(frame)

    with _Source(small, put):
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            frame = waiting.get(timeout=1.0)
            time.sleep(SLOW_S)
            ages.append((time.monotonic_ns() - frame.at_ns) / 1e6)
    return ages[len(ages) // 3 :]  # once the queue is full


class _Source:
    """A camera of 30 frames per second on its own thread."""

    def __init__(self, small: Pixels, sink: Sink) -> None:
        self._small, self._sink, self._over = small, sink, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        due_s, seq = time.monotonic(), 0
        while not self._over.is_set():
            seq, due_s = seq + 1, due_s + PERIOD_S
            time.sleep(max(0.0, due_s - time.monotonic()))
            self._sink(Frame(self._small.copy(), time.monotonic_ns(), seq))
