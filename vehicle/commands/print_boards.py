"""`raceday print boards`: the gate's boards as a PDF at true scale, with a ruler, feet, and words where they stand."""

import argparse
import pathlib

from shared.config import load
from shared.errors import BadInput, StorageError
from shared.text.catalogue import translate
from vehicle.boards.board_pdf import boards_pdf
from vehicle.boards.sheets import PAPERS, sheets_of
from vehicle.config import VehicleConfig
from vehicle.lapwatch.markers import STOCK_BOARDS

_MAX_MORE = 600  # bytes: a code with more is too fine for a phone
_LANGUAGES = ("en", "de")
_MORE = (
    "Raceday, the gate's boards (docs/set-up-a-track.md): print at 100 %, measure the ruler, glue on stiff board, "
    "stand a pair of each upright beside the road, behind the line, facing the cars. Then, on each car: "
    "raceday vehicle lens"
)


def main(arguments: list[str]) -> int:
    """Runs the command; returns the exit code. Errors are raised as RacedayError, one sentence each."""
    parsed = _parser().parse_args(arguments)
    if parsed.sheet not in PAPERS:
        raise BadInput(f"there is no paper {parsed.sheet!r}: choose {', '.join(PAPERS)}.")
    if not 1 <= len(parsed.more.encode()) <= _MAX_MORE:
        raise BadInput(f"--more must have from 1 to {_MAX_MORE} bytes, so that a phone can read the code.")
    kinds = load(parsed.config, VehicleConfig).lapwatch.boards if parsed.config else STOCK_BOARDS
    paper_size = PAPERS[parsed.sheet]
    document = boards_pdf(kinds, paper_size, lambda sentence: translate(sentence, parsed.language), parsed.more)
    try:
        parsed.out.write_bytes(document)
    except OSError as error:
        raise StorageError(f"{parsed.out}: cannot be written ({error.strerror}).") from None
    for kind in kinds:
        count = len(sheets_of(kind, paper_size))
        print(
            f"board {kind.id}: {kind.size_m * 1000:g} mm, {count} sheet{'s' if count > 1 else ''} of {paper_size.name}"
        )
    print(f"{parsed.out}: print at 100 % and measure the ruler; print two of each board.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="raceday print boards", description=__doc__)
    parser.add_argument("what", choices=("boards",), help="boards: the gate's ArUco boards")
    parser.add_argument("-o", "--out", type=pathlib.Path, default=pathlib.Path("boards.pdf"), help="the PDF file")
    parser.add_argument(
        "--paper", dest="sheet", default="A4", help=f"{', '.join(PAPERS)}; larger boards go over several sheets"
    )
    parser.add_argument("--config", type=pathlib.Path, help="a car's TOML file, whose boards are printed")
    parser.add_argument("--language", choices=_LANGUAGES, default="en", help="of the words on the sheets")
    parser.add_argument("--more", default=_MORE, help="what the QR code holds: an address, or words")
    return parser
