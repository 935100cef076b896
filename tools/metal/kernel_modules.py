"""Builds the simulators that Debian's kernels lack, from Debian's own source of the same kernel. Called by disks.py.

`gpio-sim` (a GPIO chip whose lines are pulled by files) with the `irq_sim` that it needs, and `pwm-pca9685` (the driver
of the stock car's PWM chip): four files of the package linux-source. `v4l2loopback` (a camera that shows what a program
writes, as MJPEG too) is a package of Debian's. All are built as modules against linux-headers; nothing of them is kept
in the project.
"""

import pathlib
import shutil

from shared.errors import OperatorError
from tools.metal.commands import run_in_root
from tools.metal.suites import CAMERA_SOURCE

SOURCES = (
    "drivers/gpio/gpio-sim.c",
    "drivers/gpio/gpiolib.h",
    "drivers/pwm/pwm-pca9685.c",
    "kernel/irq/irq_sim.c",
)
# As a part of the kernel irq_sim may call what modules may not; the exported function does the same for one interrupt.
UNEXPORTED, EXPORTED = "handle_simple_irq(irq_to_desc(irqnum))", "generic_handle_irq(irqnum)"
# The module's own name may not be that of one of its files.
MAKEFILE = """obj-m := gpio-simulator.o pwm-pca9685.o
gpio-simulator-objs := gpio-sim.o irq_sim.o
ccflags-y := -DCONFIG_IRQ_SIM=1
"""
FOLDER = "build/modules"
CAMERA_FOLDER = "build/camera"


def build_modules(workshop: pathlib.Path, fresh: pathlib.Path, log: pathlib.Path) -> None:
    """Builds the modules in the workshop and puts them beside the fresh root's own, where modprobe finds them."""
    folder = workshop / FOLDER
    folder.mkdir(parents=True)
    wanted = " ".join(f"'*/{each}'" for each in SOURCES)
    run_in_root(
        workshop, f"tar -xJf /usr/src/linux-source-*.tar.xz --strip-components=3 -C /{FOLDER} --wildcards {wanted}", log
    )
    source = folder / "irq_sim.c"
    text = source.read_text()
    if UNEXPORTED not in text:
        raise OperatorError(f"this kernel's irq_sim.c is another one: look at {source}, and mend tools/metal.")
    source.write_text(text.replace(UNEXPORTED, EXPORTED))
    (folder / "Makefile").write_text(MAKEFILE)
    run_in_root(
        workshop,
        f"""make -C /usr/src/linux-headers-*-amd64 M=/{FOLDER} modules
mkdir /{CAMERA_FOLDER}
cd /{CAMERA_FOLDER}
apt-get download -q {CAMERA_SOURCE}
dpkg-deb -x {CAMERA_SOURCE}_*.deb .
make -C /usr/src/linux-headers-*-amd64 M="$(echo $PWD/usr/src/v4l2loopback-*)" modules""",
        log,
    )
    version = kernel_version(fresh)
    extra = fresh / "lib/modules" / version / "extra"
    extra.mkdir()
    for module in [*folder.glob("*.ko"), *(workshop / CAMERA_FOLDER).rglob("*.ko")]:
        shutil.copy(module, extra)
    run_in_root(fresh, f"depmod {version}", log)


def kernel_version(root: pathlib.Path) -> str:
    """The version of the one kernel that a root has, as its file in /boot is named."""
    kernels = sorted((root / "boot").glob("vmlinuz-*"))
    if len(kernels) != 1:
        raise OperatorError(
            f"{root / 'boot'} must hold one kernel, and holds {len(kernels)}: remove the folder .metal."
        )
    return kernels[0].name.removeprefix("vmlinuz-")
