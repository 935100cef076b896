"""The messages that travel by MQTT: one frozen dataclass each, and the envelope around it.

A message only grows: fields are added with defaults, never changed or reused. One golden JSON of each version is
in `tests/shared/protocol/`. A car's messages are evidence only; none of them makes an official crossing.
"""

from dataclasses import dataclass, field
from typing import Literal

VERSION = 1
LOW_BATTERY_PERCENT = 20  # below it a car may not last for a run

CarMode = Literal["disarmed", "ready", "driving", "stopped", "tripped"]
RunPhase = Literal["idle", "armed", "running", "finished"]
Grant = Literal["none", "drive"]
OrderAction = Literal["arm", "start", "stop", "estop", "reset"]
Promise = Literal["lease", "leash", "best_effort"]


@dataclass(frozen=True, slots=True)
class Envelope:
    """The sender, its boot and the number of the message there: a repeat has the same three."""

    device: str
    boot: str
    seq: int
    v: int = VERSION


@dataclass(frozen=True, slots=True)
class CarHeartbeat:
    """Car, 10 Hz, QoS 0. A lease and an order answer one heartbeat, so that the car notices when either is stale.

    `practice`: a phone at the car leases it, for free practice; a station without a run for it lets it drive.
    """

    heartbeat: int
    mode: CarMode
    practice: bool = False


@dataclass(frozen=True, slots=True)
class CarState:
    """Car, retained: what the pages show. `online` False is the car's will; `practice` as in its heartbeats.

    `battery_percent` None: the car's computer does not report it. `promise`: what stops it when nothing reaches it any
    more: its own guard at the end of the `lease`; a `leash` on a stock car, cut when its bridge is silent; or nothing
    but the stop that was sent before (`best_effort`). `colour`: "#rrggbb" of its own lights; "" for none.
    """

    online: bool
    mode: CarMode
    reason: str = ""
    model: str = ""
    model_sha256: str = ""
    throttle_percent: int = 0
    practice: bool = False
    battery_percent: int | None = None
    promise: Promise = "lease"
    colour: str = ""


@dataclass(frozen=True, slots=True)
class CarLap:
    """Car, QoS 1, sent from the outbox on disk until acknowledged: it passed the gate at `at_ns` of its own clock.

    `decided_at_ns`: when the frame was captured that decided it, on the same clock; 0: not said.
    """

    at_ns: int
    car_boot: str
    board_id: int = 0
    lap_ns: int | None = None
    frames_seen: int = 0
    uncertainty_ns: int = 0
    decided_at_ns: int = 0


@dataclass(frozen=True, slots=True)
class CarTelemetry:
    """Car, QoS 0, 2 Hz: how fresh the driving is.

    A frame's age at the motors is capture (until the pilot has it), preprocessing, policy and act (until the pulses are
    set); `rest` is capture and act together. `precision` is which model drives, `realtime` which of guard and pilot
    have real-time priority.
    """

    frames: int
    dropped: int
    repeated: int
    late_ticks: int
    frame_age_p50_us: int
    frame_age_p99_us: int
    policy_p50_us: int
    policy_p99_us: int
    steering: float
    throttle: float
    preprocess_p50_us: int = 0
    preprocess_p99_us: int = 0
    rest_p50_us: int = 0
    rest_p99_us: int = 0
    capture_p50_us: int = 0
    capture_p99_us: int = 0
    act_p50_us: int = 0
    act_p99_us: int = 0
    precision: str = ""
    realtime: str = ""


@dataclass(frozen=True, slots=True)
class LapAck:
    """Station, QoS 1, after its commit: the car may forget this report."""

    boot: str
    seq: int


@dataclass(frozen=True, slots=True)
class Lease:
    """Station, QoS 0: permission to drive, good for `lease_ms` after the car sent the heartbeat that it answers.

    `reason`: why none is granted, for the car's own page. `stopped`: the station holds the car in an emergency stop.
    """

    boot: str
    heartbeat: int
    grant: Grant
    run_id: str
    lease_ms: int
    reason: str = ""
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class DriveOrder:
    """Station, QoS 1, never retained: expires `ttl_ms` after the car sent the heartbeat that it answers."""

    order_id: str
    action: OrderAction
    boot: str
    heartbeat: int
    ttl_ms: int
    run_id: str = ""
    throttle_percent: int | None = None


@dataclass(frozen=True, slots=True)
class OfficialLap:
    """Station, QoS 1, after its commit: an official lap or the change of one (a ruling), and how uncertain it is."""

    run_id: str
    car: str
    racer: str
    number: int
    lap_ns: int
    valid: bool
    confirmed: bool
    reason: str = ""
    uncertainty_ns: int = 0


@dataclass(frozen=True, slots=True)
class RunStatus:
    """Station, retained: the run on the track (of several the newest; the others are published as they change).

    `uncertainty_ns`: of the least certain valid lap, either way.
    """

    run_id: str
    race_id: str
    car: str
    racer: str
    phase: RunPhase
    laps: int
    best_ns: int | None = None
    score_ms: int | None = None
    uncertainty_ns: int = 0


@dataclass(frozen=True, slots=True)
class SensorCondition:
    """One sensor: `blocked` for too long, `noise` edges a minute that made no crossing, beam `level` (0 to 1)."""

    sensor: str
    blocked: bool = False
    edges: int = 0
    noise: int = 0
    last_edge_ns: int | None = None
    level: float | None = None


@dataclass(frozen=True, slots=True)
class GateCondition:
    """One gate: `healthy` as it is judged when a run is armed; its device's clock against the station's, if known."""

    gate: str
    healthy: bool
    sentence: str
    sensors: tuple[SensorCondition, ...] = ()
    edges: int = 0
    lost: int = 0
    dropped: int = 0
    offset_ns: int | None = None
    drift_ppb: int | None = None
    uncertainty_ns: int | None = None


@dataclass(frozen=True, slots=True)
class GateHealth:
    """Station, retained, each few seconds: are the gates ready? `gates` lists all; other fields: the worst."""

    gate: str
    sensor: str
    alive: bool
    sentence: str
    last_edge_ns: int | None = None
    edges: int = 0
    lost: int = 0
    gates: tuple[GateCondition, ...] = ()


@dataclass(frozen=True, slots=True)
class StationStatus:
    """Station, retained; `online` False is its will message."""

    online: bool
    sentence: str = ""


Body = (
    CarHeartbeat
    | CarState
    | CarLap
    | CarTelemetry
    | LapAck
    | Lease
    | DriveOrder
    | OfficialLap
    | RunStatus
    | GateHealth
    | StationStatus
)


@dataclass(frozen=True, slots=True)
class Message:
    """An envelope and its body; what `shared.protocol.codec` turns into bytes and back."""

    envelope: Envelope
    body: Body = field()
