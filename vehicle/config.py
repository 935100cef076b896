"""The car's settings: `config/vehicle.toml` as a checked, frozen dataclass."""

import pathlib
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.clock import ClockChoice
from shared.config import setting
from shared.errors import ConfigError, Refused
from shared.link.options import MqttOptions
from shared.metrics.settings import MetricsOptions
from shared.protocol.topics import checked_device
from shared.web.host_names import host_names
from vehicle.calibration.file import CalibrationChoice
from vehicle.core.frame_age import SafetyOptions
from vehicle.core.light_patterns import LightColour, colour_of
from vehicle.core.limiter import DriveLimits
from vehicle.frames.profile_names import ProfileName
from vehicle.hardware.lights.free_channels import require_free_channels
from vehicle.hardware.lights.maker_colour import read_maker_colour
from vehicle.hardware.profiles import with_profile
from vehicle.hardware.stock_software import checked_service
from vehicle.lapwatch.markers import LapwatchOptions

NO_LIGHTS = "none"
_MAX_SOCKET_PATH = 100  # the kernel accepts 107 bytes


@dataclass(frozen=True, slots=True)
class CameraChoice:
    """`[camera]`: the camera's driver, and its options, which the driver itself checks."""

    driver: str = setting(what="a driver of raceday.cameras")
    options: dict[str, Any] = field(default_factory=dict)
    opens: tuple[pathlib.Path, ...] = setting((), what="devices and folders that a driver of your own opens besides")


@dataclass(frozen=True, slots=True)
class MotorsChoice:
    """`[motors]`: the motors' driver, and its options, which the driver itself checks."""

    driver: str = setting(what="a driver of raceday.motors")
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """`[model]`: a folder with model.onnx and model_metadata.json, or the .onnx with the metadata beside it."""

    path: pathlib.Path = setting(what="the model's folder or .onnx file")
    throttle_percent: int = setting(0, min=0, max=100, what="until an order sets another; at 0 the car stands still")
    profile: ProfileName = "grey-area"  # how a camera picture becomes the 160 x 120 grey pixels of the policy
    precision: Literal["auto", "fp32"] = "auto"  # auto: int8 where it is faster and drives the same


@dataclass(frozen=True, slots=True)
class OutboxOptions:
    """`[outbox]`: where lap reports wait until the station has them."""

    path: pathlib.Path = setting(what="a file on the car's disk")


@dataclass(frozen=True, slots=True)
class CommsOptions:
    """`[comms]`: how often the car sends unacknowledged messages again, in real seconds."""

    resend_s: float = setting(3.0, min=0.2, max=60.0, what="how often unacknowledged laps are sent again")


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """`[local]`: the socket of `raceday vehicle stop`, which needs no network."""

    socket: pathlib.Path = setting(pathlib.Path("vehicle.sock"), what="a path of at most 100 characters")

    def __post_init__(self) -> None:
        if len(str(self.socket.absolute()).encode()) > _MAX_SOCKET_PATH:
            raise ConfigError(f"`local.socket` is too long for a socket; use at most {_MAX_SOCKET_PATH} characters.")


@dataclass(frozen=True, slots=True)
class ButtonOptions:
    """`[button]`: the emergency button, a normally-closed contact between a header pin and ground."""

    pin: int | None = setting(None, min=0, max=53, what="its GPIO number; without it the car has no button")
    library: str = setting("lgpio", choices=("lgpio", "rpigpio", "pigpio"), what="gpiozero's pin library")


@dataclass(frozen=True, slots=True)
class BatteryChoice:
    """`[battery]`: the battery's gauge, and its options, which the driver itself checks."""

    driver: str = setting("kernel", what="a driver of raceday.batteries")
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LightsChoice:
    """`[lights]`: the car's lights, their options, and the colour by which the car is known."""

    driver: str = setting(NO_LIGHTS, what="a driver of raceday.car_lights; none: the car has no lights")
    colour: str = setting("", what="#rrggbb, by which the car is known; without it white")
    maker_file: pathlib.Path | None = setting(None, what="the stock car's led_values.json, whose colour it takes else")
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.colour and colour_of(self.colour) is None:
            raise ConfigError(f"`lights.colour` is {self.colour!r}; it must be like #46c8f5.")

    def own_colour(self) -> LightColour | None:
        """The car's own colour; None if nobody chose one."""
        if self.colour:
            return colour_of(self.colour)
        return None if self.maker_file is None else read_maker_colour(self.maker_file)


@dataclass(frozen=True, slots=True)
class StockSoftwareOptions:
    """`[stock_software]`: the car's own software, which may not drive while ours does."""

    service: str = setting("", what="its systemd service, such as deepracer-core; without it the car has none")

    def __post_init__(self) -> None:
        checked_service(self.service)


@dataclass(frozen=True, slots=True)
class RecorderOptions:
    """`[recorder]`: the recordings of drives."""

    enabled: bool = setting(False, what="record every drive")
    folder: pathlib.Path = setting(pathlib.Path("runs"), what="a folder on the car's disk")
    file_mb: int = setting(64, min=1, max=200, what="size at which a recording continues in a new file")
    total_mb: int = setting(2048, min=2, max=1_000_000, what="beyond this the oldest recordings are removed")

    def __post_init__(self) -> None:
        if self.total_mb < 2 * self.file_mb:
            raise ConfigError("`recorder.total_mb` must be at least twice `recorder.file_mb`.")


@dataclass(frozen=True, slots=True)
class ConsoleOptions:
    """`[console]`: the racer's phone page."""

    enabled: bool = setting(False, what="serve the phone page")
    host: str = setting("0.0.0.0", what="the address to listen at; 0.0.0.0: all, the car's access point too")  # noqa: S104
    port: int = setting(8008, min=0, max=65535, what="0: any free port; the log shows which")
    claims: pathlib.Path = setting(
        pathlib.Path("console.json"), what="the file of the claim code's hash and the sessions"
    )
    models: pathlib.Path = setting(pathlib.Path("models"), what="the folder of models; its `selected` is what drives")
    allowed_hosts: tuple[str, ...] = setting((), what="names under which browsers reach the car, besides local ones")
    tls_certificate: str = setting("", what="the certificate for browsers; with it the port speaks https too")
    tls_key: str = setting("", what="the key of `tls_certificate`, readable by the service alone")
    claim_over_http: bool = setting(True, what="with a certificate too, phones may claim the car without https")

    def __post_init__(self) -> None:
        host_names(self.allowed_hosts, "console.allowed_hosts")


@dataclass(frozen=True, slots=True)
class VehicleConfig:
    """All settings of one car."""

    camera: CameraChoice
    motors: MotorsChoice
    model: ModelChoice
    outbox: OutboxOptions
    clock: ClockChoice
    limits: DriveLimits
    safety: SafetyOptions
    mqtt: MqttOptions
    lapwatch: LapwatchOptions
    comms: CommsOptions
    local: LocalOptions
    button: ButtonOptions
    calibration: CalibrationChoice
    battery: BatteryChoice
    lights: LightsChoice
    stock_software: StockSoftwareOptions
    recorder: RecorderOptions
    console: ConsoleOptions
    metrics: MetricsOptions
    device: str = setting(what="the car's name at the broker, such as car-1")
    profile: str = setting("", what="a hardware profile, whose settings hold where this file says nothing")

    @classmethod
    def completed(cls, table: dict[str, Any]) -> dict[str, Any]:
        """The table with its hardware profile's settings written out. Raises ConfigError."""
        return with_profile(table)

    def __post_init__(self) -> None:
        try:
            checked_device(self.device)
        except Refused as error:
            raise ConfigError(f"`device`: {error}") from None
        if (self.motors.driver, self.lights.driver) == ("sysfs", "pwm"):
            require_free_channels(self.motors.options, self.lights.options)
