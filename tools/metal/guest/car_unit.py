"""Scenario car: the car's unit, started for real with each driver that this machine can have, and heard by the station.

Car and station have certificates, as docs/certificates.md has them. An emulated machine has not the time for more than
these two services at once.
"""

from tools.metal.guest import certificates
from tools.metal.guest.checks import check, run
from tools.metal.guest.installed_station import InstalledStation
from tools.metal.guest.kernel_files import load
from tools.metal.guest.simulated_gpio import ENABLE_LINE, car_lines
from tools.metal.guest.simulated_pwm import SimulatedPca9685
from tools.metal.guest.unit_runs import try_unit
from tools.metal.guest.unit_trials import car_trials


def main() -> None:
    for unit in ("raceday-vehicle", "raceday-leaderboard"):
        run(["systemctl", "stop", unit])
    station = InstalledStation()
    station.up()
    load("vivid")
    gpio, enable_line = car_lines()
    pwm = SimulatedPca9685()
    if not certificates.station_takes_certificates() or not certificates.car_gets_certificate():
        return
    certificates.done("raceday", "install", "car", "--certs", str(certificates.CARRIED_CAR))
    station.state()  # a token is made now: while the car runs that takes minutes
    for trial in car_trials(pwm.bus, enable_line):
        run(["systemctl", "stop", trial.unit])
        pwm.power_on()
        if trial.on_the_chip:
            pwm.bind()
        try_unit(trial, station)
        if trial.on_the_chip:
            seen = f"PRE_SCALE {pwm.prescale()}, line {gpio.level(ENABLE_LINE)}"
            check("the car has set the chip's divider, and its line cuts", seen == "PRE_SCALE 121, line 1", seen)
        run(["systemctl", "stop", trial.unit])
        if trial.on_the_chip:
            pwm.unbind()


if __name__ == "__main__":
    main()
