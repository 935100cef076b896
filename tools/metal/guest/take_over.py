"""Scenario take-over: a stock car's own software is stopped by `raceday install car`, beside our agent and without it.

`deepracer-core` is a service of that name as the car has it, enabled and in /etc/systemd/system; in it runs the mock
console, which hears the stop. Motors and enable line are the kernel's.
"""

import pathlib

from tools.metal.guest.checks import check, last_line, run, until
from tools.metal.guest.installed_station import journal_tail, unit_property
from tools.metal.guest.simulated_gpio import ENABLE_LINE, SimulatedGpio, car_lines
from tools.metal.guest.simulated_pwm import SimulatedPca9685
from tools.metal.guest.unit_runs import CONFIGS, ETC, with_tables
from tools.metal.guest.unit_trials import SLOW_CAMERA, WORKS_S, car_trials

CORE, OURS = "deepracer-core.service", "raceday-vehicle.service"
CORE_FILE = pathlib.Path("/etc/systemd/system") / CORE
CORE_UNIT = """[Unit]
Description=Stands for a stock car's own software
[Service]
ExecStart=/opt/raceday/bin/raceday bridge mock-console
[Install]
WantedBy=multi-user.target
"""
STOCK = '[stock_software]\nservice = "deepracer-core"\n'
RECORD = pathlib.Path("/var/lib/raceday-vehicle/stock-software-was-enabled")
NEUTRAL = 297  # ceil(4096 * 1.45 ms / 20 ms), as in the scenario pwm
MOTOR, FULL_OFF = 0, 0x10  # the channel, and the bit of LEDn_OFF_H that switches it off


def state_of(unit: str) -> tuple[str, str]:
    """Does it run, and does it start with the machine?"""
    return unit_property(unit, "ActiveState"), unit_property(unit, "UnitFileState")


def install_car(what: str, *words: str) -> bool:
    done = run(["raceday", "install", "car", *words], 900)
    lines = [line for line in (done.stdout + done.stderr).split("\n") if "deepracer-core" in line]
    return check(what, done.returncode == 0, f"{last_line(done)} / {lines}")


def ours_drives(what: str) -> None:
    """Our agent runs and has no fault to tell; the stock software does not, and stays off."""
    told = until(lambda: text if (text := unit_property(OURS, "StatusText")).startswith("disarmed") else None, WORKS_S)
    seen = f"{state_of(CORE)}; ours: {state_of(OURS)}, {unit_property(OURS, 'StatusText')!r}: {journal_tail(OURS, 2)}"
    is_good = told is not None and state_of(CORE) == ("inactive", "disabled") and state_of(OURS)[0] == "active"
    check(f"{what}: the stock software is stopped and stays off, ours runs", is_good, seen)
    check(f"{what}: it is noted that it was enabled", RECORD.exists(), RECORD)


def outputs(pwm: SimulatedPca9685, gpio: SimulatedGpio) -> tuple[int, int]:
    """Counts of the motor's pulse, and the level of the line that cuts."""
    on_l, on_h, off_l, off_h = pwm.registers(MOTOR)
    width = (off_l | (off_h & 0x0F) << 8) - (on_l | (on_h & 0x0F) << 8)
    return 0 if off_h & FULL_OFF else width, gpio.level(ENABLE_LINE)


def at_neutral(what: str, pwm: SimulatedPca9685, gpio: SimulatedGpio) -> None:
    seen = outputs(pwm, gpio)
    check(f"{what}: the motor is at neutral, and its line cuts", seen == (NEUTRAL, 1), seen)


def has_ended(active_state: str) -> bool:
    """Has a unit in this state ended for good?

    "failed" too: on a slow machine systemd may kill the command that ends it. Whether motors and line are as they must
    be is looked at by itself.
    """
    return active_state in ("inactive", "failed")


def core_runs(what: str) -> None:
    seen = until(lambda: state_of(CORE) if state_of(CORE) == ("active", "enabled") else None, 60.0)
    check(f"{what}: the stock software runs, and starts with the machine", seen is not None, state_of(CORE))


def main() -> None:
    for unit in ("raceday-station", "raceday-leaderboard", "raceday-sync"):
        run(["systemctl", "stop", unit])
    gpio, enable_line = car_lines()
    pwm = SimulatedPca9685()
    pwm.power_on()
    pwm.bind()
    on_the_chip = next(each for each in car_trials(pwm.bus, enable_line) if each.on_the_chip)
    config = ETC / CONFIGS["car"]
    kept = config.read_text()
    without_camera = on_the_chip.config[on_the_chip.config.index("[motors]") :]
    text = with_tables(kept, SLOW_CAMERA + without_camera + STOCK, (*on_the_chip.tables, "stock_software"))
    config.write_text(with_tables(kept, SLOW_CAMERA, ("camera",)))
    CORE_FILE.write_text(CORE_UNIT)
    run(["systemctl", "daemon-reload"])
    run(["systemctl", "enable", "--now", CORE])
    run(["systemctl", "restart", OURS])  # it may run already, with the camera's usual rate
    core_runs("before")
    check("before: our agent runs too", state_of(OURS)[0] == "active", f"{state_of(OURS)}: {journal_tail(OURS, 2)}")
    config.write_text(text)
    if install_car("raceday install car, with our agent running"):
        ours_drives("taken over")
        at_neutral("taken over", pwm, gpio)
        run(["systemctl", "start", CORE])
        ended = until(lambda: has_ended(state_of(OURS)[0]) or None, 60.0)
        check("somebody starts the stock software: ours ends", ended is not None, f"{state_of(OURS)}, {state_of(CORE)}")
        at_neutral("then", pwm, gpio)
        run(["systemctl", "enable", CORE])
        RECORD.unlink(missing_ok=True)
    if install_car("raceday install car, with our agent ended"):
        ours_drives("taken over again")
        at_neutral("taken over again", pwm, gpio)
    install_car("raceday install car --uninstall", "--uninstall")
    core_runs("given back")
    seen = (unit_property(OURS, "LoadState"), RECORD.exists())
    check("ours is gone, and nothing is noted", seen == ("not-found", False), seen)
    run(["systemctl", "disable", "--now", CORE])
    CORE_FILE.unlink()
    run(["systemctl", "daemon-reload"])
    config.write_text(kept)
    run(["systemctl", "start", "raceday-station"])


if __name__ == "__main__":
    main()
