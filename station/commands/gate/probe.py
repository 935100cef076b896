"""`raceday gate probe DEVICE`: listens at each usual speed, and reports which protocol understands it.

Nothing is sent unless `--ask` is given: some devices restart their clock when they are addressed.
"""

import argparse
import sys
import time
from dataclasses import dataclass

from shared.errors import HardwareMissing
from station.gates.decoders import catalog
from station.gates.decoders.decoder import Counts
from station.gates.decoders.port import PORT_ERRORS, open_port, why
from station.gates.usb import stable_name

SURE_BYTES = 65_536  # enough to be sure before the time is over


@dataclass(frozen=True, slots=True)
class ProtocolMatch:
    """What one protocol made of the bytes of one speed."""

    row: catalog.ProtocolInfo
    baud: int
    length: int
    counts: Counts

    @property
    def fits(self) -> bool:
        """Most of the bytes belong to this protocol."""
        return self.counts.frames > 0 and self.counts.resynced_bytes * 2 < self.length

    @property
    def order(self) -> tuple[int, int]:
        """The better, the more surely it knows its own, and the more of it there was."""
        return (self.row.trust, self.counts.frames)


def main(arguments: list[str]) -> int:
    """The command; 0 when a protocol fits, 1 when none does. Raises HardwareMissing."""
    parser = argparse.ArgumentParser(prog="raceday gate probe", description="Identifies the device on a port.")
    parser.add_argument("device", metavar="DEVICE", help="/dev/serial/by-id/..., socket://host:port")
    parser.add_argument("--seconds", type=float, default=6.0, help="to listen at each speed (status comes each 5 s)")
    parser.add_argument("--ask", action="store_true", help="also send each protocol's first question")
    options = parser.parse_args(arguments)
    bauds = _bauds() if "://" not in options.device else [_bauds()[0]]
    total, found = 0, []
    for baud in bauds:
        data = listen(options.device, baud, options.seconds, _questions() if options.ask else b"")
        total += len(data)
        found += [match for match in understood(data, baud) if match.fits]
        if found:
            break
    sys.stdout.write(verdict(options.device, total, found) + "\n")
    return 0 if found else 1


def listen(device: str, baud: int, seconds: float, question: bytes) -> bytes:
    """What the port sends in this time. Raises HardwareMissing."""
    port = open_port(device, baud)
    until_s = time.monotonic() + seconds
    data = b""
    try:
        if question:
            port.write(question)
        while time.monotonic() < until_s and len(data) < SURE_BYTES:
            data += port.read(1)
            data += port.read(port.in_waiting)
    except PORT_ERRORS as error:
        if not data:
            raise HardwareMissing(f"{device}: the line broke while we listened: {why(error)}") from None
    finally:
        port.close()
    return data


def understood(data: bytes, baud: int) -> list[ProtocolMatch]:
    """Every protocol's account, the surest first."""
    accounts = []
    for name in catalog.protocols():
        device = catalog.decoder(name)
        device.feed(data)
        device.hello()
        accounts.append(ProtocolMatch(catalog.protocol_info(name), baud, len(data), device.counts))
    return sorted(accounts, key=lambda match: match.order, reverse=True)


def verdict(device: str, total: int, found: list[ProtocolMatch]) -> str:
    """One sentence for the operator, and what to put into the station's config: by its stable name, if it has one."""
    if not total:
        return (
            f"{device}: nothing was received at any speed; check the cable, or let a transponder pass (or try --ask)."
        )
    if not found:
        return f"{device}: {total} bytes were received, and no protocol understands them; is it set to another one?"
    best, counts = found[0], found[0].counts
    url = device if "://" in device else stable_name(device) or device
    return (
        f"{device}: {best.row.what} (protocol = {best.row.name!r}, baud = {best.baud}): {counts.frames} frames, "
        f"{counts.passings} passings, {counts.resynced_bytes} of {best.length} bytes not understood.\n\n"
        f'[[gate]]\nname = "start"\ndriver = "decoder"\nsensors = ["loop"]\n'
        f"uncertainty_us = {best.row.resolution_us}.0\n"
        f'options = {{ protocol = "{best.row.name}", url = "{url}", baud = {best.baud} }}'
    )


def _bauds() -> list[int]:
    rows = [catalog.protocol_info(name) for name in catalog.protocols()]
    return sorted({baud for row in rows for baud in row.bauds}, reverse=True)


def _questions() -> bytes:
    return b"".join(catalog.decoder(name).hello() for name in catalog.protocols())
