"""The teacher, the random roads and the drives: all of the training that needs no training library."""

from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.driving.drive_chain import DriveChain
from simulator.train.expert import ExpertDriver
from simulator.train.loops import TIGHTEST_M, random_track
from simulator.train.rollout import RolloutRunner
from simulator.train.spaces import ANGLES_DEG, CHOICES, metadata, mirror, target
from simulator.world.tracks import load_track, shipped_tracks
from simulator.world.world import CarLeftTrack, TrueCrossing, World
from vehicle.core.actions import ActionSpace

SPACE = ActionSpace.parse_metadata(metadata())


@given(st.floats(-1.0, 1.0), st.sampled_from([0.0, 1.0]))
def test_targets_are_probabilities_whose_mean_is_the_wish(steering: float, fast: float) -> None:
    shares = target(steering, fast)
    assert shares.min() >= 0.0
    assert float(shares.sum()) == pytest.approx(1.0, abs=1e-5)
    mean = float(shares @ np.array([angle for angle, _ in CHOICES])) / ANGLES_DEG[-1]
    limit = 1.0 if fast == 0.0 else 0.5
    assert mean == pytest.approx(max(-limit, min(limit, steering)), abs=1e-4)


@given(st.floats(-1.0, 1.0), st.sampled_from([0.0, 1.0]))
def test_the_mirrored_target_is_the_target_of_the_mirrored_wish(steering: float, fast: float) -> None:
    assert target(steering, fast)[mirror()] == pytest.approx(target(-steering, fast), abs=1e-5)


def test_the_car_reads_the_metadata_as_meant() -> None:
    assert SPACE.size == len(CHOICES)
    slow, fast = SPACE.decode(target(0.0, 0.0), 1.0), SPACE.decode(target(0.0, 1.0), 1.0)
    assert (slow.steering, fast.steering) == (0.0, 0.0)
    assert (slow.throttle, fast.throttle) == (pytest.approx(0.664, abs=1e-3), 1.0)


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
    drives = RolloutRunner([load_track("reinvent_base")], seed=1).drives(None, 1.0, worlds=2, frames=5)
    assert drives.frames.shape == (10, 120, 160)
    assert drives.shares.shape == (10, len(CHOICES))
    assert np.allclose(drives.shares.sum(axis=1), 1.0, atol=1e-5)
    assert float(drives.frames.std()) > 5.0


if find_spec("torch") is not None:  # the extra 'train': not part of what the product or CI needs

    @pytest.mark.slow
    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_a_tiny_training_leaves_a_model_that_answers_as_the_network_does(
        tmp_path_factory: pytest.TempPathFactory,
    ) -> None:
        from simulator.driving.policy import load_policy
        from simulator.train.command import run
        from simulator.train.network import ImitationLearner, write_onnx
        from simulator.world.camera_sensor import for_policy

        folder = tmp_path_factory.mktemp("model")
        run(
            [load_track("reinvent_base")],
            folder,
            1,
            {"rounds": 1, "steps": 2, "frames": 3, "worlds": 2, "random_tracks": 1},
        )
        assert {path.name for path in folder.iterdir()} >= {"model.onnx", "card.json", "MODEL_CARD.md", "rounds.png"}
        learner = ImitationLearner(1)
        write_onnx(learner.slow, folder / "model.onnx")
        frame = np.random.default_rng(1).integers(0, 256, (240, 320), dtype=np.uint8)
        policy = load_policy(str(folder))
        policy.act(frame)
        assert policy._model.answer() == pytest.approx(learner.student(for_policy(frame)[None])[0], abs=1e-5)
