"""`raceday gate list`: the drivers and protocols that a config can name, and the serial ports of this machine."""

import argparse
import pathlib
import sys

from serial.tools import list_ports

from shared.drivers import names
from station.gates.decoders import catalog
from station.gates.usb import stable_name


def main(arguments: list[str]) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="raceday gate list", description="Lists drivers, protocols and ports.")
    parser.parse_args(arguments)
    out = [f"gate drivers: {', '.join(names('raceday.gates'))}", "", "protocols of the driver `decoder`:"]
    out += [_protocol(catalog.protocol_info(name)) for name in catalog.protocols()]
    ports = sorted(list_ports.comports(), key=lambda port: str(port.device))
    out += ["", "serial ports of this machine:"]
    out += [_port(port.device, _described(port.description)) for port in ports] or ["  none"]
    out += ["", "`raceday gate probe DEVICE` listens on one and identifies the device there."]
    sys.stdout.write("\n".join(out) + "\n")
    return 0


def _port(device: str, what: str) -> str:
    """The port's lines, its stable name first: a config should name that, since the number may change."""
    stable = stable_name(device)
    if not stable:
        return f"  {device:<16} {what}".rstrip()
    socket = "\n    the name is that of its USB socket, since another device looks the same: leave each where it is"
    by_socket = pathlib.Path(stable).parent.name == "by-path"
    return f"  {stable}\n    now {device}  {what}".rstrip() + (socket if by_socket else "")


def _described(what: str | None) -> str:
    return "" if what in (None, "n/a") else str(what)


def _protocol(row: catalog.ProtocolInfo) -> str:
    tcp = f", TCP {row.tcp_port}" if row.tcp_port else ""
    step = f"{row.resolution_us / 1000:g} ms"
    return f"  {row.name:<10} {row.what} ({'/'.join(map(str, row.bauds))} baud{tcp}); times to {step}"
