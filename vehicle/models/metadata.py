"""A model's `model_metadata.json`: sensors, network, action space, with the defaults of the DeepRacer console.

Source: aws-deepracer-community/deepracer-simapp and aws-deepracer-navigation-pkg.
"""

import json
import pathlib
from dataclasses import dataclass
from typing import Any

from shared.errors import BadInput
from vehicle.core.actions import ActionSpace

NAME = "model_metadata.json"
MOST_BYTES = 65_536
ALGORITHMS = ("clipped_ppo", "sac")
NETWORKS = ("DEEP_CONVOLUTIONAL_NETWORK", "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW", "DEEP_CONVOLUTIONAL_NETWORK_DEEP")
ONE_CAMERA = ("observation", "FRONT_FACING_CAMERA", "LEFT_CAMERA")
OTHERS = ("STEREO_CAMERAS", "LIDAR", "SECTOR_LIDAR")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the file says. `sensor` is the one camera that the policy looks through."""

    space: ActionSpace
    sensor: str = "observation"
    algorithm: str = "clipped_ppo"
    network: str = "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW"
    version: str = "1"


def load_metadata(path: pathlib.Path) -> Metadata:
    """The file's content, checked. Raises BadInput with a sentence that names the file."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadInput(
            f"{path}: the model's metadata cannot be read ({error.strerror}): put it beside the model."
        ) from None
    if len(text) > MOST_BYTES:
        raise BadInput(f"{path}: is larger than {MOST_BYTES} bytes; a model's metadata is a few lines of JSON.")
    try:
        return parse_metadata(text)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from None


def parse_metadata(text: bytes) -> Metadata:
    """JSON text to metadata. Raises BadInput."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise BadInput("The model metadata is not JSON.") from None
    space = ActionSpace.parse_metadata(document)
    assert isinstance(document, dict)
    return Metadata(
        space=space,
        sensor=_sensor(document.get("sensor", ["observation"])),
        algorithm=_one_of(document, "training_algorithm", ALGORITHMS, "clipped_ppo"),
        network=_one_of(document, "neural_network", NETWORKS, "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW"),
        version=_version(document.get("version", "2" if "sensor" in document else "1")),
    )


def _sensor(sensors: object) -> str:
    listed = sensors if isinstance(sensors, list) else [sensors]
    named = [name for name in listed if isinstance(name, str) and name in ONE_CAMERA + OTHERS]
    if not named or len(named) != len(listed):
        raise BadInput(f"The sensor must be a list of {', '.join(ONE_CAMERA + OTHERS)}.")
    if len(named) != 1 or named[0] in OTHERS:
        raise BadInput(f"The model looks through {', '.join(named)}; this car has one grey front camera.")
    return named[0]


def _one_of(document: dict[str, Any], key: str, allowed: tuple[str, ...], default: str) -> str:
    value = document.get(key, default)
    if value not in allowed:
        raise BadInput(f"The {key} is {str(value)[:40]!r}; allowed are {', '.join(allowed)}.")
    return str(value)


def _version(version: object) -> str:
    if isinstance(version, bool) or not isinstance(version, int | float | str) or len(str(version)) > 20:
        raise BadInput("The version must be a number or a text.")
    return str(version)
