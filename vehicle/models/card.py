"""A model's card: what it is, where it came from, how well it was converted and how fast it answers. `card.json`."""

import dataclasses
import json
from dataclasses import dataclass

from vehicle.models.model_files import ONE_CAMERA

CARD = "card.json"
MAX_BYTES = 65_536
DEFAULT_THROTTLE_PERCENT = 50.0


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the policy took on this machine, over paced frames."""

    frames: int
    p50_us: int
    p95_us: int
    max_us: int


@dataclass(frozen=True, slots=True)
class Card:
    """What a person and a program must know of an imported model. Hashes are SHA-256 in hexadecimal.

    `content_sha256` is that of the model and its metadata as they came, however they were packed. `parity` is the
    largest difference between the original and what drives; None for what came as ONNX and was not converted. `choice`
    says which of an archive's checkpoints it is and why; "" if there was one.
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
        """Can this car drive with it? It has one grey front camera, and neither a second one nor a LiDAR."""
        return len(self.sensors) == 1 and self.sensors[0] in ONE_CAMERA

    def to_json(self) -> str:
        """The file's text."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"
