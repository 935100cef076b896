"""`raceday vehicle lens`: measure the camera's lens, by boards that are shown to it or by a drive past the gate."""

import argparse
import pathlib
import tomllib
from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np

from shared.chosen_config import add_config_option, chosen_config
from shared.clock import build_clock
from shared.config import load
from shared.errors import BadInput, Refused, StorageError
from vehicle.config import VehicleConfig
from vehicle.drivers import build_camera
from vehicle.guard.stop_socket import StopSocket
from vehicle.hardware.frame import Pixels
from vehicle.lapwatch.marker_finder import MarkerFinder
from vehicle.lens.board_sides import GateFrame
from vehicle.lens.gate_drive import measure_by_gate_drive
from vehicle.lens.lens_table import report_of, table_of, with_table, write_text
from vehicle.lens.measured_lens import MeasuredLens
from vehicle.lens.miss_picture import miss_picture
from vehicle.lens.showing_session import ShowingSession
from vehicle.lens.shown_boards import ShownBoard, measure_by_shown_boards
from vehicle.recordings.reader import read_recording

_MAX_PICTURE_BYTES = 64 << 20


def main(arguments: list[str]) -> int:
    """Runs the command; returns the exit code. Errors are raised as RacedayError, one sentence each."""
    parsed = _parser().parse_args(arguments)
    parsed.config = chosen_config(parsed.config, "vehicle.toml", may_be_root=True)
    config = load(parsed.config, VehicleConfig)
    finder = MarkerFinder(config.lapwatch)
    if parsed.recordings:
        lens = _from_recording(parsed.recordings, finder, config.lapwatch.pitch_rad)
    elif parsed.pictures:
        lens = _from_pictures(parsed.pictures, parsed.distances, finder)
    else:
        lens = _from_camera(config, finder)
    print(report_of(lens, config.lapwatch.pitch_rad))
    print(table_of(lens))
    if parsed.drawing:
        _write_drawing(parsed.drawing, lens, config.device)
    if parsed.write:
        _write_table(parsed.config, lens)
    else:
        print(f"Nothing is changed: --write puts this table into {parsed.config}.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="raceday vehicle lens", description=__doc__)
    add_config_option(parser, "vehicle.toml", "the car's TOML file")
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--from",
        dest="recordings",
        nargs="+",
        type=pathlib.Path,
        metavar="FILE",
        help="recordings of a drive past the gate whose boards stand as the file says",
    )
    ways.add_argument(
        "--pictures", nargs="+", type=pathlib.Path, metavar="FILE", help="pictures of a board, instead of the camera"
    )
    parser.add_argument(
        "--distances",
        nargs="+",
        type=float,
        default=[],
        metavar="M",
        help="with --pictures: from the lens to the middle of the board in the first of them, in their order",
    )
    parser.add_argument("--drawing", type=pathlib.Path, metavar="FILE", help="draw what is left over, as SVG")
    parser.add_argument("--write", action="store_true", help="put the table into the car's file")
    return parser


def _from_camera(config: VehicleConfig, finder: MarkerFinder) -> MeasuredLens:
    """Ask and look, while holding the guard's socket, so that no guard takes the camera meanwhile."""
    stop_socket = StopSocket(config.local.socket)
    try:
        camera = build_camera(config, build_clock(config.clock))
        try:
            boards, width_px, height_px = ShowingSession(camera, finder, _ask, print).run()
        finally:
            camera.close()
    finally:
        stop_socket.close()
    return measure_by_shown_boards(boards, width_px, height_px)


def _from_pictures(files: Sequence[pathlib.Path], distances_m: Sequence[float], finder: MarkerFinder) -> MeasuredLens:
    if len(distances_m) > len(files):
        raise BadInput(f"--distances has {len(distances_m)} values for {len(files)} pictures: give one a picture.")
    if any(not 0.05 <= one <= 20.0 for one in distances_m):
        raise BadInput("--distances are metres from 0.05 to 20.")
    boards: list[ShownBoard] = []
    shapes: set[tuple[int, ...]] = set()
    for number, path in enumerate(files):
        pixels = _picture(path)
        shapes.add(pixels.shape)
        seen = finder.corners(pixels)
        distance_m = distances_m[number] if number < len(distances_m) else None
        if distance_m is not None and len(seen) != 1:
            raise BadInput(f"{path}: {len(seen)} boards are seen; a picture with a distance must show one.")
        boards += [ShownBoard(one, distance_m, is_upright=distance_m is not None) for one in seen]
    if len(shapes) > 1:
        raise BadInput("the pictures are of different sizes: take them all with the camera's settings of the race.")
    height_px, width_px = shapes.pop()
    return measure_by_shown_boards(boards, width_px, height_px)


def _from_recording(files: list[pathlib.Path], finder: MarkerFinder, pitch_rad: float) -> MeasuredLens:
    frames: list[GateFrame] = []
    shapes: set[tuple[int, ...]] = set()
    for one in files:
        for recorded in read_recording([one]).frames:
            pixels = _decoded(recorded.jpeg, f"{one}: a frame")
            shapes.add(pixels.shape)
            frames.append(GateFrame(recorded.at_ns, tuple(finder.corners(pixels))))
    if len(shapes) != 1:
        raise BadInput("the recordings hold no frames." if not shapes else "the frames are of different sizes.")
    height_px, width_px = shapes.pop()
    return measure_by_gate_drive(frames, width_px, height_px, pitch_rad)


def _picture(path: pathlib.Path) -> Pixels:
    try:
        if path.stat().st_size > _MAX_PICTURE_BYTES:
            raise BadInput(f"{path} is larger than {_MAX_PICTURE_BYTES >> 20} MB.")
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}).") from None
    return _decoded(data, str(path))


def _decoded(data: bytes, name: str) -> Pixels:
    """A picture as grey pixels (H, W)."""
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    except cv2.error:  # larger than OpenCV takes
        pixels = None
    if pixels is None:
        raise BadInput(f"{name} is not a picture (PNG or JPEG).")
    return cast(Pixels, pixels)


def _write_drawing(path: pathlib.Path, lens: MeasuredLens, device: str) -> None:
    try:
        path.write_text(miss_picture(lens, f"{device}: what the lens leaves over"), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path}: the drawing cannot be written ({error.strerror}).") from None
    print(f"{path}: look whether arrows point the same way anywhere; show the board there, and measure again.")


def _write_table(path: pathlib.Path, lens: MeasuredLens) -> None:
    """Put the table into the car's file, once it is sure that the file still reads."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror}).") from None
    changed = with_table(text, table_of(lens))
    table = tomllib.loads(changed).get("lapwatch", {}).get("lens", {})
    if table.get("width_px") != lens.width_px:
        raise BadInput(f"{path} would not read with this table: put it there by hand.")
    write_text(path, changed)
    print(f"{path}: the lens is in it. The car uses it from its next start.")


def _ask(text: str) -> str:
    try:
        return input(text)
    except EOFError:
        raise Refused("the measurement was called off: the input has ended.") from None
