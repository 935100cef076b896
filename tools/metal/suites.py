"""What the virtual machines are made of: one row for each Debian, and the packages that each has from the start.

Called by root_folder.py, kernel_modules.py and the plan.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Suite:
    """One Debian: our name for it, and Debian's code name. `builds_lgpio`: PyPI has no lgpio for its Python."""

    name: str
    codename: str
    builds_lgpio: bool = False


SUITES = (Suite("debian-12", "bookworm"), Suite("debian-13", "trixie", builds_lgpio=True))

# The initial disk is made of these modules alone: with all of them it takes minutes to unpack in an emulated machine.
BOOT_MODULES = ("virtio_pci", "virtio_blk", "ext4")

# What a Debian server has that its installer made, with the network manager that Raspberry Pi OS uses.
FRESH_PACKAGES = (
    "linux-image-amd64",
    "udev",
    "dbus",
    "kmod",
    "iproute2",
    "procps",
    "python3",
    "ca-certificates",
    "network-manager",
    "wpasupplicant",
    "dnsmasq-base",
    "iw",
    "wireless-regdb",
)
# What the scenarios need beside the product: registers of the simulated chip, and a machine that joins a Wi-Fi.
TEST_PACKAGES = ("i2c-tools", "udhcpc")

# What the product asks for and a fresh Debian does not have: the machine has no network, and finds them in a folder.
OFFLINE_PACKAGES = ("python3-venv", "mosquitto")

# Source of the camera that shows what is written to it, which Debian's kernels lack.
CAMERA_SOURCE = "v4l2loopback-dkms"

# Headers and source of the same kernel, and a compiler: only in the folder where modules are built.
BUILD_PACKAGES = ("linux-headers-amd64", "linux-source", "make", "gcc", "dpkg-dev", "xz-utils")


def recipe(suite: Suite) -> str:
    """All that decides what a root holds, as one text: a root is made again when it changes."""
    lists = (BOOT_MODULES, FRESH_PACKAGES, TEST_PACKAGES, OFFLINE_PACKAGES, BUILD_PACKAGES)
    return "\n".join([suite.codename, CAMERA_SOURCE, *(" ".join(each) for each in lists)])
