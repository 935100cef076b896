"""One car of a rollout: its world, harsher than those that models are evaluated in, its expert and its slips."""

import math
import random
from dataclasses import replace

from simulator.batch.vector import WorldSpec
from simulator.env.actions import MIN_SPEED_MPS
from simulator.env.draws import UNLIMITED
from simulator.objects.boxes import BoxSetup, make_boxes
from simulator.objects.lanes import Lanes, lanes_of
from simulator.objects.placing import MAX_OBJECTS, PlacedObject, most_drawn
from simulator.train.avoiding_expert import SLOW, AvoidingExpert
from simulator.train.expert import ExpertDriver
from simulator.train.labels import Label, bottom_speed_mps
from simulator.train.recipe import Recipe
from simulator.world.car import MAX_STEERING_RAD, TOP_SPEED_MPS
from simulator.world.cars.profiles import PHYSICAL, draw_car, profile_names
from simulator.world.geometry import Pose, Track
from simulator.world.world import WorldParts, draw_parts
from vehicle.core.actions import Action, ActionSpace, throttle_share
from vehicle.core.limiter import DriveLimits

MAX_LATENCY_NS = 120_000_000
LOST_FRAMES = 0.04
THROTTLES = (0.75, 1.25)  # of the recipe's
CLEAR_BEFORE_M, CLEAR_BEHIND_M = 0.9, 0.6  # of boxes where a car is placed


class Road:
    """A track with what all cars on it share."""

    def __init__(self, track: Track, recipe: Recipe) -> None:
        self.track = track
        self.expert = ExpertDriver.of_profile(track, recipe.cars.profile)
        self.lanes: Lanes | None = lanes_of(track) if recipe.boxes else None


class TrainingCar:
    """What is drawn for one car: its world, its throttle and its own random disturbances."""

    def __init__(self, road: Road, recipe: Recipe, space: ActionSpace, rng: random.Random) -> None:
        self.track, self._road, self._rng, self._space = road.track, road, rng, space
        self._profile = recipe.cars.profile
        boxes = self._draw_boxes(recipe)
        self.spec = self._draw_spec(recipe, boxes)
        self.throttle_scale = rng.uniform(*THROTTLES) * recipe.cars.throttle_percent / 100.0
        self._avoiding = None
        if boxes:
            self._avoiding = AvoidingExpert(
                self.track, boxes, speeds_mps=self._speeds_mps(), eases_back=True, profile=self._profile
            )
        self._slip = Action()
        self._slip_frames = 0

    def advice(self, pose: Pose, segment: int, speed_mps: float) -> tuple[float, float]:
        """What the expert does: steering in [-1, 1], + is left, and a share of fast."""
        if self._avoiding is None:
            return self._road.expert.command(pose, segment)
        advice = self._avoiding.advise(pose, speed_mps, segment=segment)
        return advice.steering, max(SLOW, advice.speed)

    def action(self, answer: Label) -> Action:
        """What the car does with an answer of the network: by throttle on the physical car, else by the speed named."""
        if self._profile == PHYSICAL:
            return self._space.decode(answer, self.throttle_scale)
        _, angle_deg, speed_mps = self._space.choose(answer)
        steering = max(-1.0, min(1.0, math.radians(angle_deg) / MAX_STEERING_RAD))
        return Action(steering, max(MIN_SPEED_MPS, min(TOP_SPEED_MPS, speed_mps)) / TOP_SPEED_MPS)

    def scatter(self) -> tuple[float, float, float]:
        """A random place on the road, roughly along it: metres from the line, metres left of the middle, turn (rad)."""
        rng = self._rng
        s_m = rng.uniform(0.0, self.track.length_m)
        while not self._is_clear(s_m):
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

    def _speeds_mps(self) -> tuple[float, float]:
        """How fast the car about is at the fastest and at the slowest action."""
        low, top = bottom_speed_mps(self._space), self._space.top_speed_mps
        if self._profile != PHYSICAL:
            return top, low
        top_mps = self.throttle_scale * TOP_SPEED_MPS
        return top_mps, top_mps * throttle_share(low, top)

    def _is_clear(self, s_m: float) -> bool:
        """True if no box is near, of which six leave half of the shortest track free."""
        for box in self.spec.boxes:
            ahead_m = math.remainder(box.s_m - s_m, self.track.length_m)
            if -CLEAR_BEHIND_M < ahead_m < CLEAR_BEFORE_M:
                return False
        return True

    def _draw_boxes(self, recipe: Recipe) -> tuple[PlacedObject, ...]:
        """As many boxes as at races, or more."""
        lanes = self._road.lanes
        if lanes is None:
            return ()
        room = min(MAX_OBJECTS, most_drawn(lanes))
        count = self._rng.randint(min(recipe.boxes, room), room)
        return make_boxes(lanes, BoxSetup(count), self._rng.randrange(1 << 30))

    def _draw_spec(self, recipe: Recipe, boxes: tuple[PlacedObject, ...]) -> WorldSpec:
        rng, track = self._rng, self.track
        return WorldSpec(
            track,
            self._draw_parts(recipe),
            rng.randrange(1 << 30),
            latency_ns=rng.randrange(MAX_LATENCY_NS),
            lost_frame_share=LOST_FRAMES,
            limits=DriveLimits() if self._profile == PHYSICAL else UNLIMITED,
            boxes=boxes,
        )

    def _draw_parts(self, recipe: Recipe) -> WorldParts:
        rng = self._rng
        spread, board = rng.uniform(0.6, 1.7), rng.random() < 0.8
        parts = draw_parts(self.track, rng.randrange(1 << 30), spread=spread, board=board, start_lines=0.5)
        if rng.random() < 0.25:
            parts = replace(parts, lens=replace(parts.lens, blur_px=rng.uniform(0.5, 2.5)))
        profile = self._profile
        if rng.random() < recipe.imitation.other_profiles:
            profile = rng.choice([name for name in profile_names() if name != self._profile])
        elif profile == PHYSICAL:
            return parts
        return replace(parts, car=draw_car(rng.randrange(1 << 30), spread, profile))
