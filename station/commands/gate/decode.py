"""`raceday gate decode --protocol P FILE|- [--hex]`: one JSON line per frame, and a last line with the counts.

A gap appears in the line of the frame that revealed it, and as a sentence in the last line.
"""

import argparse
import contextlib
import dataclasses
import json
import pathlib
import re
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from shared.errors import BadInput
from station.commands.gate import recording_file
from station.gates.decoders import catalog
from station.gates.decoders.decoder import Decoded, Decoder, Gap

HEX_TEXT = re.compile(rb"\s*(?:0x)?(?:[0-9A-Fa-f]{2}[ :]?){8}")
NAMED_GAPS = 50  # how many gaps the last line lists; all are counted
KINDS = {"Passing": "passing", "DeviceEdge": "edge", "StatusReport": "status", "DeviceMessage": "message"}


def main(arguments: list[str]) -> int:
    """The command; returns the exit code. Raises BadInput, ConfigError."""
    parser = argparse.ArgumentParser(prog="raceday gate decode", description="Decodes recorded bytes of a decoder.")
    parser.add_argument("--protocol", required=True, metavar="P", help=", ".join(catalog.protocols()))
    parser.add_argument(
        "--hex", action="store_true", help="the file is hex text with one frame per line, or a hex dump"
    )
    parser.add_argument("file", metavar="FILE|-", help="the bytes themselves, or a recording; - reads standard input")
    options = parser.parse_args(arguments)
    device = catalog.decoder(options.protocol)
    decoding = Decoding(device)
    line_ends = catalog.protocol_info(options.protocol).lines
    looks_like_hex = False
    with opened(options.file) as source:
        for data in _chunks(source, options.file, options.hex, line_ends):
            looks_like_hex |= not options.hex and device.counts.frames == 0 and HEX_TEXT.match(data) is not None
            for line in decoding.lines(device.feed(data)):
                sys.stdout.write(line)
            sys.stdout.flush()
    if line_ends:
        # The end of the file ends its last line.
        sys.stdout.writelines(decoding.lines(device.feed(b"\n")))
    device.hello()
    sys.stdout.write(decoding.last_line())
    sys.stdout.flush()
    if looks_like_hex and not device.counts.frames:
        _warn(f"{options.file}: no frame was found, but this looks like hex text: try --hex.")
    return 0


def _warn(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


class Decoding:
    """Turns a decoder's facts into JSON lines; a gap is held until the frame that follows it."""

    def __init__(self, device: Decoder) -> None:
        self._device = device
        self._waiting: list[Gap] = []
        self._sentences: list[str] = []

    def lines(self, facts: list[Decoded]) -> Iterator[str]:
        """One line for each fact that is not a gap."""
        for fact in facts:
            if isinstance(fact, Gap):
                self._waiting.append(fact)
                if len(self._sentences) < NAMED_GAPS:
                    self._sentences.append(fact.sentence)
                continue
            gaps, self._waiting = self._waiting, []
            document = {"frame": KINDS[type(fact).__name__], **fact_fields(fact)}
            if gaps:
                document["gaps"] = [dataclasses.asdict(gap) for gap in gaps]
            yield json.dumps(document) + "\n"

    def last_line(self) -> str:
        """The counts of frames and bytes, and a sentence for each of the first gaps."""
        return json.dumps({**dataclasses.asdict(self._device.counts), "gap_sentences": self._sentences}) + "\n"


def fact_fields(fact: Decoded) -> dict[str, Any]:
    """The fields of a fact that have a value."""
    return {key: value for key, value in dataclasses.asdict(fact).items() if value not in (None, "", (), [])}


@contextlib.contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """The file, or standard input for `-`. Raises BadInput."""
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        source = pathlib.Path(name).open("rb")  # noqa: SIM115  # closed below, with our own sentence for what fails here
    except OSError as error:
        raise BadInput(f"{name}: cannot be read ({error.strerror}).") from None
    with source:
        yield source


def _chunks(source: BinaryIO, name: str, as_hex: bool, line_ends: bool) -> Iterator[bytes]:
    if as_hex:
        return recording_file.hex_lines(source, name, line_ends, _warn)
    peek = getattr(source, "peek", None)
    if peek is not None and peek(len(recording_file.HEAD)).startswith(recording_file.HEAD):
        return (piece.data for piece in recording_file.recorded(source, name))
    return recording_file.raw(source)
