"""A GPIO chip of the kernel (gpio-sim) whose lines are pulled by files, in a machine that says it is a Raspberry Pi.

Called by the scenarios with gates or an enable line. The chip has 28 lines, as a Pi's header; a line that is "pulled
down" reads low, with an interrupt and its stamp, as with a beam's output on it.
"""

import pathlib
import subprocess
import time

from tools.metal.guest.kernel_files import CONFIGFS, load, make, mount_configfs, wait_for

LINES = 28
# gpiozero asks this line which Pi it is on: a Pi 4 B, revision 1.4.
DISGUISE = pathlib.Path("/run/cpuinfo")
# A chip of its own for the line that cuts a car's outputs, by the label of that chip.
CAR_LABEL, ENABLE_LINE = "car-lines", 5
PI_CPUINFO = "Revision\t: c03114\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n"


class SimulatedGpio:
    """The chip. `folder`: where the kernel shows its lines; `device`: what programs open."""

    def __init__(self, name: str = "track", label: str = "pinctrl-bcm2711") -> None:
        mount_configfs()
        load("gpio-simulator")
        chip = make(CONFIGFS / "gpio-sim" / name)
        if not (chip / "bank0").exists():
            make(chip / "bank0", num_lines=LINES, label=label)
            (chip / "live").write_text("1\n")
        platform = (chip / "dev_name").read_text().strip()
        self.name = (chip / "bank0/chip_name").read_text().strip()
        self.device = wait_for(pathlib.Path("/dev") / self.name)
        self.folder = pathlib.Path("/sys/devices/platform") / platform / self.name

    def level(self, line: int) -> int:
        """The level of the line, as whoever drives or pulls it has set it."""
        return int((self.folder / f"sim_gpio{line}/value").read_text())

    def pull(self, line: int, high: bool) -> tuple[int, int]:
        """Pulls a line up or down; the times (CLOCK_MONOTONIC, ns) before and after the kernel did so."""
        file = self.folder / f"sim_gpio{line}/pull"
        began_ns = time.monotonic_ns()
        file.write_text("pull-up" if high else "pull-down")
        return began_ns, time.monotonic_ns()

    def interrupts(self, line: int) -> int:
        """How many interrupts the kernel has handled for this line, in sum, while somebody listens to it."""
        found = 0
        for irq in pathlib.Path("/sys/kernel/irq").iterdir():
            facts = {name: (irq / name).read_text().strip() for name in ("chip_name", "hwirq", "actions")}
            if facts["chip_name"] == "irq_sim" and facts["hwirq"] == str(line) and facts["actions"]:
                found += sum(int(count) for count in (irq / "per_cpu_count").read_text().split(","))
        return found

    def pulse(self, line: int, width_s: float = 0.05) -> int:
        """A beam on this line is broken for a while, as by a car; the time at which it broke."""
        began_ns, _ = self.pull(line, high=False)
        time.sleep(width_s)
        self.pull(line, high=True)
        return began_ns


def car_lines() -> tuple[SimulatedGpio, int]:
    """The car's own chip, and the number that the kernel gave its enable line in /sys/class/gpio."""
    chip = SimulatedGpio("car", CAR_LABEL)
    for folder in pathlib.Path("/sys/class/gpio").glob("gpiochip*"):
        if (folder / "label").read_text().strip() == CAR_LABEL:
            return chip, int((folder / "base").read_text()) + ENABLE_LINE
    raise LookupError(f"no GPIO chip of /sys/class/gpio is called {CAR_LABEL}")


def pretend_to_be_a_pi() -> None:
    """Lays a Pi's revision over the machine's /proc/cpuinfo; a service with a /proc of its own needs it there too."""
    text = pathlib.Path("/proc/cpuinfo").read_text()
    if "Revision" in text:
        return
    DISGUISE.write_text(text + PI_CPUINFO)
    subprocess.run(["mount", "--bind", str(DISGUISE), "/proc/cpuinfo"], check=True)
