"""A model's card, `card.json`: its origin, what it was trained for, how exact its conversion is and how fast it runs.

Written by importing/make_model.py, read by library.py.
"""

import dataclasses
import json
from dataclasses import dataclass

from vehicle.models.model_files import ONE_CAMERA

CARD = "card.json"
MAX_BYTES = 65_536
DEFAULT_THROTTLE_PERCENT = 50.0


@dataclass(frozen=True, slots=True)
class Timing:
    """Duration of one inference on this machine, in microseconds, over `frames` paced frames (running/timing.py)."""

    frames: int
    p50_us: int
    p95_us: int
    max_us: int


@dataclass(frozen=True, slots=True)
class Card:
    """What people and programs need to know about an imported model. Hashes are SHA-256 in hexadecimal.

    `content_sha256` covers the model and its metadata, however they were packed. `parity` is the
    largest difference between the original and what drives; None for what came as ONNX and was not converted. `choice`
    states which of an archive's checkpoints it is and why; "" if there was one.
    """

    name: str
    source: str
    source_kind: str
    source_sha256: str
    content_sha256: str
    model_sha256: str
    sensors: tuple[str, ...]
    algorithm: str
    metadata_version: str
    action_space: str
    outputs: int
    network: str
    parameters: int
    parity: float | None
    timing: Timing | None
    throttle_percent: float = DEFAULT_THROTTLE_PERCENT
    choice: str = ""

    @property
    def fits(self) -> bool:
        """Whether this car can drive with it: the car has one grey front camera, no second camera and no LiDAR."""
        return len(self.sensors) == 1 and self.sensors[0] in ONE_CAMERA

    def to_json(self) -> str:
        """The text of `card.json`."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"
