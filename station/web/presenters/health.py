"""The texts of the health strip: gates, cars, broker, sync and disk, each with a sign, a state and a sentence. Pure."""

from dataclasses import dataclass

from shared.text import recorded, text
from station.core.timing.readiness import untried
from station.views.car_views import CarView
from station.views.gate_views import GateView
from station.views.system_views import ManagerView
from station.views.trackside.devices import StartLightsView, StopButtonView
from station.views.views import View
from station.web.presenters.mode_words import mode_words
from station.web.presenters.promises import PROMISE_WORDS


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
        *(_car(car) for car in view.cars if _is_missed(view, car)),
        *([_stop_button(view.button)] if view.button is not None else []),
        *([_start_lights(view.lights)] if view.lights is not None else []),
        _broker(view),
        *([_manager(view.manager)] if view.manager is not None else []),
        _sync(view),
        _store(view),
    ]


def _line(
    key: str, kind: str, name: str, level: str, state: str, detail: str, figures: tuple[tuple[str, str], ...] = ()
) -> HealthLine:
    return HealthLine(key, kind, name, level, SIGNS[level], state, recorded(detail), figures)


def _gate(gate: GateView) -> HealthLine:
    figures = ((text("edges"), str(gate.edges)), (text("lost"), str(gate.lost)))
    key = f"gate-{gate.name}"
    if not gate.alive:
        return _line(
            key,
            text("Gate"),
            gate.name,
            "bad",
            text("absent") if gate.absent else text("not ready"),
            gate.sentence,
            figures,
        )
    if gate.stuck:
        blocked = text("{names}: something blocks the beam.", names=", ".join(gate.stuck))
        return _line(key, text("Gate"), gate.name, "bad", text("blocked"), blocked, figures)
    if gate.doubt:
        return _line(key, text("Gate"), gate.name, "bad", text("layout"), gate.doubt, figures)
    if gate.untried:
        return _line(key, text("Gate"), gate.name, "warn", text("not tested"), untried(gate.untried), figures)
    return _line(key, text("Gate"), gate.name, "warn" if gate.lost else "ok", text("ready"), gate.sentence, figures)


def _is_missed(view: View, car: CarView) -> bool:
    """Whether the line says how this car is: not of a name that never reported and that nobody drives any more."""
    racers = {racer.car for racer in view.event.racers} | {line.car for line in view.queue.lines}
    names = {run.car for run in view.runs} | {each.name for each in view.event.cars} | racers
    return car.online or bool(car.alarm or car.model) or car.name in names


def _car(car: CarView) -> HealthLine:
    key = f"car-{car.name}"
    if not car.online:
        return _line(
            key, text("Car"), car.name, "bad" if car.alarm else "warn", text("offline"), car.alarm or car.reason
        )
    figures = [(text("throttle"), f"{car.throttle_percent} %")]
    if car.frame_age_p50_us is not None and car.frame_age_p99_us is not None:
        figures.append(
            (
                text("frame age"),
                f"{car.frame_age_p50_us / 1000:.0f} ms, p99 {car.frame_age_p99_us / 1000:.0f}",
            )
        )
    if car.dropped:
        figures.append((text("dropped"), str(car.dropped)))
    if car.promise != "lease":
        figures.append((text("promises"), PROMISE_WORDS[car.promise]))
    level = "bad" if car.alarm or car.mode == "tripped" else "warn" if car.doubt else "ok"
    detail = car.alarm or car.reason or car.doubt or car.model
    if car.model and detail != car.model:
        figures.insert(0, (text("model"), car.model))
    return _line(
        key,
        text("Car"),
        car.name,
        level,
        _car_state(car),
        detail,
        tuple(figures),
    )


def _car_state(car: CarView) -> str:
    """The car's mode, and who holds its lease."""
    mode = mode_words(car.mode)
    if not car.leased:
        return text("{mode} from a phone (practice)", mode=mode) if car.practice else mode
    if car.practice:
        return text("{mode}, leased from a phone (practice)", mode=mode)
    return text("{mode}, leased", mode=mode)


def _stop_button(button: StopButtonView) -> HealthLine:
    level, state = ("bad", text("open")) if button.open_sentence else ("ok", text("ready"))
    detail = button.open_sentence or text("Its contact is closed.")
    return _line("stop-button", text("Stop button"), text("At the station"), level, state, detail)


def _start_lights(lights: StartLightsView) -> HealthLine:
    level, state = ("warn", text("absent")) if lights.fault else ("ok", text("ready"))
    return _line(
        "start-lights",
        text("Start lights"),
        text("At the track"),
        level,
        state,
        lights.fault or text("They are off until a start."),
    )


def _broker(view: View) -> HealthLine:
    broker = view.broker
    figures = [(text("queued"), str(broker.queued))] if broker.queued else []
    if broker.dropped:
        figures.append((text("dropped"), str(broker.dropped)))
    level, state, detail = ("ok", text("connected"), broker.sentence)
    if not broker.connected:
        level, state = "bad", text("offline")
        if _all_by_hand(view):
            level, state, detail = "ok", text("not needed"), text("No car here takes orders: all are started by hand.")
    if broker.unsafe:
        level, state, detail = "bad", text("enforces no rules"), broker.unsafe
    return _line("broker", text("Broker"), "MQTT", level, state, detail, tuple(figures))


def _all_by_hand(view: View) -> bool:
    """Whether there are cars at the event, and none of them, on file or heard, has our agent."""
    return bool(view.event.cars) and not view.cars and all(car.kind != "agent" for car in view.event.cars)


def _manager(manager: ManagerView) -> HealthLine:
    level, state = ("ok", text("listening")) if manager.listening else ("bad", text("absent"))
    figures = ((text("pages"), str(manager.listeners)),)
    return _line("manager", text("Port"), text("Event manager"), level, state, manager.sentence, figures)


def _sync(view: View) -> HealthLine:
    sync = view.sync
    figures = (
        (text("posted"), str(sync.posted)),
        (text("pending"), str(sync.pending)),
        (text("rejected"), str(sync.rejected)),
    )
    if sync.rejected:
        level, state = "bad", text("rejected")
    elif sync.race_unknown:
        level, state = "bad", text("race unknown")
    elif not sync.alive:
        level, state = "warn", text("not running")
    else:
        level, state = ("warn", text("pending")) if sync.pending else ("ok", text("up to date"))
    return _line("sync", text("Sync"), text("Leaderboard"), level, state, sync.sentence, figures)


def _store(view: View) -> HealthLine:
    store = view.store
    figures = ((text("records"), str(store.records)), (text("head"), store.head[:8] or "–"))
    level, state = ("ok", text("saved")) if store.ok else ("bad", text("{held} waiting", held=store.held))
    if store.ok and store.sentence:
        level, state = "warn", text("nearly full")
    return _line(
        "store",
        text("Journal"),
        text("Disk"),
        level,
        state,
        store.sentence or text("Every record is on disk."),
        figures,
    )


CLOCK = text(
    "This machine's clock is not set: times of day are wrong, lap times are right. Results "
    "are posted with a mark and corrected once the time is known, from a time server or an "
    "official's device."
)


def alarms(view: View) -> list[str]:
    """The sentences of the alarms at the top of every page."""
    sentences = [recorded(view.notice)] if view.notice else []
    sentences += [recorded(view.button.open_sentence)] if view.button is not None and view.button.open_sentence else []
    sentences += [_named(car.name, car.alarm) for car in view.cars if car.alarm]
    if not view.store.ok:
        sentences.append(recorded(view.store.sentence))
    if not view.clock.trusted:
        sentences.append(CLOCK)
    sentences += [_named(text("Gate {name}", name=gate.name), gate.sentence) for gate in view.gates if not gate.alive]
    sentences += [recorded(gate.doubt) for gate in view.gates if gate.doubt]
    blocked = [gate for gate in view.gates if gate.alive and gate.stuck]
    sentences += [
        text("Gate {name}: something blocks the beam of {names}.", name=gate.name, names=", ".join(gate.stuck))
        for gate in blocked
    ]
    return sentences


def _named(name: str, sentence: str) -> str:
    """The sentence with its subject in front, unless it names the subject already."""
    return (
        recorded(sentence)
        if name.lower() in sentence.lower()
        else text("{name}: {sentence}", name=name, sentence=recorded(sentence))
    )
