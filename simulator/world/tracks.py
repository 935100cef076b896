"""Tracks by name (packaged, real ones) or from a `.npy` file, which is untrusted input and checked as such."""

import io
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from shared.tracks.shipped import TITLES, shipped_bytes, shipped_names
from simulator.world.geometry import Pose, Track, TrackPlace

__all__ = ["Pose", "Track", "TrackError", "TrackPlace", "load_track", "shipped_tracks"]

MAX_FILE_BYTES = 4_000_000
MAX_ROWS = 20_000
MIN_ROWS = 8
MAX_EXTENT_M = 200.0
MAX_FROM_ORIGIN_M = 1e8  # farther from the origin than any map
MIN_WIDTH_M, MAX_WIDTH_M = 0.2, 5.0
MIN_LENGTH_M = 3.0
CLOSED_WITHIN_M = 0.5
SAME_POINT_M = 1e-4
# NumPy parses the head of a file with `ast`, which Python 3.11 breaks off now and then in several threads at once
# (python/cpython#106905): a farm reads tracks in as many threads as it drives runs.
_READING = threading.Lock()


class TrackError(BadInput):
    """A track that cannot be driven: unknown, unreadable or not a closed road."""


def shipped_tracks() -> list[str]:
    """The names of the printed tracks that ship with Raceday, sorted; the model was tested on them."""
    return sorted(TITLES)


def load_track(name_or_path: str) -> Track:
    """The track of that name, or from that `.npy` file (N x 6: centre, inner, outer; metres; closed).

    Raises TrackError, one sentence that says what is wrong and what to do.
    """
    if name_or_path in shipped_names():
        with _READING:
            rows = np.load(io.BytesIO(shipped_bytes(name_or_path)), allow_pickle=False)
        return track_from_rows(name_or_path, rows)
    path = Path(name_or_path)
    if path.suffix != ".npy":
        raise TrackError(
            f"There is no track called '{name_or_path}': choose one of {', '.join(shipped_tracks())},"
            " or give a .npy file."
        )
    return track_from_rows(path.stem, _read(path))


def _read(path: Path) -> NDArray[np.float64]:
    """The array in the file, or TrackError; nothing is unpickled and nothing huge is read."""
    if not path.is_file():
        raise TrackError(f"The track file {path} does not exist: check the path.")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise TrackError(
            f"The track file {path} is larger than {MAX_FILE_BYTES // 1_000_000} MB, which is too large for a track."
        )
    try:
        with path.open("rb") as file, _READING:
            return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
    except Exception as error:  # NumPy passes on whatever its header's tokenizer raises
        raise TrackError(f"The track file {path} is not a readable .npy array of numbers: export it again.") from error


def track_from_rows(name: str, rows: NDArray[np.float64]) -> Track:
    """Check N x 6 rows (centre, inner, outer; metres) and make the track, driven in the order of the rows."""
    _check_numbers(name, rows)
    table = rows.astype(np.float64)
    if float(np.linalg.norm(table[0, :2] - table[-1, :2])) > CLOSED_WITHIN_M:
        raise TrackError(
            f"The track {name} is not closed: its last row must lie on its first one to race laps on it; choose a loop."
        )
    table = _without_repeats(table)
    _check_shape(name, table)
    centre, inner, outer = table[:, 0:2], table[:, 2:4], table[:, 4:6]
    left, right = (inner, outer) if _inner_is_left(name, centre, inner, outer) else (outer, inner)
    return Track(name, centre.copy(), left.copy(), right.copy())


def _check_numbers(name: str, rows: NDArray[np.float64]) -> None:
    if rows.ndim != 2 or rows.shape[1] != 6 or rows.dtype.kind not in "fiu":
        raise TrackError(
            f"The track {name} must be an N x 6 table of numbers (centre, inner and outer x, y in metres),"
            f" but it has shape {rows.shape} and type {rows.dtype}."
        )
    if not MIN_ROWS <= len(rows) <= MAX_ROWS:
        raise TrackError(f"The track {name} has {len(rows)} rows: it needs {MIN_ROWS} to {MAX_ROWS}.")
    if not np.isfinite(rows.astype(np.float64)).all():
        raise TrackError(f"The track {name} holds values that are not finite: export it again.")
    with np.errstate(over="ignore"):  # infinitely far apart is too far as well
        extent = float(np.ptp(rows.astype(np.float64), axis=0).max())
    if extent > MAX_EXTENT_M:
        raise TrackError(f"The track {name} is {extent:.3g} m across, more than {MAX_EXTENT_M:.0f} m: is it in metres?")
    furthest = float(np.abs(rows.astype(np.float64)).max())
    if furthest > MAX_FROM_ORIGIN_M:
        raise TrackError(f"The track {name} lies {furthest:.3g} m from the origin: is it in metres?")


def _without_repeats(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Drop rows whose centre repeats the row before; the closing row repeats the first."""
    steps = np.linalg.norm(table[:, :2] - np.roll(table[:, :2], 1, axis=0), axis=1)
    keep = steps > SAME_POINT_M
    keep[0] = True
    rows = table[keep]
    if len(rows) > 1 and float(np.linalg.norm(rows[0, :2] - rows[-1, :2])) <= SAME_POINT_M:
        rows = rows[:-1]
    return np.asarray(rows)


def _check_shape(name: str, table: NDArray[np.float64]) -> None:
    if len(table) < MIN_ROWS:
        raise TrackError(f"The track {name} has only {len(table)} different points: it needs at least {MIN_ROWS}.")
    length = float(np.linalg.norm(np.roll(table[:, :2], -1, axis=0) - table[:, :2], axis=1).sum())
    if length < MIN_LENGTH_M:
        raise TrackError(f"The track {name} is only {length:.2f} m long: it needs {MIN_LENGTH_M} m; is it in metres?")
    widths = np.linalg.norm(table[:, 2:4] - table[:, 4:6], axis=1)
    if float(widths.min()) < MIN_WIDTH_M or float(widths.max()) > MAX_WIDTH_M:
        raise TrackError(
            f"The track {name} is {widths.min():.2f} to {widths.max():.2f} m wide:"
            f" it must be {MIN_WIDTH_M} to {MAX_WIDTH_M} m everywhere."
        )


def _inner_is_left(
    name: str, centre: NDArray[np.float64], inner: NDArray[np.float64], outer: NDArray[np.float64]
) -> bool:
    """Which side the inner edge is on; it must be the same side all the way round."""
    ahead = np.roll(centre, -1, axis=0) - np.roll(centre, 1, axis=0)
    across = inner - outer
    left = ahead[:, 0] * across[:, 1] - ahead[:, 1] * across[:, 0] > 0
    share = float(left.mean())
    if 0.05 < share < 0.95:
        raise TrackError(f"The inner and outer edges of the track {name} change sides: put each on its own side.")
    return share > 0.5
