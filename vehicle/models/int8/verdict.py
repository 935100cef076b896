"""The note on the int8 beside a model: what it was made of, how alike it drives and how fast. `int8.json`.

int8 drives only if it is at least a tenth faster where it drives, and moves the wheels as fp32 does: within a tenth of
full lock and full throttle on at least 95 of 100 frames, and within 0.02 of full lock on average (decision 29).
"""

import dataclasses
import json
import pathlib
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from shared.errors import BadInput

Precision = Literal["fp32", "int8"]

INT8, NOTE, FRAMES = "model.int8.onnx", "int8.json", "int8_frames.npy"
MIN_ALIKE = 0.95
MAX_MEAN_STEERING = 0.02
MAX_TIME = 0.9
_MAX_NOTE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Int8Verdict:
    """Both on the same frames: medians in microseconds; `alike` is the share of frames that move the wheels alike."""

    frames: int
    alike: float
    steering_mean: float
    steering_max: float
    fp32_us: int
    int8_us: int

    @property
    def precision(self) -> Precision:
        """Which of the two drives."""
        return "int8" if self.is_faster and self.is_alike else "fp32"

    @property
    def is_faster(self) -> bool:
        return self.int8_us <= MAX_TIME * self.fp32_us

    @property
    def is_alike(self) -> bool:
        return self.alike >= MIN_ALIKE and self.steering_mean <= MAX_MEAN_STEERING

    @property
    def sentence(self) -> str:
        """For a person."""
        times = f"{self.int8_us / 1000:.2f} ms a frame against {self.fp32_us / 1000:.2f} with fp32"
        moved = f"{self.alike:.0%} of {self.frames} frames move the wheels alike"
        if self.precision == "int8":
            return f"int8 drives: {times}; {moved}."
        if not self.is_alike:
            return f"fp32 drives: with int8 {moved}, {self.steering_mean:.3f} of full lock apart on average."
        return f"fp32 drives: int8 is not faster here ({times})."


@dataclass(frozen=True, slots=True)
class Int8Note:
    """Of which fp32 the int8 beside it was made, from how many frames of what, and how well it drives."""

    of_sha256: str
    sha256: str
    source: str
    frames: int
    verdict: Int8Verdict

    def to_json(self) -> str:
        """The file's text."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"


_NOTES = TypeAdapter(Int8Note)


def load_note(home: pathlib.Path) -> Int8Note:
    """The note beside a model. Raises BadInput."""
    try:
        with (home / NOTE).open("rb") as file:
            return _NOTES.validate_json(file.read(_MAX_NOTE_BYTES))
    except (OSError, ValidationError):
        raise BadInput(f"{home / NOTE} cannot be read: quantise the model again.") from None


def note_of(home: pathlib.Path) -> Int8Note | None:
    """The note, if there is one that can be read."""
    try:
        return load_note(home)
    except BadInput:
        return None
