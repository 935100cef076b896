"""Simtraces: what is read of them, where a drive ends, and what a file that is none gets."""

import math
from pathlib import Path

import numpy as np
import pytest

from shared.errors import BadInput
from simulator.fidelity import simtrace
from simulator.fidelity.simtrace import read_drives

CARRIED = Path(__file__).parents[2] / "assets" / "simtrace" / "console-2022"
HEADING = "episode,steps,X,Y,yaw,steer,throttle,action,tstamp,episode_status"


def line(at_s: float, x_m: float, yaw: float = 0.0, episode: int = 0, status: str = "in_progress") -> str:
    return f'{episode},{at_s * 15:.0f},{x_m},0.5,{yaw},-30,2.5,"[1.0, 2.0]",{at_s},{status}'


def written(folder: Path, *lines: str, heading: str = HEADING) -> Path:
    path = folder / "trace.csv"
    path.write_text("\n".join([heading, *lines]) + "\n")
    return path


def test_a_recorded_iteration_is_20_drives_one_an_episode() -> None:
    drives = read_drives(CARRIED / "iteration_1.csv")
    assert [drive.episode for drive in drives] == [str(number) for number in range(20, 40)]
    assert {drive.trace for drive in drives} == {"iteration_1.csv"}
    assert sum(len(drive.at_s) for drive in drives) == len((CARRIED / "iteration_1.csv").read_text().splitlines()) - 1
    for drive in drives:
        assert np.all(np.diff(drive.at_s) > 0)
        assert np.max(np.abs(drive.steering_rad)) <= math.radians(30.0) + 1e-9
        assert set(np.unique(drive.speed_mps)) <= {1.0, 2.0}
        assert np.max(np.abs(np.diff(drive.yaw_rad))) < 1.0, "yaw is read as degrees, and goes on over the half turn"


def test_degrees_and_order_of_columns(tmp_path: Path) -> None:
    lines = [line(0.1, 0.0, 170.0), line(0.2, 0.1, -170.0)]
    drive = read_drives(written(tmp_path, *lines))[0]
    assert drive.yaw_rad == pytest.approx(np.radians([170.0, 190.0]))
    assert drive.steering_rad == pytest.approx(np.radians([-30.0, -30.0]))
    turned = [",".join(reversed(each.split(","))) for each in ("tstamp,Y,X,throttle,steer,yaw,steps,episode,extra",)]
    other = read_drives(written(tmp_path, "9,0,1,5,-30,2,7,8,0.1", "9,0,1,5,-30,2,7,8,0.2", heading=turned[0]))[0]
    assert (other.yaw_rad[0], other.speed_mps[0], other.x_m[0]) == (math.radians(5), 2.0, 7.0)


@pytest.mark.parametrize(
    ("second", "drives"),
    [
        (line(0.267, 0.1), [4]),
        (line(0.267, 0.1, episode=1), [2, 2]),  # the reader goes by the episode's name
        (line(0.267, 3.0), [2, 2]),  # put elsewhere
        (line(0.9, 0.2), [2, 2]),  # a gap
        (line(0.1, 0.1), [2, 2]),  # time went back
        (line(0.267, 0.1, status="pause"), [2]),  # a pause is no drive, and one line after it is none
    ],
)
def test_a_drive_ends_where_the_car_did_not_drive_on(tmp_path: Path, second: str, drives: list[int]) -> None:
    third = second.split(",")
    at_s, x_m = float(third[-2]), float(third[2])
    last = line(at_s + 0.067, x_m + 0.05, episode=int(third[0]))
    path = written(tmp_path, line(0.133, 0.0), line(0.2, 0.05), second, last)
    assert [len(drive.at_s) for drive in read_drives(path)] == drives


GOOD = line(0.1, 0.0)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the column episode is missing in its first line"),
        (b"a,b\n1,2\n", "the column episode is missing"),
        (HEADING.replace("yaw", "heading").encode(), "the column yaw is missing"),
        (f"{HEADING},X\n".encode(), "names the column X twice"),
        (f"{HEADING}\n1,2,3\n".encode(), "line 2: 3 values for 10 columns"),
        (f"{HEADING}\n{GOOD}\n{GOOD},7\n".encode(), "line 3: 11 values"),
        (f"{HEADING}\n{GOOD.replace('0.5', 'nan')}\n".encode(), "line 2: Y is 'nan', which is no number"),
        (f"{HEADING}\n{GOOD.replace('0.5', '1e300')}\n".encode(), "line 2: Y is '1e300'"),
        (f"{HEADING}\n{GOOD.replace('0.5', '-inf')}\n".encode(), "line 2: Y is '-inf'"),
        (f"{HEADING}\n{GOOD.replace('-30', 'left' * 20)}\n".encode(), "line 2: steer is 'leftleftleftleftleft'"),
        (f'{HEADING}\n{GOOD}\n{GOOD[:-20]}"'.encode(), "line"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "is not text"),
        (b"PK\x03\x04\x00\x00", "is not a simtrace"),
        ((HEADING + "\n" + "9" * 200_000).encode(), "is not CSV"),
    ],
)
def test_what_is_no_simtrace_gets_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=sentence) as refused:
        read_drives(path)
    assert str(path) in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(BadInput, match="cannot be read"):
            read_drives(path)
    monkeypatch.setattr(simtrace, "MAX_FILE_BYTES", 10)
    with pytest.raises(BadInput, match="larger than"):
        read_drives(written(tmp_path, GOOD))


def test_an_empty_trace_has_no_drives(tmp_path: Path) -> None:
    assert read_drives(written(tmp_path)) == []
    assert read_drives(written(tmp_path, GOOD)) == []
