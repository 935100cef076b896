"""The video of a run: what its car saw is drawn again from the trace, and the file is one that can be played."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from raceday import model as model_commands
from shared.conditions import BoxPlace, BoxSet, Conditions
from shared.errors import BadInput, OperatorError
from shared.traces.encoding import encode
from shared.traces.trace import DriveTrace, OtherCar, TraceBox, TraceFrames
from shared.tracks.shipped import shipped_outline
from simulator.batch.vector import BatchWorlds
from simulator.virtual_races.recorder import FrameRecorder
from simulator.virtual_races.video import camera_replay
from simulator.virtual_races.video.camera_replay import CameraReplay
from simulator.virtual_races.video.track_panel import SIZE as PANEL
from simulator.virtual_races.video.track_panel import TrackPanel
from simulator.virtual_races.video.writing import write_video
from simulator.virtual_races.worlds import track_of, world_of
from tests.shared.traces.driven import driven_on

BOXES = Conditions(race_type="object_avoidance", objects=BoxSet(1, (BoxPlace(1, 250_000),)))
OUTLINE = shipped_outline("reinvent_base")


def first_frames(trace: DriveTrace, count: int) -> DriveTrace:
    return replace(trace, events=(), frames=TraceFrames(*(values[:count] for _, values in trace.frames.columns())))


def test_the_car_sees_from_its_trace_what_it_saw_in_its_world() -> None:
    """Also the box: the pictures of the world and of the trace are compared, at three places before it."""
    track = track_of(BOXES)
    spec = world_of(BOXES, track, 7)
    spec = replace(spec, parts=replace(spec.parts, lens=replace(spec.parts.lens, noise=0.0)))
    worlds = BatchWorlds([spec] * 3, camera_replay.SIZE, channels=3)
    worlds.put_at([track.length_m * 0.25 - metres for metres in (0.5, 1.0, 2.0)], 0.05, 0.1)
    saw = np.zeros((3, camera_replay.SIZE[1], camera_replay.SIZE[0], 3), np.uint8)
    worlds.render(saw)
    recorder = FrameRecorder(worlds, track)
    for run in range(3):
        recorder.write(run, (-1, 0.0, 0.0), "in_progress")
    worlds.close()
    for run in range(3):
        trace = recorder.trace(run, BOXES, [])
        drawn = CameraReplay(trace, BOXES, 7).picture(0).astype(int)
        assert np.abs(drawn - saw[run]).mean() < 0.2
        without = CameraReplay(replace(trace, boxes=()), BOXES, 7).picture(0)
        assert np.abs(without.astype(int) - saw[run]).mean() > 1.0, "the box is seen"
        others = tuple(OtherCar((box.x_tenths_mm,), (box.y_tenths_mm,), (box.yaw_mdeg,)) for box in trace.boxes)
        beside = CameraReplay(replace(trace, boxes=(), others=others), BOXES, 7).picture(0)
        assert (np.abs(beside.astype(int) - without).max(axis=2) > 20).sum() > 300, "so is another car"


def test_the_panel_grows_with_the_line_and_has_what_is_beside_it() -> None:
    trace = driven_on(OUTLINE, 1, off_at_s=4.0)
    count = len(trace.frames)
    panel = TrackPanel(trace, OUTLINE)
    pictures = [panel.picture(frame) for frame in range(count)]
    assert {picture.shape for picture in pictures} == {(PANEL[1], PANEL[0], 3)}
    map_rows = slice(80, None)
    changed = [int((each[map_rows] != pictures[0][map_rows]).any(axis=2).sum()) for each in pictures]
    assert changed[count // 2] > changed[10] > 0
    assert changed[-1] > 1.5 * changed[count // 2]
    assert len({picture[:70].tobytes() for picture in pictures}) > 0.9 * count * 10 / 15, "the clock goes on in tenths"
    lap = trace.frames.x_tenths_mm[60:] + trace.frames.x_tenths_mm[:60]
    up = trace.frames.y_tenths_mm[60:] + trace.frames.y_tenths_mm[:60]
    box = TraceBox(lap[0], up[0], 0, 400, 300)
    for more in ({"others": (OtherCar(lap, up, (0,) * count),)}, {"boxes": (box,)}):
        assert (TrackPanel(replace(trace, **more), OUTLINE).picture(0) != pictures[0]).any(axis=2).sum() > 15


def test_a_command_writes_a_video_that_can_be_played(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = first_frames(driven_on(OUTLINE, 1), 10)
    (tmp_path / "run1.trace").write_bytes(encode(trace))
    assert model_commands.main(["video", str(tmp_path / "run1.trace")]) == 0
    path = tmp_path / "run1.mp4"
    assert f"{path}: 10 frames." in capsys.readouterr().out
    assert b"vp09" in path.read_bytes()
    played = cv2.VideoCapture(str(path))
    assert played.get(cv2.CAP_PROP_FPS) == 15
    frames = [picture for _ in range(10) for there, picture in (played.read(),) if there]
    played.release()
    assert [frame.shape for frame in frames] == [(300, 640, 3)] * 10
    seen = CameraReplay(trace, Conditions(), 0).picture(9)
    assert np.abs(frames[9][:, :400].astype(int) - seen).mean() < 6, "as it was drawn, but for the codec"


REFUSED = [
    (first_frames(driven_on(OUTLINE, 1), 2), {"track": "oval_track"}, "run.mp4", "of another track"),
    (first_frames(driven_on(OUTLINE, 1), 2), {"direction": "clockwise"}, "run.mp4", "of another track"),
    (first_frames(driven_on(OUTLINE, 1), 0), {}, "run.mp4", "nothing to be seen"),
    (first_frames(driven_on(OUTLINE, 1), 2), {}, "run.avi", "a video is written as .mp4"),
    (first_frames(driven_on(OUTLINE, 1), 2), {}, "nowhere/run.mp4", "there is no such folder"),
]


@pytest.mark.parametrize(("trace", "changes", "name", "words"), REFUSED, ids=[case[3] for case in REFUSED])
def test_what_cannot_be_a_video_gets_a_sentence(
    tmp_path: Path, trace: DriveTrace, changes: dict[str, Any], name: str, words: str
) -> None:
    with pytest.raises(OperatorError, match=words):
        write_video(trace, replace(Conditions(), **changes), 0, tmp_path / name)
    (tmp_path / "no.trace").write_bytes(b"nothing")
    with pytest.raises(BadInput, match=r"no\.trace: The file is no trace of a run"):
        model_commands.main(["video", str(tmp_path / "no.trace")])
