"""The frames that a model is quantised with and held to: from recordings of the black box, or a folder of pictures."""

import pathlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from vehicle.frames.preprocess import HEIGHT, WIDTH, ProfileName, preprocessor
from vehicle.models.running.replay import pixels_of, seen_of
from vehicle.recordings.frame_feed import Picture
from vehicle.recordings.reader import read_run

Frames = NDArray[np.uint8]

LEAST, MOST = 40, 400
_CHUNKS = 8
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".pgm")


def read_frames(source: pathlib.Path, shrink: ProfileName = "grey-area") -> Frames:
    """(n, 120, 160) uint8 as the policy would see them, LEAST to MOST of them, spread evenly. Raises BadInput.

    `source` is a recording (.mcap), a folder of recordings, or a folder of pictures.
    """
    pictures = list(_pictures(source, shrink))
    if len(pictures) < LEAST:
        raise BadInput(f"{source}: holds {len(pictures)} frames; at least {LEAST} are needed: give a longer recording.")
    chosen = np.linspace(0, len(pictures) - 1, min(MOST, len(pictures))).astype(int)
    made, fill = np.zeros((len(chosen), HEIGHT, WIDTH), np.uint8), preprocessor(shrink)
    for place, number in enumerate(chosen):
        fill(_pixels(pictures[number]), made[place])
    return made


def halves(frames: Frames) -> tuple[Frames, Frames]:
    """To calibrate with and to judge by: whole stretches of the drive, since neighbours are nearly alike."""
    stretches = np.array_split(frames, _CHUNKS)
    return np.concatenate(stretches[::2]), np.concatenate(stretches[1::2])


def _pictures(source: pathlib.Path, shrink: ProfileName) -> Iterator[Any]:
    """Undecoded: pictures of a recording, or paths."""
    if source.is_dir():
        recordings = sorted(source.glob("*.mcap"))
        for recording in recordings:
            yield from _recorded(recording, shrink)
        if not recordings:
            yield from sorted(path for path in source.iterdir() if path.suffix.lower() in _PICTURES)
    elif source.suffix == ".mcap":
        yield from _recorded(source, shrink)
    else:
        raise BadInput(f"{source}: is neither a recording (.mcap) nor a folder of recordings or pictures.")


def _recorded(recording: pathlib.Path, shrink: ProfileName) -> Iterator[Picture]:
    """A drive's frames; what the policy saw of them counts only if it saw them as it shall now."""
    run = read_run([recording])
    as_now = run.about.get("profile", "grey-area") == shrink
    for picture in run.pictures:
        yield picture if as_now else replace(picture, seen=b"")


def _pixels(picture: Any) -> Any:
    if isinstance(picture, Picture):
        return seen_of(picture) if picture.seen else pixels_of(picture)
    pixels = cv2.imread(str(picture), cv2.IMREAD_COLOR)
    if pixels is None:
        raise BadInput(f"{picture}: is not a picture that can be read.")
    return pixels
