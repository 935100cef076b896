"""Hardware profiles: each is a whole, right config; what the file says wins; an unknown one is a sentence."""

import pathlib
import subprocess
import sys
from typing import Any

import pytest

from shared import drivers
from shared.config import parse
from shared.errors import ConfigError
from vehicle.config import VehicleConfig
from vehicle.core.light_patterns import LightColour
from vehicle.core.pulses import STOCK_CALIBRATION
from vehicle.hardware.profiles import PROFILES, with_profile

REST = """
device = "car-1"
model.path = "m"
outbox.path = "laps.db"
"""
GROUPS = {"camera": "cameras", "motors": "motors", "battery": "batteries", "lights": "car_lights"}


def config_of(profile: str, more: str = "") -> VehicleConfig:
    return parse(f'profile = "{profile}"\n{REST}{more}', VehicleConfig)


@pytest.mark.parametrize("name", PROFILES)
def test_each_profile_is_a_whole_config_of_drivers_that_exist(name: str) -> None:
    config = config_of(name)
    for section, group in GROUPS.items():
        assert getattr(config, section).driver in drivers.names(f"raceday.{group}")
    assert config.motors.options["motor_channel"] == 0
    assert config.motors.options["steering_channel"] == 1
    assert config.stock_software.service == "deepracer-core"
    assert config.calibration.file == pathlib.Path("/var/lib/raceday-vehicle/calibration.json")


def test_a_stock_car_with_24_04() -> None:
    """deepracer-custom-car `pwm.sh` (514, channels 0 to 4) and `led_gpio.sh` (526, 525, 515, ...)."""
    config = config_of("deepracer-2404")
    assert config.motors.options["enable_gpio"] == 514
    assert config.motors.options["chip"] == "i2c-0"
    assert config.camera.options["device"] == "auto"
    assert config.lights.options["channels"] == [2, 3, 4]
    assert config.lights.options["side_gpios"][:3] == [526, 525, 515]
    assert config.battery.options["bus"] == "0000:00:17.3"


def test_what_the_file_says_wins_key_by_key() -> None:
    config = config_of("deepracer-2404", 'camera.options.device = "/dev/video2"\nmotors.options.enable_gpio = 436\n')
    assert config.camera.options == {"device": "/dev/video2", "width_px": 640, "height_px": 480}
    assert config.motors.options["enable_gpio"] == 436
    assert config.motors.options["chip"] == "i2c-0"


def test_another_driver_takes_nothing_of_the_profile() -> None:
    config = config_of("pi-pca9685", 'motors.driver = "pca9685"\ncamera.driver = "v4l2"\nlights.driver = "none"\n')
    assert (config.motors.driver, config.motors.options) == ("pca9685", {})
    assert (config.camera.driver, config.camera.options) == ("v4l2", {})
    assert config.lights.driver == "none"


CHANNEL = "{min_ns = 1_200_000, mid_ns = 1_450_000, max_ns = 1_700_000}"


@pytest.mark.parametrize("own", ["stock = true", f"steering = {CHANNEL}\nmotor = {CHANNEL}"])
def test_a_calibration_of_the_file_stands_alone(own: str) -> None:
    config = config_of("deepracer-2404", f"[calibration]\n{own}\n")
    assert config.calibration.file is None
    assert config.calibration.load() is not None


def test_the_makers_calibration_serves_until_there_is_one_of_ours(tmp_path: pathlib.Path) -> None:
    maker = tmp_path / "maker.json"
    maker.write_text(
        '{"Calibration": {"version": 1, "Servo": {"min": 1200000, "mid": 1450000, "max": 1700000, "polarity": 1},'
        ' "Motor": {"min": 1311000, "mid": 1446000, "max": 1603500, "polarity": -1}}}'
    )
    ours = tmp_path / "ours.json"
    more = f'calibration.maker_file = "{maker}"\ncalibration.file = "{ours}"\n'
    assert config_of("deepracer-2404", more).calibration.load() == STOCK_CALIBRATION
    ours.write_text("not a calibration")
    with pytest.raises(Exception, match=r"ours\.json"):
        config_of("deepracer-2404", more).calibration.load()


@pytest.mark.parametrize("name", ['"deepracer"', "7", '"DEEPRACER-2404"', '["pi-pca9685"]'])
def test_an_unknown_profile_is_a_sentence_with_the_names(name: str) -> None:
    with pytest.raises(ConfigError, match=r"no hardware profile .*; there are deepracer-2404, pi-pca9685"):
        parse(f"profile = {name}\n{REST}", VehicleConfig)


def test_a_table_is_left_as_it_is_without_a_profile_and_the_profiles_are_never_changed() -> None:
    table: dict[str, Any] = {"camera": {"driver": "mock"}}
    assert with_profile(table) == table
    with_profile({"profile": "pi-pca9685"})["camera"]["options"]["width_px"] = 1
    assert with_profile({"profile": "pi-pca9685"})["camera"]["options"]["width_px"] == 320


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ('{"Led Values": {"red_pwm": 0, "green_pwm": 5000000, "blue_pwm": 10000000}}', LightColour(0, 127, 255)),
        ('{"Led Values": {"red_pwm": 0, "green_pwm": 0, "blue_pwm": 0}}', None),  # dark
        ('{"Led Values": {"red_pwm": -1, "green_pwm": 0, "blue_pwm": 0}}', None),
        ('{"Led Values": {"red_pwm": true, "green_pwm": 0, "blue_pwm": 9}}', None),
        ('{"Led Values": 7}', None),
        ("[" * 9999, None),
        ("", None),
    ],
)
def test_the_colour_that_the_racer_chose_in_the_stock_console(
    tmp_path: pathlib.Path, text: str, colour: LightColour | None
) -> None:
    file = tmp_path / "led_values.json"
    file.write_text(text)
    lights = config_of("deepracer-2404", f'lights.maker_file = "{file}"\n').lights
    assert lights.own_colour() == colour
    with_own = config_of("deepracer-2404", f'lights.maker_file = "{file}"\nlights.colour = "#ff0000"\n').lights
    assert with_own.own_colour() == LightColour(255, 0, 0)
    with pytest.raises(ConfigError, match=r"`lights\.colour` is 'red'; it must be like #46c8f5"):
        config_of("pi-pca9685", 'lights.colour = "red"\n')


def test_profiles_load_without_the_packages_of_a_car() -> None:
    """`raceday install` reads them on a machine that has none yet."""
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('numpy', 'cv2', 'pydantic')));"
        "import vehicle.hardware.profiles as p; print(len(p.PROFILES))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str(len(PROFILES)), done.stderr


@pytest.mark.parametrize(
    ("more", "taken"),
    [
        ("motors.options.motor_channel = 2", "has 2, which is the motor's channel"),
        ("motors.options.steering_channel = 4", "has 4, which is the steering's channel"),
        ("lights.options.channels = [1, 2, 3]", "has 1, which is the steering's channel"),
        ("motors.options.motor_channel = 2\nmotors.options.chip = ''", "has 2, which is the motor's channel"),
        # The stock car's chip with 20.04: the I2C controller of this PCI id has the bus i2c-1 below it.
        (
            "motors.options.motor_channel = 2\nmotors.options.chip = '0000:00:17.0'",
            "has 2, which is the motor's channel",
        ),
        ("motors.options.motor_channel = 2\nmotors.options.chip = 'i2c-0'", ""),
        ("motors.options.motor_channel = 7\nlights.options.channels = [0, 2, 3]", ""),
        ("motors.options.motor_channel = 2\nlights.driver = 'none'", ""),
        ("motors.driver = 'pca9685'\nmotors.options.motor_channel = 2", ""),
    ],
)
def test_a_light_on_a_channel_of_the_motors_is_refused(more: str, taken: str) -> None:
    if not taken:
        config_of("pi-pca9685", more)
        return
    with pytest.raises(ConfigError, match=rf"`lights\.options\.channels` {taken} of the same PWM chip: give the light"):
        config_of("pi-pca9685", more)
