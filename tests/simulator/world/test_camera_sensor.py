"""What a camera does to a picture: exposure, blur, noise, and the size that the policy sees."""

import numpy as np
import pytest

from simulator.world.camera_sensor import CameraSensor, draw_lens, expose, for_policy

GREY = np.full((240, 320), 100, np.uint8)


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


EXPOSURES = [
    (CameraSensor(noise=0.0), 100),
    (CameraSensor(noise=0.0, gain=1.5), 150),
    (CameraSensor(noise=0.0, offset=20.0), 120),
    (CameraSensor(noise=0.0, gain=3.0), 255),
    (CameraSensor(noise=0.0, offset=-150.0), 0),
]


@pytest.mark.parametrize(("lens", "level"), EXPOSURES)
def test_exposure(lens: CameraSensor, level: int) -> None:
    assert (expose(GREY, lens, rng()) == level).all()


def test_noise_has_its_size_no_bias_and_its_seed() -> None:
    noisy = expose(GREY, CameraSensor(noise=4.0), rng()).astype(float)
    assert noisy.std() == pytest.approx(4.0, rel=0.1)
    assert noisy.mean() == pytest.approx(100.0, abs=0.2)
    assert (expose(GREY, CameraSensor(noise=4.0), rng()) == noisy).all()


def test_the_policy_sees_the_mean_of_four_pixels() -> None:
    frame = np.random.default_rng(1).integers(0, 256, (240, 320), dtype=np.uint8)
    small = for_policy(frame)
    assert small.shape == (120, 160)
    mean = frame.reshape(120, 2, 160, 2).mean(axis=(1, 3))
    assert float(np.abs(small - mean).max()) <= 1.0


def test_cameras_differ_by_seed_within_their_mounts() -> None:
    assert draw_lens(3) == draw_lens(3)
    for seed in range(100):
        lens = draw_lens(seed)
        assert 0.2388 - 0.022 <= lens.camera.pitch_rad <= 0.2618 + 0.022
        assert abs(lens.camera.up_m - 0.1303) <= 0.006
