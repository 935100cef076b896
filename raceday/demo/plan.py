"""The arguments of the demo, checked before anything starts, and its racers."""

import argparse
import pathlib
import random
from dataclasses import dataclass

from shared.errors import ConfigError
from shared.rules.ranking import RaceRules, check_rules
from simulator.driving.policy import recommended_percent
from simulator.world.tracks import Track, load_track, shipped_tracks

CONSECUTIVE = 3
SANDBOX_CARS = 3
MAX_RACERS = 20
_NAMES = (
    "Ada", "Grace", "Katherine", "Alan", "Hedy", "Edsger", "Radia", "Claude", "Barbara", "Donald",
    "Margaret", "Ken", "Frances", "Dennis", "Karen", "Niklaus", "Sophie", "Tim", "Shafi", "Leslie",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DemoRacer:
    """One racer and run. All racers drive the same model, at different throttles up to the recommended one."""

    name: str
    car: str
    run_id: str
    throttle_percent: int


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """All settings of one demo."""

    track: Track
    track_source: str
    racers: tuple[DemoRacer, ...]
    rules: RaceRules
    seed: int
    speed: float
    port: int
    once: bool
    headless: bool
    model: pathlib.Path
    summary: pathlib.Path | None
    folder: pathlib.Path | None
    broker: str | None
    profile: str = "grey-area"
    stay: bool = False
    race_id: str = "demo"


def read_plan(arguments: list[str], demo_model: pathlib.Path) -> DemoPlan:
    """The checked plan. Raises ConfigError or BadInput with one sentence."""
    chosen = _parser().parse_args(arguments)
    if chosen.stay and chosen.once:
        raise ConfigError("--stay leaves the cars waiting and --once stops after the race: choose one of them.")
    if chosen.racers is None:
        chosen.racers = SANDBOX_CARS if chosen.stay else 1
    _check("--racers", chosen.racers, 1, MAX_RACERS)
    _check("--laps", chosen.laps, 1, 100)
    _check("--speed", chosen.speed, 0.25, 10)
    _check("--port", chosen.port, 0, 65535)
    source = _track_source(chosen.track)
    track = load_track(source)
    rules = check_rules(
        RaceRules(
            method="average",
            consecutive_laps=min(CONSECUTIVE, chosen.laps),
            max_laps=chosen.laps,
            time_limit_s=min(7200.0, 60.0 + 60.0 * chosen.laps),
            off_track_penalty_s=2.0,
        )
    )
    model = (chosen.model or demo_model).absolute()
    racers = _racers(chosen.racers, chosen.seed, recommended_percent(str(model)))
    folder = chosen.folder.absolute() if chosen.folder else None
    summary = chosen.summary.absolute() if chosen.summary else None
    if summary is not None and not summary.parent.is_dir():
        raise ConfigError(f"--summary {chosen.summary}: there is no folder {summary.parent}.")
    return DemoPlan(
        track, source, racers, rules, chosen.seed, chosen.speed, chosen.port, chosen.once, chosen.headless,
        model, summary, folder, chosen.broker, chosen.profile, chosen.stay,
    )  # fmt: skip


def _track_source(named: str) -> str:
    """The name of a track, or the absolute path of a file, since processes start in other folders."""
    return str(pathlib.Path(named).absolute()) if named.endswith(".npy") else named


def _racers(count: int, seed: int, recommended_percent: float) -> tuple[DemoRacer, ...]:
    """Names and throttles by seed; no throttle is above the recommendation of the model's card."""
    chance = random.Random(seed)
    names = chance.sample(_NAMES, count)
    shares = [1.0 - 0.04 * k for k in range(count)] if count <= 5 else [1.0 - 0.2 * k / count for k in range(count)]
    chance.shuffle(shares)
    return tuple(
        DemoRacer(name, f"car-{n}", f"run-{n}-{name.lower()}", max(1, round(recommended_percent * share)))
        for n, (name, share) in enumerate(zip(names, shares, strict=True), 1)
    )


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ConfigError(f"{name} is {value:g}; allowed is {low:g} to {high:g}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev demo", description="A whole race on this machine, with no hardware.")
    parser.add_argument("--once", action="store_true", help="stop after the race; exit 0 only if every racer qualified")
    parser.add_argument(
        "--league",
        action="store_true",
        help="serve a league in the middle of its season instead (--league --help)",
    )
    parser.add_argument(
        "--stay", action="store_true", help="run no race: leave the cars waiting, and race them from the browser"
    )
    parser.add_argument(
        "--track",
        default="reinvent_base",
        metavar="NAME|FILE.npy",
        help=f"one of {', '.join(shipped_tracks())}, or a file",
    )
    parser.add_argument("--racers", type=int, metavar="N", help=f"default 1; with --stay {SANDBOX_CARS}")
    parser.add_argument("--laps", type=int, default=3, metavar="N", help="laps a run (default 3)")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--speed", type=float, default=1.0, metavar="X", help="faster than real time, up to 10")
    parser.add_argument("--headless", action="store_true", help="open no browser")
    parser.add_argument("--port", type=int, default=0, help="of the station's page; 0 takes a free one")
    parser.add_argument("--summary", type=pathlib.Path, metavar="FILE", help="write what happened as JSON")
    parser.add_argument("--folder", type=pathlib.Path, metavar="DIR", help="keep journals, logs and configs there")
    parser.add_argument("--model", type=pathlib.Path, metavar="DIR", help="drive with this model folder")
    parser.add_argument("--profile", choices=("grey-area", "deepracer-car"), default="grey-area", help="how cars see")
    parser.add_argument("--broker", choices=("mosquitto", "amqtt"), help="default: mosquitto when it is installed")
    return parser
