"""The teacher, the random roads and the drives: all of the training that needs no training library."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.driving.drive_chain import DriveChain
from simulator.train.expert import ExpertDriver
from simulator.train.imitation.loops import TIGHTEST_M, random_track
from simulator.train.imitation.rollout import RolloutRunner
from simulator.train.labels import ContinuousLabels, DiscreteLabels
from simulator.train.recipe import CarsRecipe, NetworkRecipe, RaceRecipe, Recipe, load_recipe
from simulator.world.tracks import load_track, shipped_tracks
from simulator.world.world import CarLeftTrack, TrueCrossing, World
from vehicle.core.actions import ActionSpace

DEMO = load_recipe("dagger")
SPACE = ActionSpace.parse_metadata(DEMO.actions.metadata())
ANGLES_DEG = [choice.steering_deg for choice in SPACE.choices]
LABELS = DiscreteLabels(SPACE)
target = LABELS.label


@given(st.floats(-1.0, 1.0), st.sampled_from([0.0, 1.0]))
def test_targets_are_probabilities_whose_mean_is_the_wish(steering: float, fast: float) -> None:
    shares = target(steering, fast)
    assert shares.min() >= 0.0
    assert float(shares.sum()) == pytest.approx(1.0, abs=1e-5)
    mean = float(shares @ np.array(ANGLES_DEG)) / 30.0
    limit = 1.0 if fast == 0.0 else 0.5
    assert mean == pytest.approx(max(-limit, min(limit, steering)), abs=1e-4)


@given(st.floats(-1.0, 1.0), st.sampled_from([0.0, 1.0]))
def test_the_mirrored_target_is_the_target_of_the_mirrored_wish(steering: float, fast: float) -> None:
    continuous = ContinuousLabels(ActionSpace("continuous"))
    for labels in (LABELS, continuous):
        assert labels.mirrored is not None
        factors, columns = labels.mirrored
        mirrored = labels.label(steering, fast)[columns] * factors
        assert mirrored == pytest.approx(labels.label(-steering, fast), abs=1e-5)
    assert continuous.label(steering, fast) == pytest.approx([steering, 2.0 * fast - 1.0], abs=1e-6)


def test_spaces_that_are_not_even_have_labels_but_no_mirror() -> None:
    rows = [{"steering_angle": angle, "speed": 1.0} for angle in (20.0, 0.0, -30.0)]
    discrete = DiscreteLabels(ActionSpace.parse_metadata({"action_space": rows}))
    assert discrete.mirrored is None
    assert discrete.label(-0.5, 1.0) == pytest.approx([0.0, 0.5, 0.5])  # -15 degrees, and no faster speed
    assert discrete.label(1.0, 0.0) == pytest.approx([1.0, 0.0, 0.0])
    axes = {"steering_angle": {"low": -20, "high": 30}, "speed": {"low": 1, "high": 2}}
    continuous = ContinuousLabels(ActionSpace.parse_metadata({"action_space_type": "continuous", "action_space": axes}))
    assert continuous.mirrored is None
    assert continuous.label(5.0 / 30.0, 0.0) == pytest.approx([0.0, -1.0], abs=1e-6)


def test_the_car_reads_the_metadata_as_meant() -> None:
    assert LABELS.size == SPACE.size
    slow, fast = SPACE.decode(target(0.0, 0.0), 1.0), SPACE.decode(target(0.0, 1.0), 1.0)
    assert (slow.steering, fast.steering) == (0.0, 0.0)
    assert (round(slow.throttle, 3), fast.throttle) == (0.664, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*shipped_tracks(), "random"])
def test_the_expert_stays_on_the_road(name: str) -> None:
    track = random_track(5) if name == "random" else load_track(name)
    world, expert = World(track, 3), ExpertDriver(track)
    chain = DriveChain(world, latency_ns=40_000_000)
    crossings = 0
    for n in range(1, 15 * 45):
        set_command = expert.command(world.pose.place, world.place.segment)
        chain.set_command(world.now_ns, SPACE.decode(target(*set_command), 0.48))
        events = chain.run(n * 1_000_000_000 // 15)
        assert not any(isinstance(event, CarLeftTrack) for event in events)
        crossings += sum(isinstance(event, TrueCrossing) for event in events)
    assert crossings >= 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_random_roads_are_closed_wide_and_gentle_enough(seed: int) -> None:
    track = random_track(seed)
    assert 10.0 < track.length_m < 65.0
    assert 0.59 <= float(track.widths_m.min()) <= float(track.widths_m.max()) < 2.2
    steps = np.linalg.norm(np.diff(track.centre, axis=0), axis=1)
    assert float(steps.max()) < 0.2
    yaws = [track.pose_at(s).yaw for s in np.arange(0.0, track.length_m, 0.24)]
    bends = [abs(np.angle(np.exp(1j * (b - a)))) / 0.24 for a, b in pairwise(yaws)]
    assert max(bends) < 1.35 / TIGHTEST_M
    assert (random_track(seed).centre == track.centre).all()


def test_drives_bring_frames_and_answers() -> None:
    """Alone at the size of the recipe's network; round boxes the expert hits none, and cars begin clear of them."""
    alone = Recipe(cars=CarsRecipe(count=2), network=NetworkRecipe(shrink=1, kernels=(8, 4, 3)))
    drives = RolloutRunner([load_track("reinvent_base")], alone, SPACE).drives(None, 1.0, frames=5)
    assert drives.frames.shape == (10, 120, 160)
    assert drives.labels.shape == (10, LABELS.size)
    assert np.allclose(drives.labels.sum(axis=1), 1.0, atol=1e-5)
    assert float(drives.frames.std()) > 5.0
    assert (drives.tally.frames, drives.tally.crashes) == (10, 0)
    boxes = Recipe(
        race=RaceRecipe("object_avoidance"), cars=CarsRecipe(count=6, profile="droa-2026", throttle_percent=40.0)
    )
    runner = RolloutRunner([load_track("reinvent_base")], boxes, SPACE)
    drives = runner.drives(None, 1.0, frames=60)
    assert drives.frames.shape == (360, 60, 80)
    assert drives.tally.metres > 10.0
    assert drives.tally.crashes <= 1  # after a slip of the hand
    before = runner.state()
    first = runner.drives(None, 0.0, frames=2)
    runner.restore(before)
    assert np.array_equal(runner.drives(None, 0.0, frames=2).frames, first.frames)
