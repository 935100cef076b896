"""Frames of many worlds: like those of the reference renderer, and the same whatever the number, order and threads."""

import hashlib
import random
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.tracks.shipped import shipped_names
from simulator.batch.drawing.atlas import Atlas, Picture, floor_picture
from simulator.batch.drawing.materials import SHARES, encode
from simulator.batch.drawing.renderer import Frames
from simulator.batch.vector import BatchWorlds, WorldSpec
from simulator.objects.bots import BotSetup, make_bots
from simulator.objects.boxes import BoxSetup, make_boxes
from simulator.objects.faces import bot_surfaces, box_surfaces
from simulator.objects.lanes import lanes_of
from simulator.objects.placing import ObjectPlace
from simulator.world.camera import CameraParameters, render
from simulator.world.camera_sensor import for_policy
from simulator.world.floor_texture import draw_texture
from simulator.world.geometry import Pose
from simulator.world.surroundings import surroundings_of
from simulator.world.tracks import load_track
from simulator.world.world import World, draw_parts

TRACK = load_track("reinvent_base")
POSES = 50


def spec(seed: int, noise: float | None = None) -> WorldSpec:
    parts = draw_parts(TRACK, seed, appearance=seed % 4)
    if noise is not None:
        parts = replace(parts, lens=replace(parts.lens, noise=noise))
    return WorldSpec(TRACK, parts, seed)


def frames_of(batch: BatchWorlds) -> Frames:
    width, height = batch.size
    frames = np.zeros((len(batch), height, width), np.uint8)
    batch.render(frames)
    return frames


def halved(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each pixel the mean of four, (60, 80)."""
    return np.asarray(picture.reshape(60, 2, 80, 2).mean(axis=(1, 3)))


@pytest.mark.parametrize("name", sorted(shipped_names())[:20])
def test_frames_are_those_of_the_reference_within_four_levels(name: str) -> None:
    rng = random.Random(name)
    track = load_track(name)
    parts = draw_parts(track, rng.randrange(1000))
    parts = replace(parts, lens=replace(parts.lens, noise=0.0))
    batch, world = BatchWorlds([WorldSpec(track, parts, 1)] * POSES), World(track, 1, parts=parts)
    s_m = [rng.uniform(0.0, track.length_m) for _ in range(POSES)]
    lateral_m, turn_rad = [rng.gauss(0.0, 0.25) for _ in s_m], [rng.gauss(0.0, 0.4) for _ in s_m]
    small = BatchWorlds(batch.specs, (80, 60))
    for each in (batch, small):
        each.put_at(s_m, lateral_m, turn_rad)
    differences, of_half, of_mean = [], [], []
    places = zip(s_m, lateral_m, turn_rad, strict=True)
    for place, ours, half in zip(places, frames_of(batch), frames_of(small), strict=True):
        world.put_at(*place)
        theirs = for_policy(world.frame()).astype(float)
        differences.append(np.abs(theirs - ours).mean())
        of_half.append(np.abs(halved(theirs) - half).mean())
        of_mean.append(np.abs(halved(ours.astype(float)) - half).mean())
    assert max(differences) <= 4.0
    assert np.mean(of_half) <= 3.0
    assert max(of_mean) <= 4.0  # half as large is what a mean of four pixels is


def test_a_frame_depends_on_its_seed_and_time_alone() -> None:
    seeds = list(range(64))

    def hashes(some: list[int], threads: int) -> dict[int, str]:
        batch = BatchWorlds([spec(seed) for seed in some], size=(80, 60), threads=threads)
        batch.put_at([0.3 * seed for seed in some])
        first = frames_of(batch)
        batch.step(np.full((len(some), 2), 0.5))
        pairs = np.stack([first, frames_of(batch)], axis=1)
        assert (pairs[:, 0] != pairs[:, 1]).any(axis=(1, 2)).all()
        batch.close()
        return {seed: hashlib.sha256(pair.tobytes()).hexdigest() for seed, pair in zip(some, pairs, strict=True)}

    everyone = hashes(seeds, 1)
    assert len(set(everyone.values())) == 64
    assert hashes(seeds, 2) == everyone
    assert hashes([63, 5, 9, 0, 31, 32, 7], 1) == {seed: everyone[seed] for seed in (63, 5, 9, 0, 31, 32, 7)}
    assert hashes([31], 1) == {31: everyone[31]}


def test_noise_is_drawn_anew_for_each_frame_and_as_strong_as_the_cameras() -> None:
    batch = BatchWorlds([spec(3, noise=6.0), spec(3, noise=0.0)])
    first = frames_of(batch)
    assert (frames_of(batch) == first).all()
    batch.step([[0.0, 0.0]] * 2)
    still = frames_of(batch)
    assert (still[1] == first[1]).all()
    assert (still[0] != first[0]).any()
    calm = (first[1] > 30) & (first[1] < 225)
    noise = (first[0].astype(float) - first[1])[calm]
    assert noise.mean() == pytest.approx(0.0, abs=0.1)
    assert noise.std() == pytest.approx(3.0, rel=0.05)  # half of 6: a pixel is the mean of four of the sensor's


def test_colour_frames_are_those_of_the_reference() -> None:
    parts = spec(2, noise=0.0).parts
    parts = replace(
        parts, lens=replace(parts.lens, camera=CameraParameters(160, 120), gain=1.0, offset=0.0, gamma=1.0, blur_px=0.0)
    )
    batch = BatchWorlds([WorldSpec(TRACK, parts, 1)], channels=3)
    batch.put_at(2.0, 0.1, 0.2)
    frames = np.zeros((1, 120, 160, 3), np.uint8)
    batch.render(frames)
    texture, surroundings = draw_texture(TRACK, parts.appearance), surroundings_of(TRACK, parts.appearance.surroundings)
    pose = Pose(*batch.pose[0].tolist())
    assert batch.place(0) == (pose.x, pose.y)
    theirs = render(texture, parts.lens.camera, pose, surroundings.sky, parts.boards, surroundings)
    assert np.abs(frames[0].astype(float) - theirs).mean() < 4.0
    assert np.abs(frames[0].mean(axis=(0, 1)) - theirs.mean(axis=(0, 1))).max() < 1.5


def test_the_nearest_upright_wins_and_only_named_worlds_are_drawn() -> None:
    batch = BatchWorlds([spec(1, noise=0.0), spec(1, noise=0.0), spec(1, noise=0.0)])
    batch.put_at(3.0)
    x, y, yaw = batch.pose[0]
    before = frames_of(batch)

    def upright(ahead_m: float, half_m: float) -> list[list[float]]:
        cx, cy = x + ahead_m * np.cos(yaw), y + ahead_m * np.sin(yaw)
        left = (cx - half_m * np.sin(yaw), cy + half_m * np.cos(yaw))
        right = (cx + half_m * np.sin(yaw), cy - half_m * np.cos(yaw))
        return [[*left, 0.3], [*right, 0.3], [*right, 0.0], [*left, 0.0]]

    near, far, absent = upright(0.8, 0.1), upright(1.6, 0.5), np.full((4, 3), np.nan).tolist()
    batch.place_quads([[near, far, absent]], [[(250, 250, 250), (5, 5, 5), (9, 9, 9)]], [1])
    batch.place_quads([[far, near]], [[(5, 5, 5), (250, 250, 250)]], [2])
    frames = before.copy()
    batch.render(frames, [1, 2])
    assert (frames[0] == before[0]).all()
    assert (frames[1] == frames[2]).all()
    middle = frames[1, 40]
    assert middle[79] > middle[50] + 100
    batch.place_quads(np.zeros((1, 0, 4, 3)), np.zeros((1, 0, 3)), [1])
    assert (frames_of(batch)[1] == before[1]).all()


def test_boxes_and_cars_look_as_in_the_reference_and_the_nearest_hides_the_others() -> None:
    lanes = lanes_of(TRACK)
    boxes = make_boxes(lanes, BoxSetup(3, tuple(ObjectPlace(n % 2 * 2 - 1, 0.2 + 0.25 * n) for n in range(3))), 0)
    bots = make_bots(lanes, BotSetup(2, 0.5, (ObjectPlace(1, 0.3), ObjectPlace(-1, 0.52)), (0.5, 1.0)), 8)
    one = spec(2, noise=0.0)
    batch, world = BatchWorlds([one, replace(one, boxes=boxes, bots=bots)]), World(TRACK, 2, parts=one.parts)
    for _ in range(20):  # the bots drive on
        batch.step(np.zeros((2, 2)))
    world.standing = [face for box in boxes for face in box_surfaces(*box.pose)]
    world.standing += [face for bot in bots.poses(20 / 15) for face in bot_surfaces(*bot)]
    changed = []
    for s_m in np.arange(0.0, TRACK.length_m, 0.7).tolist():
        batch.put_at(s_m, 0.05)
        world.put_at(s_m, 0.05)
        bare, ours = frames_of(batch).astype(float)
        reference = for_policy(world.frame()).astype(float)
        assert np.abs(reference - ours).mean() <= 4.0
        there = np.abs(ours - bare) > 20
        changed.append(float(there.mean()))
        if there.any():
            assert np.median(np.abs(reference - ours)[there]) <= 3.0
    assert max(changed) > 0.1
    assert min(changed) < 0.01


def test_a_rival_is_seen_where_it_is() -> None:
    one = spec(2, noise=0.0)
    batch = BatchWorlds([replace(one, rival=1), replace(one, rival=0), one])
    batch.put_at([2.0, 2.8, 2.0], 0.0)
    ahead, _, alone = frames_of(batch).astype(int)
    assert (np.abs(ahead - alone) > 20).mean() > 0.03
    batch.put_at(9.0, worlds=[1])
    assert (frames_of(batch)[0] == frames_of(batch)[2]).all()


def test_a_reset_shows_the_new_look_and_leaves_the_others() -> None:
    batch = BatchWorlds([spec(0), spec(1)])
    before = frames_of(batch)
    batch.reset([1], [spec(3)])
    after = frames_of(batch)
    assert (after[0] == before[0]).all()
    assert (after[1] == frames_of(BatchWorlds([spec(3)]))[0]).all()


def test_an_atlas_keeps_pictures_of_before_while_they_are_not_too_many() -> None:
    atlas, pictures = Atlas(), [Picture((np.full((16, 16), n, np.uint8),)) for n in range(30)]
    for n, picture in enumerate(pictures):
        atlas.hold([(picture, picture)])
        assert atlas.texels[atlas.pictures["first"][atlas.number(picture), 0]] == n
        assert len(atlas.pictures) <= 10
    held = atlas.texels
    atlas.hold([(pictures[-2], pictures[-2])])
    assert atlas.texels is held


def test_a_world_holds_less_than_a_megabyte_beyond_what_all_share() -> None:
    batch = BatchWorlds([spec(seed) for seed in range(8)])
    frames_of(batch)
    assert 10_000 < batch.bytes_a_world < 200_000


def test_codes_are_the_mixtures_of_the_paint_to_a_ninth() -> None:
    weights = np.random.default_rng(1).dirichlet([0.5, 0.5, 0.5, 0.5], 400)
    planes = np.zeros((5, 20, 20), np.uint8)
    planes[:4] = np.round(weights * 255).T.reshape(4, 20, 20)
    codes = np.zeros((20, 20), np.uint8)
    encode(planes, codes)
    assert np.abs(SHARES[codes].reshape(400, 5)[:, :4] - weights).max() < 1 / 9
    masks = floor_picture(TRACK, draw_parts(TRACK, 1).appearance.geometry)
    assert len(masks.levels) == 5
    assert set(np.unique(masks.levels[0])) <= set(range(248))
