"""The texts of the health strip: gates, cars, broker, sync and disk, each with a sign, a state and a sentence. Pure."""

from dataclasses import dataclass

from shared.text import text
from station.core.timing.readiness import untried
from station.views.car_views import CarView
from station.views.gate_views import GateView
from station.views.system_views import ManagerView
from station.views.trackside.devices import StopButtonView
from station.views.views import View


@dataclass(frozen=True, slots=True)
class HealthLine:
    """One thing that must work; `level` (ok, warn or bad) sets the colour, and `sign` and `state` say the same."""

    key: str
    kind: str
    name: str
    level: str
    sign: str
    state: str
    detail: str
    figures: tuple[tuple[str, str], ...] = ()


SIGNS = {"ok": "●", "warn": "▲", "bad": "✕"}


def health_lines(view: View) -> list[HealthLine]:
    """Everything that must work, in the order in which an operator looks for a fault."""
    return [
        *(_gate(gate) for gate in view.gates),
        *(_car(car) for car in view.cars),
        *([_stop_button(view.button)] if view.button is not None else []),
        _broker(view),
        *([_manager(view.manager)] if view.manager is not None else []),
        _sync(view),
        _store(view),
    ]


def _line(
    key: str, kind: str, name: str, level: str, state: str, detail: str, figures: tuple[tuple[str, str], ...] = ()
) -> HealthLine:
    return HealthLine(key, kind, name, level, SIGNS[level], state, detail, figures)


def _gate(gate: GateView) -> HealthLine:
    figures = (("edges", str(gate.edges)), ("lost", str(gate.lost)))
    key = f"gate-{gate.name}"
    if not gate.alive:
        return _line(key, "Gate", gate.name, "bad", "absent" if gate.absent else "not ready", gate.sentence, figures)
    if gate.stuck:
        blocked = f"{', '.join(gate.stuck)}: something blocks the beam."
        return _line(key, "Gate", gate.name, "bad", "blocked", blocked, figures)
    if gate.doubt:
        return _line(key, "Gate", gate.name, "bad", "layout", gate.doubt, figures)
    if gate.untried:
        return _line(key, "Gate", gate.name, "warn", "not tested", untried(gate.untried), figures)
    return _line(key, "Gate", gate.name, "warn" if gate.lost else "ok", "ready", gate.sentence, figures)


def _car(car: CarView) -> HealthLine:
    key = f"car-{car.name}"
    if not car.online:
        return _line(key, "Car", car.name, "bad" if car.alarm else "warn", "offline", car.alarm or car.reason)
    figures = [("throttle", f"{car.throttle_percent} %")]
    if car.frame_age_p50_us is not None and car.frame_age_p99_us is not None:
        figures.append(("frame age", f"{car.frame_age_p50_us / 1000:.0f} ms, p99 {car.frame_age_p99_us / 1000:.0f}"))
    if car.dropped:
        figures.append(("dropped", str(car.dropped)))
    level = "bad" if car.alarm or car.mode == "tripped" else "ok"
    detail = car.alarm or car.reason or car.model
    if car.model and detail != car.model:
        figures.insert(0, ("model", car.model))
    lease = ", leased" if car.leased else ""
    return _line(
        key,
        "Car",
        car.name,
        level,
        car.mode + lease + (" from a phone (practice)" if car.practice else ""),
        detail,
        tuple(figures),
    )


def _stop_button(button: StopButtonView) -> HealthLine:
    level, state = ("bad", text("open")) if button.open_sentence else ("ok", text("ready"))
    detail = button.open_sentence or text("Its contact is closed.")
    return _line("stop-button", text("Stop button"), text("At the station"), level, state, detail)


def _broker(view: View) -> HealthLine:
    broker = view.broker
    figures = [("queued", str(broker.queued))] if broker.queued else []
    if broker.dropped:
        figures.append(("dropped", str(broker.dropped)))
    level, state = ("ok", "connected") if broker.connected else ("bad", "offline")
    return _line("broker", "Broker", "MQTT", level, state, broker.sentence, tuple(figures))


def _manager(manager: ManagerView) -> HealthLine:
    level, state = ("ok", "listening") if manager.listening else ("bad", "absent")
    figures = (("pages", str(manager.listeners)),)
    return _line("manager", "Port", "Event manager", level, state, manager.sentence, figures)


def _sync(view: View) -> HealthLine:
    sync = view.sync
    figures = (("posted", str(sync.posted)), ("pending", str(sync.pending)), ("rejected", str(sync.rejected)))
    if sync.rejected:
        level, state = "bad", "rejected"
    elif sync.race_unknown:
        level, state = "bad", "race unknown"
    elif not sync.alive:
        level, state = "warn", "not running"
    else:
        level, state = ("warn", "pending") if sync.pending else ("ok", "up to date")
    return _line("sync", "Sync", "Leaderboard", level, state, sync.sentence, figures)


def _store(view: View) -> HealthLine:
    store = view.store
    figures = (("records", str(store.records)), ("head", store.head[:8] or "–"))
    level, state = ("ok", "saved") if store.ok else ("bad", f"{store.held} waiting")
    if store.ok and store.sentence:
        level, state = "warn", "nearly full"
    return _line("store", "Journal", "Disk", level, state, store.sentence or "Every record is on disk.", figures)


CLOCK = (
    "This machine's clock is not set: times of day are wrong, lap times are right. Results are posted with a mark and "
    "corrected once the time is known, from a time server or an official's device."
)


def alarms(view: View) -> list[str]:
    """The sentences of the alarms at the top of every page."""
    sentences = [view.notice] if view.notice else []
    sentences += [view.button.open_sentence] if view.button is not None and view.button.open_sentence else []
    sentences += [_named(car.name, car.alarm) for car in view.cars if car.alarm]
    if not view.store.ok:
        sentences.append(view.store.sentence)
    if not view.clock.trusted:
        sentences.append(CLOCK)
    sentences += [_named(f"Gate {gate.name}", gate.sentence) for gate in view.gates if not gate.alive]
    sentences += [gate.doubt for gate in view.gates if gate.doubt]
    blocked = [gate for gate in view.gates if gate.alive and gate.stuck]
    sentences += [f"Gate {gate.name}: something blocks the beam of {', '.join(gate.stuck)}." for gate in blocked]
    return sentences


def _named(name: str, sentence: str) -> str:
    """The sentence with its subject in front, unless it names the subject already."""
    return sentence if name.lower() in sentence.lower() else f"{name}: {sentence}"
