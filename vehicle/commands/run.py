"""`raceday model replay RUN` and `raceday run list|plot`: compares, lists and draws recorded drives."""

import argparse
import hashlib
import pathlib
from typing import Any

from shared.errors import StorageError
from vehicle.frames.preprocess import PROFILES
from vehicle.frames.profile_names import ProfileName
from vehicle.models.library import SELECTED, Library
from vehicle.models.model_files import MODEL
from vehicle.models.running.check import check_model
from vehicle.models.running.policy import Policy
from vehicle.models.running.replay import compare
from vehicle.recordings.plot import svg_of
from vehicle.recordings.reader import Recording, read_recording
from vehicle.recordings.recorder import recordings

_FILES = "the .mcap files of one drive, in order"


def main(arguments: list[str]) -> int:
    """`raceday run ...`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="raceday run", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    plot = commands.add_parser("plot", help="draw speed, steering and frame age as SVG")
    plot.add_argument("recording", nargs="+", type=pathlib.Path, help=_FILES)
    plot.add_argument("--out", type=pathlib.Path, help="the SVG file; default: beside the recording")
    plot.set_defaults(run=_plot)
    listing = commands.add_parser("list", help="the recordings of a folder, oldest first")
    listing.add_argument("folder", type=pathlib.Path)
    listing.set_defaults(run=_list)
    chosen = parser.parse_args(arguments)
    code: int = chosen.run(chosen)
    return code


def add_replay_command(subparsers: Any) -> None:
    """Mount `replay` on an argparse subparsers object; the chosen command is `arguments.run(arguments)`."""
    replay = subparsers.add_parser("replay", help="run a recorded drive through a model again and compare its answers")
    replay.add_argument("recording", nargs="+", type=pathlib.Path, help=_FILES)
    replay.add_argument("--model", type=pathlib.Path, help="a model other than the one that drove then")
    replay.set_defaults(run=_replay)


def _replay(arguments: argparse.Namespace) -> int:
    run = read_recording(arguments.recording)
    model = check_model(arguments.model or driven_model(run))
    comparison = compare(run, Policy(model, driven_profile(run)))
    recorded_sha256 = run.about.get("model_sha256", "")
    suffix = ", which drove then" if model.sha256 == recorded_sha256 else f" (sha256 {recorded_sha256[:16]} drove then)"
    print(f"model      {model.name}, sha256 {model.sha256[:16]}{suffix}")
    exact = f"{comparison.exact} as the policy saw them, the rest by their JPEG"
    if comparison.exact == comparison.compared:
        exact = "exact"
    print(f"frames     {comparison.compared} compared ({exact}), {comparison.unmatched} without a setpoint{_gaps(run)}")
    print(f"same       {comparison.same} ({comparison.agreement:.1%})")
    print(f"steering   differs by {comparison.steering_mean:.4f} on average, {comparison.steering_max:.4f} at most")
    print(f"throttle   differs by {comparison.throttle_max:.4f} at most")
    return 0


def driven_model(run: Recording) -> pathlib.Path:
    """The model that drove in the recording, found by its SHA-256: another may be selected now, or stand beside it."""
    path, recorded_sha256 = pathlib.Path(run.about.get("model_path", "")), run.about.get("model_sha256", "")
    folders = [path if path.is_dir() else path.parent]
    if path.name == SELECTED:
        folders += [entry.folder for entry in Library(path.parent).entries()]
    files = (file for folder in folders for file in sorted(folder.glob("*.onnx")))
    model = next((file for file in files if _sha256(file) == recorded_sha256), path)
    return model.parent if model.name == MODEL else model


def _sha256(file: pathlib.Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""  # the search skips files that cannot be read


def driven_profile(run: Recording) -> ProfileName:
    """The preprocessing profile of the recording; the default for a recording that names none that is known."""
    recorded = run.about.get("profile", "")
    return next((name for name in PROFILES if name == recorded), "grey-area")


def _plot(arguments: argparse.Namespace) -> int:
    run = read_recording(arguments.recording)
    out: pathlib.Path = arguments.out or arguments.recording[0].with_suffix(".svg")
    text = svg_of(run)
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{out}: the drawing cannot be written ({error.strerror}).") from None
    print(f"{out}: {len(run.traces)} decisions, {len(run.frames)} frames{_gaps(run)}")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    for path in recordings(arguments.folder):
        run = read_recording([path])
        seconds = (run.traces[-1].at_ns - run.traces[0].at_ns) / 1e9 if run.traces else 0.0
        part = f"drive {run.about.get('run', '?')} part {run.about.get('part', '?')}"
        model = run.about.get("model", "")
        print(f"{path.name}  {seconds:7.1f} s  {len(run.frames):6} frames  {part}  {model}{_gaps(run)}")
    return 0


def _gaps(run: Recording) -> str:
    """What is missing from the recording, as the end of a line; "" if nothing is."""
    missing = f"; {run.frames_missing} frames could not be recorded" if run.frames_missing else ""
    return missing + ("" if run.is_complete else "; the recording was cut off, so its last chunk is missing")
