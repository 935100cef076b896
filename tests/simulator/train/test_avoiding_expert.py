"""The expert among boxes and bots: driven in the batch on twenty seeds, it finishes without touching anything."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from simulator.batch.vector import CRASHED, CROSSING, LEFT_TRACK, BatchWorlds, WorldSpec
from simulator.objects.bots import Bots, BotSetup, make_bots
from simulator.objects.boxes import BoxSetup, make_boxes
from simulator.objects.lanes import lanes_of
from simulator.objects.placing import PlacedObject
from simulator.train.avoiding_expert import FAST, SLOW, STOP, AvoidingExpert
from simulator.world.geometry import Pose
from simulator.world.tracks import load_track
from simulator.world.world import draw_parts

SEEDS = 20
THROTTLE = {FAST: 0.5, SLOW: 0.33, STOP: 0.0}
LATENCY_NS = 40_000_000
TRACK = load_track("reinvent_base")
LANES = lanes_of(TRACK)


@dataclass(frozen=True, eq=False)
class Field:
    """What is on the track of one seed."""

    boxes: tuple[PlacedObject, ...] = ()
    bots: Bots | None = None


def clean_laps(fields: list[Field], seconds: float, eases_back: bool = False) -> int:
    """How many of these drive a lap without a crash of their own fault and without leaving the road."""
    parts = [draw_parts(TRACK, seed, board=False) for seed in range(len(fields))]
    specs = [
        WorldSpec(TRACK, part, seed, LATENCY_NS, boxes=field.boxes, bots=field.bots)
        for seed, (part, field) in enumerate(zip(parts, fields, strict=True))
    ]
    batch = BatchWorlds(specs)
    experts = [AvoidingExpert(TRACK, field.boxes, field.bots, eases_back=eases_back) for field in fields]
    crossings, faults = np.zeros(len(fields), int), np.zeros(len(fields), int)
    driving = list(range(len(fields)))
    for frame in range(round(seconds * 15)):
        commands = np.zeros((len(fields), 2))
        for n in driving:
            pose, segment = Pose(*batch.pose[n].tolist()), int(batch.segment[n])
            advice = experts[n].advise(pose, float(batch.speed_mps[n]), frame / 15, segment)
            commands[n] = advice.steering, THROTTLE[advice.speed]
        for event in batch.step(commands, driving):
            fault = event["kind"] == LEFT_TRACK or (event["kind"] == CRASHED and event["direction"] == 1)
            faults[event["world"]] += fault
            if event["kind"] == CROSSING and event["gate"] == 0:
                crossings[event["world"]] += event["direction"]
        driving = [n for n in driving if crossings[n] < 2 and not faults[n]]
        if not driving:
            break
    return int(((faults == 0) & (crossings >= 2)).sum())


def test_it_drives_round_six_boxes() -> None:
    fields = [Field(boxes=make_boxes(LANES, BoxSetup(6), seed)) for seed in range(SEEDS)]
    assert clean_laps(fields, 40.0) >= 19


def test_it_passes_boxes_though_it_eases_back_beside_them_as_if_they_were_not_seen() -> None:
    """What teaches a model that sees one picture: beside a box, out of view, it steers hardly otherwise than alone."""
    fields = [Field(boxes=make_boxes(LANES, BoxSetup(3), seed)) for seed in range(SEEDS // 2)]
    assert clean_laps(fields, 40.0, eases_back=True) == len(fields)
    differences: dict[bool, list[float]] = {True: [], False: []}
    for (eases_back, found), field in product(differences.items(), fields):
        knows, alone = (AvoidingExpert(TRACK, boxes, eases_back=eases_back) for boxes in (field.boxes, ()))
        for box in field.boxes:
            pose = TRACK.pose_at(box.s_m - 0.1, -1.3 * TRACK.locate(*box.pose[:2]).lateral_m)
            found.append(abs(knows.advise(pose, 1.0).steering - alone.advise(pose, 1.0).steering))
    assert np.mean(differences[True]) < 0.5 * np.mean(differences[False])
    assert np.mean(differences[True]) < 0.15  # 4.5 degrees


def test_it_drives_round_bots_that_change_lanes() -> None:
    fields = [Field(bots=make_bots(LANES, BotSetup(3, 0.6, None, (3.0, 5.0)), seed)) for seed in range(SEEDS)]
    assert clean_laps(fields, 60.0) >= 19


def test_it_stands_only_where_something_moves() -> None:
    """A box does not go away: who waits behind it waits for ever."""
    for seed, lane_free in product(range(5), (0.0, 0.15)):
        boxes = make_boxes(LANES, BoxSetup(4), seed)
        expert = AvoidingExpert(TRACK, boxes)
        pose = TRACK.pose_at(boxes[0].s_m - 0.5, lane_free)
        assert expert.advise(pose, 1.2).speed != STOP
