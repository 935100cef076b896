"""Lenses that are covered not quite light-tight, the sun as a disc, noise with coarse grains; and cars that spin."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.world.tracks import load_track, shipped_tracks
from simulator.world.world import World, draw_parts
from tests.vehicle.frames.test_frame_check import recorded, scenes, small_of
from vehicle.frames import frame_check
from vehicle.frames.frame_check import BLANK, COVERED, DAZZLED, NOISE, FrameCheck, NoiseDetector
from vehicle.frames.frame_edges import BURNT_OUT, COLUMNS, HALO_STEPS, ROWS, SLOPE, STEP, STRIPS, EdgeCounter

Picture = Any
Y, X = np.mgrid[0:120, 0:160].astype(np.float64)
REPORTED_AFTER = 8  # frames; a car at 15 Hz has then driven for half a second


def grains(rng: np.random.Generator, sigma: float, shape: tuple[int, int] = (120, 160)) -> Picture:
    return rng.normal(0, sigma, shape)


def shown(picture: Picture) -> Picture:
    return np.ascontiguousarray(np.clip(picture, 0, 255).astype(np.uint8))


def spot(x: float, y: float, spread: float) -> Picture:
    return np.exp(-((X - x) ** 2 + (Y - y) ** 2) / spread)


def rim(width_px: float, *sides: str) -> Picture:
    """Light that falls off from some sides of the picture: 1 at the border."""
    away = {"left": X, "right": 159 - X, "top": Y, "bottom": 119 - Y}
    return np.exp(-np.minimum.reduce([away[side] for side in sides]) / width_px)


def disc(x: float, y: float, radius: float) -> Picture:
    return np.hypot(X - x, Y - y) < radius


LEAKS: dict[str, tuple[Picture, str]] = {
    "a corner": (10 + 120 * spot(160, 0, 600), COVERED),
    "a wide corner": (10 + 200 * spot(0, 120, 3000), COVERED),
    "a strip on the left": (8 + 200 * rim(4, "left"), COVERED),
    "a strip on the right": (8 + 240 * rim(10, "right"), COVERED),
    "a strip at the top": (8 + 200 * rim(4, "top"), COVERED),
    "a wide strip at the top": (8 + 200 * rim(15, "top"), COVERED),
    "a strip at the bottom": (8 + 200 * rim(6, "bottom"), COVERED),
    "two sides": (8 + 200 * rim(4, "left", "top"), COVERED),
    "above and below": (8 + 150 * rim(6, "top", "bottom"), COVERED),
    "all around": (8 + 200 * rim(5, "left", "right", "top", "bottom"), COVERED),
    "a cap that shines through": (20 - ((X - 80) ** 2 + (Y - 60) ** 2) / 800, COVERED),
    "a reflection": (8 + 100 * spot(100, 50, 40), COVERED),
    "a reflection between the strips": (8 + 100 * spot(80, 40, 40), COVERED),
    "a sharp reflection": (8 + 200 * disc(40, 60, 6), COVERED),
    "the sun in haze": (200 + 55 * disc(80, 30, 17), BLANK),
    "the sun in bright haze": (220 + 35 * disc(90, 40, 17), DAZZLED),
    "the sun, low": (200 + 55 * disc(30, 70, 20), BLANK),
    "the sun, large": (200 + 55 * disc(80, 40, 30), BLANK),
    "a lamp in the dark": (30 + 200 * disc(80, 40, 20), COVERED),
    "the sun with a soft halo": (330 - ((X - 80) ** 2 + (Y - 30) ** 2) / 90, DAZZLED),
    "the sun with a hard halo": (400 - ((X - 80) ** 2 + (Y - 30) ** 2) / 60, DAZZLED),
    "the sun whose halo fades out": (20 + 300 * np.exp(-np.hypot(X - 80, Y - 40) / 30), BLANK),
    "the sun whose halo fades out, high": (20 + 300 * np.exp(-np.hypot(X - 80, Y - 5) / 50), BLANK),
    "the sun whose halo fades out, bright sky": (120 + 300 * np.exp(-np.hypot(X - 30, Y - 30) / 50), BLANK),
    "the sun whose halo ends": (60 + 400 * spot(40, 30, 1800), BLANK),
    "the sun whose halo ends, of video range": (30 + np.minimum(205, 400 * spot(80, 40, 1800)), BLANK),
    "a headlight in the dark": (5 + 400 * spot(80, 40, 1800), BLANK),
}


@pytest.mark.parametrize("name", LEAKS)
def test_light_in_one_place_or_from_the_border_is_no_scene(name: str) -> None:
    light, sentence = LEAKS[name]
    rng, check = np.random.default_rng(1), FrameCheck()
    assert {check.problem(shown(light + grains(rng, 2))) for _ in range(30)} == {sentence}


@given(
    st.integers(0, 2**32 - 1),
    st.sets(st.sampled_from(["left", "right", "top", "bottom"]), min_size=1),
    st.floats(2, 25),
    st.integers(20, 230),
)
def test_no_leak_from_the_border_makes_a_scene(seed: int, sides: set[str], width_px: float, light: int) -> None:
    picture = shown(8 + light * rim(width_px, *sorted(sides)) + grains(np.random.default_rng(seed), 1.5))
    assert FrameCheck().problem(picture) != ""


@given(st.integers(0, 2**32 - 1), st.floats(0, 159), st.floats(0, 119), st.floats(2, 19), st.integers(30, 240))
def test_no_lamp_alone_makes_a_scene(seed: int, x: float, y: float, radius: float, light: int) -> None:
    picture = shown(8 + light * disc(x, y, radius) + grains(np.random.default_rng(seed), 1.5))
    assert FrameCheck().problem(picture) != ""


@settings(max_examples=200)
@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.floats(0, 159), st.floats(0, 119)),
    st.floats(1, 19),
    st.floats(12, 80),
    st.integers(0, 180),
    st.booleans(),
)
def test_no_sun_with_a_halo_makes_a_scene(
    seed: int, place: tuple[float, float], radius: float, width_px: float, sky: int, is_sharp: bool
) -> None:
    """Burnt out as far as `radius`; from there the halo fades into the sky, or ends."""
    away = np.hypot(X - place[0], Y - place[1]) - radius
    halo = np.exp(-((away + radius) ** 2 - radius**2) / 2 / width_px**2) if is_sharp else np.exp(-away / width_px)
    picture = shown(sky + (255 - sky) * halo + grains(np.random.default_rng(seed), 2))
    assert FrameCheck().problem(picture) != ""


def test_a_scene_with_the_sun_and_its_halo_in_it_passes() -> None:
    rng, real = np.random.default_rng(9), small_of(recorded())
    for x, y, width_px in itertools.product((20, 80, 140), (10, 40), (10, 40, 80)):
        light = 300 * np.exp(-np.hypot(X - x, Y - y) / width_px)
        assert FrameCheck().problem(shown(0.6 * real + light + grains(rng, 2))) == ""


def compressed(picture: Picture, quality: int) -> Picture:
    done, data = cv2.imencode(".jpg", shown(picture), [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)


def enlarged(rng: np.random.Generator, sigma: float, times: int, interpolation: int = cv2.INTER_CUBIC) -> Picture:
    return 128 + cv2.resize(grains(rng, sigma, (120 // times, 160 // times)), (160, 120), interpolation=interpolation)


def soft(rng: np.random.Generator, sigma: float, blur_px: float) -> Picture:
    return 128 + cv2.GaussianBlur(grains(rng, sigma), (0, 0), blur_px)


def denoised(rng: np.random.Generator, sigma: float) -> Picture:
    large = cv2.GaussianBlur(128 + grains(rng, sigma, (480, 640)), (0, 0), 1.5)
    return cv2.resize(large, (160, 120), interpolation=cv2.INTER_AREA)


COARSE: dict[str, Callable[[np.random.Generator], Picture]] = {
    "compressed": lambda rng: compressed(60 + grains(rng, 10), 30),
    "compressed, strong": lambda rng: compressed(60 + grains(rng, 20), 10),
    "compressed, little": lambda rng: compressed(60 + grains(rng, 10), 50),
    "soft by 1 pixel": lambda rng: soft(rng, 40, 1),
    "soft": lambda rng: soft(rng, 40, 2),
    "soft, strong": lambda rng: soft(rng, 80, 2),
    "soft, very strong": lambda rng: soft(rng, 160, 2),
    "enlarged twice": lambda rng: enlarged(rng, 10, 2),
    "enlarged four times": lambda rng: enlarged(rng, 5, 4),
    "enlarged four times, strong": lambda rng: enlarged(rng, 10, 4),
    "enlarged four times, straight": lambda rng: enlarged(rng, 20, 4, cv2.INTER_LINEAR),
    "enlarged five times": lambda rng: enlarged(rng, 10, 5),
    "denoised, large picture": lambda rng: denoised(rng, 40),
    "denoised, strong": lambda rng: denoised(rng, 80),
}


@pytest.mark.parametrize("name", COARSE)
def test_noise_with_coarse_grains_is_reported_after_some_frames(name: str) -> None:
    rng, check = np.random.default_rng(5), FrameCheck()
    problems = [check.problem(shown(COARSE[name](rng))) for _ in range(60)]
    assert set(problems[REPORTED_AFTER:]) == {NOISE}


def filtered(rng: np.random.Generator, blur_px: float, share_before: float, sigma: float) -> Iterator[Picture]:
    """The noise of a covered lens, amplified, behind a camera's own filter: `share_before` of the frame before."""
    picture = grains(rng, 0)
    while True:
        now = cv2.GaussianBlur(grains(rng, 1), (0, 0), blur_px)
        picture = share_before * picture + (1 - share_before) * now / now.std()
        yield shown(12 + sigma * picture / np.sqrt((1 - share_before) / (1 + share_before)))


@pytest.mark.slow
@pytest.mark.parametrize(("share_before", "reported_after"), [(0.5, 15), (0.7, 15), (0.8, 20), (0.9, 40)])
@pytest.mark.parametrize("blur_px", [1, 2])
@pytest.mark.parametrize(("sigma", "before"), [(8, 0), (5, 30)])
def test_noise_behind_a_filter_over_time_is_reported(
    share_before: float, reported_after: int, blur_px: float, sigma: float, before: int
) -> None:
    """Frame by frame it changes little. Where it is weak and fine it is even at times: then the lens is named."""
    rng, check, real = np.random.default_rng(11), FrameCheck(), small_of(recorded())
    assert [check.problem(shown(real + grains(rng, 2))) for _ in range(before)] == [""] * before
    problems = [
        check.problem(picture) for picture in itertools.islice(filtered(rng, blur_px, share_before, sigma), 120)
    ]
    assert set(problems[reported_after:]) <= {NOISE, COVERED}


def test_noise_after_a_scene_is_reported_and_the_scene_after_it_drives_again() -> None:
    rng, check, real = np.random.default_rng(6), FrameCheck(), small_of(recorded())
    scene = [shown(real + grains(rng, 2)) for _ in range(20)]
    assert [check.problem(picture) for picture in scene[:10]] == [""] * 10
    assert {check.problem(shown(enlarged(rng, 10, 4))) for _ in range(30)} >= {NOISE}
    assert [check.problem(picture) for picture in scene[10:]][3:] == [""] * 7


def test_rows_that_flicker_are_reported_most_of_the_time() -> None:
    rng, check = np.random.default_rng(7), FrameCheck()
    problems = [check.problem(shown(60 + grains(rng, 20, (120, 1)) + grains(rng, 2))) for _ in range(200)]
    assert problems[REPORTED_AFTER:].count("") < 60


def third_best_strip(small: Picture) -> int:
    """How many edges the third best strip has: FrameCheck requires four."""
    blocks = cv2.resize(small, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
    return sorted(EdgeCounter().count(blocks)[1])[1]


def test_the_recorded_scene_is_spread_far_above_the_threshold_in_any_light() -> None:
    assert min(third_best_strip(small_of(picture)) for picture in scenes()) >= 6 * frame_check.MIN_STRIP_EDGES


def inner_edges(line: list[int], has_halos: bool) -> list[bool]:
    """The plain rule: which steps along one row or column are edges that no slope from either end reaches."""
    steps = [after - before for before, after in itertools.pairwise(line)]
    reached: set[int] = set()
    for begin in range(len(steps) - HALO_STEPS + 1) if has_halos else ():
        run = steps[begin : begin + HALO_STEPS]
        if min(run) >= SLOPE or max(run) <= -SLOPE:
            reached.update(range(begin, begin + HALO_STEPS))
    for order in (range(len(steps)), range(len(steps) - 1, -1, -1)):
        for sign in (1, -1):
            for place in order:
                if sign * steps[place] < SLOPE:
                    break
                reached.add(place)
    return [abs(step) >= STEP and place not in reached for place, step in enumerate(steps)]


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.floats(-9, 9), st.floats(-9, 9), st.integers(0, 250))
def test_the_edges_are_those_of_the_plain_rule(
    seed: int, rough: int, beside: float, below: float, brightest: int
) -> None:
    rough_part = np.random.default_rng(seed).integers(0, rough, (ROWS, COLUMNS))
    slope = 128 + beside * np.arange(-20, 20)[None, :] + below * np.arange(-15, 15)[:, None]
    blocks = np.clip(slope + rough_part, 0, brightest).astype(np.uint8)
    numbers, strips = blocks.astype(int), [0] * STRIPS
    has_halos = blocks.max() >= BURNT_OUT
    for row in numbers.tolist():
        for column, is_edge in enumerate(inner_edges(row, has_halos)):
            strips[column * STRIPS // COLUMNS] += is_edge
    for column, line in enumerate(numbers.T.tolist()):
        strips[column * STRIPS // COLUMNS] += sum(inner_edges(line, has_halos))
    edges = (abs(np.diff(numbers, axis=0)) >= STEP).sum() + (abs(np.diff(numbers, axis=1)) >= STEP).sum()
    assert EdgeCounter().count(blocks) == (edges, tuple(strips))
    quick_edges, lower_bounds = EdgeCounter().count_quickly(blocks)
    assert quick_edges == edges
    assert all(few <= many for few, many in zip(lower_bounds, strips, strict=True))


def test_the_quick_look_is_enough_for_the_recorded_scene_in_nearly_any_light() -> None:
    """Where only a fifth of the contrast is left, the slopes have to be followed one by one."""
    lower_bounds = []
    for picture in scenes():
        blocks = cv2.resize(small_of(picture), (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
        lower_bounds.append(sorted(EdgeCounter().count_quickly(blocks)[1])[1])
    assert sum(edges >= frame_check.MIN_STRIP_EDGES for edges in lower_bounds) >= 12


class Meter(NoiseDetector):
    """Records the lowest values of a drive, as shares of the thresholds: noise is below 1 in both at once."""

    def __init__(self) -> None:
        super().__init__()
        self.margin, self.patch_power = 9.0, 9.0

    def update(self, blocks: Picture) -> bool:
        is_noise = super().update(blocks)
        patch_power = self._patch_power / frame_check.MIN_PATCH_POWER
        self.patch_power = min(self.patch_power, patch_power)
        likeness = min(self._correlation, self._lagged_correlation) / frame_check.MIN_CORRELATION
        self.margin = min(self.margin, max(patch_power, likeness))
        return is_noise


def driven(pictures: list[Picture]) -> Meter:
    """Checks that all of these pictures can be driven by; returns how far from noise they stayed."""
    check, meter = FrameCheck(), Meter()
    check._noise = meter
    assert {check.problem(picture) for picture in pictures} == {""}
    return meter


@pytest.mark.slow
@pytest.mark.parametrize("bounce_px", [0, 4, 16])
@pytest.mark.parametrize("turn_px", [5, 10, 20, 40, 79, 100, 133])
def test_a_car_that_spins_before_the_recorded_scene_drives_on(turn_px: int, bounce_px: int) -> None:
    """The scene and its mirror image all around the car; 40 pixels a frame are 4 radians a second at 15 Hz."""
    rng, real = np.random.default_rng(turn_px), small_of(recorded())
    around = np.hstack([real, real[:, ::-1]])
    pictures = []
    for number in range(60):
        view = np.roll(around, (int(rng.integers(-bounce_px, bounce_px + 1)), number * turn_px), (0, 1))[:, :160]
        pictures.append(shown(view + grains(rng, 2)))
    assert driven(pictures).margin > 1.25


@pytest.mark.slow
@pytest.mark.parametrize("track", shipped_tracks())
def test_a_car_that_spins_or_loses_frames_on_any_track_drives_on(track: str) -> None:
    """Radians from frame to frame, to and fro before the road; 9: each frame from another place, all between lost."""
    road, rng = load_track(track), np.random.default_rng(8)
    for seed in range(2):
        world = World(road, seed, frame_rate_hz=15, parts=draw_parts(road, seed))
        for turn in (0.02, 0.1, 0.27, 0.5, 1.0, 9.0):
            s_m, pictures = rng.uniform(0, road.length_m), []
            for number in range(25):
                place_m = s_m + 0.27 * number if turn < 9 else rng.uniform(0, road.length_m)
                heading = 1.2 - abs((turn * number) % 4.8 - 2.4) if turn < 9 else rng.uniform(-1.2, 1.2)
                world.put_at(place_m, rng.uniform(-0.5, 0.5), heading)
                pictures.append(small_of(world.frame()))
            assert min(third_best_strip(picture) for picture in pictures) >= 1.5 * frame_check.MIN_STRIP_EDGES
            assert driven(pictures).margin > 1.25


@pytest.mark.slow
@pytest.mark.parametrize("track", shipped_tracks())
def test_a_car_that_turns_all_around_never_misses_two_frames(track: str) -> None:
    """From close behind a board nothing is to be seen; the car holds over one frame without a setpoint."""
    road, rng = load_track(track), np.random.default_rng(8)
    for seed in range(2):
        world, check, problems = World(road, seed, parts=draw_parts(road, seed)), FrameCheck(), [""]
        for number in range(60):
            world.put_at(0.27 * number, rng.uniform(-0.5, 0.5), 0.27 * number)
            problems.append(check.problem(small_of(world.frame())))
            assert "" in problems[-2:]
        assert NOISE not in problems


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(4, 12), st.sampled_from([1.0, 1.5, 2.0]))
def test_coarse_noise_of_any_strength_is_never_driven_by_for_long(seed: int, sigma: float, blur_px: float) -> None:
    """`sigma` in grey levels of what is left after the blur; weaker noise is even in most frames."""
    rng, check = np.random.default_rng(seed), FrameCheck()
    problems = [check.problem(shown(soft(rng, sigma * 3.5 * blur_px, blur_px))) for _ in range(REPORTED_AFTER + 4)]
    assert "" not in problems[REPORTED_AFTER:]
