"""The stock car's PWM chip: a PCA9685 in memory (i2c-stub) under the kernel's own driver, and its registers.

`power_on` sets the registers as the data sheet has them after power-on; `bind` hands the chip to the kernel's driver,
`unbind` takes it back. The stub keeps what was written, as the chip does while it has power.
"""

import pathlib
import subprocess

from tools.metal.guest.kernel_files import load, wait_for

ADDRESS = 0x40
CHANNELS = 16
FIRST_REGISTER = 6  # LED0_ON_L, four registers a channel (NXP PCA9685 data sheet, rev. 4, table 4)
# MODE1, MODE2, PRE_SCALE, and each channel fully off (LEDn_OFF_H bit 4): the values after power-on.
POWER_ON = {0x00: 0x11, 0x01: 0x04, 0xFE: 0x1E} | {FIRST_REGISTER + 4 * n + 3: 0x10 for n in range(CHANNELS)}


class SimulatedPca9685:
    """The chip. `bus`: the number of its I2C bus, `chip_folder` where the kernel shows it once it is bound."""

    def __init__(self) -> None:
        load(f"i2c-stub chip_addr={ADDRESS:#x}", "i2c-dev", "pwm-pca9685")
        adapters = pathlib.Path("/sys/class/i2c-dev")
        stub = next(each for each in adapters.iterdir() if "stub" in (each / "name").read_text().lower())
        self.bus = int(stub.name.removeprefix("i2c-"))
        self._adapter = pathlib.Path(f"/sys/bus/i2c/devices/i2c-{self.bus}")

    def power_on(self) -> None:
        """The registers as after power-on; not while the kernel's driver has the chip."""
        for register, value in POWER_ON.items():
            self._i2c("i2cset", hex(register), hex(value))

    def bind(self) -> pathlib.Path:
        """The kernel's driver takes the chip; its folder in /sys/class/pwm."""
        device = self._adapter / f"{self.bus}-{ADDRESS:04x}"
        if not device.exists():
            (self._adapter / "new_device").write_text(f"pca9685 {ADDRESS:#x}\n")
        folder = wait_for(device / "pwm")
        return pathlib.Path("/sys/class/pwm") / next(folder.glob("pwmchip*")).name

    def unbind(self) -> None:
        """The kernel's driver leaves the chip as it is."""
        (self._adapter / "delete_device").write_text(f"{ADDRESS:#x}\n")

    def registers(self, channel: int) -> tuple[int, int, int, int]:
        """ON_L, ON_H, OFF_L and OFF_H of a channel, read from the chip past its driver."""
        first = FIRST_REGISTER + 4 * channel
        on_l, on_h, off_l, off_h = (self._i2c("i2cget", hex(first + each)) for each in range(4))
        return on_l, on_h, off_l, off_h

    def prescale(self) -> int:
        """PRE_SCALE: the divider that all channels share."""
        return self._i2c("i2cget", "0xfe")

    def _i2c(self, program: str, *words: str) -> int:
        command = [program, "-f", "-y", str(self.bus), hex(ADDRESS), *words]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        return int(said, 16) if said else 0
