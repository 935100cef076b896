"""Rollouts of the student in harsh mock worlds, with each frame labelled by the expert."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulator.driving.drive_chain import DriveChain
from simulator.train.expert import ExpertDriver
from simulator.train.spaces import metadata, target
from simulator.world.camera_sensor import for_policy
from simulator.world.geometry import Track
from simulator.world.world import World, draw_parts
from simulator.world.world_events import CarLeftTrack
from vehicle.core.actions import Action, ActionSpace

FRAME_NS_TIMES_HZ = 1_000_000_000
FRAME_RATE_HZ = 15
FRAME_SHAPE = (120, 160)
MAX_LATENCY_NS = 120_000_000
LOST_FRAMES = 0.04

Frames = NDArray[np.uint8]
Shares = NDArray[np.float32]
Student = Callable[[Frames], Shares]  # (B, 120, 160) frames to (B, N) probabilities


@dataclass(frozen=True, eq=False)
class Rollout:
    """The output of one round of drives: frames (n, 120, 160), the expert's labels (n, N), and its figures."""

    frames: Frames
    shares: Shares
    off_tracks: int
    metres: float


class TrainingWorld:
    """One world with its expert, its delays and its own random disturbances."""

    def __init__(self, track: Track, expert: ExpertDriver, rng: random.Random) -> None:
        spread = rng.uniform(0.6, 1.7)
        board = rng.random() < 0.8
        parts = draw_parts(track, rng.randrange(1 << 30), spread=spread, board=board, start_lines=0.5)
        if rng.random() < 0.25:
            parts = replace(parts, lens=replace(parts.lens, blur_px=rng.uniform(0.5, 2.5)))
        self.world = World(track, rng.randrange(1 << 30), parts=parts)
        self.chain = DriveChain(self.world, rng.randrange(MAX_LATENCY_NS))
        self.expert = expert
        self.throttle_scale = rng.uniform(0.36, 0.60)
        self._rng = rng
        self._slip = Action()
        self._slip_frames = 0
        self.scatter()

    def scatter(self) -> None:
        """Put the car at a random place on the road, roughly along it."""
        track, rng = self.world.track, self._rng
        s_m = rng.uniform(0.0, track.length_m)
        half = track.half_width_at(track.locate(*track.pose_at(s_m)[:2]).segment)
        self.world.put_at(s_m, rng.gauss(0.0, 0.4) * half, rng.gauss(0.0, 0.22))
        self.chain.clear()

    def label(self) -> tuple[float, float]:
        """The expert's label for the present pose."""
        return self.expert.command(self.world.pose.place, self.world.place.segment)

    def drive(self, action: Action, until_ns: int) -> int:
        """Drive on with `action`, sometimes replaced by a random disturbance; return 1 if the car left the road."""
        if self._slip_frames == 0 and self._rng.random() < 0.012:
            self._slip_frames = self._rng.randint(2, 7)
            self._slip = Action(self._rng.uniform(-1.0, 1.0), self._rng.uniform(0.0, self.throttle_scale))
        if self._slip_frames > 0:
            self._slip_frames -= 1
            action = self._slip
        if self._rng.random() >= LOST_FRAMES:
            self.chain.set_command(self.world.now_ns, action)
        left = any(isinstance(event, CarLeftTrack) for event in self.chain.run(until_ns))
        if left or self._rng.random() < 0.004:
            self.scatter()
        return int(left)


class RolloutRunner:
    """Draws worlds from a list of tracks and lets the student drive them in lock-step."""

    def __init__(self, tracks: Sequence[Track], seed: int) -> None:
        self._tracks = list(tracks)
        self._experts: dict[str, ExpertDriver] = {}
        self._rng = random.Random(f"school-{seed}")
        self._space = ActionSpace.parse_metadata(metadata())

    def drives(self, student: Student | None, expert_share: float, worlds: int, frames: int) -> Rollout:
        """Drive `worlds` cars for `frames` frames each; the expert drives a share of them, the student the rest."""
        training_worlds = [self._draw_world() for _ in range(worlds)]
        pictures = np.empty((frames, worlds, *FRAME_SHAPE), np.uint8)
        targets = np.empty((frames, worlds, self._space.size), np.float32)
        left, metres = 0, 0.0
        for frame in range(frames):
            for n, each in enumerate(training_worlds):
                pictures[frame, n] = for_policy(each.world.frame())
                targets[frame, n] = target(*each.label())
            answers = targets[frame] if student is None else student(pictures[frame])
            until_ns = (frame + 1) * FRAME_NS_TIMES_HZ // FRAME_RATE_HZ
            for n, each in enumerate(training_worlds):
                shares = targets[frame, n] if self._rng.random() < expert_share else answers[n]
                left += each.drive(self._space.decode(shares, each.throttle_scale), until_ns)
                metres += each.world.pose.speed_mps / FRAME_RATE_HZ
        return Rollout(pictures.reshape(-1, *FRAME_SHAPE), targets.reshape(-1, self._space.size), left, metres)

    def _draw_world(self) -> TrainingWorld:
        track = self._rng.choice(self._tracks)
        if track.name not in self._experts:
            self._experts[track.name] = ExpertDriver(track)
        return TrainingWorld(track, self._experts[track.name], random.Random(self._rng.random()))
