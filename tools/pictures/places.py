"""Draws the gate with its boards from above, and the network of an event. Pure; called by tools/draw_pictures.py.

The places of the boards, the station's address and the channel are those that the program itself begins with.
"""

from raceday.install.machine_files.access_point import ADDRESS, CHANNEL
from tools.pictures.svg import LINE_PX, WIDTH, box, dot, label, polyline, sheet
from vehicle.lapwatch.markers import STOCK_BOARDS

LINE_X = 132
METRE_PX = 200
ROAD_TOP_PX, ROAD_PX = 190, 156  # of the road, 0.6 m wide


def draw_hall() -> str:
    """Gate, boards, station and access point, with the distances along the road to scale."""
    bottom = ROAD_TOP_PX + ROAD_PX
    middle = ROAD_TOP_PX + ROAD_PX / 2
    body = [
        box(6, ROAD_TOP_PX, WIDTH - 12, ROAD_PX, "road"),
        polyline([(LINE_X, ROAD_TOP_PX), (LINE_X, bottom)], "line"),
        polyline([(LINE_X, ROAD_TOP_PX - 34), (LINE_X, bottom + 34)], "air"),
        dot(LINE_X, ROAD_TOP_PX - 42, 9, "dot signal"),
        dot(LINE_X, bottom + 42, 9, "dot signal"),
        label(LINE_X - 16, ROAD_TOP_PX - 37, "light barrier", "right"),
        label(LINE_X - 16, bottom + 47, "its other half", "right"),
        label(20, middle - 4, "cars come"),
        polyline([(20, middle + 14), (112, middle + 14)], "wire ground"),
        polyline([(98, middle + 6), (112, middle + 14), (98, middle + 22)], "wire ground"),
        label(LINE_X + 12, middle + 24, "start and finish line"),
        label(LINE_X + 12, middle - 12, "road, 0.6 m or wider"),
        *_boards(ROAD_TOP_PX, bottom),
        box(16, bottom + 130, 236, 100, "part"),
        *_lines(28, bottom + 155, ("Station", "at the line, wire to the", "barrier under 3 m,", "a table of its own")),
        box(268, bottom + 130, 236, 100, "part"),
        *_lines(
            280,
            bottom + 155,
            ("Access point", "2 m high, all of the road", "in sight, none of the", "hall's Wi-Fi on its channel"),
        ),
        label(16, bottom + 258, "People stay 1 m off the line: a shoe is a crossing too.", "quiet"),
    ]
    tells = (
        "From above: the road, the barrier across its line, the boards behind the line on both sides, facing the cars."
    )
    return sheet("The gate from above", tells, bottom + 276, body)


def _boards(top: float, bottom: float) -> list[str]:
    """Each kind of board on both sides of the road, with its number, its side and its distance from the line."""
    drawn = []
    for row, board in enumerate(STOCK_BOARDS):
        x, side = LINE_X + board.after_line_m * METRE_PX, board.size_m * METRE_PX
        ends = (top - 12 - side, bottom + 12)
        drawn += [polyline([(x, y), (x, y + side)], "line") for y in ends]
        words = f"board {board.id}, {board.size_m * 100:g} cm"
        drawn += [label(x + 10, ends[0] + side / 2 - 6, words), label(x + 10, ends[1] + side / 2 + 10, words)]
        y = bottom + 96 + row * 22
        drawn.append(polyline([(LINE_X, y), (x, y)], "wire ground"))
        drawn.append(label(x + 10, y + 5, f"{board.after_line_m:g} m behind the line"))
    return drawn


def _lines(x: float, y: float, lines: tuple[str, ...]) -> list[str]:
    return [label(x, y + LINE_PX * number, words, "" if number else "name") for number, words in enumerate(lines)]


def draw_network() -> str:
    """Who speaks with whom, over what, at which port."""
    middle = 260
    body = [
        box(16, 60, 488, 116, "part"),
        label(28, 85, "Cars 1 to 20, stock cars by their bridge", "name"),
        *[dot(42 + 48 * (car % 10), 112 + 36 * (car // 10), 13, "dot signal") for car in range(20)],
        *[label(42 + 48 * (car % 10), 116 + 36 * (car // 10), str(car + 1), "pin") for car in range(20)],
        polyline([(middle, 176), (middle, 238)], "air"),
        label(middle - 14, 202, f"Wi-Fi, 5 GHz, channel {CHANNEL}", "right"),
        label(middle - 14, 225, "for the cars alone", "right"),
        label(middle + 14, 202, "MQTT with TLS"),
        label(middle + 14, 225, "port 8883"),
        box(96, 238, 328, 82, "part"),
        *_lines(108, 263, ("Access point", "up to 7 cars: the Pi itself;", "more: a device of its own, by Ethernet")),
        polyline([(middle, 320), (middle, 350)], "wire signal"),
        box(96, 350, 328, 102, "board"),
        label(108, 375, "Station", "name"),
        label(108, 396, f"{ADDRESS} if it is the access point"),
        label(108, 417, "broker, pages, journal"),
        label(108, 438, "the gate by wire"),
        polyline([(middle - 80, 452), (middle - 80, 520)], "wire signal"),
        polyline([(middle + 80, 452), (middle + 80, 520)], "wire signal"),
        label(middle - 92, 480, "Ethernet", "right"),
        label(middle - 92, 503, "port 8080", "right"),
        label(middle + 92, 480, "the hall's internet"),
        label(middle + 92, 503, "HTTPS, port 443"),
        box(16, 520, 236, 80, "part"),
        *_lines(28, 545, ("Screens, officials", "by a switch; phones by a", "second Wi-Fi, 2.4 GHz")),
        box(268, 520, 236, 80, "part"),
        *_lines(280, 545, ("Leaderboard", "if the internet is gone,", "results wait at the station")),
    ]
    tells = "Twenty cars by a 5 GHz Wi-Fi of their own to the station; screens by wire; the leaderboard by internet."
    return sheet("The network of an event", tells, 616, body)
