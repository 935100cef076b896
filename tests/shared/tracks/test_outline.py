"""Outlines of tracks from files that anybody may have sent."""

import contextlib
import io
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.rules.track_lengths import track_length_m
from shared.tracks.outline import outline_of
from shared.tracks.shipped import TITLES, shipped_bytes, shipped_name, shipped_names, shipped_outline


def saved(table: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, table)
    return file.getvalue()


def ring(columns: int = 6, rows: int = 60, radius_m: float = 3.0) -> Any:
    angles = np.arange(rows + 1) * math.tau / rows
    unit = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.hstack([unit * radius_m, unit * (radius_m - 0.5), unit * (radius_m + 0.5)])[:, :columns]


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_track_is_as_long_as_the_table_of_lengths_says(name: str) -> None:
    length_m = track_length_m(name)
    assert length_m is not None
    assert shipped_outline(name).length_m == pytest.approx(length_m, abs=0.06)


@pytest.mark.parametrize("kind", ["<f8", ">f8", "<f4", ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("columns", [2, 6])
def test_a_table_of_floats_is_read_in_every_form_that_numpy_writes(kind: str, order: Any, columns: int) -> None:
    outline = outline_of("ring", saved(np.asarray(ring(columns), dtype=kind, order=order)))
    assert outline.length_m == pytest.approx(math.tau * 3, rel=0.01)
    assert len(outline.centre) == 60
    assert len(outline.inner) == len(outline.outer) == (60 if columns == 6 else 0)
    assert not outline.clockwise


def with_cell(value: float) -> Any:
    table = ring()
    table[7, 3] = value
    return table


BAD_FILES: list[tuple[bytes, str]] = [
    (b"", "not a NumPy file"),
    (b"PK\x03\x04 a zip", "not a NumPy file"),
    (b"\x93NUMPY", "format that is not known"),
    (b"\x93NUMPY\x09\x00" + b"x" * 100, "format that is not known"),
    (saved(np.array([{"a": 1}], dtype=object)), "float32 or float64"),
    (saved(ring().astype(int)), "float32 or float64"),
    (saved(ring().astype(complex)), "float32 or float64"),
    (saved(ring().ravel()), "float32 or float64"),
    (saved(ring()[:, :3]), "has 3 columns"),
    (saved(ring())[:-8], "cut short"),
    (saved(ring()) + b"x", "cut short"),
    (saved(with_cell(math.nan)), "not finite"),
    (saved(with_cell(-math.inf)), "not finite"),
    (saved(with_cell(1e300)), "across"),
    (saved(ring() + 2e6), "from the origin"),
    (saved(ring()[:-8]), "not closed"),
    (saved(ring(rows=5)), "only 5 different points"),
    (saved(np.zeros((30, 6))), "only 1 different"),
    (saved(ring() * 0.1), "m long"),
    (saved(ring(2) * 200), "across"),
    (saved(np.hstack([ring(2), ring(2) * 0.99, ring(2)])), "m wide"),
    (saved(np.zeros((20_001, 6))), "at most 20000"),
    (b"\x93NUMPY\x01\x00" + (60_000).to_bytes(2, "little") + b"{" * 60_000, "float32 or float64"),
    (b"\x00" * 4_000_001, "larger than 4 MB"),
]


@pytest.mark.parametrize(("data", "words"), BAD_FILES)
def test_a_file_that_is_no_track_is_refused_with_one_sentence(data: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        outline_of("hall-3", data)


@given(st.binary(max_size=300), st.integers(0, 200))
def test_damaged_bytes_never_raise_anything_else(noise: bytes, at: int) -> None:
    good = saved(ring())
    for data in (noise, good[:at] + noise + good[at + len(noise) :]):
        with contextlib.suppress(BadInput):
            assert outline_of("hall-3", data).length_m >= 3


def test_a_point_of_a_lap_lies_on_the_centre_line() -> None:
    outline = outline_of("ring", saved(ring()))
    for share, (x, y) in {0.0: (3, 0), 0.25: (0, 3), 0.5: (-3, 0), 1.75: (0, -3), -0.25: (0, -3)}.items():
        assert outline.point_at(share) == pytest.approx((x, y), abs=0.02)


@pytest.mark.parametrize("written", ["re:Invent 2018", "reinvent_base", "RE:INVENT 2018", "Reinvent Base"])
def test_a_shipped_track_is_found_by_its_file_or_its_title(written: str) -> None:
    assert shipped_name(written) == "reinvent_base"
    assert shipped_name("Hall 3") is None
    with pytest.raises(BadInput, match="no track"):
        shipped_bytes("../../etc/passwd")
    assert set(TITLES) <= set(shipped_names())
