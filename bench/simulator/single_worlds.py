"""What one user has of the virtual worlds: an environment of one world, three laps evaluated, and a large network.

Three laps are compared with `drive` as it was before there was a batch, at BASELINE_COMMIT: what that took, in steps of
CarRacing-v3, is kept here, and measured again from a worktree with `--baseline`.
"""

import pathlib
import subprocess
from collections.abc import Callable

import gymnasium
import numpy as np

from bench.peers.environments import PeerMissing, Worker
from bench.vehicle.networks import write_shallow
from simulator.batch.vector import BatchWorlds
from simulator.driving.lock_step import drive_many
from simulator.driving.policy import DEMO, load_policy
from simulator.world.tracks import load_track
from vehicle.models.running.check import check_model
from vehicle.models.running.policy import Policy

BASELINE_COMMIT = "0fb2d90"
BASELINE_STEPS = 155.0  # of CarRacing-v3: as much processor as three laps of `drive` at that commit (140 to 175)
TRACK, LAPS = "reinvent_base", 3
_WORKTREE = pathlib.Path("run") / "peers" / f"raceday-{BASELINE_COMMIT}"
_NETWORK = pathlib.Path("run") / "bench" / "shallow"


def made() -> Callable[[], int]:
    """Steps `gymnasium.make(...)` of one world once, steered along the road; returns how many steps that was."""
    environment = gymnasium.make("simulator.env:Raceday/TimeTrial-v0", track=TRACK)
    _, first = environment.reset(seed=1)
    lateral_m = [float(first["lateral_m"])]
    action = np.zeros(2, np.float32)

    def once() -> int:
        aside_m = lateral_m[-1]
        action[0] = np.clip(-1.5 * aside_m - 20.0 * (aside_m - lateral_m[0]), -1.0, 1.0)
        _, _, ended, cut, info = environment.step(action)
        if ended or cut:
            _, info = environment.reset()
        lateral_m[:] = aside_m, float(info["lateral_m"])
        return 1

    once()
    return once


def three_laps() -> Callable[[], int]:
    """Drives three laps with the demo policy, each time from another seed."""
    policy, track = load_policy(DEMO), load_track(TRACK)
    seeds = iter(range(1_000_000))

    def once() -> int:
        drive_many(policy, track, [next(seeds)], LAPS)
        return 1

    once()
    return once


def large_network(batch: BatchWorlds) -> tuple[Callable[[], int], Callable[[], int]]:
    """(closed loop with the shallow network of 5.8 M parameters, its bare `session.run`), of as many frames each."""
    path = write_shallow(_NETWORK)
    policy, bare = load_policy(str(path)), Policy(check_model(path))
    frames, commands = np.empty((len(batch), 120, 160), np.uint8), np.zeros((len(batch), 2))
    batch.render(frames)
    bare.preprocess(frames[0])

    def closed_loop() -> int:
        batch.render(frames)
        for n in range(len(batch)):
            action = policy.act(frames[n])
            commands[n] = action.steering, action.throttle
        batch.step(commands)
        batch.put_back(np.flatnonzero(batch.off_track))
        return len(batch)

    def session_run() -> int:
        for _ in range(len(batch)):
            bare.answer()
        return len(batch)

    closed_loop()
    return closed_loop, session_run


class Baseline:
    """Seconds of processor of three laps at BASELINE_COMMIT, from a worktree. Raises PeerMissing."""

    def __init__(self, python: pathlib.Path) -> None:
        if not _WORKTREE.exists():
            command = ["git", "worktree", "add", "--detach", str(_WORKTREE), BASELINE_COMMIT]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise PeerMissing(
                    f"not measured: there is no worktree of {BASELINE_COMMIT} ({done.stderr.strip()[-120:]})"
                )
        self._worker = Worker(python, "old_drive_worker.py", str(_WORKTREE.absolute()), TRACK, str(LAPS))

    def seconds(self) -> float:
        """Of one drive of three laps, each time from another seed."""
        return float(self._worker.request("drive"))

    def close(self) -> None:
        """End its process."""
        self._worker.close()
