"""`raceday model check | import | inspect | list | select | remove`: the racer's models on this car."""

import argparse
import pathlib
import tempfile
from typing import Any

from vehicle.frames.profile_names import PROFILE_NAMES
from vehicle.models.card import Card
from vehicle.models.int8.verdict import note_of
from vehicle.models.library import Library, LibraryEntry, prepare_isolated
from vehicle.models.run_isolated import run_isolated
from vehicle.models.trial import try_model

DEFAULT_LIBRARY = pathlib.Path("models")


def add_commands(subparsers: Any) -> None:
    """Mount the commands on an argparse subparsers object; the chosen one is `arguments.run(arguments)`."""
    check = _command(subparsers, "check", "check whether the car can run a model", _check)
    check.add_argument("model", nargs="+", type=pathlib.Path, help="a model's folder or its .onnx file")
    imported = _command(subparsers, "import", "import a DeepRacer archive, a frozen .pb or an ONNX file", _import)
    imported.add_argument("file", type=pathlib.Path, help="tar.gz, tar, zip, .pb or .onnx")
    imported.add_argument("--name", default="", help="the model's name on this car; default: the file's name")
    _add_metadata(imported)
    _add_checkpoint(imported)
    _add_library(imported, "--into")
    inspect = _command(subparsers, "inspect", "show what a model file contains, without importing it", _inspect)
    inspect.add_argument("file", type=pathlib.Path, help="tar.gz, tar, zip, .pb or .onnx")
    _add_metadata(inspect)
    _add_checkpoint(inspect)
    quantise = _command(
        subparsers, "quantise", "make an int8 version of a model, calibrated with recorded frames", _quantise
    )
    quantise.add_argument("folder", type=pathlib.Path, help="the model's folder, such as models/NAME")
    quantise.add_argument(
        "--frames", type=pathlib.Path, required=True, help="a recording (.mcap), or a folder of recordings or pictures"
    )
    quantise.add_argument(
        "--profile", choices=PROFILE_NAMES, default="grey-area", help="`model.profile` of the car's config file"
    )
    _add_library(_command(subparsers, "list", "list the models on this car", _list), "--library")
    select = _command(subparsers, "select", "choose the model that drives", _select)
    remove = _command(subparsers, "remove", "remove a model from this car", _remove)
    for command in (select, remove):
        command.add_argument("name", help="as `raceday model list` shows it")
        _add_library(command, "--library")


def _command(subparsers: Any, word: str, what: str, run: Any) -> Any:
    command = subparsers.add_parser(word, help=what, description=what)
    command.set_defaults(run=run)
    return command


def _add_library(command: Any, option: str) -> None:
    command.add_argument(
        option,
        dest="library",
        type=pathlib.Path,
        default=DEFAULT_LIBRARY,
        help="the folder of models (default: models)",
    )


def _add_metadata(command: Any) -> None:
    command.add_argument("--metadata", type=pathlib.Path, help="the metadata of a bare model, if it is not beside it")


def _add_checkpoint(command: Any) -> None:
    command.add_argument(
        "--checkpoint",
        metavar="NAME",
        default="",
        help="which checkpoint of an archive: a name, or best or last as its notes record; default: the best",
    )


def _check(arguments: argparse.Namespace) -> int:
    for path in arguments.model:
        print(try_model(path))
    return 0


def _import(arguments: argparse.Namespace) -> int:
    entry = Library(arguments.library).add(arguments.file, arguments.name, arguments.metadata, arguments.checkpoint)
    known = "" if entry.is_new else "This model is already on this car, under this name.\n"
    print(f"{known}{entry.folder}\n{table(entry.card)}")
    return 0


def _inspect(arguments: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="raceday-inspect-") as folder:
        card = prepare_isolated(arguments.file, pathlib.Path(folder), arguments.metadata, arguments.checkpoint)
        print(table(card))
    return 0


def _quantise(arguments: argparse.Namespace) -> int:
    folder = arguments.folder
    print(run_isolated("quantise", str(folder), str(arguments.frames), arguments.profile, about=folder))
    return 0


def _note(entry: LibraryEntry) -> str:
    """The verdict when the model was quantised, as a sentence; "" if it was not."""
    note = note_of(entry.folder)
    return "" if note is None else f"when it was quantised: {note.verdict.sentence}"


def _list(arguments: argparse.Namespace) -> int:
    entries = Library(arguments.library).entries()
    rows = [("  name", "sensors", "actions", "ms", "sha256"), *map(_row, entries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    notes = ["", *map(_note, entries)]
    for row, note in zip(rows, notes, strict=True) if entries else []:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if note:
            print(f"    {note}")
    if not entries:
        print(f"{arguments.library}: no models yet; import one with `raceday model import FILE`.")
    elif not any(entry.is_selected for entry in entries):
        print("No model is selected: choose the one that drives with `raceday model select NAME`.")
    return 0


def _row(entry: LibraryEntry) -> tuple[str, ...]:
    """A model in a line; `*` before the one that drives, `-` before those that this car cannot drive with."""
    card = entry.card
    mark = "*" if entry.is_selected else " " if card.fits else "-"
    speed = "" if card.timing is None else f"{card.timing.p50_us / 1000:.2f}"
    return (f"{mark} {entry.name}", ", ".join(card.sensors), card.action_space, speed, card.content_sha256[:12])


def _select(arguments: argparse.Namespace) -> int:
    entry = Library(arguments.library).select(arguments.name)
    print(f"{entry.name} will drive from the car's next start on ({Library(arguments.library).folder / 'selected'}).")
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    Library(arguments.library).remove(arguments.name)
    print(f"{arguments.name} was removed.")
    return 0


_SOURCES = {
    "archive, graph": "an archive with a frozen TensorFlow graph",
    "archive, onnx": "an archive with an ONNX model",
    "file, graph": "a frozen TensorFlow graph",
    "file, onnx": "an ONNX model",
}


def table(card: Card) -> str:
    """The card as lines of text for the terminal, one property on each."""
    parity = "not converted" if card.parity is None else f"{card.parity:.1e} at most from the original"
    timing = card.timing
    speed = (
        ""
        if timing is None
        else f"{timing.p50_us / 1000:.2f} ms a frame, {timing.p95_us / 1000:.2f} at the 95th percentile"
    )
    rows = {
        "model": card.name,
        "source": _SOURCES.get(card.source, card.source),
        **({"checkpoint": card.choice} if card.choice else {}),
        "sensors": ", ".join(card.sensors),
        "this car": "can drive with it" if card.fits else "cannot drive with it: it has one grey front camera",
        "algorithm": f"{card.algorithm} (metadata version {card.metadata_version})",
        "actions": card.action_space,
        "network": card.network,
        "parameters": f"{card.parameters:,}",
        "answers": parity,
        "speed here": speed,
        "sha256": card.content_sha256,
    }
    return "\n".join(f"{label:<11} {value}" for label, value in rows.items())
