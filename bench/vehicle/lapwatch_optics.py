"""The lap watcher under real optics: when it says that the nose was on the line, beside when it was.

Approaches to the gate of reinvent_base that differ in place, direction and the grid of frames, through cameras and
lenses that are set right and wrong, and after `raceday vehicle lens` has measured them. Error = report - truth.
"""

import json
import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
from rich.table import Table

from bench.report import OUT, console, machine
from bench.vehicle.lapwatch_conditions import CLEAN, INDOOR, Condition
from simulator.world.camera import CameraParameters
from simulator.world.optics.approaches import ApproachView, spread_approaches
from simulator.world.optics.wide_lens import WideLens
from simulator.world.tracks import load_track
from vehicle.hardware.frame import Frame
from vehicle.lapwatch.lens import Lens
from vehicle.lapwatch.lens_options import LensOptions
from vehicle.lapwatch.marker_finder import MarkerFinder
from vehicle.lapwatch.markers import LapwatchOptions
from vehicle.lapwatch.watcher import LapWatcher
from vehicle.lens.board_sides import GateFrame
from vehicle.lens.gate_drive import measure_by_gate_drive

NAME = "lapwatch-optics"
TRACK = "reinvent_base"
_K = (-0.02, 0.004, 0.0, 0.0)  # how real fisheyes differ from equidistant ones, roughly
_DRIVES = 3  # that a lens is measured by
_DRIVE_MPS = 1.5
_STANDARD = LapwatchOptions()


@dataclass(frozen=True, slots=True)
class OpticsRow:
    """One condition at one speed: errors in ms, the distance in metres at which boards were first seen."""

    condition: str
    speed_mps: float
    seen: int
    approaches: int
    median_ms: float
    p90_ms: float
    first_seen_m: float
    frames: float


@dataclass(frozen=True, slots=True)
class CameraSetting:
    """A camera as it is, and what the car's file says of it; `measured`: by `lens --from` drives of this camera."""

    label: str
    camera: CameraParameters
    speeds_mps: tuple[float, ...] = (2.0,)
    condition: Condition = CLEAN
    rate_hz: float = 15.0
    lens: WideLens | None = None
    options: LapwatchOptions = _STANDARD
    measured: bool = False


def camera(width_px: int = 320, fov_rad: float = 1.13) -> CameraParameters:
    return CameraParameters(width_px, width_px * 3 // 4, fov_rad)


def settings() -> list[CameraSetting]:
    """All rows, in the order of the table."""
    return [*_plain_cameras(), *_spoilt_pictures(), *_wide_cameras()]


def _plain_cameras() -> list[CameraSetting]:
    """The field's camera, set right: by frame rate and size of the picture."""
    return [
        CameraSetting("320 x 240, 30 fps", camera(), (1.0, 2.0, 3.0, 4.0), rate_hz=30.0),
        CameraSetting("320 x 240", camera(), (1.0, 2.0, 3.0, 4.0)),
        CameraSetting("160 x 120", camera(160), (1.0, 2.0, 3.0)),
    ]


def _spoilt_pictures() -> list[CameraSetting]:
    """The field's camera at its usual size, by what is wrong with its pictures."""
    swayed = Condition(rolling_ms=27.0, sway_rad=math.radians(1.0))
    indoor = "indoor: blur 20, rolling 27, gain 0.4, noise 6, q60"
    rows: list[tuple[str, Condition, tuple[float, ...], float]] = [
        ("motion blur 10 ms, 30 fps", Condition(blur_ms=10.0), (2.0, 4.0), 30.0),
        ("motion blur 20 ms, 30 fps", Condition(blur_ms=20.0), (1.0, 2.0, 3.0), 30.0),
        ("motion blur 33 ms", Condition(blur_ms=33.0), (1.0, 2.0, 3.0), 15.0),
        ("rolling shutter 27 ms", Condition(rolling_ms=27.0), (2.0,), 15.0),
        ("rolling shutter 27 ms, vibration 1 degree", swayed, (2.0,), 15.0),
        ("JPEG q20", Condition(jpeg=20), (2.0,), 15.0),
        ("gain 0.25, noise 8", Condition(gain=0.25, noise=8.0), (2.0,), 15.0),
        ("gain 0.15, noise 10", Condition(gain=0.15, noise=10.0), (2.0,), 15.0),
        ("over-exposed twice", Condition(gain=2.0), (2.0,), 15.0),
        ("glare 120", Condition(glare=120.0), (2.0,), 15.0),
        ("defocus 1.5 px", Condition(defocus_px=1.5), (2.0,), 15.0),
        ("defocus 2.5 px", Condition(defocus_px=2.5), (2.0,), 15.0),
        (indoor, INDOOR, (1.0, 2.0, 3.0), 15.0),
    ]
    return [CameraSetting(label, camera(), speeds, how, rate_hz) for label, how, speeds, rate_hz in rows]


def _wide_cameras() -> list[CameraSetting]:
    """Other lenses: set wrong, by their angle alone, and measured by `lens`."""
    rows = [CameraSetting("70 degrees, set as 65", camera(fov_rad=math.radians(70)))]
    for degrees, bent in ((120, False), (120, True), (160, True)):
        angle = math.radians(degrees)
        name = f"{degrees} degrees, {'fisheye' if bent else 'flat'}"
        seen = camera() if bent else camera(fov_rad=angle)
        lens = WideLens(angle, _K) if bent else None
        rows += [
            CameraSetting(f"{name}, left at 65", seen, lens=lens),
            CameraSetting(f"{name}, `fov_rad` right", seen, lens=lens, options=LapwatchOptions(fov_rad=angle)),
            CameraSetting(f"{name}, after `lens`", seen, (1.0, 2.0, 3.0), lens=lens, measured=True),
        ]
    widest, dim = WideLens(math.radians(160), _K), replace(INDOOR, rolling_ms=0.0)
    large, spoilt = "640 x 480", "blur 20, gain 0.4, noise 6, q60"
    return [
        *rows,
        CameraSetting(f"160 degrees, fisheye, {large}, after `lens`", camera(640), lens=widest, measured=True),
        CameraSetting(
            f"160 degrees, fisheye, {spoilt}, after `lens`", camera(), (1.0, 2.0, 3.0), dim, lens=widest, measured=True
        ),
    ]


def main(quick: bool) -> None:
    """Prints the table and writes run/bench/lapwatch-optics.json."""
    count = 2 if quick else 6
    results: list[OpticsRow] = []
    table = Table(title=NAME, title_justify="left")
    columns = ("condition", "m/s", "seen", "median ms", "p90 |ms|", "first seen m", "frames")
    for column in columns:
        table.add_column(column, justify="left" if column == "condition" else "right")
    for setting in settings():
        view = ApproachView(load_track(TRACK), setting.camera, setting.lens)
        options = measured_options(view, setting.camera) if setting.measured else setting.options
        for speed_mps in setting.speeds_mps if not quick else setting.speeds_mps[:1]:
            row = measure_row(setting, view, options, speed_mps, count)
            results.append(row)
            table.add_row(
                row.condition,
                f"{row.speed_mps:g}",
                f"{row.seen}/{row.approaches}",
                f"{row.median_ms:.0f}",
                f"{row.p90_ms:.0f}",
                f"{row.first_seen_m:.1f}",
                f"{row.frames:.0f}",
            )
    out = console()
    out.print(table)
    notes = {"undistorting the corners of four boards, us": round(cost_us(), 1)}
    out.print(notes)
    OUT.mkdir(parents=True, exist_ok=True)
    document = {"bench": NAME, "machine": machine(), "rows": [asdict(row) for row in results], "notes": notes}
    (OUT / f"{NAME}.json").write_text(json.dumps(document, indent=1) + "\n")


def measured_options(view: ApproachView, seen: CameraParameters) -> LapwatchOptions:
    """What `raceday vehicle lens --from` gives for this camera, by clean drives that no row is measured by."""
    finder = MarkerFinder(LapwatchOptions())
    frames = [
        GateFrame(one.at_ns + n * 10**11, tuple(finder.corners(one.pixels)))
        for n, drive in enumerate(spread_approaches(_DRIVES, _DRIVE_MPS, seed=77))
        for one in view.frames(drive)
    ]
    lens = measure_by_gate_drive(frames, seen.width_px, seen.height_px, LapwatchOptions().pitch_rad).lens
    k1, k2, k3, k4 = lens.k or (0.0, 0.0, 0.0, 0.0)
    model: Literal["pinhole", "fisheye"] = "pinhole" if lens.k is None else "fisheye"
    options = LensOptions("", model, seen.width_px, seen.height_px, lens.focal_px, *lens.centre_px, k1, k2, k3, k4)
    return LapwatchOptions(lens=options)


def measure_row(
    setting: CameraSetting, view: ApproachView, options: LapwatchOptions, speed_mps: float, count: int
) -> OpticsRow:
    """All approaches of one row."""
    rng = np.random.default_rng(5)
    finder = MarkerFinder(options)
    errors_ms: list[float] = []
    first_m: list[float] = []
    frames: list[int] = []
    for drive in spread_approaches(count, speed_mps, rate_hz=setting.rate_hz, sway_rad=setting.condition.sway_rad):
        watcher, is_first = LapWatcher(options, "bench"), True
        for at_ns in drive.frame_times_ns():
            pixels = setting.condition.picture(view, drive, at_ns, rng)
            if is_first and finder.find(pixels):
                first_m.append((drive.line_ns - at_ns) / 1e9 * speed_mps)
                is_first = False
            lap = watcher.process_frame(Frame(pixels, at_ns, at_ns))
            if lap is not None:
                errors_ms.append((lap.at_ns - drive.line_ns) / 1e6)
                frames.append(lap.frames_seen)
    return OpticsRow(
        setting.label,
        speed_mps,
        len(errors_ms),
        count,
        statistics.median(errors_ms) if errors_ms else math.nan,
        p90([abs(one) for one in errors_ms]),
        statistics.median(first_m) if first_m else math.nan,
        statistics.median(frames) if frames else math.nan,
    )


def p90(values: Sequence[float]) -> float:
    """The value that nine of ten do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(0.9 * len(ordered)) - 1)] if ordered else math.nan


def cost_us() -> float:
    """Microseconds for the rays of the sixteen corners that a frame can show, by a fisheye."""
    lens, corners = Lens(118.0, (159.5, 119.5), _K), np.random.default_rng(1).uniform(20, 220, (16, 2))
    began = time.perf_counter()
    for _ in range(1000):
        lens.rays(corners)
    return (time.perf_counter() - began) * 1e3
