"""The units that are tried with each kind of device: what their config says, and how each shows that it works.

A table; carried out by unit_runs.py for the scenarios units and car.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tools.metal.guest import hardware
from tools.metal.guest.checks import until
from tools.metal.guest.installed_station import InstalledStation
from tools.metal.guest.simulated_pico import BY_ID

MAX_EXPOSURE = 1.5
MAX_EXPOSURE_ON_A_PI = 1.7  # of the car: it writes the kernel's PWM and locks its memory
WORKS_S = 420.0  # an emulated machine starts a service for minutes
CAMERA_HZ = 5.0  # at the usual rate the model alone takes more than an emulated processor has
SLOW_CAMERA = f'[camera]\ndriver = "mock"\n[camera.options]\nrate_hz = {CAMERA_HZ}\n'
OPENSTINT_PORT = 5556
LEADERBOARD = ("127.0.0.1", 8090)
SECRET_FILE = "/etc/raceday/leaderboard.secret"  # noqa: S105 - its path


@dataclass(frozen=True, slots=True)
class UnitTrial:
    """One unit with one kind of device: what its config says in place of which tables, and how it shows that it works.

    `works` returns what was seen, None if it does not work; it may wait.
    """

    unit: str
    role: str
    devices: str
    works: Callable[[InstalledStation], str | None]
    config: str = ""
    tables: tuple[str, ...] = ()
    limit: float = MAX_EXPOSURE
    on_the_chip: bool = False  # the kernel's driver has the PWM chip


def gate_is_fit(station: InstalledStation) -> str | None:
    """The start gate works."""
    gate = station.fit("start", WORKS_S)
    return str(gate["sentence"]) if gate.get("alive") else None


def gate_has_its_port(station: InstalledStation) -> str | None:
    """The station could open the port. A Pico is at its other end, and no decoder: it is quiet, or sends no frame."""
    opened = ("is open", "silent", "are not part of any")

    def said() -> str | None:
        sentence = str(station.gate("start").get("sentence"))
        return sentence if any(words in sentence for words in opened) else None

    return until(said, WORKS_S)


def car_is_heard(station: InstalledStation) -> str | None:
    """The station hears the car, over TLS, and the car has no fault to tell."""

    def heard() -> str | None:
        car = next((each for each in station.state()["cars"] if each["name"] == "car-1"), None)
        if car is None or not car["online"]:
            return None
        return f"{car['mode']} {car['reason']}, battery {car['battery_percent']}"

    return until(heard, WORKS_S)


def all_is_posted(station: InstalledStation) -> str | None:
    """What the station has timed is at the leaderboard."""

    def posted() -> str | None:
        sync = station.state()["sync"]
        is_all = sync["due"] > 0 and sync["posted"] == sync["due"]
        return f"{sync['posted']} of {sync['due']} results are posted" if is_all else None

    return until(posted, WORKS_S)


def leaderboard_serves(_: InstalledStation) -> str | None:
    """Its page answers."""
    board = InstalledStation(LEADERBOARD)
    took_s = board.up(WORKS_S)
    return None if took_s is None else f"its page answers after {took_s:.0f} s"


def gate(driver: str, options: str) -> str:
    """A start gate of this driver, as in station.toml."""
    head = f'[[gate]]\nname = "start"\ndriver = "{driver}"\nsensors = ["beam"]\nkind = "start_finish"\n'
    return f"{head}[gate.options]\n{options}\n"


GPIO = gate("gpio", f"pins = [{hardware.GATE_LINE}]")
PICO = gate("pico", f'port = "{BY_ID}"')
DECODER = gate("decoder", 'protocol = "zround"\nurl = "/dev/ttyACM0"')
OPENSTINT = gate("decoder", f'protocol = "openstint"\nurl = "zmq://127.0.0.1:{OPENSTINT_PORT}"')
BUTTON = '[stop_button]\ndriver = "gpio"\n[stop_button.options]\npin = 26\n'
LIGHTS = '[start_lights]\ndriver = "gpio"\n[start_lights.options]\npins = [5, 6, 13, 19, 16]\n'
SYNC = f'[sync]\nleaderboard_url = "http://{LEADERBOARD[0]}:{LEADERBOARD[1]}"\nsecret_file = "{SECRET_FILE}"\n'


def station_trials() -> tuple[UnitTrial, ...]:
    """Those of a station and its leaderboard, in order."""
    unit, gates = "raceday-station", ("gate",)
    return (
        UnitTrial("raceday-leaderboard", "leaderboard", "no device", leaderboard_serves),
        UnitTrial(unit, "station", "GPIO gate", gate_is_fit, GPIO, gates),
        UnitTrial(unit, "station", "Pico on USB", gate_is_fit, PICO, gates),
        UnitTrial(unit, "station", "decoder on a serial port", gate_has_its_port, DECODER, gates),
        UnitTrial(unit, "station", "OpenStint by ZeroMQ", gate_is_fit, OPENSTINT, gates),
        UnitTrial(unit, "station", "GPIO gate, stop button, start lights", gate_is_fit, GPIO + BUTTON + LIGHTS, gates),
        UnitTrial("raceday-sync", "station", "no device", all_is_posted, SYNC, ("sync",)),
    )


def car_trials(pwm_bus: int, enable_line: int) -> tuple[UnitTrial, ...]:
    """Those of a car, in order; the simulated PWM chip is on this I2C bus, its enable line has this number."""
    stock = "[calibration]\nstock = true\n"
    camera = '[camera]\ndriver = "v4l2"\n[camera.options]\ndevice = "/dev/video0"\nwidth_px = 320\nheight_px = 180\n'
    camera += f"rate_hz = {CAMERA_HZ}\n"
    channels = "motor_channel = 0\nsteering_channel = 1\n"
    kernel_pwm = f'[motors]\ndriver = "sysfs"\n[motors.options]\nchip = "i2c-{pwm_bus}"\n{channels}'
    kernel_pwm += f"enable_gpio = {enable_line}\n"
    lights = f'[lights]\ndriver = "pwm"\n[lights.options]\nchip = "i2c-{pwm_bus}"\nchannels = [2, 3, 4]\n'
    servo_board = f'[motors]\ndriver = "pca9685"\n[motors.options]\nbus = {pwm_bus}\n{channels}'
    gauge = f'[battery]\ndriver = "deepracer"\n[battery.options]\nbus = "{pwm_bus}"\n'
    return (
        car_trial("no device", f'{SLOW_CAMERA}[motors]\ndriver = "mock"\n{stock}'),
        car_trial("camera, kernel PWM with enable line, tail light", camera + kernel_pwm + lights + stock, True),
        car_trial("servo board and battery gauge on I2C", SLOW_CAMERA + servo_board + gauge + stock),
    )


def car_trial(devices: str, config: str, on_the_chip: bool = False) -> UnitTrial:
    """The car's unit with these devices."""
    tables = ("camera", "motors", "calibration", "battery", "lights")
    return UnitTrial("raceday-vehicle", "car", devices, car_is_heard, config, tables, MAX_EXPOSURE_ON_A_PI, on_the_chip)
