"""What a station is by its config, and the inputs that its start journals. build.py makes it, station.py takes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from station.core import inputs as e
from station.core.engine import Engine

JOURNAL_BYTES, START_BYTES = 6, 4  # of random names: no two journals, and no two starts of one, share theirs


@dataclass(frozen=True, slots=True)
class StationSetup:
    """`race` is opened at each start. `random_hex` gives that many random bytes in hexadecimal; None: no random ids."""

    name: str
    gates: tuple[e.GateSpec, ...]
    race: e.OpenRace | None
    lease_ms: int = 500
    order_ttl_ms: int = 2000
    versions: Mapping[str, str] = field(default_factory=dict)
    transponders: tuple[e.Transponder, ...] = ()
    random_hex: Callable[[int], str] | None = None


def boot_inputs(setup: StationSetup, engine: Engine, now: e.Moment, clock_is_set: bool) -> list[e.Input]:
    """The inputs of a start: the journal's own name, if it has none yet, and this boot of the station."""
    random_hex = setup.random_hex
    began: list[e.Input] = []
    if random_hex is not None and not engine.identity.journal:
        began = [e.JournalBegan(now, random_hex(JOURNAL_BYTES))]
    start = random_hex(START_BYTES) if random_hex is not None else ""
    booted = e.Booted(now, setup.name, setup.gates, setup.transponders, start=start, clock_trusted=clock_is_set)
    return [*began, booted]
