"""Each kind of car can be driven in the environments: an expert that knows its steering finishes laps in it."""

from typing import Any

import numpy as np
import pytest

from simulator.env.vector import RaceVectorEnv
from simulator.train.expert import ExpertDriver
from simulator.world.car import TOP_SPEED_MPS
from simulator.world.cars.profiles import PHYSICAL, car_profile, profile_names
from simulator.world.geometry import Pose
from vehicle.core.actions import throttle_share

CARS, FRAMES = 2, 15 * 40
ACTIONS = {
    "action_space_type": "continuous",
    "action_space": {"steering_angle": {"low": -30, "high": 30}, "speed": {"low": 0.5, "high": 2.0}},
}
FAST_MPS, SLOW_MPS = 1.4, 1.0


@pytest.mark.parametrize("profile", profile_names())
@pytest.mark.parametrize("direction", ["counterclockwise", "clockwise"])
def test_an_expert_finishes_a_lap_with_every_car(profile: str, direction: Any) -> None:
    envs = RaceVectorEnv(
        CARS, size=(8, 8), actions=ACTIONS, profile=profile, direction=direction, autoreset_mode="Disabled"
    )
    _, info = envs.reset(seed=3)
    expert = ExpertDriver.of_profile(envs.worlds.specs[0].track, profile)
    speeds, over = [], np.zeros(CARS, bool)
    for _ in range(FRAMES):
        poses = zip(envs.worlds.pose.tolist(), envs.worlds.segment.tolist(), strict=True)
        advice = np.array([expert.command(Pose(*pose), segment) for pose, segment in poses])
        wanted = np.where(advice[:, 1] > 0.5, FAST_MPS, SLOW_MPS)
        speed = 2.0 * (wanted - 0.5) / 1.5 - 1.0
        _, _, terminated, truncated, info = envs.step(np.stack([advice[:, 0], speed], axis=1).astype(np.float32))
        assert not terminated.any(), {name: info[name].tolist() for name in ("off_track", "immobilized", "reversed")}
        over |= truncated
        speeds.append(info["speed_mps"].max())
        if over.all():
            break
        if truncated.any():
            envs.reset(options={"reset_mask": truncated})
    assert over.all()
    # A simulated car drives the speed of the action; the physical one, at half throttle, by its throttle curve.
    fastest_mps = FAST_MPS if profile != PHYSICAL else 0.5 * throttle_share(FAST_MPS, 2.0) * TOP_SPEED_MPS
    assert np.max(speeds) == pytest.approx(fastest_mps * car_profile(profile).middle.speed_gain, rel=0.08)
