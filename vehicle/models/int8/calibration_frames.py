"""The frames for quantising and judging a model: from recordings of the car, or from a folder of pictures."""

import pathlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from vehicle.frames.preprocess import HEIGHT, WIDTH, preprocessor
from vehicle.frames.profile_names import ProfileName
from vehicle.models.running.replay import decode_frame, decode_policy_input
from vehicle.recordings.frame_feed import RecordedFrame
from vehicle.recordings.reader import read_recording

Frames = NDArray[np.uint8]

MIN_FRAMES, MAX_FRAMES = 40, 400
_CHUNKS = 8
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".pgm")


def read_frames(source: pathlib.Path, shrink: ProfileName = "grey-area") -> Frames:
    """MIN_FRAMES to MAX_FRAMES evenly spread frames as the policy would see them, (n, 120, 160) uint8. Raises BadInput.

    `source` is a recording (.mcap), a folder of recordings, or a folder of pictures.
    """
    pictures = list(_pictures(source, shrink))
    if len(pictures) < MIN_FRAMES:
        raise BadInput(
            f"{source} holds {len(pictures)} frames; at least {MIN_FRAMES} are needed: give a longer recording."
        )
    chosen = np.linspace(0, len(pictures) - 1, min(MAX_FRAMES, len(pictures))).astype(int)
    prepared, fill = np.zeros((len(chosen), HEIGHT, WIDTH), np.uint8), preprocessor(shrink)
    for index, number in enumerate(chosen):
        fill(_pixels(pictures[number]), prepared[index])
    return prepared


def halves(frames: Frames) -> tuple[Frames, Frames]:
    """The frames for calibrating and for judging: alternating stretches, since neighbouring frames are nearly equal."""
    stretches = np.array_split(frames, _CHUNKS)
    return np.concatenate(stretches[::2]), np.concatenate(stretches[1::2])


def _pictures(source: pathlib.Path, shrink: ProfileName) -> Iterator[Any]:
    """The frames of recordings, or the paths of pictures, not decoded. Raises BadInput."""
    if source.is_dir():
        recordings = sorted(source.glob("*.mcap"))
        for recording in recordings:
            yield from _recorded(recording, shrink)
        if not recordings:
            yield from sorted(path for path in source.iterdir() if path.suffix.lower() in _PICTURES)
    elif source.suffix == ".mcap":
        yield from _recorded(source, shrink)
    else:
        raise BadInput(f"{source} is neither a recording (.mcap) nor a folder of recordings or pictures.")


def _recorded(recording: pathlib.Path, shrink: ProfileName) -> Iterator[RecordedFrame]:
    """The frames of a recording; the recorded policy input counts only if it has the same profile."""
    run = read_recording([recording])
    is_same_profile = run.about.get("profile", "grey-area") == shrink
    for picture in run.frames:
        yield picture if is_same_profile else replace(picture, policy_input=b"")


def _pixels(picture: Any) -> Any:
    if isinstance(picture, RecordedFrame):
        return decode_policy_input(picture) if picture.policy_input else decode_frame(picture)
    pixels = cv2.imread(str(picture), cv2.IMREAD_COLOR)
    if pixels is None:
        raise BadInput(f"{picture} is not a picture that can be read.")
    return pixels
