"""When int8 drives instead of fp32, and the note `int8.json` that stands next to the two models.

int8 drives only if it is at least 10 % faster on this machine and drives alike: steering and throttle within a tenth of
full lock and full throttle on at least 95 % of the frames, and steering within 0.02 of full lock on average
(docs/decisions/0029).
"""

import dataclasses
import json
import pathlib
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from shared.errors import BadInput
from vehicle.models.model_files import NOTE

Precision = Literal["fp32", "int8"]

MIN_ALIKE = 0.95
MAX_MEAN_STEERING = 0.02
MAX_TIME_SHARE = 0.9
_MAX_NOTE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Int8Verdict:
    """Both models on the same frames: median durations in microseconds; `alike` is the share of frames that agree."""

    frames: int
    alike: float
    steering_mean: float
    steering_max: float
    fp32_us: int
    int8_us: int

    @property
    def precision(self) -> Precision:
        """The precision that drives."""
        return "int8" if self.is_faster and self.is_alike else "fp32"

    @property
    def is_faster(self) -> bool:
        """Whether int8 takes at most MAX_TIME_SHARE of the time of fp32."""
        return self.int8_us <= MAX_TIME_SHARE * self.fp32_us

    @property
    def is_alike(self) -> bool:
        """Whether int8 drives so much like fp32 that it may drive."""
        return self.alike >= MIN_ALIKE and self.steering_mean <= MAX_MEAN_STEERING

    @property
    def sentence(self) -> str:
        """The decision and its reason, in one sentence."""
        times = f"{self.int8_us / 1000:.2f} ms a frame against {self.fp32_us / 1000:.2f} with fp32"
        agreement = f"{self.alike:.0%} of {self.frames} frames move the wheels alike"
        if self.precision == "int8":
            return f"int8 drives: {times}; {agreement}."
        if not self.is_alike:
            return f"fp32 drives: with int8 {agreement}, {self.steering_mean:.3f} of full lock apart on average."
        return f"fp32 drives: int8 is not faster here ({times})."


@dataclass(frozen=True, slots=True)
class Int8Note:
    """Hashes of the fp32 and int8 models, the frames that were used, and the verdict."""

    of_sha256: str
    sha256: str
    source: str
    frames: int
    verdict: Int8Verdict

    def to_json(self) -> str:
        """The text of `int8.json`."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"


_NOTES = TypeAdapter(Int8Note)


def load_note(folder: pathlib.Path) -> Int8Note:
    """The note in `folder`. Raises BadInput if it cannot be read."""
    try:
        with (folder / NOTE).open("rb") as file:
            return _NOTES.validate_json(file.read(_MAX_NOTE_BYTES))
    except (OSError, ValidationError):
        raise BadInput(f"{folder / NOTE} cannot be read: quantise the model again.") from None


def note_of(folder: pathlib.Path) -> Int8Note | None:
    """The note in `folder`; None if there is none that can be read."""
    try:
        return load_note(folder)
    except BadInput:
        return None
