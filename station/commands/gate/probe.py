"""`raceday gate probe DEVICE`: listens at each usual baud rate, and reports which protocol fits the bytes.

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

ENOUGH_BYTES = 65_536  # enough to identify a protocol before the time is over


@dataclass(frozen=True, slots=True)
class ProtocolMatch:
    """What one protocol made of the bytes received at one baud rate."""

    row: catalog.ProtocolInfo
    baud: int
    length: int
    counts: Counts

    @property
    def fits(self) -> bool:
        """Do most of the bytes belong to this protocol?"""
        return self.counts.frames > 0 and self.counts.resynced_bytes * 2 < self.length

    @property
    def order(self) -> tuple[int, int]:
        """The sort key, larger is better: how surely the protocol recognises its own frames, and how many came."""
        return (self.row.trust, self.counts.frames)


def main(arguments: list[str]) -> int:
    """The command; 0 when a protocol fits, 1 when none does. Raises HardwareMissing."""
    parser = argparse.ArgumentParser(prog="raceday gate probe", description="Identifies the device on a port.")
    parser.add_argument("device", metavar="DEVICE", help="/dev/serial/by-id/..., socket://host:port")
    parser.add_argument(
        "--seconds", type=float, default=6.0, help="how long to listen at each baud rate (status comes every 5 s)"
    )
    parser.add_argument("--ask", action="store_true", help="also send each protocol's first request")
    options = parser.parse_args(arguments)
    bauds = _bauds() if "://" not in options.device else [_bauds()[0]]
    total, matches = 0, []
    for baud in bauds:
        data = listen(options.device, baud, options.seconds, _first_requests() if options.ask else b"")
        total += len(data)
        matches += [match for match in protocol_matches(data, baud) if match.fits]
        if matches:
            break
    sys.stdout.write(verdict(options.device, total, matches) + "\n")
    return 0 if matches else 1


def listen(device: str, baud: int, seconds: float, request: bytes) -> bytes:
    """Sends `request`, if any, and returns what the port sends within `seconds`. Raises HardwareMissing."""
    port = open_port(device, baud)
    until_s = time.monotonic() + seconds
    data = b""
    try:
        if request:
            port.write(request)
        while time.monotonic() < until_s and len(data) < ENOUGH_BYTES:
            data += port.read(1)
            data += port.read(port.in_waiting)
    except PORT_ERRORS as error:
        if not data:
            raise HardwareMissing(f"{device}: the connection broke while listening: {why(error)}") from None
    finally:
        port.close()
    return data


def protocol_matches(data: bytes, baud: int) -> list[ProtocolMatch]:
    """What each protocol makes of `data`, the best match first."""
    matches = []
    for name in catalog.protocols():
        device = catalog.decoder(name)
        device.feed(data)
        device.hello()
        matches.append(ProtocolMatch(catalog.protocol_info(name), baud, len(data), device.counts))
    return sorted(matches, key=lambda match: match.order, reverse=True)


def verdict(device: str, total: int, matches: list[ProtocolMatch]) -> str:
    """One sentence for the operator, and a `[[gate]]` for the config that uses the port's stable name if it has one.

    `total`: how many bytes were received; `matches`: the protocols that fit, the best first.
    """
    if not total:
        return (
            f"{device}: nothing was received at any baud rate; check the cable, or let a transponder pass (or try "
            "--ask)."
        )
    if not matches:
        return f"{device}: {total} bytes were received, but no protocol fits them; is the device set to another one?"
    best, counts = matches[0], matches[0].counts
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


def _first_requests() -> bytes:
    return b"".join(catalog.decoder(name).hello() for name in catalog.protocols())
