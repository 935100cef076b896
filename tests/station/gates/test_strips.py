"""An event manager's two pressure strips, side by side on one line: 1,000 passes over either or both, none lost.

Through the real GPIO driver (gpiozero's LGPIOFactory over a fake kernel that stamps edges), and through the real `drem`
driver (a WebSocket server that sends what the timer of the event manager sends), each into the station's engine. The
gates are those of docs/reuse-your-timer.md, as they are written there.
"""

import itertools
import json
import pathlib
import queue
import random
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from gpiozero.pins.local import LocalPiFactory
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from shared.clock import ManualClock
from shared.config import parse
from station.build import gate_spec
from station.config import GateConfig, StationConfig
from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from station.gates.drem import DremGate
from station.gates.driver import Edge, GateOutput
from station.gates.gpio import pins
from station.gates.gpio.gate import GpioGate
from tests.station.core.scripted_race import MS, UTC, S, only
from tests.station.gates.gpio.fake_lgpio import Kernel

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "reuse-your-timer.md"
PASSES = 1_000
TIMER_BLIND_NS = 2 * S  # after a pass, in every version of the event manager's timer
SENSORS, GPIOS = ("left", "right"), (17, 27)
BEGIN_NS = 10 * S
AXLE_NS = 120 * MS  # the second axle after the first, at most


@dataclass(frozen=True, slots=True)
class Press:
    """One strip, pressed for `width_ns` from `at_ns` on."""

    sensor: str
    at_ns: int
    width_ns: int


def documented(driver: str) -> GateConfig:
    """The gate of this driver that the page says to paste."""
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    configs = [parse(f'data_dir = "d"\n{block}', StationConfig) for block in blocks]
    (gate,) = [gate for config in configs for gate in config.gate if gate.driver == driver]
    return gate


def strip_passes(seed: int, least_apart_ns: int = 1_300 * MS) -> list[list[Press]]:
    """Passes up to 4 s apart: left, right or both, either first or both at once, one or two axles, with bounces.

    Widths are 1 to 5 ms (issue 253 of the event manager's repository); a contact bounces for up to 10 ms.
    """
    rng = random.Random(seed)
    passes, at_ns = [], BEGIN_NS
    for number in range(PASSES):
        at_ns += rng.randrange(least_apart_ns, 4 * S)
        lag_ns = rng.choice((0, rng.randrange(1, 40 * MS), rng.randrange(1, 400 * MS)))
        which = (("left",), ("right",), ("left", "right"), ("right", "left"))[number % 4]
        axles = (0, rng.randrange(40 * MS, AXLE_NS))[: rng.choice((1, 2))]
        presses = [
            Press(sensor, at_ns + axle_ns + place * lag_ns + bounce_ns, rng.randrange(1 * MS, 5 * MS))
            for (place, sensor), axle_ns in itertools.product(enumerate(which), axles)
            for bounce_ns in (0, 7 * MS)[: rng.choice((1, 2))]
        ]
        passes.append(sorted(presses, key=lambda press: press.at_ns))
    return passes


def crossings_of(gate: GateConfig, edges: list[Edge]) -> list[f.Crossing]:
    """What the station's engine makes of them; nothing but crossings may come of it."""
    engine = Engine()
    spec = gate_spec(gate)
    assert (spec.layout, spec.sensors) == ("side_by_side", SENSORS)
    engine.handle(e.Booted(e.Moment(edges[0].boot, edges[0].at_ns - S, UTC), "station-1", (spec,)))
    facts = [fact for edge in edges for fact in engine.handle(edge)]
    assert not only(facts, f.GateStuck)
    assert {crossing.direction for crossing in only(facts, f.Crossing)} <= {0}, "none is backwards"
    return only(facts, f.Crossing)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    """A fake chip under gpiozero's real LGPIOFactory; its pins are pulled down, as the strips' boards need them."""
    made = Kernel()
    made.levels = dict.fromkeys(made.levels, 0)
    monkeypatch.setattr(pins, "_opened", {})
    monkeypatch.setitem(sys.modules, "lgpio", made.module())
    sys.modules.pop("gpiozero.pins.lgpio", None)
    monkeypatch.setattr("gpiozero.pins.local.get_pi_revision", lambda: 0xC03111)
    yield made
    LocalPiFactory.pins.clear()
    LocalPiFactory._reservations.clear()
    sys.modules.pop("gpiozero.pins.lgpio", None)


def play(kernel: Kernel, clock: ManualClock, presses: list[Press], seen_late: random.Random) -> None:
    """Moves the pins. `seen_late`: one pulse in five is over before the kernel reads its level ("free" twice)."""
    moves = []
    for press in presses:
        late = seen_late.random() < 0.2
        line = GPIOS[SENSORS.index(press.sensor)]
        moves += [(press.at_ns, line, 0 if late else 1), (press.at_ns + press.width_ns, line, 0)]
    for at_ns, line, level in sorted(moves):
        clock.advance(max(clock.now_ns(), at_ns))
        kernel.edge(line, level, at_ns)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_thousand_passes_over_strips_on_the_stations_own_pins(kernel: Kernel, seed: int) -> None:
    clock, edges, passes = ManualClock(at_ns=BEGIN_NS), list[GateOutput](), strip_passes(seed)
    config = documented("gpio")
    gate = GpioGate(config.name, config.sensors, config.options, clock)
    gate.start({}, edges.append)
    late = random.Random(seed)
    for presses in passes:
        play(kernel, clock, presses, late)
    health = gate.health()
    gate.close()
    assert (health.alive, health.lost) == (True, 0)
    crossings = crossings_of(config, [edge for edge in edges if isinstance(edge, Edge)])
    assert [crossing.at_ns for crossing in crossings] == [presses[0].at_ns for presses in passes]


def timer_texts(passes: list[list[Press]], poll_ms: int, either: bool) -> list[str]:
    """What the event manager's timer sends: it looks every `poll_ms`, and is blind for 2 s after a lap.

    `either`: for both strips (its versions of 2026), else for that strip alone (before, which counted a pass twice).
    """
    texts: list[str] = []
    last_ns = dict.fromkeys(SENSORS, 0)
    for press in itertools.chain.from_iterable(passes):
        seen_ms = -(-press.at_ns // (poll_ms * MS)) * poll_ms
        if seen_ms * MS - (max(last_ns.values()) if either else last_ns[press.sensor]) < TIMER_BLIND_NS:
            continue
        last_ns[press.sensor] = seen_ms * MS
        gpio, number = GPIOS[SENSORS.index(press.sensor)], len(texts) + 1
        stamp = UTC // MS + seen_ms
        texts.append(json.dumps({"event": "lap", "timestamp": stamp, "gpio": gpio, "lapNumber": number}))
    return texts


@contextmanager
def timer(texts: list[str]) -> Iterator[str]:
    """The timer's WebSocket on loopback, which sends its greeting and then these texts; gives its address."""

    def handle(line: ServerConnection) -> None:
        line.send(json.dumps({"event": "connected", "timestamp": UTC // MS + BEGIN_NS // MS}))
        for text in texts:
            line.send(text)
        try:
            line.recv()
        except ConnectionClosed:
            return

    with serve(handle, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("poll_ms", "either"), [(5, True), (10, False)])
def test_a_thousand_passes_over_strips_of_the_event_managers_own_timer(poll_ms: int, either: bool) -> None:
    passes, config = strip_passes(poll_ms, 2_700 * MS), documented("drem")
    texts = timer_texts(passes, poll_ms, either)
    assert (len(texts) == PASSES) is either
    outputs: queue.Queue[GateOutput] = queue.Queue()
    with timer(texts) as url:
        # All of it comes at once here, so a step of the timer's clock against ours is allowed for.
        options = config.options | {"url": url, "step_ms": 60_000}
        gate = DremGate(config.name, config.sensors, options, ManualClock(at_ns=BEGIN_NS))
        gate.start({}, outputs.put)
        edges: list[Edge] = []
        while len(edges) < 2 * len(texts):
            output = outputs.get(timeout=30.0)
            assert isinstance(output, Edge), output
            edges.append(output)
        gate.close()
    crossings = crossings_of(config, edges)
    seen_ns = [-(-presses[0].at_ns // (poll_ms * MS)) * poll_ms * MS for presses in passes]
    assert [crossing.at_ns - UTC for crossing in crossings] == seen_ns
    assert gate.health().lost == 0
