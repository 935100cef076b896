"""Hold a camera frame of the real simulator against the mock world's frame from the same place.

`raceday world compare FRAME.png --track NAME --pose X,Y,YAW` prints the horizon's row, the road's width between the
lines 80 rows (of 480) under it, the dashes' period and length, each of the frame and of ours, measured in the pictures
themselves, and the mean grey difference below the horizon. `--out` writes both side by side.
"""

import argparse
import json
import math
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from shared.errors import BadInput, OperatorError
from simulator.fidelity.frame_measures import FrameMeasures, measure_frame
from simulator.fidelity.frame_pose import fit_pose
from simulator.fidelity.own_frame import OwnView
from simulator.world.camera import CameraParameters
from simulator.world.floor_masks import Image
from simulator.world.geometry import Pose, Track
from simulator.world.pictures import write_png
from simulator.world.tracks import load_track

MAX_FILE_BYTES = 20_000_000
MIN_WIDTH_PX, MAX_WIDTH_PX = 160, 4096
SHAPE = 4 / 3
MAX_FROM_ROAD_M = 3.0


@dataclass(frozen=True, slots=True)
class FrameComparison:
    """What was measured in a frame and in ours, and the mean difference (grey levels) below the horizon."""

    pose: Pose
    frame: FrameMeasures
    ours: FrameMeasures
    grey_difference: float


def main(arguments: list[str]) -> int:
    """`raceday world compare`; returns the exit code. Raises OperatorError for what a person must fix."""
    parser = argparse.ArgumentParser(
        prog="raceday world compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "frame", type=Path, metavar="FRAME.png", help="a frame of the car's camera, 4:3, e.g. 640 x 480"
    )
    parser.add_argument("--track", required=True, metavar="NAME|FILE.npy")
    parser.add_argument("--pose", required=True, metavar="X,Y,YAW", help="where the car stands: metres, radians")
    parser.add_argument(
        "--fit-pose", action="store_true", help="first find the pose nearby that fits best, and print it"
    )
    parser.add_argument("--out", type=Path, metavar="PAIR.png", help="write the frame and ours side by side")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(_with_joined_pose(arguments))
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)  # no warnings: a damaged picture gets our sentence
    frame, track = read_frame(chosen.frame), load_track(chosen.track)
    pose = parse_pose(chosen.pose, track)
    if chosen.fit_pose:
        pose = fit_pose(frame, track, pose)
    ours = OwnView(track, CameraParameters(frame.shape[1], frame.shape[0])).colour(pose)
    comparison = compare(frame, ours, track, pose)
    if chosen.out is not None:
        _write_pair(frame, ours, chosen.out)
    if chosen.json:
        sys.stdout.write(json.dumps(asdict(comparison)) + "\n")
    else:
        Console().print(_table(comparison))
    return 0


def _with_joined_pose(arguments: list[str]) -> list[str]:
    """The arguments with `--pose -1,2,0` as one word: argparse takes what begins with a minus for an option."""
    joined = list(arguments)
    if "--pose" in joined[:-1]:
        at = joined.index("--pose")
        joined[at : at + 2] = [f"--pose={joined[at + 1]}"]
    return joined


def read_frame(path: Path) -> Image:
    """The picture, (height, width, 3) BGR. Raises BadInput."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BadInput(f"The picture {path} is larger than {MAX_FILE_BYTES // 1_000_000} MB: give one frame.")
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"The picture {path} cannot be read: {error.strerror}.") from error
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error:  # a picture whose header claims too many pixels
        picture = None
    if picture is None:
        raise BadInput(f"{path} is not a picture that can be read: give a PNG or JPEG file.")
    height, width = picture.shape[:2]
    if not MIN_WIDTH_PX <= width <= MAX_WIDTH_PX or abs(width / height / SHAPE - 1) > 0.01:
        raise BadInput(
            f"The picture {path} is {width} x {height}: a camera frame is 4:3, {MIN_WIDTH_PX} to {MAX_WIDTH_PX} wide."
        )
    return cast(Image, picture)


def parse_pose(text: str, track: Track) -> Pose:
    """The pose in "X,Y,YAW". Raises OperatorError if it is none, or not on the track's field."""
    try:
        x, y, yaw = (float(part) for part in text.split(","))
    except ValueError:
        raise OperatorError(f"The pose '{text}' is not X,Y,YAW: three numbers, metres and radians.") from None
    if not all(math.isfinite(value) for value in (x, y, yaw)):
        raise OperatorError(f"The pose '{text}' holds a number that is not finite.")
    away_m = abs(track.locate(x, y).lateral_m)
    if away_m > MAX_FROM_ROAD_M:
        raise OperatorError(f"The pose '{text}' is {away_m:.3g} m from the road's middle of {track.name}: at most 3 m.")
    return Pose(x, y, yaw)


def compare(frame: Image, ours: Image, track: Track, pose: Pose) -> FrameComparison:
    """Measure both frames, taken at `pose`."""
    camera = CameraParameters(frame.shape[1], frame.shape[0])
    below = math.ceil(camera.horizon_row) + 1
    greys = [cv2.cvtColor(each, cv2.COLOR_BGR2GRAY)[below:].astype(np.float64) for each in (frame, ours)]
    difference = float(np.abs(greys[0] - greys[1]).mean())
    measured = [measure_frame(each, camera, track, pose) for each in (frame, ours)]
    return FrameComparison(pose, measured[0], measured[1], difference)


def _table(comparison: FrameComparison) -> Table:
    rows = (
        ("horizon, row", "horizon_row", "{:.1f}"),
        ("road between the lines, px", "road_width_px", "{:.1f}"),
        ("dash period, m", "dash_period_m", "{:.4f}"),
        ("dash length, m", "dash_m", "{:.4f}"),
    )
    x, y, yaw = comparison.pose
    title = f"from {x:.3f},{y:.3f},{yaw:.4f}"
    table = Table("", "frame", "ours", "difference", title=title)
    for words, name, form in rows:
        theirs, ours = getattr(comparison.frame, name), getattr(comparison.ours, name)
        gap = None if theirs is None or ours is None else ours - theirs
        table.add_row(words, *("-" if value is None else form.format(value) for value in (theirs, ours, gap)))
    table.add_row("mean grey difference below the horizon", "", "", f"{comparison.grey_difference:.2f}")
    return table


def _write_pair(frame: Image, ours: Image, path: Path) -> None:
    try:
        write_png(cast(Image, np.hstack([frame, ours])), path)
    except OSError as error:
        raise OperatorError(f"The picture {path} cannot be written: {error.strerror}.") from error
