"""The machine itself: Python, processor, clock, disk, power, Wi-Fi. Each check is a pure function over the reader."""

import re
from collections.abc import Iterator

from raceday.doctor.machine_reader import MachineReader, text
from raceday.extras import ROLES, states
from raceday.version import program_version
from shared.findings import Finding

PYTHONS = ((3, 11), (3, 13))
LOW_DISK_BYTES = 2_000_000_000
FULL_DISK_BYTES = 100_000_000
WHOLE_64 = {"x86_64", "aarch64", "arm64"}
# Bits of the firmware's get_throttled; those from 16 on say that it happened since the start.
# https://www.raspberrypi.com/documentation/computers/os.html#get_throttled
THROTTLED = {
    0: "the voltage is too low now",
    1: "the processor's clock is capped now",
    2: "the processor is slowed now",
    3: "it is too hot now",
    16: "the voltage was too low since the start",
    17: "the processor's clock was capped since the start",
    18: "the processor was slowed since the start",
    19: "it was too hot since the start",
}
THROTTLED_FILE = "/sys/devices/platform/soc/soc:firmware/get_throttled"


def system_findings(reader: MachineReader, extras: tuple[str, ...]) -> list[Finding]:
    """What every machine is asked, whatever it is for; `extras` are those that it should have."""
    checks = (python_findings(reader), extra_findings(extras), clock_findings(reader), power_findings(reader))
    return [finding for each in (*checks, wifi_findings(reader)) for finding in each]


def python_findings(reader: MachineReader) -> Iterator[Finding]:
    """Versions, and 64 bits throughout."""
    facts = reader.platform
    shown = ".".join(map(str, facts.python))
    if PYTHONS[0] <= facts.python[:2] <= PYTHONS[1]:
        yield Finding("Python", True, f"It is {shown}, and Raceday {program_version()}.")
    else:
        yield Finding("Python", False, f"It is {shown}.", "Use a system with Python 3.11, 3.12 or 3.13.")
    if facts.bits == 32 and facts.machine in WHOLE_64:
        cure = "Install the 64-bit system anew: on a Pi, Raspberry Pi OS (64-bit)."
        yield Finding("processor", False, f"A 32-bit system runs on a 64-bit kernel ({facts.machine}).", cure)
    elif facts.machine not in WHOLE_64:
        yield Finding("processor", False, f"{facts.machine} is not supported.", "Use a 64-bit ARM or x86 machine.")


def extra_findings(extras: tuple[str, ...]) -> Iterator[Finding]:
    """The packages of what is installed here."""
    for state in states():
        if state.name in extras:
            what = f"packages of {state.name}"
            seen = f"Missing are {', '.join(state.missing)}." if state.missing else "All are there."
            cure = f"Run `sudo raceday install {ROLES[state.name]}` again." if state.missing else ""
            yield Finding(what, not state.missing, seen, cure)


def clock_findings(reader: MachineReader) -> Iterator[Finding]:
    """Is the wall clock set?"""
    if reader.is_clock_set():
        yield Finding("clock", True, "The time of day is set.")
        return
    # Laps do not depend on it, and a hall may have no network: a person judges.
    cure = "Give it a network with a time server or a clock battery, or set it on the station's page."
    yield Finding("clock", None, f"The time of day is not confirmed ({reader.now():%Y-%m-%d %H:%M} UTC).", cure)


def power_findings(reader: MachineReader) -> Iterator[Finding]:
    """What a Raspberry Pi's firmware says of voltage and heat; nothing elsewhere."""
    if "Raspberry Pi" not in (text(reader, "/proc/device-tree/model") or ""):
        return
    written = text(reader, THROTTLED_FILE) or (reader.run(["vcgencmd", "get_throttled"]) or "").partition("=")[2]
    try:
        bits = int(written.strip() or "none", 16)
    except ValueError:
        yield Finding("power", None, "The firmware does not say whether the voltage is enough.")
        return
    seen = [words for bit, words in THROTTLED.items() if bits >> bit & 1]
    if not seen:
        yield Finding("power", True, "The voltage was enough since the start, and it was never too hot.")
        return
    cure = "Use the Pi's own power supply and a short cable, and give it a heat sink."
    yield Finding("power", bits & 0x9 == 0 and None, f"{'; '.join(seen).capitalize()}.", cure)


def wifi_findings(reader: MachineReader) -> Iterator[Finding]:
    """Wi-Fi that sleeps between packets answers up to some hundred milliseconds late: a car would stop."""
    for interface in reader.names("/sys/class/net"):
        if reader.status(f"/sys/class/net/{interface}/wireless") is None and not _is_phy(reader, interface):
            continue
        printed = reader.run(["iw", "dev", interface, "get", "power_save"])
        match = re.search(r"Power save: (on|off)", printed or "")
        what = f"Wi-Fi {interface}"
        if match is None:
            yield Finding(what, None, "Whether it saves power cannot be seen (`iw` is not installed).")
        elif match[1] == "on":
            cure = f"Run `sudo iw dev {interface} set power_save off`; `raceday install` makes it last."
            yield Finding(what, False, "It saves power: messages wait for it.", cure)
        else:
            yield Finding(what, True, "It does not save power.")


def disk_findings(reader: MachineReader, folder: str) -> Iterator[Finding]:
    """Space where the journal is, and on what medium it lies."""
    free = reader.free_bytes(folder)
    if free is None:
        yield Finding("disk", None, f"{folder} is not there yet, or this user may not look.")
        return
    shown = f"{free / 1e9:.1f} GB are free where {folder} is"
    if free < FULL_DISK_BYTES:
        yield Finding("disk", False, f"Only {free / 1e6:.0f} MB are free where {folder} is.", "Free some space.")
    elif free < LOW_DISK_BYTES:
        yield Finding("disk", None, f"{shown}: a day needs less, but not much.", "Free some space.")
    else:
        yield Finding("disk", True, f"{shown}.")
    source = (reader.run(["findmnt", "-no", "SOURCE,FSTYPE", "-T", folder]) or "").split()
    if len(source) != 2:
        return
    device, kind = source
    if kind in ("tmpfs", "ramfs", "overlay"):
        cure = "Mount a disk there: what is here is gone when the power is."
        yield Finding("journal's disk", False, f"{folder} is on {kind}.", cure)
    elif kind.startswith(("nfs", "cifs", "fuse.sshfs")):
        yield Finding("journal's disk", False, f"{folder} is on a network ({kind}).", "Put it on a local disk.")
    elif device.startswith("/dev/mmcblk"):
        cure = "A USB SSD bears a hall's power cuts better; make a backup each evening (`raceday backup`)."
        yield Finding("journal's disk", None, f"{folder} is on a memory card ({device}).", cure)
    else:
        yield Finding("journal's disk", True, f"{folder} is on {device} ({kind}).")


def _is_phy(reader: MachineReader, interface: str) -> bool:
    return reader.status(f"/sys/class/net/{interface}/phy80211") is not None
