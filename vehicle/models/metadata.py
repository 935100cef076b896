"""A model's `model_metadata.json`: sensors, network and action space, with the defaults of the DeepRacer console.

Source: aws-deepracer-community/deepracer-simapp and aws-deepracer-navigation-pkg.
"""

import json
import pathlib
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from shared.errors import BadInput
from shared.text import text
from vehicle.core.actions import ActionSpace
from vehicle.models.model_files import MAX_METADATA_BYTES, ONE_CAMERA

ALGORITHMS = ("clipped_ppo", "sac")
NETWORKS = ("DEEP_CONVOLUTIONAL_NETWORK", "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW", "DEEP_CONVOLUTIONAL_NETWORK_DEEP")
CAMERAS = (*ONE_CAMERA, "STEREO_CAMERAS")
LIDARS = ("LIDAR", "SECTOR_LIDAR", "DISCRETIZED_SECTOR_LIDAR")
HEIGHT, WIDTH = 120, 160
_MAX_NETWORK_LETTERS = 80
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]{0,19}")
_LIDAR_VALUES, _LIDAR_SECTORS, _MAX_LIDAR_VALUES = 64, 8, 64


@dataclass(frozen=True, slots=True)
class Metadata:
    """The content of the file. `sensor` is the camera, `lidar` the LiDAR or '' if there is none."""

    space: ActionSpace
    sensor: str = "observation"
    algorithm: str = "clipped_ppo"
    network: str = "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW"
    version: str = "1"
    lidar: str = ""
    lidar_values: int = 0

    @property
    def sensors(self) -> tuple[str, ...]:
        """The names of the sensors: the camera, then the LiDAR if there is one."""
        return (self.sensor, self.lidar) if self.lidar else (self.sensor,)

    def shape_of(self, sensor: str) -> tuple[int, ...]:
        """The shape of one observation: (height, width, channels) for a camera, (values,) for a LiDAR."""
        if sensor == self.lidar:
            return (self.lidar_values,)
        return (HEIGHT, WIDTH, 2 if sensor == "STEREO_CAMERAS" else 1)


def load_metadata(path: pathlib.Path, any_sensors: bool = False) -> Metadata:
    """The file's content, checked. Raises BadInput with a sentence that names the file."""
    try:
        with path.open("rb") as file:
            written = file.read(MAX_METADATA_BYTES + 1)
    except OSError as error:
        raise BadInput(
            text(
                "{path}: the model's metadata cannot be read ({strerror}): put it beside the model.",
                path=path,
                strerror=error.strerror,
            )
        ) from None
    if len(written) > MAX_METADATA_BYTES:
        raise BadInput(
            text(
                "{path}: is larger than {max_metadata_bytes} bytes; a model's metadata is a few lines of JSON.",
                path=path,
                max_metadata_bytes=MAX_METADATA_BYTES,
            )
        )
    try:
        return parse_metadata(written, any_sensors)
    except BadInput as error:
        raise BadInput(text("{path}: {error}", path=path, error=error)) from None


def parse_metadata(written: bytes, any_sensors: bool = False) -> Metadata:
    """Parses JSON text. Raises BadInput, also for sensors that this car does not have unless `any_sensors` is set."""
    try:
        # Python would guess UTF-16 and UTF-32 too, which another reader reads otherwise or not at all.
        document = json.loads(written.decode("utf-8-sig"), object_pairs_hook=_unique_keys)
    except UnicodeDecodeError:
        raise BadInput(text("The model metadata is not text in UTF-8: save it as UTF-8.")) from None
    except (ValueError, RecursionError):
        raise BadInput(text("The model metadata is not JSON.")) from None
    space = ActionSpace.parse_metadata(document)
    assert isinstance(document, dict)
    sensor, lidar = _sensors(document.get("sensor", ["observation"]), any_sensors)
    return Metadata(
        space=space,
        sensor=sensor,
        algorithm=_one_of(document, "training_algorithm", ALGORITHMS, "clipped_ppo"),
        network=_network(document.get("neural_network")),
        version=_version(document.get("version"), "2" if "sensor" in document else "1"),
        lidar=lidar,
        lidar_values=_lidar_values(lidar, document.get("lidar_config")),
    )


def _sensors(sensors: object, any_sensors: bool) -> tuple[str, str]:
    """The names of the camera and of the LiDAR ("" if there is none). Raises BadInput."""
    listed = sensors if isinstance(sensors, list) else [sensors]
    named = [name for name in listed if isinstance(name, str) and name in CAMERAS + LIDARS]
    if not named or len(named) != len(listed):
        raise BadInput(text("The sensor must be a list of {names}.", names=", ".join(CAMERAS + LIDARS)))
    cameras, lidars = [name for name in named if name in CAMERAS], [name for name in named if name in LIDARS]
    if len(cameras) != 1 or len(lidars) > 1:
        raise BadInput(
            text("The sensors are {names}; it must be one camera and at most one LiDAR.", names=", ".join(named[:8]))
        )
    if not any_sensors and (lidars or cameras[0] not in ONE_CAMERA):
        raise BadInput(text("The model needs {names}; this car has one grey front camera.", names=", ".join(named)))
    return cameras[0], lidars[0] if lidars else ""


def _lidar_values(lidar: str, config: object) -> int:
    """The number of values in one LiDAR observation; the defaults are those of the console. Raises BadInput."""
    if not lidar:
        return 0
    table = config if isinstance(config, dict) else {}
    if config is not None and not isinstance(config, dict):
        raise BadInput(text("The lidar_config must be an object."))
    if lidar == "LIDAR":
        return _count(table, "num_values", _LIDAR_VALUES)
    sectors = _count(table, "num_sectors", _LIDAR_SECTORS)
    if lidar == "SECTOR_LIDAR":
        return sectors
    return sectors * _count(table, "num_values_per_sector", _LIDAR_VALUES // sectors)


def _count(table: dict[str, Any], key: str, default: int) -> int:
    value = table.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MAX_LIDAR_VALUES:
        raise BadInput(
            text(
                "The {key} of the lidar_config is {value!r}; allowed is 1 to {limit}.",
                key=key,
                value=str(value)[:40],
                limit=_MAX_LIDAR_VALUES,
            )
        )
    return value


def _one_of(document: dict[str, Any], key: str, allowed: tuple[str, ...], default: str) -> str:
    value = document.get(key, default)
    if value not in allowed:
        raise BadInput(
            text(
                "The {key} is {value!r}; allowed are {names}.", key=key, value=str(value)[:40], names=", ".join(allowed)
            )
        )
    return str(value)


def _network(value: object) -> str:
    """The racer's name for the network, as one line. It is a label only: the layers are read from the model itself.

    Raises BadInput for what is no name at all.
    """
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int | float)):
        raise BadInput(text("The neural_network is {value!r}; it must be a name.", value=str(value)[:40]))
    written = "" if value is None else str(value)
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in written).split())
    return line[:_MAX_NETWORK_LETTERS] or NETWORKS[1]


def _version(version: object, otherwise: str) -> str:
    if version is None or (isinstance(version, str) and not version.strip()):
        return otherwise
    written = "" if isinstance(version, bool) or not isinstance(version, int | float | str) else str(version)
    if not _VERSION.fullmatch(written):
        raise BadInput(text("The version must be a number, or a text such as 5 or 5.0."))
    return written


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object without duplicate keys, which different parsers read differently. Raises BadInput."""
    table = dict(pairs)
    if len(table) != len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise BadInput(text("The model metadata has the key {twice!r} twice.", twice=twice[:40]))
    return table
