"""`raceday farm --server URL --key FILE` drives what racers submit, heats and LIVE turns; `raceday live` the turns."""

import argparse
import contextlib
import functools
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from shared.errors import BadInput, HardwareMissing, OperatorError
from shared.text import text
from simulator.farm.engine_process import ProcessEngine
from simulator.farm.engines import FarmEngine
from simulator.farm.heat_runner import HeatRunner
from simulator.farm.live_runner import LiveRunner
from simulator.farm.node import DrivingNode
from simulator.farm.progress import PlainLines
from simulator.farm.server_calls import FarmServer
from simulator.virtual_races.warm_up import compile_engine


def main(arguments: list[str]) -> int:
    """The command; ends at a signal, with --once when nothing is left. Raises RacedayError."""
    parser = argparse.ArgumentParser(
        prog="raceday farm",
        description="Drive the submissions of virtual races, and heats of brackets. Turns of LIVE races are driven in "
        "real time by this machine, whatever the engine.",
    )
    parser.add_argument("--server", default="http://127.0.0.1:8090", metavar="URL", help="the leaderboard")
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="with a key of the scope farm; default: in RACEDAY_KEY"
    )
    parser.add_argument(
        "--engine",
        choices=("process", "ray"),
        default="process",
        help="how: children of this process, or a Ray cluster",
    )
    parser.add_argument("--ray-address", metavar="HOST:PORT", help="of the cluster; default: the one of this machine")
    parser.add_argument("--jobs", type=int, choices=range(1, 257), metavar="N", help="at a time (one a core)")
    parser.add_argument("--node", default=socket.gethostname(), metavar="NAME", help="of this machine (its host name)")
    parser.add_argument("--once", action="store_true", help="end when nothing is left to drive")
    parser.add_argument(
        "--end-with-input", action="store_true", help="end when the standard input is closed, for who starts it"
    )
    parser.add_argument("--no-live", action="store_true", help="drive no turns of LIVE races: another does")
    chosen = parser.parse_args(arguments)
    if chosen.end_with_input:
        threading.Thread(target=_end_with_input, daemon=True).start()
    say = _lines()
    with tempfile.TemporaryDirectory(prefix="raceday-farm-") as cache:
        server = FarmServer(chosen.server, _key(chosen.key), Path(cache))
        if not chosen.no_live and not chosen.once:
            threading.Thread(target=_drive_live, args=(server, chosen.node, say), name="live", daemon=True).start()
        with contextlib.closing(_engine(chosen, say)) as engine:
            heats = HeatRunner(server, chosen.node, engine, say)
            with contextlib.nullcontext() if chosen.once else _driving_heats(heats):
                DrivingNode(server, chosen.node, engine, say).run(chosen.once)
            while chosen.once and heats.next_heat() is None:
                pass  # until none is left
    return 0


def _end_with_input() -> None:
    while os.read(0, 4096):  # not sys.stdin, whose lock a thread may not hold when Python ends
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def live_main(arguments: list[str]) -> int:
    """The command `raceday live`; ends at a signal. Raises RacedayError."""
    parser = argparse.ArgumentParser(
        prog="raceday live", description="Drive the turns of LIVE virtual races, in real time, as they are launched."
    )
    parser.add_argument("--server", default="http://127.0.0.1:8090", metavar="URL", help="the leaderboard")
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="with a key of the scope farm; default: in RACEDAY_KEY"
    )
    parser.add_argument("--node", default=socket.gethostname(), metavar="NAME", help="of this machine (its host name)")
    chosen = parser.parse_args(arguments)
    compile_engine()
    with tempfile.TemporaryDirectory(prefix="raceday-live-") as cache:
        LiveRunner(FarmServer(chosen.server, _key(chosen.key), Path(cache)), chosen.node, _lines()).run()
    return 0


def _drive_live(server: FarmServer, node: str, say: PlainLines) -> None:
    """Beside what the farm drives: a refusal ends only this."""
    try:
        compile_engine()
        LiveRunner(server, node, say).run()
    except OperatorError as error:
        say(text("No turns of LIVE races are driven here: {sentence}", sentence=error))


@contextlib.contextmanager
def _driving_heats(heats: HeatRunner) -> Iterator[None]:
    """Beside what the farm drives: a refusal ends only this. What is begun at the end is driven, as runs are."""
    over = threading.Event()

    def pause(wait_s: float) -> None:
        over.wait(wait_s)

    def drive() -> None:
        try:
            replace(heats, pause=pause).run(lambda: not over.is_set())
        except OperatorError as error:
            heats.say(text("No heats of brackets are driven here: {sentence}", sentence=error))

    thread = threading.Thread(target=drive, name="heats")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _lines() -> PlainLines:
    return PlainLines(functools.partial(print, flush=True))


def _engine(chosen: argparse.Namespace, say: PlainLines) -> FarmEngine:
    if chosen.engine == "process":
        if chosen.ray_address is not None:
            raise BadInput(text("--ray-address belongs to --engine ray."))
        return ProcessEngine(chosen.jobs or os.cpu_count() or 1)
    if find_spec("ray") is None:
        raise HardwareMissing(text("The engine 'ray' needs Ray: install the extra with `pip install 'raceday[ray]'`."))
    from simulator.farm.engine_ray import RayEngine  # noqa: PLC0415

    return RayEngine(chosen.ray_address, chosen.jobs, say)


def _key(path: Path | None) -> str:
    try:
        key = os.environ.get("RACEDAY_KEY", "") if path is None else path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadInput(text("{path}: cannot be read ({strerror}).", path=path, strerror=error.strerror)) from None
    if not key.startswith("rk_") or not key.isascii() or not key.isprintable():
        raise BadInput(text("Give the key of a farm, with the scope farm, by --key FILE or in RACEDAY_KEY."))
    return key
