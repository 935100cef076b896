"""Which pin of a header is what, and what is wired to it: the one source of pictures, tables and tests. Pure data.

Sources: the Raspberry Pi documentation's "GPIO and the 40-pin header" and the Raspberry Pi Pico datasheet, figure 2.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["signal", "ground", "power"]

_PI = """3V3 5V GPIO2 5V GPIO3 GND GPIO4 GPIO14 GND GPIO15 GPIO17 GPIO18 GPIO27 GND GPIO22 GPIO23 3V3 GPIO24 GPIO10 GND
GPIO9 GPIO25 GPIO11 GPIO8 GND GPIO7 GPIO0 GPIO1 GPIO5 GND GPIO6 GPIO12 GPIO13 GND GPIO19 GPIO16 GPIO26 GPIO20 GND
GPIO21"""
_PICO = "GP0 GP1 GND GP2 GP3 GP4 GP5 GND GP6 GP7 GP8 GP9 GND GP10 GP11 GP12 GP13 GND GP14 GP15"

# Names by the number of the pin; the Pico's are those of its left side, with USB up.
PI_HEADER = dict(enumerate(_PI.split(), 1))
PICO_SIDE = dict(enumerate(_PICO.split(), 1))


@dataclass(frozen=True, slots=True)
class PinWire:
    """One wire, from a terminal of a part to a pin of the header."""

    terminal: str
    pin: int
    kind: Kind = "signal"


@dataclass(frozen=True, slots=True)
class WiredPart:
    """What hangs at the header: its name, its wires from top to bottom, and what to mind, a line each."""

    name: str
    wires: tuple[PinWire, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wiring:
    """One picture. `name`: its file; `tells`: what the picture shows, for those who do not see it."""

    name: str
    title: str
    tells: str
    board: Literal["pi", "pico"]
    parts: tuple[WiredPart, ...]

    @property
    def header(self) -> dict[int, str]:
        return PI_HEADER if self.board == "pi" else PICO_SIDE

    def wires(self) -> tuple[PinWire, ...]:
        return tuple(wire for part in self.parts for wire in part.wires)

    def gpios(self) -> tuple[int, ...]:
        """The numbers of the signals in the order of the wires: 17 for GPIO17, 2 for GP2."""
        names = [self.header[wire.pin] for wire in self.wires() if wire.kind == "signal"]
        return tuple(int(name.removeprefix("GPIO" if self.board == "pi" else "GP")) for name in names)


def _ground(pin: int, terminal: str = "ground") -> PinWire:
    return PinWire(terminal, pin, "ground")


_BEAM_NOTES = ("Its supply (5 to 24 V) goes", "to its own plug, never to", "a GPIO: 3.3 V is the most.")

BEAM = Wiring(
    "beam",
    "Two light barriers at a Pi",
    "Two light barriers: the outputs go to GPIO17 and GPIO27, both grounds to the Pi's ground.",
    "pi",
    (
        WiredPart("Barrier 1: open collector", (_ground(9), PinWire("output", 11)), _BEAM_NOTES),
        WiredPart(
            "Barrier 2: 10 to 50 cm on",
            (PinWire("output", 13), _ground(14)),
            ("Only one barrier? Leave", "this one out."),
        ),
    ),
)
STRIPS = Wiring(
    "strips",
    "Two strips at a Pi",
    "Two pressure strips with comparator boards: 3.3 V, ground and one output each, to GPIO17 and GPIO27.",
    "pi",
    (
        WiredPart(
            "Left strip's board",
            (PinWire("VCC", 1, "power"), _ground(9, "GND"), PinWire("DO", 11)),
            ("Turn its screw until the", "light is just off at rest."),
        ),
        WiredPart(
            "Right strip's board",
            (PinWire("DO", 13), _ground(14, "GND"), PinWire("VCC", 17, "power")),
            ("3.3 V, not 5 V: at 5 V the", "output may break the Pi."),
        ),
    ),
)
PICO = Wiring(
    "pico",
    "Up to four barriers at a Pico",
    "A Raspberry Pi Pico: barriers at GP2, GP3, GP4 and GP5, grounds together, a USB cable to the station.",
    "pico",
    (
        WiredPart("Barriers 4 and 3", (PinWire("output 4", 7), PinWire("output 3", 6)), ("Leave out what is absent.",)),
        WiredPart(
            "Barriers 2 and 1",
            (PinWire("output 2", 5), PinWire("output 1", 4), _ground(3, "all grounds")),
            ("Open collectors. Their", "supply never goes to a pin:", "3.3 V is the most."),
        ),
    ),
)
STATION_BUTTON = Wiring(
    "station-button",
    "Stop button at the station",
    "A normally closed button between GPIO26 and ground at the station's Pi.",
    "pi",
    (
        WiredPart(
            "Button, normally closed",
            (PinWire("contact NC", 37), _ground(39, "contact NC")),
            ("Closed at rest: a broken", "wire stops as well.", "No supply, no resistor."),
        ),
    ),
)
START_LIGHTS = Wiring(
    "start-lights",
    "Five start lights",
    "Five LEDs with resistors between GPIO5, 6, 13, 19 and 16 and ground.",
    "pi",
    (
        WiredPart(
            "LEDs, with 330 ohm each",
            (
                PinWire("light 1", 29),
                PinWire("light 2", 31),
                PinWire("light 3", 33),
                PinWire("light 4", 35),
                PinWire("light 5", 36),
                _ground(39, "all minus"),
            ),
            ("Bigger lamps: through a", "driver board; a pin gives", "some 8 mA, no more."),
        ),
    ),
)
PI_CAR = Wiring(
    "pi-car",
    "The Pi car",
    "A PCA9685 servo board at 3.3 V, SDA, SCL and ground of the car's Pi; a stop button at GPIO17 and ground.",
    "pi",
    (
        WiredPart(
            "PCA9685 servo board",
            (
                PinWire("VCC", 1, "power"),
                PinWire("SDA", 3),
                PinWire("SCL", 5),
                _ground(6, "GND"),
            ),
            (
                "channel 0: speed controller",
                "channel 1: steering servo",
                "2, 3, 4: tail light R, G, B",
                "V+: 5 to 6 V from the UBEC,",
                "never from the Pi.",
            ),
        ),
        WiredPart(
            "Button, normally closed",
            (_ground(9, "contact NC"), PinWire("contact NC", 11)),
            ("Closed at rest: a broken", "wire stops as well."),
        ),
        WiredPart(
            "Power",
            (),
            (
                "Battery: to the speed",
                "controller and to a UBEC",
                "(5 V, 3 A) for the Pi.",
                "Is the red wire of the speed",
                "controller a second source?",
                "Then take it out of its plug.",
            ),
        ),
    ),
)

WIRINGS = (BEAM, STRIPS, PICO, STATION_BUTTON, START_LIGHTS, PI_CAR)


def wire_table(wiring: Wiring) -> str:
    """The wires as a table of Markdown, for docs/wiring.md."""
    rows = [
        f"| {part.name} | {wire.terminal} | {wire.pin} | {wiring.header[wire.pin]} |"
        for part in wiring.parts
        for wire in part.wires
    ]
    return "\n".join(("| part | terminal | pin | name |", "|---|---|---|---|", *rows))
