"""Many worlds at once beside gymnasium's CarRacing-v3: steps for each second of processor, and memory a world.

Both take turns in one run; a step of ours is a frame and a fifteenth of a second of one car, of 64 worlds with looks,
cars and cameras of their own. CarRacing's picture has 96 x 96 pixels, neither lens nor noise.
"""

import json
import pathlib
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.peers.environments import CARRACING, Worker, peer_python
from bench.report import OUT, console, machine
from bench.simulator.single_worlds import (
    BASELINE_COMMIT,
    BASELINE_STEPS,
    Baseline,
    large_network,
    made,
    three_laps,
)
from simulator.batch.vector import BatchWorlds, WorldSpec
from simulator.driving.policy import DEMO, load_policy
from simulator.world.tracks import load_track
from simulator.world.world import draw_parts

TRACKS = ("reinvent_base", "reInvent2019_wide", "2022_april_open", "Vegas_track")
FLOORS = 8  # different geometries of paint a track
ROUND_S = 0.25
PEER, OLD, LAPS, BARE = "peer", "old", "laps", "bare"


@dataclass(frozen=True, slots=True)
class VirtualRow:
    """A ratio of each round; `goal` is the least of a row of speed, and the most of one of time (`is_time`)."""

    row: str
    what: str
    goal: float
    ratios: tuple[float, ...]
    per_s: float
    is_time: bool = False

    def figures(self) -> dict[str, Any]:
        """Median, and the ratio that 99 of 100 rounds keep."""
        ordered = sorted(self.ratios, reverse=not self.is_time)
        p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
        ratio = statistics.median(self.ratios)
        met = ratio <= self.goal if self.is_time else ratio >= self.goal
        return {"row": self.row, "what": self.what, "per_s": self.per_s, "ratio": ratio, "p99": p99} | {
            "goal": self.goal,
            "met": met,
        }


def main(quick: bool, baseline: bool = False) -> None:
    """Prints the table and writes run/bench/virtual.json; `baseline` measures the old `drive` again."""
    closed_loop, bare = large_network(_batch(8, (160, 120)))
    calls = {
        "a": _vector(64, (160, 120)),
        "a80": _vector(64, (80, 60)),
        "b": _closed_loop(32),
        "c": made(),
        LAPS: three_laps(),
        "e": closed_loop,
        BARE: bare,
    }
    worker = Worker(peer_python(CARRACING), "carracing_worker.py")
    old = Baseline(pathlib.Path(sys.executable)) if baseline else None
    try:
        seconds = _in_turn(calls, worker, old, rounds=4 if quick else 16)
    finally:
        worker.close()
        if old is not None:
            old.close()
    lines = [row.figures() for row in _rows(seconds)]
    batch = _batch(64, (160, 120))
    batch.render(np.empty((64, 120, 160), np.uint8))
    kept = BASELINE_STEPS
    if OLD in seconds:
        kept = statistics.median(old_s / peer_s for old_s, peer_s in zip(seconds[OLD], seconds[PEER], strict=True))
    _print(lines, 1.0 / statistics.median(seconds[PEER]), batch.bytes_a_world, kept)
    OUT.mkdir(parents=True, exist_ok=True)
    document = {"bench": "virtual", "machine": machine(), "rows": lines, "bytes_a_world": batch.bytes_a_world}
    document |= {"baseline_commit": BASELINE_COMMIT, "baseline_steps": kept}
    (OUT / "virtual.json").write_text(json.dumps(document, indent=1) + "\n")


def _rows(seconds: dict[str, list[float]]) -> list[VirtualRow]:
    """Each row's ratios, round by round, from the seconds of processor for one step, frame or drive."""

    def ratios(name: str, to: list[float]) -> tuple[float, ...]:
        return tuple(one_s / other_s for one_s, other_s in zip(seconds[name], to, strict=True))

    def per_s(name: str) -> float:
        return 1.0 / statistics.median(seconds[name])

    speeds = (
        ("a", "vector, 160 x 120 grey, 64 worlds", 60.0),
        ("a80", "vector, 80 x 60 grey, 64 worlds", 200.0),
        ("b", "closed loop with the demo policy, 32 worlds", 20.0),
        ("c", "make() of one world, 160 x 120 grey", 25.0),
    )
    rows = [
        VirtualRow(name, what, goal, tuple(1.0 / ratio for ratio in ratios(name, seconds[PEER])), per_s(name))
        for name, what, goal in speeds
    ]
    old_s = seconds.get(OLD) or [BASELINE_STEPS * peer_s for peer_s in seconds[PEER]]
    what = f"three laps of reinvent_base, of the time at {BASELINE_COMMIT}"
    rows.append(VirtualRow("d", what, 0.15, ratios(LAPS, old_s), per_s(LAPS), is_time=True))
    what = "closed loop with 5.8 M parameters, of bare session.run"
    rows.append(VirtualRow("e", what, 1.25, ratios("e", seconds[BARE]), per_s("e"), is_time=True))
    return rows


def _batch(count: int, size: tuple[int, int]) -> BatchWorlds:
    """Worlds that differ in track, look, car and camera."""
    tracks = [load_track(name) for name in TRACKS]
    specs = []
    for seed in range(count):
        track = tracks[seed % len(tracks)]
        specs.append(WorldSpec(track, draw_parts(track, seed, appearance=seed % FLOORS), seed, 40_000_000))
    return BatchWorlds(specs, size)


def _vector(count: int, size: tuple[int, int]) -> Callable[[], int]:
    """Steps all worlds once, steered along the road; returns how many steps these are."""
    batch = _batch(count, size)
    frames = np.empty((count, size[1], size[0]), np.uint8)
    commands = np.full((count, 2), 0.5)

    def once() -> int:
        commands[:, 0] = -1.6 * batch.heading_error_rad - batch.lateral_m
        batch.step(commands)
        batch.put_back(np.flatnonzero(batch.off_track))
        batch.render(frames)
        return count

    once()
    return once


def _closed_loop(count: int) -> Callable[[], int]:
    batch, policy = _batch(count, (160, 120)), load_policy(DEMO)
    frames, commands = np.empty((count, 120, 160), np.uint8), np.zeros((count, 2))

    def once() -> int:
        batch.render(frames)
        for n in range(count):
            action = policy.act(frames[n])
            commands[n] = action.steering, action.throttle
        batch.step(commands)
        batch.put_back(np.flatnonzero(batch.off_track))
        return count

    once()
    return once


def _in_turn(
    calls: dict[str, Callable[[], int]], worker: Worker, old: Baseline | None, rounds: int
) -> dict[str, list[float]]:
    """Seconds of processor for one of each, round by round; the peers answer in their own."""
    seconds: dict[str, list[float]] = {name: [] for name in (*calls, PEER)}
    if old is not None:
        seconds[OLD] = []
    for _ in range(rounds):
        for name, once in calls.items():
            count, began_s = 0, time.process_time()
            while time.process_time() - began_s < ROUND_S:
                count += once()
            seconds[name].append((time.process_time() - began_s) / count)
        seconds[PEER].append(float(worker.request("cpu 40 0")) / 40)
        if old is not None:
            seconds[OLD].append(old.seconds())
    return seconds


def _print(lines: list[dict[str, Any]], peer: float, bytes_a_world: int, baseline_steps: float) -> None:
    out = console()
    out.print(f"virtual, beside CarRacing-v3 with {peer:,.0f} steps for each second of processor")
    for one in lines:
        figures = f"{one['per_s']:8,.0f} /s  {one['ratio']:7.2f} x  p99 {one['p99']:7.2f}  (goal {one['goal']:g} x)"
        out.print(f"  {one['row']:4} {one['what']:54} {figures}", markup=False)
    out.print(f"  f    memory a world beyond what all share {bytes_a_world / 1e6:.3f} MB  (goal 1 MB)", markup=False)
    out.print(
        f"  three laps at {BASELINE_COMMIT} took as long as {baseline_steps:.0f} steps of CarRacing-v3", markup=False
    )
