"""What the registers of a kernel-driven PCA9685 hold for a pulse, pure: for tests, and to compare with a real chip.

Registers LEDn_ON_L, ON_H, OFF_L, OFF_H: NXP PCA9685 data sheet, rev. 4, 7.3.3. The arithmetic is the kernel's, Linux
6.1 drivers/pwm/pwm-pca9685.c: the count is rounded up, the divider to the nearest.
"""

from vehicle.core.pulses import PERIOD_NS

COUNTS = 4096
OSCILLATOR_MHZ = 25
FULL = 0x10  # in ON_H: always on; in OFF_H: always off


def kernel_prescale(period_ns: int = PERIOD_NS) -> int:
    """The value of PRESCALE that the kernel sets for a period; 121 for 20 ms, which makes it 19.99 ms."""
    unit = COUNTS * 1000
    return (OSCILLATOR_MHZ * period_ns + unit // 2) // unit - 1


def kernel_registers(width_ns: int, period_ns: int = PERIOD_NS) -> tuple[int, int, int, int]:
    """ON_L, ON_H, OFF_L and OFF_H of a channel that has this duty cycle. The first three mean nothing at full off."""
    count = -(-COUNTS * width_ns // period_ns)
    if count <= 0:
        return (0, 0, 0, FULL)
    if count >= COUNTS:
        return (0, FULL, 0, 0)
    return (0, 0, count & 0xFF, count >> 8)
