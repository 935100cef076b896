"""`raceday gate record --protocol P DEVICE -o FILE`: what a port sends, with the time of each piece."""

import argparse
import pathlib
import sys
import time

from shared.errors import BadInput, HardwareMissing
from station.commands.gate.recording_file import Piece, entry, head
from station.gates.decoders import catalog
from station.gates.decoders.port import PORT_ERRORS, open_port, why


def main(arguments: list[str]) -> int:
    """The command; records until Ctrl-C, SIGTERM or the end of the time. Raises HardwareMissing, BadInput."""
    parser = argparse.ArgumentParser(prog="raceday gate record", description="Records what a port sends.")
    parser.add_argument("--protocol", required=True, metavar="P", help=", ".join(catalog.protocols()))
    parser.add_argument("--baud", type=int, default=0, help="default: the protocol's usual rate")
    parser.add_argument("--seconds", type=float, default=0.0, help="stop after this time")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True, metavar="FILE")
    parser.add_argument("device", metavar="DEVICE")
    options = parser.parse_args(arguments)
    record(options.protocol, options.device, options.baud, options.output, options.seconds)
    return 0


def record(protocol: str, device: str, baud: int, output: pathlib.Path, seconds: float) -> None:
    """Records to the new file `output` for `seconds` (0: without end), writing each piece as soon as it is received.

    Raises HardwareMissing, BadInput.
    """
    decoder = catalog.decoder(protocol)
    if not output.parent.is_dir():
        raise BadInput(f"{output}: there is no folder {output.parent}; create it first.")
    port = open_port(device, baud or catalog.protocol_info(protocol).bauds[0])
    until_ns = time.monotonic_ns() + round(seconds * 1e9) if seconds else None
    try:
        with output.open("x", encoding="ascii") as sink:
            sink.write(head(protocol, device))
            port.write(decoder.hello())
            while until_ns is None or time.monotonic_ns() < until_ns:
                data = port.read(port.in_waiting or 1)
                now_ns = time.monotonic_ns()
                if data:
                    decoder.feed(data)
                    sink.write(entry(Piece(now_ns, data)))
                    sink.flush()
                port.write(decoder.poll(now_ns))
    except FileExistsError:
        raise BadInput(f"{output}: exists already; name a new file.") from None
    except PORT_ERRORS as error:
        raise HardwareMissing(
            f"{device}: the connection broke; what was received is in {output}: {why(error)}"
        ) from None
    finally:
        port.close()
        counts = decoder.counts
        sys.stderr.write(f"{counts.frames} frames, {counts.passings} passings, {counts.resynced_bytes} bytes dropped\n")
