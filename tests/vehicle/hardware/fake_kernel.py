"""A fake kernel for the motor drivers' tests: /sys/class/pwm with its chips, and /sys/class/gpio.

Each rule is the kernel's own: drivers/pwm/core.c, sysfs.c and pwm-pca9685.c of Linux 6.1 (its shared divider is since
5.13; what 6.18 made of it is `WaveformPca9685`), and drivers/gpio/gpiolib-sysfs.c. A value that the kernel refuses is
refused with its error number.
"""

import errno
import os
import pathlib
from dataclasses import dataclass, replace

from vehicle.hardware.motors.attributes import AttributeFiles

PWM = pathlib.Path("/sys/class/pwm")
GPIO = pathlib.Path("/sys/class/gpio")
CHIP = PWM / "pwmchip0"
ON_THE_CAR = "/sys/devices/pci0000:00/0000:00:17.0/i2c_designware.0/i2c-0/0-0040"
ON_A_PI = "/sys/devices/platform/soc/fe205000.i2c/i2c-1/1-0040"
OF_THE_PI_ITSELF = "/sys/devices/platform/soc/fe20c000.pwm"


def kernel_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@dataclass(frozen=True, slots=True)
class PwmState:
    """What the files of an exported channel show."""

    period: int = 0
    duty_cycle: int = 0
    enable: int = 0


class KernelPwmChip:
    """A chip whose channels each have a clock of their own, as pwm-bcm2835; a new channel shows no state."""

    driver = "bcm2835-pwm"

    def __init__(self, channels: int = 2, device: str = OF_THE_PI_ITSELF, taken: tuple[int, ...] = ()) -> None:
        self.npwm, self.device = channels, device
        self.taken = set(taken)  # by the kernel itself
        self.exported: dict[int, PwmState] = {}
        self.history: dict[int, list[int]] = {}

    def export(self, number: int) -> None:
        if number >= self.npwm:
            raise kernel_error(errno.ENODEV)
        if number in self.exported or number in self.taken:
            raise kernel_error(errno.EBUSY)
        self.exported[number] = self.requested(number)

    def unexport(self, number: int) -> None:
        if number not in self.exported:
            raise kernel_error(errno.ENODEV)
        self.release(number)
        del self.exported[number]
        self.note()

    def write(self, number: int, name: str, value: int) -> None:
        if value < 0 or (name == "enable" and value > 1):
            raise kernel_error(errno.EINVAL)
        before = self.exported[number]
        after = replace(before, **{name: value})
        if not after.period or after.duty_cycle > after.period:
            raise kernel_error(errno.EINVAL)  # whatever is written: a channel without a period takes only a period
        if after != before:
            self.set(number, after)
            self.exported[number] = after
        self.note()

    def requested(self, number: int) -> PwmState:
        """What a channel shows when it is exported."""
        del number
        return PwmState()

    def release(self, number: int) -> None:
        """What freeing a channel does to the hardware."""

    def set(self, number: int, state: PwmState) -> None:
        """Raises what the driver refuses."""

    def pulse_ns(self, number: int) -> int:
        """What an oscilloscope would see: 0 for no pulse."""
        state = self.exported.get(number, PwmState())
        return state.duty_cycle if state.enable else 0

    def note(self) -> None:
        for number in {*self.exported, *self.history}:
            self.history.setdefault(number, []).append(self.pulse_ns(number))


class KernelPca9685(KernelPwmChip):
    """The kernel's PCA9685: one divider for all channels, 4096 counts a period, 16 channels and one for all of them.

    A requested channel counts as enabled. A period that needs another divider is EBUSY while another channel is.
    """

    driver = "pca9685-pwm"

    def __init__(self, device: str = ON_THE_CAR, prescale: int = 0x1E, taken: tuple[int, ...] = ()) -> None:
        super().__init__(17, device, taken)
        self.prescale = prescale
        self.counts = dict.fromkeys(range(16), 0)  # 0: the bit "full off"
        self.enabled: set[int] = set(taken)

    def requested(self, number: int) -> PwmState:
        self.enabled.add(number)
        period = 163_840 * (self.prescale + 1)
        return PwmState(period, self.counts[number] * period // 4096, 1)

    def release(self, number: int) -> None:
        self.counts[number] = 0
        self.enabled.discard(number)

    def set(self, number: int, state: PwmState) -> None:
        prescale = (25 * state.period + 2_048_000) // 4_096_000 - 1
        if not 3 <= prescale <= 255:
            raise kernel_error(errno.EINVAL)
        if not state.enable:
            self.counts[number] = 0
            self.enabled.discard(number)
            return
        if prescale != self.prescale:
            if self.enabled - {number}:
                raise kernel_error(errno.EBUSY)
            self.prescale = prescale
        self.counts[number] = -(-4096 * state.duty_cycle // state.period)
        self.enabled.add(number)

    def pulse_ns(self, number: int) -> int:
        return self.counts[number] * (self.prescale + 1) * 40


class WaveformPca9685(KernelPca9685):
    """The same chip since Linux 6.18: counts are rounded down, by the divider's own step.

    A period that is longer than the present divider's is taken without a change of the divider while another channel is
    requested; a shorter one is EINVAL. Freeing a channel does not end its pulses.
    """

    def release(self, number: int) -> None:
        self.enabled.discard(number)

    def set(self, number: int, state: PwmState) -> None:
        if not state.enable:
            self.counts[number] = 0
            return
        prescale = min(255, state.period // 163_840 - 1)
        if self.enabled - {number}:
            if self.prescale > prescale and state.duty_cycle:
                raise kernel_error(errno.EINVAL)
        else:
            self.prescale = prescale
        self.counts[number] = state.duty_cycle // (40 * (self.prescale + 1))


@dataclass
class GpioLine:
    """An exported line; `levels` are those that it was driven to."""

    levels: list[int]
    direction: str = "in"


class Kernel(AttributeFiles):
    """Both classes of a machine. What is exported here may be written (udev sees to it) after `late` looks at it."""

    def __init__(
        self,
        *chips: KernelPwmChip,
        late: int = 0,
        gpio: dict[int, int] | None = None,  # the first line of each chip and how many it has; None: no such class
        held: tuple[int, ...] = (),  # lines that the kernel or another program holds
    ) -> None:
        self.chips = {f"pwmchip{number}": chip for number, chip in enumerate(chips or (KernelPwmChip(),))}
        self.gpio, self.held = gpio, held
        self.lines: dict[int, GpioLine] = {}
        self._late, self._closed = late, dict[pathlib.Path, int]()

    @property
    def chip(self) -> KernelPwmChip:
        """The first chip."""
        return self.chips["pwmchip0"]

    def exists(self, path: pathlib.Path) -> bool:
        if path in (PWM, GPIO):
            return bool(self.chips) if path == PWM else self.gpio is not None
        if path.parent == GPIO:
            return self._line(path) is not None or (self.gpio is not None and path.name in ("export", "unexport"))
        if path.name in ("driver", "device") or path.parent == PWM:
            return self._chip(path) is not None
        if path.name in ("direction", "value") and GPIO in path.parents:
            return self._line(path.parent) is not None
        return self._channel(path) is not None

    def writable(self, path: pathlib.Path) -> bool:
        if self._closed.get(path.parent, 0) > 0:
            self._closed[path.parent] -= 1
            return False
        return self._channel(path.parent) is not None or self._line(path.parent) is not None

    def hand_over(self) -> None:
        """What is exported by now may be written: udev's rule has run."""
        self._closed.clear()

    def names(self, folder: pathlib.Path) -> list[str]:
        if not self.exists(folder):
            raise kernel_error(errno.ENOENT)
        if folder == PWM:
            return sorted(self.chips)
        if folder == GPIO:
            chips = [f"gpiochip{base}" for base in self.gpio or {}]
            return sorted(["export", "unexport", *chips, *(f"gpio{number}" for number in self.lines)])
        chip = self._chip(folder)
        return ["device", "export", "npwm", "unexport", *(f"pwm{n}" for n in chip.exported)] if chip else []

    def resolve(self, path: pathlib.Path) -> pathlib.Path:
        chip = self._chip(path)
        if chip is None:
            return path
        if path.name == "driver":
            return pathlib.Path("/sys/bus/any/drivers") / chip.driver
        return pathlib.Path(chip.device) / "pwm" / path.relative_to(PWM)

    def read(self, path: pathlib.Path) -> str:
        if path.parent.parent == GPIO and path.name == "label":
            return "INT33FF:00"
        if path.parent.parent == GPIO and path.name == "ngpio":
            return str((self.gpio or {})[int(path.parent.name.removeprefix("gpiochip"))])
        if (line := self._line(path.parent)) is not None:
            return line.direction if path.name == "direction" else str(line.levels[-1])
        if path.name == "npwm" and (chip := self._chip(path)) is not None:
            return str(chip.npwm)
        if (place := self._channel(path.parent)) is None:
            raise kernel_error(errno.ENOENT)
        return str(getattr(place[0].exported[place[1]], path.name))

    def write(self, path: pathlib.Path, value: str) -> None:
        if self._closed.get(path.parent, 0) > 0:
            raise kernel_error(errno.EACCES)
        if GPIO in path.parents:
            self._write_gpio(path, value)
        elif path.name in ("export", "unexport") and (chip := self._chip(path)) is not None:
            getattr(chip, path.name)(int(value))
            self._closed[path.parent / f"pwm{value}"] = self._late
        elif (place := self._channel(path.parent)) is not None:
            place[0].write(place[1], path.name, int(value))
        else:
            raise kernel_error(errno.ENOENT)

    def _write_gpio(self, path: pathlib.Path, value: str) -> None:
        if self.gpio is None:
            raise kernel_error(errno.ENOENT)
        if path.name == "export":
            self._export_line(int(value))
            return
        line = self._line(path.parent)
        if line is None:
            raise kernel_error(errno.ENOENT)
        if path.name == "direction":
            if value not in ("in", "out", "low", "high"):
                raise kernel_error(errno.EINVAL)
            line.direction = "in" if value == "in" else "out"
            if value != "in":
                line.levels.append(int(value == "high"))
        elif line.direction == "in":
            raise kernel_error(errno.EPERM)
        else:
            line.levels.append(int(value))

    def _export_line(self, number: int) -> None:
        if not any(base <= number < base + count for base, count in (self.gpio or {}).items()):
            raise kernel_error(errno.EINVAL)
        if number in self.lines or number in self.held:
            raise kernel_error(errno.EBUSY)
        self.lines[number] = GpioLine([1])
        self._closed[GPIO / f"gpio{number}"] = self._late

    def _chip(self, path: pathlib.Path) -> KernelPwmChip | None:
        """The chip of a path at or below its folder."""
        return self.chips.get(path.relative_to(PWM).parts[0]) if PWM in path.parents else None

    def _channel(self, path: pathlib.Path) -> tuple[KernelPwmChip, int] | None:
        """The chip and the number of an exported channel's folder."""
        chip = self._chip(path.parent)
        if chip is None or not path.name.startswith("pwm"):
            return None
        number = int(path.name.removeprefix("pwm"))
        return (chip, number) if number in chip.exported else None

    def _line(self, path: pathlib.Path) -> GpioLine | None:
        """The line of its folder, if it is exported."""
        if path.parent != GPIO or not path.name.startswith("gpio") or path.name.startswith("gpiochip"):
            return None
        return self.lines.get(int(path.name.removeprefix("gpio")))
