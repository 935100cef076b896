"""The calibration file: pulse widths as measured on this car, versioned, written atomically.

It also reads the stock DeepRacer's `calibration.json`: {"Calibration": {"Servo": {min, mid, max, polarity}, "Motor":
{...}}, "version"}, in nanoseconds (aws-deepracer/aws-deepracer-servo-pkg), with the version inside or beside. One
without a version is from an early car, whose motor was wired the other way round: servo_mgr.cpp takes it only where the
BIOS is older than 0.0.8, and so do we.
"""

import json
import pathlib
import re
from dataclasses import asdict, dataclass
from typing import Any

from shared.config import from_table, setting
from shared.errors import BadInput, ConfigError, StorageError
from shared.files import write_whole
from vehicle.core.pulses import STOCK_CALIBRATION, Calibration, ChannelCalibration
from vehicle.process.log import log

VERSION = 1
BIOS_VERSION = pathlib.Path("/sys/class/dmi/id/bios_version")
_MAX_BYTES = 65_536
_BIOS_CUT_OFF = (0, 0, 8)


@dataclass(frozen=True, slots=True)
class CalibrationChoice:
    """`[calibration]`: a file, the pulse widths themselves, or `stock`. With none of them the car cannot be armed."""

    file: pathlib.Path | None = setting(None, what="written by `raceday vehicle calibrate`")
    maker_file: pathlib.Path | None = setting(
        None, what="the stock car's own calibration.json, which is read until there is `file`, and never written"
    )
    stock: bool = setting(False, what="drive with the stock DeepRacer's figures, unmeasured")
    steering: ChannelCalibration | None = None
    motor: ChannelCalibration | None = None

    def __post_init__(self) -> None:
        if (self.steering is None) != (self.motor is None):
            raise ConfigError("`calibration.steering` and `calibration.motor` belong together: give both.")
        if sum((self.file is not None, self.stock, self.steering is not None)) > 1:
            raise ConfigError("`calibration` takes one of `file`, `stock` and the two tables, not several.")

    def load(self) -> Calibration | None:
        """The calibration that the car drives with; None before the first one. Raises BadInput for a damaged file."""
        if self.stock:
            return STOCK_CALIBRATION
        if self.steering is not None and self.motor is not None:
            return Calibration(self.steering, self.motor)
        if self.file is not None and self.file.exists():
            return read_calibration(self.file)
        return None if self.maker_file is None else self._makers(self.maker_file)

    @staticmethod
    def _makers(path: pathlib.Path) -> Calibration | None:
        """The maker's calibration; None, which the log explains, for one that is not to be driven with."""
        if not path.exists():
            return None
        try:
            return read_calibration(path)
        except BadInput as error:
            log(str(error))
            return None


def read_calibration(path: pathlib.Path, bios_version: pathlib.Path = BIOS_VERSION) -> Calibration:
    """Read a calibration file of this program or of the stock car. Raises BadInput, which names the file.

    `bios_version` is the kernel's file with the version of this machine's BIOS.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES + 1)
        document = json.loads(text) if len(text) <= _MAX_BYTES else None
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{path}: the calibration cannot be read ({error}): calibrate the car again.") from None
    if not isinstance(document, dict):
        raise BadInput(f"{path} is not a calibration: it must be one JSON object.")
    try:
        if "Calibration" not in document:
            return _parse_own(document)
        return _parse_stock(document, from_early_car=_has_early_bios(bios_version))
    except ConfigError as error:
        raise BadInput(f"{path}: {str(error).removeprefix('calibration: ')}") from None


def write_calibration(path: pathlib.Path, calibration: Calibration) -> None:
    """Write the file so that a power cut leaves the old one or the new one. Raises StorageError."""
    text = json.dumps({"version": VERSION} | asdict(calibration), indent=1) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode("ascii"), is_durable=True)
    except OSError as error:
        raise StorageError(f"{path}: the calibration cannot be saved ({error.strerror}).") from None


def _parse_own(document: dict[str, Any]) -> Calibration:
    version = document.get("version")
    if type(version) is not int or not 1 <= version <= VERSION:
        raise ConfigError(f"the calibration has version {version!r}; this car reads 1 to {VERSION}.")
    table = {name: value for name, value in document.items() if name != "version"}
    return from_table(table, Calibration, "calibration")


def _has_early_bios(bios_version: pathlib.Path) -> bool:
    """Whether this is a stock car of before BIOS 0.0.8; a BIOS that cannot be read or is no such version is not."""
    try:
        found = re.match(r"\s*(\d{1,9})\.(\d{1,9})\.(\d{1,9})", bios_version.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return False
    return found is not None and tuple(map(int, found.groups())) < _BIOS_CUT_OFF


def _parse_stock(document: dict[str, Any], *, from_early_car: bool) -> Calibration:
    inner = document["Calibration"]
    if not isinstance(inner, dict):
        raise ConfigError("`Calibration` must hold `Servo` and `Motor`.")
    calibration = Calibration(_parse_stock_channel(inner, "Servo"), _parse_stock_channel(inner, "Motor"))
    if not from_early_car and "version" not in inner and "version" not in document:
        raise ConfigError(
            "the stock calibration has no `version`: it is from an early car, whose motor turned the other way round, "
            "and the stock software ignores it too. Calibrate the car again (`raceday vehicle calibrate`), or try the "
            "stock figures on a stand (`calibration.stock = true`)."
        )
    return calibration


def _parse_stock_channel(inner: dict[str, Any], name: str) -> ChannelCalibration:
    channel = inner.get(name)
    if not isinstance(channel, dict):
        raise ConfigError(f"the stock calibration has no `{name}`.")
    names = {"min": "min_ns", "mid": "mid_ns", "max": "max_ns", "polarity": "polarity"}
    if missing := [key for key in names if key not in channel]:
        raise ConfigError(f"the stock calibration's `{name}` has no {', '.join(missing)}.")
    figures = {ours: _as_integer(channel[key]) for key, ours in names.items()}
    return from_table(figures, ChannelCalibration, "calibration")


def _as_integer(value: object) -> object:
    """The integer of a float such as 1200000.0, since some programs write every number that way."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
