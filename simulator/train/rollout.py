"""Rollouts of the student in harsh mock worlds, all of them in lock-step, with each frame labelled by the expert."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulator.batch.vector import FRAME_RATE_HZ, LEFT_TRACK, BatchWorlds, WorldSpec
from simulator.train.expert import ExpertDriver
from simulator.train.spaces import metadata, target
from simulator.world.camera_sensor import POLICY_SIZE
from simulator.world.cars.profiles import PHYSICAL, draw_car, profile_names
from simulator.world.geometry import Pose, Track
from simulator.world.world import draw_parts
from vehicle.core.actions import Action, ActionSpace

FRAME_SHAPE = POLICY_SIZE[::-1]
MAX_LATENCY_NS = 120_000_000
LOST_FRAMES = 0.04
PHYSICAL_SHARE = 0.7  # of the cars; the others are those of the field's simulators

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


class TrainingCar:
    """What is drawn for one car: its world, its throttle and its own random disturbances."""

    def __init__(self, track: Track, expert: ExpertDriver, rng: random.Random) -> None:
        self.track, self.expert, self._rng = track, expert, rng
        self.spec = _draw_spec(track, rng)
        self.throttle_scale = rng.uniform(0.36, 0.60)
        self._slip = Action()
        self._slip_frames = 0

    def scatter(self) -> tuple[float, float, float]:
        """A random place on the road, roughly along it: metres from the line, metres left of the middle, turn (rad)."""
        rng = self._rng
        s_m = rng.uniform(0.0, self.track.length_m)
        half = self.track.half_width_at(self.track.locate(*self.track.pose_at(s_m)[:2]).segment)
        return s_m, rng.gauss(0.0, 0.4) * half, rng.gauss(0.0, 0.22)

    def disturbed(self, action: Action) -> Action:
        """The action, or sometimes for a few frames a slip of the hand."""
        if self._slip_frames == 0 and self._rng.random() < 0.012:
            self._slip_frames = self._rng.randint(2, 7)
            self._slip = Action(self._rng.uniform(-1.0, 1.0), self._rng.uniform(0.0, self.throttle_scale))
        if self._slip_frames == 0:
            return action
        self._slip_frames -= 1
        return self._slip

    def is_moved(self) -> bool:
        """True if the car is to be placed elsewhere, so that rounds see all of a long road."""
        return self._rng.random() < 0.004


def _draw_spec(track: Track, rng: random.Random) -> WorldSpec:
    """A harsher world than those that models are evaluated in."""
    spread, board = rng.uniform(0.6, 1.7), rng.random() < 0.8
    parts = draw_parts(track, rng.randrange(1 << 30), spread=spread, board=board, start_lines=0.5)
    if rng.random() < 0.25:
        parts = replace(parts, lens=replace(parts.lens, blur_px=rng.uniform(0.5, 2.5)))
    if rng.random() >= PHYSICAL_SHARE:
        others = [name for name in profile_names() if name != PHYSICAL]
        parts = replace(parts, car=draw_car(rng.randrange(1 << 30), spread, rng.choice(others)))
    return WorldSpec(
        track,
        parts,
        rng.randrange(1 << 30),
        latency_ns=rng.randrange(MAX_LATENCY_NS),
        lost_frame_share=LOST_FRAMES,
    )


class RolloutRunner:
    """Draws worlds from a list of tracks and lets the student drive them in lock-step."""

    def __init__(self, tracks: Sequence[Track], seed: int) -> None:
        self._tracks = list(tracks)
        self._experts: dict[str, ExpertDriver] = {}
        self._rng = random.Random(f"school-{seed}")
        self._space = ActionSpace.parse_metadata(metadata())

    def drives(self, student: Student | None, expert_share: float, worlds: int, frames: int) -> Rollout:
        """Drive `worlds` cars for `frames` frames each; the expert drives a share of them, the student the rest."""
        cars = [self._draw_car() for _ in range(worlds)]
        batch = BatchWorlds([car.spec for car in cars], size=POLICY_SIZE)
        _scatter(batch, cars, range(worlds))
        pictures = np.empty((frames, worlds, *FRAME_SHAPE), np.uint8)
        targets = np.empty((frames, worlds, self._space.size), np.float32)
        commands = np.empty((worlds, 2))
        left, metres = 0, 0.0
        for frame in range(frames):
            batch.render(pictures[frame])
            for n, (car, pose, segment) in enumerate(
                zip(cars, batch.pose.tolist(), batch.segment.tolist(), strict=True)
            ):
                targets[frame, n] = target(*car.expert.command(Pose(*pose), segment))
            answers = targets[frame] if student is None else student(pictures[frame])
            for n, car in enumerate(cars):
                shares = targets[frame, n] if self._rng.random() < expert_share else answers[n]
                action = car.disturbed(self._space.decode(shares, car.throttle_scale))
                commands[n] = action.steering, action.throttle
            events = batch.step(commands)
            off = set(events["world"][events["kind"] == LEFT_TRACK].tolist())
            left += len(off)
            metres += float(batch.speed_mps.sum()) / FRAME_RATE_HZ
            _scatter(batch, cars, [n for n, car in enumerate(cars) if n in off or car.is_moved()])
        batch.close()
        return Rollout(pictures.reshape(-1, *FRAME_SHAPE), targets.reshape(-1, self._space.size), left, metres)

    def _draw_car(self) -> TrainingCar:
        track = self._rng.choice(self._tracks)
        if track.name not in self._experts:
            self._experts[track.name] = ExpertDriver(track)
        return TrainingCar(track, self._experts[track.name], random.Random(self._rng.random()))


def _scatter(batch: BatchWorlds, cars: Sequence[TrainingCar], places: Sequence[int]) -> None:
    """Put these cars at random places."""
    if places:
        s_m, lateral_m, turn_rad = zip(*(cars[n].scatter() for n in places), strict=True)
        batch.put_at(s_m, lateral_m, turn_rad, list(places))
