"""Tracks by name and from hostile files."""

import io
import pathlib
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shared.errors import BadInput, OperatorError
from simulator.world.tracks import Track, TrackError, load_track, shipped_tracks, track_from_rows
from tests.simulator.world.sample_tracks import ring

LENGTHS_M = {
    "reinvent_base": 17.71,
    "reInvent2019_wide": 16.64,
    "reInvent2019_track": 23.12,
    "2022_summit_speedway": 25.17,
}


@pytest.mark.parametrize(("name", "length_m"), LENGTHS_M.items())
def test_shipped_track(name: str, length_m: float) -> None:
    track = load_track(name)
    assert track.name == name
    assert track.length_m == pytest.approx(length_m, abs=0.01)
    assert 0.7 < float(track.widths_m.min()) <= float(track.widths_m.max()) < 1.2


def test_all_shipped_tracks_are_in_the_table() -> None:
    assert set(shipped_tracks()) == set(LENGTHS_M)


@pytest.mark.shared_data
def test_every_real_closed_track_loads(shared_data: pathlib.Path) -> None:
    for path in sorted((shared_data / "tracks").glob("*.npy")):
        if path.stem != "Straight_track":
            assert load_track(str(path)).length_m > 10.0


def rows() -> Any:
    track = ring()
    table = np.hstack([track.centre, track.left, track.right])
    return np.vstack([table, table[:1]])


def changed(**what: Any) -> Any:
    table = rows()
    if "cell" in what:
        table[10, 0] = what["cell"]
    return table * what.get("scale", 1.0)


def swapped() -> Any:
    table = rows()
    table[:180, 2:4], table[:180, 4:6] = table[:180, 4:6].copy(), table[:180, 2:4].copy()
    return table


BAD_ROWS = [
    (np.zeros((10, 5)), "N x 6"),
    (np.zeros(6), "N x 6"),
    (np.zeros((10, 6), complex), "N x 6"),
    (np.zeros((10, 6), bool), "N x 6"),
    (np.zeros((3, 6)), "3 rows"),
    (np.zeros((30_000, 6), np.float32), "30000 rows"),
    (np.zeros((50, 6)), "different points"),
    (changed(cell=np.nan), "not finite"),
    (changed(cell=np.inf), "not finite"),
    (changed(cell=1e300), "across"),
    (changed(scale=1000.0), "in metres"),
    (changed(scale=0.1), "long"),
    (changed(scale=8.0), "wide"),
    (rows()[:100], "not closed"),
    (swapped(), "change sides"),
]


@pytest.mark.parametrize(("table", "says"), BAD_ROWS)
def test_bad_rows_are_refused_with_a_sentence(table: Any, says: str) -> None:
    with pytest.raises(TrackError, match=says) as caught:
        track_from_rows("x", table)
    assert str(caught.value).endswith((".", "?"))
    assert caught.value.exit_code == 2


def npy(array: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


HUGE = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 6), }"
BAD_FILES = [
    (b"", "not a readable"),
    (b"\x93NUMPY", "not a readable"),
    (npy(rows())[:-100], "not a readable"),
    (npy(np.array([{"a": 1}], dtype=object)), "not a readable"),
    (b"PK\x03\x04" + bytes(100), "not a readable"),
    (b"\x93NUMPY\x01\x00\x50\x00" + HUGE.ljust(79) + b"\n", "not a readable"),
    (bytes(5_000_000), "larger"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "says"), BAD_FILES)
def test_bad_files_are_refused_with_a_sentence(tmp_path: pathlib.Path, data: bytes, says: str) -> None:
    path = tmp_path / "t.npy"
    path.write_bytes(data)
    with pytest.raises(TrackError, match=says):
        load_track(str(path))


def test_a_good_file_loads_whatever_its_number_type(tmp_path: pathlib.Path) -> None:
    np.save(tmp_path / "mine.npy", rows().astype(np.float32))
    assert load_track(str(tmp_path / "mine.npy")).name == "mine"


def test_unknown_names_and_missing_files(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OperatorError, match="reinvent_base"):
        load_track("nowhere")
    with pytest.raises(BadInput, match="does not exist"):
        load_track(str(tmp_path / "none.npy"))
    with pytest.raises(BadInput, match="does not exist"):
        load_track(str(tmp_path / "folder.npy"))


@given(st.binary(max_size=400))
def test_any_bytes_load_or_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.npy"
    path.write_bytes(data)
    with pytest.raises(TrackError):
        load_track(str(path))


@given(st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_a_damaged_file_loads_or_is_refused(tmp_path_factory: pytest.TempPathFactory, at: int, patch: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.npy"
    good = npy(rows())
    path.write_bytes(good[:at] + patch + good[at + len(patch) :])
    try:
        track = load_track(str(path))
    except TrackError:
        return
    assert isinstance(track, Track)


@example(np.tile([[1.7e308] * 6, [-1.7e308] * 6], (15, 1)))  # further apart than a float can say
@example(np.tile([[1e300] * 6, [1e300 + 1e285] * 6], (15, 1)))
@given(hnp.arrays(np.float64, st.tuples(st.integers(0, 30), st.just(6))))
def test_any_table_is_a_drivable_track_or_refused(table: Any) -> None:
    try:
        track = track_from_rows("any", table)
    except TrackError:
        return
    assert track.length_m >= 3.0
    assert np.isfinite(track.pose_at(1.0)).all()
