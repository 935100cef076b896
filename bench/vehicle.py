"""The car's loop beside its peers: bare `session.run`, donkeycar's own Vehicle loop, and the runtime's defaults.

The rows of the issue's table that can be measured without a Pi, a camera and a pin; every comparison is interleaved.
The network has its true size (23 MB) and random weights. donkeycar runs in an environment of its own, so its ratio is
taken to the bare session of that environment, and the two environments take turns.
"""

import dataclasses
import json
import pathlib
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
from rich.console import Console
from rich.table import Table

from bench.report import OUT
from bench.vehicleparts import Agent, Donkey, donkey_python, paced, write_shallow
from vehicle.hardware.devices import Frame, Pixels
from vehicle.mailbox import Mailbox
from vehicle.models.check import check_model
from vehicle.models.policy import Policy

RATE_HZ = 30.0


@dataclass(frozen=True, slots=True)
class Line:
    """One row: what was compared, its ratio (or figure), what is asked of it, and the medians behind it."""

    row: str
    what: str
    figure: str
    target: str
    behind: str


def main(quick: bool) -> None:
    """Prints the table and writes run/bench/vehicle.json."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory(prefix="raceday-vehicle-") as name:
        lines = Bench(write_shallow(pathlib.Path(name)), rounds=2 if quick else 10, calls=20 if quick else 60).lines()
    table = Table(title="vehicle", title_justify="left")
    for column in ("row", "what", "measured", "target", "medians"):
        table.add_column(column)
    for line in lines:
        table.add_row(*dataclasses.astuple(line))
    Console(width=140).print(table)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "vehicle.json").write_text(
        json.dumps({"bench": "vehicle", "rows": [dataclasses.asdict(line) for line in lines]}, indent=1) + "\n"
    )


class Bench:
    """One model, one policy, one agent; each method is a row or two."""

    def __init__(self, model: pathlib.Path, rounds: int, calls: int) -> None:
        self._model, self._rounds, self._calls = model, rounds, calls

        self._policy = Policy(check_model(model))
        self._session = self._policy._session  # bare is the same session, so the cache is as warm for both
        self._agent = Agent(self._policy)
        random = np.random.default_rng(2)
        self._small: Pixels = random.integers(0, 256, (120, 160), np.uint8)
        self._feed = {"observation": self._small.reshape(1, 1, 120, 160).astype(np.float32)}
        self._colours: Pixels = random.integers(0, 256, (480, 640, 3), np.uint8)

    def lines(self) -> list[Line]:
        """All rows."""
        return [*self._hot(), self._paced(), *self._donkey(), self._freshness(), self._spinning(), self._rate()]

    def _bare(self) -> None:
        self._session.run(None, self._feed)

    def _think(self) -> None:
        """Without a pin: shrink, run, decode."""
        self._policy.see(self._small)
        self._policy.model.metadata.space.decode(self._policy.answer(), 1.0)

    def _whole(self) -> None:
        self._agent.tick(self._small)

    def _from_colours(self) -> None:
        self._agent.tick(self._colours)

    def _hot(self) -> list[Line]:
        calls = {"bare": self._bare, "think": self._think, "whole": self._whole, "colours": self._from_colours}
        p50 = self._interleaved(calls, 0.0)
        return [
            _ratio("1", "tick, 160x120 in hand, no pin / bare, hot", p50["think"], p50["bare"], "<= 1.05"),
            _ratio("1b", "the same with pipe, guard, 2 mock pins / bare, hot", p50["whole"], p50["bare"], ""),
            _ratio(
                "4", "from 640x480 BGR, pipe, guard, 2 mock pins / bare, hot", p50["colours"], p50["bare"], "<= 1.40"
            ),
        ]

    def _paced(self) -> Line:
        p50 = self._interleaved({"bare": self._bare, "whole": self._whole}, 1 / RATE_HZ)
        return _ratio("2", "with pipe, guard, 2 mock pins / bare, paced 30 Hz", p50["whole"], p50["bare"], "<= 1.15")

    def _donkey(self) -> list[Line]:
        python = donkey_python()
        if isinstance(python, str):
            return [Line("5", "tick / donkeycar's 4-part loop", python, "<= 1.00", "")]
        donkey = Donkey(python, self._model)
        try:
            lines = []
            for row, pace_s, how in (("5", 0.0, "hot"), ("5b", 1 / RATE_HZ, "paced 30 Hz")):
                p50 = self._beside(donkey, pace_s)
                lines.append(
                    _ratio(row, f"our tick, no pin / donkeycar's 4 parts, {how}", p50["think"], p50["loop"], "<= 1.00")
                )
                theirs = _ratio(row + "'", f"donkeycar's 4 parts / its own bare, {how}", p50["loop"], p50["theirs"], "")
                lines.append(theirs)
            return lines
        finally:
            donkey.close()

    def _beside(self, donkey: Donkey, pace_s: float) -> dict[str, float]:
        times: dict[str, list[int]] = {"think": [], "loop": [], "theirs": []}
        for _ in range(max(2, self._rounds // 2)):
            times["think"] += paced(self._think, self._calls, pace_s)
            times["loop"] += donkey.timed("loop", self._calls, pace_s)
            times["theirs"] += donkey.timed("bare", self._calls, pace_s)
        return {name: statistics.median(taken) / 1e3 for name, taken in times.items()}

    def _freshness(self) -> Line:
        """Frame age at the motors: waking on the newest frame, and polling at donkeycar's 20 Hz; a 30 fps source."""
        seconds = 2.0 if self._rounds < 5 else 6.0
        woken, polled = self._ages(seconds, poll_hz=0.0), self._ages(seconds, poll_hz=20.0)
        return _ratio("7", "frame age, woken by the newest / polled at 20 Hz, 30 fps", woken, polled, "<= 0.10")

    def _ages(self, seconds: float, poll_hz: float) -> float:
        mailbox, over = Mailbox(), threading.Event()

        def capture() -> None:
            due_s, seq = time.monotonic(), 0
            while not over.is_set():
                seq, due_s = seq + 1, due_s + 1 / RATE_HZ
                time.sleep(max(0.0, due_s - time.monotonic()))
                mailbox.put(Frame(self._small.copy(), time.monotonic_ns(), seq))

        thread = threading.Thread(target=capture)
        thread.start()
        self._agent.ages_us.clear()
        number, end_s, due_s = 0, time.monotonic() + seconds, time.monotonic()
        while time.monotonic() < end_s:
            if poll_hz:
                due_s += 1 / poll_hz
                time.sleep(max(0.0, due_s - time.monotonic()))
            found = mailbox.newest(number if not poll_hz else number - 1, 0.1)
            if found is not None:
                frame, number = found
                self._agent.tick(frame.pixels, frame.at_ns)
        over.set()
        thread.join()
        return statistics.median(self._agent.ages_us)

    def _spinning(self) -> Line:
        """Processor time at 30 Hz: ours, and a session with the runtime's own options."""
        default = ort.InferenceSession(self._model.read_bytes(), providers=["CPUExecutionProvider"])
        count = 30 if self._rounds < 5 else 120
        ours = _cpu_share(self._bare, count)
        theirs = _cpu_share(lambda: default.run(None, self._feed), count)
        return Line(
            "9",
            "processor at 30 Hz, ours / ORT defaults",
            f"{ours / theirs:.2f}",
            "<= 0.10",
            f"{ours:.1%} / {theirs:.1%}",
        )

    def _rate(self) -> Line:
        """Ticks on absolute deadlines, 60 Hz asked."""
        count = 120 if self._rounds < 5 else 600
        began_s = time.monotonic()
        paced(self._think, count, 1 / 60)
        rate_hz = count / (time.monotonic() - began_s)
        return Line(
            "13", "reached rate / asked rate, 60 Hz", f"{rate_hz / 60:.4f}", "0.999 to 1.001", f"{rate_hz:.2f} Hz"
        )

    def _interleaved(self, calls: dict[str, Callable[[], Any]], pace_s: float) -> dict[str, float]:
        times: dict[str, list[int]] = {name: [] for name in calls}
        for _ in range(self._rounds):
            for name, call in calls.items():
                times[name] += paced(call, self._calls if not pace_s else self._calls // 2, pace_s)
        return {name: statistics.median(taken) / 1e3 for name, taken in times.items()}


def _ratio(row: str, what: str, ours_us: float, theirs_us: float, target: str) -> Line:
    return Line(row, what, f"{ours_us / theirs_us:.2f}", target, f"{ours_us:,.0f} / {theirs_us:,.0f} us")


def _cpu_share(call: Callable[[], Any], count: int) -> float:
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    paced(call, count, 1 / RATE_HZ)
    return (time.process_time() - began_cpu_s) / (time.monotonic() - began_s)
