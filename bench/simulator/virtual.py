"""Many worlds at once beside gymnasium's CarRacing-v3: steps for each second of processor, and memory a world.

Both take turns in one run; a step of ours is a frame and a fifteenth of a second of one car, of 64 worlds with looks,
cars and cameras of their own. CarRacing's picture has 96 x 96 pixels, neither lens nor noise.
"""

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.peers.environments import CARRACING, Worker, peer_python
from bench.report import OUT, console, machine
from simulator.batch.vector import BatchWorlds, WorldSpec
from simulator.driving.policy import DEMO, load_policy
from simulator.world.tracks import load_track
from simulator.world.world import draw_parts

TRACKS = ("reinvent_base", "reInvent2019_wide", "2022_april_open", "Vegas_track")
GOALS = {"a": 60.0, "a80": 200.0, "b": 20.0}
FLOORS = 8  # different geometries of paint a track


def main(quick: bool) -> None:
    """Prints the table and writes run/bench/virtual.json."""
    worlds = {
        "a": ("vector, 160 x 120 grey, 64 worlds", _vector(64, (160, 120))),
        "a80": ("vector, 80 x 60 grey, 64 worlds", _vector(64, (80, 60))),
        "b": ("closed loop with the demo policy, 32 worlds", _closed_loop(32)),
    }
    worker = Worker(peer_python(CARRACING), "carracing_worker.py")
    try:
        rates = _in_turn({name: once for name, (_, once) in worlds.items()}, worker, rounds=4 if quick else 16)
    finally:
        worker.close()
    lines: list[dict[str, Any]] = []
    for name, (what, _) in worlds.items():
        ratio = statistics.median(ours / theirs for ours, theirs in zip(rates[name], rates["peer"], strict=True))
        lines.append(
            {"row": name, "what": what, "per_s": statistics.median(rates[name]), "ratio": ratio, "goal": GOALS[name]}
        )
    batch = _batch(64, (160, 120))
    batch.render(np.empty((64, 120, 160), np.uint8))
    _print(lines, statistics.median(rates["peer"]), batch.bytes_a_world)
    OUT.mkdir(parents=True, exist_ok=True)
    document = {"bench": "virtual", "machine": machine(), "rows": lines, "bytes_a_world": batch.bytes_a_world}
    (OUT / "virtual.json").write_text(json.dumps(document, indent=1) + "\n")


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


def _in_turn(calls: dict[str, Callable[[], int]], worker: Worker, rounds: int) -> dict[str, list[float]]:
    """Steps for each second of processor, round by round; the peer answers in its own."""
    rates: dict[str, list[float]] = {name: [] for name in (*calls, "peer")}
    for _ in range(rounds):
        for name, once in calls.items():
            steps, began_s = 0, time.process_time()
            while time.process_time() - began_s < 0.25:
                steps += once()
            rates[name].append(steps / (time.process_time() - began_s))
        used_s = float(worker.request("cpu 40 0"))
        rates["peer"].append(40 / used_s)
    return rates


def _print(lines: list[dict[str, Any]], peer: float, bytes_a_world: int) -> None:
    out = console()
    out.print(f"virtual, beside CarRacing-v3 with {peer:,.0f} steps for each second of processor")
    for one in lines:
        figures = f"{one['per_s']:8,.0f} /s  {one['ratio']:6.1f} x  (goal {one['goal']:.0f} x)"
        out.print(f"  {one['row']:4} {one['what']:45} {figures}", markup=False)
    out.print(f"  f    memory a world beyond what all share {bytes_a_world / 1e6:.3f} MB  (goal 1 MB)", markup=False)
