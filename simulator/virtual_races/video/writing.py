"""Writes a run's video: an MP4 with VP9, which browsers play; OpenCV's wheels have no encoder of H.264.

15 pictures a second, as the trace has frames. Penalties are no frames, so the clock in the picture jumps by them.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from shared.conditions import Conditions
from shared.errors import BadInput, HardwareMissing, OperatorError
from shared.text import text
from shared.traces.trace import FRAME_RATE_HZ, DriveTrace
from shared.tracks.shipped import shipped_name, shipped_outline
from simulator.virtual_races.video.camera_replay import SIZE as VIEW
from simulator.virtual_races.video.camera_replay import CameraReplay
from simulator.virtual_races.video.track_panel import SIZE as PANEL
from simulator.virtual_races.video.track_panel import TrackPanel

SUFFIX, CODEC = ".mp4", "vp09"
MAX_FRAMES = FRAME_RATE_HZ * 240  # four minutes: a video of more nobody looks at, and a farm has others waiting

Progress = Callable[[int, int], None]  # frames that are written, of all


def write_video(
    trace: DriveTrace, conditions: Conditions, seed: int, path: Path, progress: Progress = lambda _done, _all: None
) -> int:
    """Write the video of a run to `path`, an .mp4; how many frames it has. `seed`: of its world and camera.

    Raises BadInput for a trace of another track or without frames, or for another kind of file; HardwareMissing,
    OperatorError.
    """
    if path.suffix != SUFFIX:
        raise BadInput(text("{path}: a video is written as .mp4.", path=path))
    if (trace.track, trace.direction) != (conditions.track, conditions.direction):
        raise BadInput(text("The trace is of another track, or of the other direction, than the conditions."))
    if not len(trace.frames):
        raise BadInput(text("The trace has no frames: there is nothing to be seen."))
    name = shipped_name(trace.track)
    view = CameraReplay(trace, conditions, seed)
    assert name is not None, "the car's view has a track"
    panel = TrackPanel(trace, shipped_outline(name))
    writer = cv2.VideoWriter(
        str(path),
        cv2.CAP_FFMPEG,
        cv2.VideoWriter.fourcc(*CODEC),
        FRAME_RATE_HZ,
        (VIEW[0] + PANEL[0], VIEW[1]),
    )
    if not writer.isOpened():
        _refuse(path)
    count = min(len(trace.frames), MAX_FRAMES)
    try:
        for frame in range(count):
            writer.write(np.hstack([view.picture(frame), panel.picture(frame)]))
            progress(frame + 1, count)
    finally:
        writer.release()
    return count


def _refuse(path: Path) -> None:
    """Say why nothing can be written there."""
    if not path.parent.is_dir():
        raise OperatorError(text("{path}: cannot be written: there is no such folder.", path=path))
    raise HardwareMissing(text("{path}: cannot be written: this build of OpenCV has no encoder of VP9.", path=path))
