"""Draws a wiring: the header with its pins on the left, the parts on the right, a lane for each wire between. Pure.

Called by tools/draw_pictures.py. The lanes are chosen so that the fewest wires cross.
"""

from dataclasses import dataclass
from itertools import combinations, permutations

from tools.pictures.pins import PinWire, WiredPart, Wiring
from tools.pictures.svg import LINE_PX, WIDTH, box, dot, label, polyline, sheet

TOP_PX = 64
PITCH_PX = 27
RADIUS_PX = 10.5
ODD_X, EVEN_X = 98, 125
LANES_FROM_X, LANES_TO_X = 214, 250
PARTS_X = 262
Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class WireEnds:
    """Where a wire leaves its pin's row, and the height at which it comes to its part."""

    wire: PinWire
    start: Points
    end_y: float


def draw_wiring(wiring: Wiring) -> str:
    """The picture as SVG; its bytes depend on the table alone."""
    header_px = PITCH_PX * (20 if wiring.board == "pi" else len(wiring.header)) + 16
    parts, ends, bottom = _parts(wiring)
    wires = [polyline(points, f"wire {end.wire.kind}") for end, points in zip(ends, _routes(ends), strict=True)]
    body = [*_board(wiring, header_px), *wires, *_pins(wiring), *parts]
    height = max(TOP_PX + header_px + 44, bottom + 12)
    if wiring.board == "pi":
        body.append(label(16, TOP_PX + header_px + 28, "Pin 1 is at the card's end.", "quiet"))
    return sheet(wiring.title, wiring.tells, height, body)


def _place(wiring: Wiring, pin: int) -> tuple[float, float]:
    """The middle of a pin. A Pi's odd pins are on the left; the Pico lies with USB down: pin 1 is the lowest."""
    if wiring.board == "pi":
        return (ODD_X if pin % 2 else EVEN_X), TOP_PX + 8 + PITCH_PX * ((pin - 1) // 2 + 0.5)
    return EVEN_X, TOP_PX + 8 + PITCH_PX * (len(wiring.header) - pin + 0.5)


def _start(wiring: Wiring, pin: int) -> Points:
    x, y = _place(wiring, pin)
    if x == EVEN_X:
        return [(x + RADIUS_PX, y)]
    # Between two rows, past the pin on the right.
    edge_px = RADIUS_PX * 0.7
    return [(x + edge_px, y + edge_px), (x + PITCH_PX / 2, y + PITCH_PX / 2)]


def _board(wiring: Wiring, header_px: float) -> list[str]:
    if wiring.board == "pi":
        return [box(ODD_X - 17, TOP_PX, EVEN_X - ODD_X + 34, header_px, "board")]
    usb = box(58, TOP_PX + header_px - 10, 36, 24, "free")
    words = label(16, TOP_PX + header_px + 36, "USB: to the station", "quiet")
    return [box(14, TOP_PX, EVEN_X, header_px, "board"), usb, label(26, TOP_PX + header_px / 2, "Pico", "name"), words]


def _pins(wiring: Wiring) -> list[str]:
    used = {wire.pin: wire for wire in wiring.wires()}
    drawn = []
    for pin, name in wiring.header.items():
        x, y = _place(wiring, pin)
        drawn += [dot(x, y, RADIUS_PX, f"dot {used[pin].kind}" if pin in used else "free")]
        drawn += [label(x, y + 4, str(pin), "pin" if pin in used else "pin quiet")]
        # On the right of a Pi's header wires of the left pins run between the rows: names are at the parts there.
        if pin in used and x == ODD_X:
            drawn.append(label(76, y + 5, name, "right name"))
        elif pin in used and wiring.board == "pico":
            drawn.append(label(146, y - 4, name, "name"))
    return drawn


def _parts(wiring: Wiring) -> tuple[list[str], list[WireEnds], float]:
    """The boxes of the parts, the ends of their wires, and where the lowest box ends; a box is beside its pins."""
    drawn: list[str] = []
    ends: list[WireEnds] = []
    bottom = TOP_PX - 14.0
    for part in wiring.parts:
        height = _part_px(part)
        rows = [_place(wiring, wire.pin)[1] for wire in part.wires]
        middle = sum(rows) / len(rows) - 8 - LINE_PX * (len(rows) + 1) / 2 if rows else 0
        top = max(bottom + 14, middle)
        drawn += [
            box(PARTS_X, top, WIDTH - PARTS_X - 10, height, "part"),
            label(PARTS_X + 12, top + 25, part.name, "name"),
        ]
        for number, wire in enumerate(part.wires):
            y = top + 25 + LINE_PX * (number + 1)
            goes_to = f"pin {wire.pin}, {wiring.header[wire.pin]}"
            drawn += [label(PARTS_X + 12, y, wire.terminal), label(WIDTH - 20, y, goes_to, "right quiet")]
            ends.append(WireEnds(wire, _start(wiring, wire.pin), y - 5))
        for number, note in enumerate(part.notes):
            y = top + 25 + LINE_PX * (len(part.wires) + 1 + number)
            drawn.append(label(PARTS_X + 12, y, note, "quiet"))
        bottom = top + height
    return drawn, ends, bottom


def _part_px(part: WiredPart) -> float:
    return 36 + LINE_PX * (len(part.wires) + len(part.notes))


def _routes(ends: list[WireEnds]) -> list[Points]:
    """The way of each wire. Of all orders of the lanes the first with the fewest crossings."""
    step = (LANES_TO_X - LANES_FROM_X) / max(1, len(ends) - 1)
    lanes = [LANES_FROM_X + step * number for number in range(len(ends))]

    def routed(order: tuple[float, ...]) -> list[Points]:
        return [_route(end, lane) for end, lane in zip(ends, order, strict=True)]

    return min(map(routed, permutations(lanes)), key=_crossings)


def _route(end: WireEnds, lane_x: float) -> Points:
    return [*end.start, (lane_x, end.start[-1][1]), (lane_x, end.end_y), (PARTS_X, end.end_y)]


def _crossings(routes: list[Points]) -> int:
    """How often the lane of one wire meets a level stretch of another."""
    count = 0
    for one, other in combinations(routes, 2):
        for down, across in ((one, other), (other, one)):
            (x, from_y), (_, to_y) = down[-3], down[-2]
            low, high = sorted((from_y, to_y))
            for (left, y), (right, _) in ((across[-4], across[-3]), (across[-2], across[-1])):
                count += left <= x <= right and low <= y <= high
    return count
