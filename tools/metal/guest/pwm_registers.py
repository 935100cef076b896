"""Scenario pwm: our kernel PWM driver on the kernel's own PCA9685, and the registers read past its driver.

Runs with the installed product's Python. The enable line is one of a chip of its own. Twice: from a chip's power-on
state, and from what the community's image of the stock car leaves (deepracer-custom-car
install_scripts/aws-24.04/rc.local, then its servo node at rest). Each time a trip and a stop from outside cut the line.
Last, channels that run at another rate.
"""

import pathlib
import subprocess
import sys

from shared.clock import SystemClock
from shared.errors import HardwareMissing
from shared.protocol.messages import CarMode
from tools.metal.guest.checks import check
from tools.metal.guest.kernel_files import wait_for
from tools.metal.guest.simulated_gpio import ENABLE_LINE, SimulatedGpio, car_lines
from tools.metal.guest.simulated_pwm import SimulatedPca9685
from vehicle.core.actions import NEUTRAL, Action
from vehicle.core.pulses import PERIOD_NS, STOCK_CALIBRATION
from vehicle.guard.actuators import Actuators
from vehicle.hardware.motors.pca9685_registers import FULL, kernel_prescale
from vehicle.hardware.motors.sysfs import SysfsMotors

MOTOR, STEERING = 0, 1
OTHER_PERIOD_NS = 10_000_000
CONFIG = """device = "car-1"
[camera]
driver = "mock"
[motors]
driver = "sysfs"
options = {{ chip = "i2c-{bus}", motor_channel = 0, steering_channel = 1, enable_gpio = {gpio} }}
[calibration]
stock = true
[model]
path = "/nowhere"
[outbox]
path = "/run/pwm-laps.db"
[local]
socket = "/run/pwm.sock"
[mqtt]
host = "127.0.0.1"
"""

# What is done, in which mode, and the counts that steering and motor must have then: ceil(4096 * width / 20 ms) of the
# stock calibration, as the stock software has them too, but for the longest pulse: one count less (348, not 349).
STEPS: tuple[tuple[str, Action, CarMode, int, int], ...] = (
    ("armed", NEUTRAL, "ready", 297, 297),
    ("left", Action(1.0, 0.0), "driving", 348, 297),
    ("right", Action(-1.0, 0.0), "driving", 246, 297),
    ("forward", Action(0.0, 1.0), "driving", 297, 269),
    ("half forward", Action(0.0, 0.5), "driving", 297, 283),
    ("neutral", NEUTRAL, "driving", 297, 297),
    ("stopped", NEUTRAL, "stopped", 297, 297),
    ("forward again", Action(0.0, 1.0), "driving", 297, 269),
    ("trip", NEUTRAL, "tripped", 297, 297),
    ("armed again", NEUTRAL, "ready", 297, 297),
    ("forward once more", Action(0.0, 1.0), "driving", 297, 269),
)


def count(chip: SimulatedPca9685, channel: int) -> int:
    """How many of 4096 counts a channel is on; 0 for full off."""
    on_l, on_h, off_l, off_h = chip.registers(channel)
    if off_h & FULL:
        return 0
    return (off_l | (off_h & 0x0F) << 8) - (on_l | (on_h & 0x0F) << 8)


def run_stock_car(chip: pathlib.Path) -> None:
    """The image's rc.local, line by line, then what its servo node writes at rest."""
    for number in range(5):
        channel = chip / f"pwm{number}"
        (chip / "export").write_text(f"{number}\n")
        wait_for(channel)
        (channel / "period").write_text(f"{PERIOD_NS}\n")
        (channel / "duty_cycle").write_text("0\n")
        (channel / "enable").write_text("1\n")
    (chip / "pwm0/duty_cycle").write_text(f"{STOCK_CALIBRATION.motor.mid_ns}\n")
    (chip / "pwm1/duty_cycle").write_text(f"{STOCK_CALIBRATION.steering.mid_ns}\n")
    (chip / "pwm2/duty_cycle").write_text("10000000\n")


def drive(state: str, chip: SimulatedPca9685, gpio: SimulatedGpio, line: int) -> None:
    """All steps from the state that the chip is in."""
    options = {"chip": f"i2c-{chip.bus}", "motor_channel": MOTOR, "steering_channel": STEERING, "enable_gpio": line}
    motors = SysfsMotors(options, SystemClock())
    actuators = Actuators(motors, STOCK_CALIBRATION)
    check(f"{state}: opening cuts the outputs", gpio.level(ENABLE_LINE) == 1, f"the line is {gpio.level(ENABLE_LINE)}")
    check(f"{state}: the divider", chip.prescale() == kernel_prescale(), f"PRE_SCALE is {chip.prescale()}")
    actuators.set_neutral()
    for name, action, mode, *wanted in STEPS:
        actuators.apply_action(action, mode)
        found, level = [count(chip, STEERING), count(chip, MOTOR)], gpio.level(ENABLE_LINE)
        seen = f"steering {found[0]}, motor {found[1]} of 4096, line {level}"
        check(f"{state}: {name}", found == wanted and level == int(mode == "tripped"), seen)


def neutral_from_outside(state: str, chip: SimulatedPca9685, gpio: SimulatedGpio, line: int) -> None:
    """`raceday vehicle neutral`, as the unit's stop hook runs it after a kill, on a car that drives forward."""
    config = pathlib.Path("/run/pwm.toml")
    config.write_text(CONFIG.format(bus=chip.bus, gpio=line))
    command = [sys.executable, "-m", "raceday", "vehicle", "neutral", "--config", str(config)]
    before = count(chip, MOTOR), gpio.level(ENABLE_LINE)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    after = count(chip, MOTOR), gpio.level(ENABLE_LINE)
    seen = f"motor {before[0]}, line {before[1]}; then {after[0]}, {after[1]} {done.stderr.strip()}"
    check(f"{state}: raceday vehicle neutral", (before, after, done.returncode) == ((269, 0), (297, 1), 0), seen)


def other_rates(chip: SimulatedPca9685, line: int) -> None:
    """Channels that run at 100 Hz: another program's are named, our own are opened anew."""
    options = {"chip": f"i2c-{chip.bus}", "motor_channel": MOTOR, "steering_channel": STEERING, "enable_gpio": line}
    chip.power_on()
    run_at(chip.bind(), (4,), OTHER_PERIOD_NS)
    try:
        SysfsMotors(options, SystemClock())
        said = "they were opened"
    except HardwareMissing as error:
        said = str(error)
    check("another program's rate", "others run at another rate (4 at 10000000 ns)" in said, said)
    chip.unbind()
    chip.power_on()
    run_at(chip.bind(), (MOTOR, STEERING), OTHER_PERIOD_NS)
    before = chip.prescale()
    Actuators(SysfsMotors(options, SystemClock()), STOCK_CALIBRATION).set_neutral()
    found = before, chip.prescale(), count(chip, STEERING), count(chip, MOTOR)
    check("our own channels' other rate", found == (60, 121, 297, 297), f"PRE_SCALE {found[0]}, then {found[1:]}")
    chip.unbind()


def run_at(chip: pathlib.Path, channels: tuple[int, ...], period_ns: int) -> None:
    """Channels that are exported and pulse at half of this period."""
    for number in channels:
        (chip / "export").write_text(f"{number}\n")
        channel = wait_for(chip / f"pwm{number}")
        for name, value in (("period", period_ns), ("duty_cycle", period_ns // 2), ("enable", 1)):
            (channel / name).write_text(f"{value}\n")


def main() -> None:
    chip = SimulatedPca9685()
    gpio, line = car_lines()
    for state in ("power-on", "stock car"):
        chip.power_on()
        folder = chip.bind()
        if state == "stock car":
            run_stock_car(folder)
        drive(state, chip, gpio, line)
        neutral_from_outside(state, chip, gpio, line)
        if state == "stock car":
            check(f"{state}: the tail light goes on", count(chip, 2) == 2048, f"{count(chip, 2)} of 4096")
        chip.unbind()
    other_rates(chip, line)


if __name__ == "__main__":
    main()
