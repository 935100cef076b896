"""What the config makes of a station, and the inputs that a start journals. Made by build.py, used by station.py."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from shared.errors import ConfigError
from shared.text import text
from station.core import inputs as e
from station.core.engine import Engine
from station.core.race.starts import LONGEST_DELAY_MS, SHORTEST_DELAY_MS

JOURNAL_BYTES, START_BYTES = 6, 4  # of the random names of a journal and of a start, so that no two share one
DELAY_BYTES = 4  # so many that every delay is as likely as any other
CODE_BYTES, CODE_LENGTH = 8, 6  # of the code of a racer's own page
CODE_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that is taken for another


@dataclass(frozen=True, slots=True)
class StationSetup:
    """A station's settings, as its service needs them. `race` is opened at each start.

    `random_hex(n)` returns n random bytes in hexadecimal; None: no random ids.
    """

    name: str
    gates: tuple[e.GateSpec, ...]
    race: e.OpenRace | None
    lease_ms: int = 500
    order_ttl_ms: int = 2000
    versions: Mapping[str, str] = field(default_factory=dict)
    transponders: tuple[e.Transponder, ...] = ()
    random_hex: Callable[[int], str] | None = None


def start_delay_ms(random_hex: Callable[[int], str] | None) -> int:
    """How long all start lights stay lit this time, in ms: drawn at random, or the middle if nothing is random."""
    choices = LONGEST_DELAY_MS - SHORTEST_DELAY_MS + 1
    drawn = choices // 2 if random_hex is None else int(random_hex(DELAY_BYTES), 16) % choices
    return SHORTEST_DELAY_MS + drawn


def boot_inputs(setup: StationSetup, engine: Engine, now: e.Moment, clock_is_set: bool) -> list[e.Input]:
    """The inputs that a start journals: the journal's name, if it has none yet, and this boot of the station."""
    random_hex = setup.random_hex
    began: list[e.Input] = []
    if random_hex is not None and not engine.identity.journal:
        began = [e.JournalBegan(now, random_hex(JOURNAL_BYTES))]
    start = random_hex(START_BYTES) if random_hex is not None else ""
    booted = e.Booted(now, setup.name, setup.gates, setup.transponders, start=start, clock_trusted=clock_is_set)
    return [*began, booted]


def with_drawn(command: e.Command, random_hex: Callable[[int], str] | None) -> e.Command:
    """The command with what is drawn at random outside the core: racers' codes, and how long the start lights wait."""
    if isinstance(command, e.StageRun):
        return replace(command, delay_ms=start_delay_ms(random_hex))
    return with_codes(command, random_hex)


def with_codes(command: e.Command, random_hex: Callable[[int], str] | None) -> e.Command:
    """The command with a code drawn for each racer that it enters without one; unchanged without random numbers."""
    if random_hex is None:
        return command
    if isinstance(command, e.AddRacer) and not command.code:
        return replace(command, code=_code(random_hex))
    if isinstance(command, e.ImportRacers):
        drawn = (each if each.code else replace(each, code=_code(random_hex)) for each in command.racers)
        return replace(command, racers=tuple(drawn))
    return command


def _code(random_hex: Callable[[int], str]) -> str:
    number = int(random_hex(CODE_BYTES), 16)
    signs = []
    for _ in range(CODE_LENGTH):
        number, digit = divmod(number, len(CODE_SIGNS))
        signs.append(CODE_SIGNS[digit])
    return "".join(signs)


def open_or_continue(wanted: e.OpenRace, engine: Engine, try_open: Callable[[e.OpenRace], str]) -> str:
    """Opens the configured race; if that is refused, the station continues with the race that the journal has.

    This way a mistyped config does not stop a station. `try_open` opens a race and returns the refusal, "" if it is
    open. Returns a sentence for the operator, "" if there is nothing to do. Raises ConfigError if there is no race to
    continue with.
    """
    if engine.race is not None and engine.event.opened_before(wanted):
        return ""  # the config is as it was at the last start: what officials have changed since then holds
    refusal = try_open(wanted)
    if not refusal:
        return ""
    known = engine.races.get(wanted.race_id)
    if known is not None and not (engine.race is not None and engine.race.on):
        try_open(known.info)
    if engine.race is None:
        raise ConfigError(f"[race] {refusal}")
    return text(
        "{sentence} The station continues with {race_id} as it was.", sentence=refusal, race_id=engine.race.info.race_id
    )
