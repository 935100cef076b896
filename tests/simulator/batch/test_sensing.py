"""Sensors in a batch: its LiDARs are the reference's, and each eye of a stereo pair looks out from its own place."""

import json
from dataclasses import replace

import numpy as np

from simulator.batch.lidar_scan import Lidars
from simulator.batch.sensing import Senses
from simulator.batch.vector import BatchWorlds, WorldSpec
from simulator.objects.bots import BotSetup, make_bots
from simulator.objects.boxes import BoxSetup, make_boxes
from simulator.objects.lanes import lanes_of
from simulator.objects.lidar import MAX_RANGE_M, NOISE_M, scan
from simulator.objects.outlines import CAR_OUTLINE
from simulator.objects.sensors import ModelSensors, sensors_of
from simulator.world.camera_sensor import CameraSensor
from simulator.world.surroundings import surroundings_of
from simulator.world.tracks import load_track
from simulator.world.world import draw_parts

TRACK = load_track("reinvent_base")
LANES = lanes_of(TRACK)
ROW = [{"steering_angle": 0, "speed": 1}]


def sensors(*names: str) -> ModelSensors:
    return sensors_of(json.dumps({"sensor": names, "action_space": ROW}).encode())


def furnished() -> list[WorldSpec]:
    """Worlds with and without walls: empty, with boxes, with boxes and bots, and two rivals."""
    specs = [WorldSpec(TRACK, draw_parts(TRACK, seed, board=False), seed) for seed in range(7)]
    boxes, bots = make_boxes(LANES, BoxSetup(4), 1), make_bots(LANES, BotSetup(2, 1.0, None, (0.5, 1.5)), 2)
    specs[1:4] = [
        replace(specs[1], boxes=boxes),
        replace(specs[2], boxes=boxes, bots=bots),
        replace(specs[3], bots=bots),
    ]
    specs[5:] = [replace(specs[5], rival=6), replace(specs[6], rival=5)]
    return specs


def test_a_lidar_measures_what_the_reference_does_whoever_else_is_scanned() -> None:
    batch = BatchWorlds(furnished())
    rng = np.random.default_rng(3)
    batch.put_at(rng.uniform(0.0, TRACK.length_m, 7), rng.normal(0.0, 0.1, 7), rng.uniform(-3.0, 3.0, 7))
    batch.put_at([5.0, 5.6], [0.1, -0.1], worlds=[5, 6])
    for _ in range(6):
        batch.step(np.full((7, 2), 0.3))
    lidars, ranges = Lidars(batch), np.full((7, 64), -1.0)
    lidars.scan(ranges, np.arange(7))
    noticed, walled = 0, 0
    for n, spec in enumerate(batch.specs):
        rows = batch.objects[n][batch.objects[n]["kind"] > 0]
        around = [
            (*(row[name] for name in ("to_x", "to_y", "to_yaw", "front_m", "rear_m", "half_width_m")),) for row in rows
        ]
        if spec.rival is not None:
            around = [(*batch.pose[spec.rival], *CAR_OUTLINE.size)]
        field = surroundings_of(spec.track, spec.parts.appearance.surroundings)
        walls = (field.x0, field.y0, field.x1, field.y1) if field.wall_height_m > 0.0 else None
        x, y, yaw = batch.pose[n].tolist()
        bare, full = (
            scan(x, y, yaw, np.array(outlines, np.float64).reshape(-1, 6), walls) for outlines in ([], around)
        )
        meets = full < MAX_RANGE_M
        assert (ranges[n][~meets] == MAX_RANGE_M).all()
        assert np.abs(ranges[n] - full)[meets].max(initial=0.0) < 6 * NOISE_M
        noticed += int((full < bare).sum())
        walled += walls is not None
    assert noticed > 20
    assert 0 < walled < 7
    again = np.full((7, 64), -1.0)
    lidars.scan(again, np.array([2, 5]))
    assert np.array_equal(again[[2, 5]], ranges[[2, 5]])
    assert (again[[0, 1, 3, 4, 6]] == -1.0).all()
    alone = BatchWorlds([batch.specs[2]])
    alone._worlds[0] = batch._worlds[2]
    alone._objects.rows[0] = batch._objects.rows[2]
    one = np.zeros((1, 64))
    Lidars(alone).scan(one, np.zeros(1, np.int64))
    assert np.array_equal(one[0], ranges[2])


def test_eyes_look_out_beside_the_middle_with_noise_of_their_own() -> None:
    sharp = draw_parts(TRACK, 1, board=False)
    plain = WorldSpec(TRACK, replace(sharp, lens=CameraSensor(blur_px=0.0, noise=0.0)), 1)
    noisy = WorldSpec(TRACK, replace(sharp, lens=CameraSensor(blur_px=0.0, noise=6.0)), 1)
    batch = BatchWorlds([plain, noisy, plain, plain])
    batch.put_at(2.0, [0.0, 0.0, 0.03, -0.03])
    stereo = Senses(batch, sensors("STEREO_CAMERAS", "SECTOR_LIDAR"))
    stereo.look(np.array([0, 1]))
    middle = np.zeros((4, 120, 160), np.uint8)
    batch.render(middle)
    pictures, ranges = stereo.of(0)
    for eye, moved in zip(pictures, middle[2:], strict=True):
        assert np.abs(eye.astype(int) - moved).max() <= 2
        assert np.abs(eye.astype(int) - middle[0]).mean() > 0.5
    assert ranges is not None
    assert ranges.shape == (64,)
    assert not stereo.eyes[:, 2:].any()  # not looked at
    grain = [stereo.eyes[eye, 1].astype(int) - stereo.eyes[eye, 0] for eye in (0, 1)]
    assert min(part[:30].std() for part in grain) > 2.0
    assert abs(float(np.corrcoef(grain[0][:30].ravel(), grain[1][:30].ravel())[0, 1])) < 0.1
    before = stereo.eyes.copy()
    stereo.look(np.array([1]))
    assert np.array_equal(stereo.eyes, before)
    assert Senses(batch, sensors("FRONT_FACING_CAMERA")).of(0)[1] is None
