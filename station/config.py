"""The station's settings: `config/station.toml` as checked, frozen dataclasses, one for each table of the file."""

import pathlib
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.clock import ClockChoice
from shared.config import setting
from shared.errors import ConfigError, Refused
from shared.link.options import MqttOptions
from shared.metrics.settings import MetricsOptions
from shared.protocol.topics import checked_device
from shared.rules.person_names import name_key, person_name
from shared.rules.ranking import RaceRules, check_rules
from shared.rules.track_lengths import shortest_lap_s
from shared.units import seconds_to_ns
from shared.web.host_names import host_names
from station.access.settings import AccessOptions
from station.core.attribution.transponder_ids import plain_id, reading
from station.core.inputs import NEVER, GateKind, GateSpec, OpenRace, System
from station.drem_options import DremOptions
from station.sync.settings import SyncSettings


def _name(value: str, key: str) -> None:
    try:
        checked_device(value)
    except Refused as refusal:
        raise ConfigError(f"`{key}`: {refusal}") from None


def _racer(name: str) -> None:
    try:
        person_name(name)
    except Refused as refusal:
        raise ConfigError(f"`transponder.racer`: {refusal}") from None


@dataclass(frozen=True, slots=True)
class GateConfig:
    """`[[gate]]`: one line across the track."""

    name: str = setting(what="a short name: start, sector-1")
    driver: str = setting(what="a driver of raceday.gates")
    sensors: tuple[str, ...] = setting(("beam",), what="their names; in line: in the order in which a car meets them")
    layout: Literal["", "single", "in_line", "side_by_side"] = setting(
        "", what='"in_line": one sensor after the other, which gives the direction; "side_by_side": on one line'
    )
    kind: GateKind = "start_finish"  # or a split gate, for sector times
    system: System = setting("A", what='"B": the second timing system, on another device at the same line')
    lockout_s: float = setting(1.0, min=0.01, max=60.0, what="edges this long after a crossing are the same pass")
    stuck_s: float = setting(5.0, min=0.5, max=600.0, what="a beam blocked for longer is reported")
    uncertainty_us: float = setting(1.0, min=0.0, max=1_000_000.0, what="of one stamp; published with each lap")
    baseline_mm: int = setting(0, min=0, max=5000, what="distance between two sensors in line; 0: no speed is measured")
    min_width_ms: float = setting(0.0, min=0.0, max=10_000.0, what="a shorter pass is reported as odd")
    max_width_ms: float = setting(2000.0, min=1.0, max=60_000.0, what="a longer pass is reported as odd")
    try_first: bool | None = setting(
        None, what="allow no run before a car has passed each sensor; unset: only for gates with wires"
    )
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _name(self.name, "gate.name")
        if not self.sensors or len(set(self.sensors)) != len(self.sensors):
            raise ConfigError("`gate.sensors` must name at least one sensor, each once.")
        self._check_layout()

    def _check_layout(self) -> None:
        """Checks that `layout` does not contradict the rest. Raises ConfigError."""
        several = len(self.sensors) > 1
        if self.layout == "single" and several:
            raise ConfigError(f'gate {self.name}: `layout` "single" has one sensor; {len(self.sensors)} are named.')
        if self.layout in ("in_line", "side_by_side") and not several:
            raise ConfigError(f'gate {self.name}: `layout` "{self.layout}" needs the names of two sensors or more.')
        if self.layout == "side_by_side" and self.baseline_mm:
            raise ConfigError(
                f"gate {self.name}: sensors side by side have no distance between them: leave out `baseline_mm`, "
                'or set layout = "in_line".'
            )

    @property
    def spec(self) -> GateSpec:
        """This gate as the core's `GateSpec`, with times in ns."""
        return GateSpec(
            name=self.name,
            sensors=self.sensors,
            kind=self.kind,
            lockout_ns=seconds_to_ns(self.lockout_s),
            stuck_ns=seconds_to_ns(self.stuck_s),
            uncertainty_ns=round(self.uncertainty_us * 1000),
            baseline_mm=self.baseline_mm,
            min_width_ns=round(self.min_width_ms * 1e6),
            max_width_ns=round(self.max_width_ms * 1e6),
            system=self.system,
            layout=self.layout or ("unsaid" if len(self.sensors) > 1 else "single"),
        )


@dataclass(frozen=True, slots=True)
class DriverChoice:
    """`[stop_button]`, `[start_lights]`: a driver of raceday.stop_buttons or raceday.start_lights."""

    driver: str = setting(what='"gpio", "mock", or one of your packages')
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WebOptions:
    """`[web]`: the live page. Port 0 takes any free one."""

    host: str = setting("127.0.0.1", what="127.0.0.1: this machine only; 0.0.0.0 or ::: the whole network")
    port: int = setting(8080, min=0, max=65535)
    allowed_hosts: tuple[str, ...] = setting((), what="names under which browsers reach this station")
    tls_certificate: str = setting("", what="the certificate for browsers; with it the port speaks https too")
    tls_key: str = setting("", what="the key of `tls_certificate`, readable by the service alone")
    sign_in_over_http: bool = setting(False, what="officials may sign in without https all the same")
    language: str = setting("en", what="of pages for browsers that ask for none that there is: en or de")

    def __post_init__(self) -> None:
        host_names(self.allowed_hosts, "web.allowed_hosts")

    @classmethod
    def completed(cls, table: dict[str, Any]) -> dict[str, Any]:
        """The table as it is. Raises ConfigError for a setting of earlier versions that gave rights to addresses."""
        if "operators" in table:
            raise ConfigError(
                "`web.operators` is no setting any more, since an address is no identity: remove it, then claim the "
                "station at /claim and pair the officials' devices at /people."
            )
        return table


@dataclass(frozen=True, slots=True)
class RaceOptions:
    """`[race]`: the race that the station times. The leaderboard knows it by the same `id`."""

    id: str = setting(what="the race's id at the leaderboard")
    name: str = setting(what="as it is shown")
    track: str = setting("", what="the track's name, as it is shown")
    track_length_m: float | None = setting(None, min=1.0, max=1000.0, what="along its centre line, if measured")
    kind: Literal["physical", "virtual"] = "physical"  # as the leaderboard lists it
    cars_on_track: int = setting(1, min=1, max=12, what="how many runs may be on at the same time")
    rules: RaceRules = field(default_factory=RaceRules)

    def __post_init__(self) -> None:
        _name(self.id, "race.id")
        check_rules(self.rules)

    @classmethod
    def completed(cls, table: dict[str, Any]) -> dict[str, Any]:
        """The table, with a `min_lap_s` from the track's length if the rules have none and the length is known."""
        rules, track, length_m = table.get("rules", {}), table.get("track", ""), table.get("track_length_m")
        odd = (
            not isinstance(rules, dict) or not isinstance(track, str) or type(length_m) not in (int, float, type(None))
        )
        min_lap_s = None if odd or "min_lap_s" in rules else shortest_lap_s(track, length_m)
        return table if min_lap_s is None else {**table, "rules": {**rules, "min_lap_s": min_lap_s}}

    @property
    def opening(self) -> OpenRace:
        """The command that opens this race, without a time: the service stamps it."""
        more = (self.track, self.kind, self.cars_on_track)
        return OpenRace(NEVER, self.id, self.name, self.rules, *more, ties_by_uncertainty=True)


@dataclass(frozen=True, slots=True)
class TransponderConfig:
    """`[[transponder]]`: a transponder's owner, which is either a `car` or a `racer`; an owner may have several."""

    id: str = setting(what="decimal or hexadecimal, as the decoder or another program shows it; or the pilot's slot")
    car: str = setting("", what="the car that it is built into")
    racer: str = setting("", what="or the racer who carries it from car to car")

    def __post_init__(self) -> None:
        if not (self.id.isprintable() and 0 < len(self.id) <= 128) or self.id != self.id.strip():
            raise ConfigError("`transponder.id` has 1 to 128 printable characters.")
        if bool(self.car) == bool(self.racer.strip()):
            raise ConfigError(f"`transponder` {self.id}: set either `car` or `racer`.")
        if self.car:
            _name(self.car, "transponder.car")
        else:
            _racer(self.racer)


def _check_transponder_owners(known: tuple[TransponderConfig, ...]) -> None:
    """Raises ConfigError if one transponder is listed twice or has two owners, however its id is written."""
    ids = [plain_id(each.id) for each in known]
    for each, plain in zip(known, ids, strict=True):
        if ids.count(plain) > 1:
            raise ConfigError(f"`transponder`: two [[transponder]] have the id {each.id!r}; each needs its own.")
    decimal = {number: each for each in known if (number := reading(each.id).decimal) is not None}
    for each in known:
        other = decimal.get(reading(each.id).hexadecimal or 0) if reading(each.id).sure else None
        if other is not None and (other.car, name_key(other.racer)) != (each.car, name_key(each.racer)):
            raise ConfigError(
                f"`transponder`: {other.id!r} of {other.car or other.racer} and {each.id!r} of "
                f"{each.car or each.racer} are one number: remove the [[transponder]] that is wrong."
            )


@dataclass(frozen=True, slots=True)
class StationConfig:
    """Everything in `config/station.toml`. Raises ConfigError for settings that contradict each other."""

    data_dir: pathlib.Path = setting(what="a folder on a local disk, for the journal")
    name: str = setting("station-1", what="this machine's name, also at the broker")
    lease_ms: int = setting(500, min=100, max=60_000, what="a car stops this long after the last lease")
    order_ttl_ms: int = setting(2000, min=100, max=60_000, what="a car ignores an order that arrives later than this")
    clock: ClockChoice = field(default_factory=ClockChoice)
    gate: tuple[GateConfig, ...] = ()
    mqtt: MqttOptions = field(default_factory=MqttOptions)
    web: WebOptions = field(default_factory=WebOptions)
    access: AccessOptions = field(default_factory=AccessOptions)
    race: RaceOptions | None = None
    drem: DremOptions | None = None
    transponder: tuple[TransponderConfig, ...] = ()
    stop_button: DriverChoice | None = None
    start_lights: DriverChoice | None = None
    sync: SyncSettings = field(default_factory=SyncSettings)
    metrics: MetricsOptions = field(default_factory=MetricsOptions)

    def __post_init__(self) -> None:
        _name(self.name, "name")
        names = [gate.name for gate in self.gate]
        if len(set(names)) != len(names):
            raise ConfigError("`gate`: two gates have the same name.")
        _check_transponder_owners(self.transponder)
        systems = [gate.system for gate in self.gate if gate.kind == "start_finish"]
        if sorted(systems) not in (["A"], ["A", "B"]):
            raise ConfigError(
                '`gate`: exactly one [[gate]] must be of kind "start_finish" (and one more may be, of system "B"); '
                'splits are of kind "split".'
            )
