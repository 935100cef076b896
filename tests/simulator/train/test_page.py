"""The page of a training: what it says, that it renews itself until it is over, and that nothing of a name is run."""

import pathlib
import re

from simulator.train.page import write_page
from simulator.train.progress import COLUMNS, DriveTally, ProgressTable

STEP = {"speed_mps": 1.5, "lap_complete": False, "off_track": False, "crashed": False}


def filled(path: pathlib.Path) -> ProgressTable:
    """A table of two rows: an off-track and an episode in the first, a lap in the second."""
    table = ProgressTable(path, append=False)
    table.add([STEP, {**STEP, "off_track": True, "episode": {"r": 3.0, "l": 30}}])
    assert "reward 3.00, 2.0 s an episode, 1.50 m/s" in table.row(32)
    table.add([{**STEP, "lap_complete": True}, {**STEP, "episode": {"r": 9.0, "l": 60}}])
    assert "0.0 off-tracks in 100 m, 1 laps" in table.row(64)
    return table


def test_the_table_is_read_back_when_a_training_goes_on(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "progress.csv"
    table = filled(path)
    table.close()
    rows = table.rows
    assert path.read_text().splitlines()[0] == ",".join(COLUMNS)
    assert [row["reward"] for row in rows] == [3.0, 9.0]
    again = ProgressTable(path, append=True)
    assert [dict(row, loss=None) for row in again.rows] == [dict(row, loss=None) for row in rows]
    again.add_drives(DriveTally(30, 3.0, 0, 1, 0, [1.0], [30]))
    assert again.row(96, 0.25).endswith("0.0 off-tracks, 33.3 crashes in 100 m, 0 laps, loss 0.250")
    again.close()
    lines = path.read_text().splitlines()
    assert [line.endswith(end) for line, end in zip(lines[1:], (",", ",", ",0.25"), strict=True)] == [True] * 3
    assert len(lines) == 4


def test_the_page_shows_the_figures_and_stops_renewing_when_it_is_over(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "progress.html"
    scores = [
        {"steps": 32, "laps": 4, "progress": 60.0, "speed_mps": 1.2},
        {"steps": 64, "laps": 4, "progress": 80.0, "speed_mps": 1.1},
    ]
    table = filled(tmp_path / "progress.csv")
    write_page(path, "<b>mine</b>", table.rows, scores, 128, over=False)
    running = path.read_text(encoding="utf-8")
    table.add_drives(DriveTally(30, 3.0, 0, 1, 0, [1.0], [30]))
    table.row(128, 0.25)
    table.close()
    write_page(path, "mine", table.rows, scores, 64, over=True)
    over = path.read_text(encoding="utf-8")
    assert 'http-equiv="refresh" content="5"' in running
    assert "64 of 128 frames" in running
    assert "&lt;b&gt;mine&lt;/b&gt;" in running
    assert "<b>" not in running
    assert 'aria-label="Reward of an episode: from 3 to 9, highest 9"' in running
    (points,) = re.findall(r'reward of an episode.*?points="([^"]+)"', running, re.IGNORECASE | re.DOTALL)[:1]
    assert points == "320.0,98.0 634.0,6.0"
    assert "<td>64 (best)</td><td>4</td><td>80 %</td>" in running
    assert ("Crashes in 100 m" in running, "expert" in running, "nan" in running) == (False, False, False)
    assert 'aria-label="Crashes in 100 m: from 0 to 33.3, highest 33.3"' in over
    assert 'aria-label="Difference from the expert: from 0.25 to 0.25, highest 0.25"' in over
    assert "refresh" not in over
    assert "The training is over." in over
    write_page(path, "mine", [], [], 64, over=False)
    assert "No checkpoint yet." in path.read_text(encoding="utf-8")
