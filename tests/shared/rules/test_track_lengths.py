"""Lengths of the published tracks, and the shortest lap that follows from them."""

import math
import os
import pathlib

import numpy as np
import pytest

from shared.rules.track_lengths import FASTEST_MPS, LENGTHS_M, shortest_lap_s, track_length_m
from simulator.world.tracks import load_track, shipped_tracks

SHARED = pathlib.Path(__file__).resolve().parents[4] / "shared" / "data" / "tracks"


@pytest.mark.parametrize("name", shipped_tracks())
def test_a_length_is_that_of_the_shipped_centre_line(name: str) -> None:
    length_m = track_length_m(name)
    assert length_m is not None
    assert math.isclose(length_m, load_track(name).length_m, rel_tol=0.01)


def test_every_published_route_is_as_long_as_the_table_says() -> None:
    if not SHARED.is_dir():
        assert not os.environ.get("RACEDAY_REQUIRE_ALL"), "CI has the folder of published routes"
        pytest.skip("the folder of published routes is not here")
    for path in SHARED.glob("*.npy"):
        centre = np.load(path)[:, :2]
        length_m = float(np.linalg.norm(np.diff(centre, axis=0), axis=1).sum())
        if np.allclose(centre[0], centre[-1]):
            assert LENGTHS_M[path.stem] == pytest.approx(length_m, abs=0.006)


@pytest.mark.parametrize("written", ["reinvent_base", "Reinvent Base", "re:Invent 2018", "RE:INVENT-2018"])
def test_a_name_is_known_however_it_is_written(written: str) -> None:
    assert track_length_m(written) == 17.71
    assert shortest_lap_s(written) == 4.4


@pytest.mark.parametrize("name", ["", "Hall 3", "::", "🏁"])
def test_a_track_that_nobody_published_has_no_length(name: str) -> None:
    assert track_length_m(name) is None
    assert shortest_lap_s(name) is None
    assert shortest_lap_s(name, 12.0) == 12.0 / FASTEST_MPS


def test_a_length_that_is_measured_is_the_one() -> None:
    assert shortest_lap_s("reinvent_base", 9.0) == 2.2
    assert shortest_lap_s("", 0.1) == 0.1
