"""How long the published tracks are, and so the shortest lap that a car can drive on them.

Lengths are those of the centre lines of the routes in deepracer-simapp (`bundle/routes`), summed point by point, in
metres. The station's config and the leaderboard's admin call use them when `min_lap_s` is not set.
"""

import math

FASTEST_MPS = 4.0  # the speed limit of the car in the league's simulator; no real car has come near it over a lap

# By the names of their files, and by the names of the printed tracks.
LENGTHS_M: dict[str, float] = {
    "2022_april_open": 50.30,
    "2022_july_open": 40.20,
    "2022_may_pro": 63.86,
    "2022_summit_speedway": 25.17,
    "AWS_track": 69.25,
    "Albert": 51.39,
    "Bowtie_track": 17.43,
    "Canada_Training": 21.74,
    "China_track": 22.92,
    "July_2020": 59.91,
    "Mexico_track": 20.51,
    "Monaco": 60.27,
    "New_York_Track": 21.88,
    "Oval_track": 19.55,
    "Spain_track": 60.00,
    "Tokyo_Training_track": 22.63,
    "Vegas_track": 22.55,
    "arctic_open": 42.22,
    "dubai_open": 40.66,
    "morgan_open": 45.04,
    "penbay_open": 68.68,
    "reInvent2019_track": 23.12,
    "reInvent2019_wide": 16.64,
    "reinvent_base": 17.71,
    "re:Invent 2018": 17.71,
    "A to Z Speedway": 16.64,
    "Championship Cup 2019": 23.12,
}


def _plain(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())


_BY_NAME = {_plain(name): length_m for name, length_m in LENGTHS_M.items()}


def track_length_m(name: str) -> float | None:
    """The length of a published track, however its name is written; None: it is not known."""
    return _BY_NAME.get(_plain(name))


def shortest_lap_s(track: str, length_m: float | None = None) -> float | None:
    """The shortest possible lap, rounded down to tenths of a second; None if the length of the track is unknown.

    `length_m`: of a track that was measured; else that of the published track of this name.
    """
    known_m = length_m if length_m is not None else track_length_m(track)
    return None if known_m is None else max(0.1, math.floor(known_m / FASTEST_MPS * 10) / 10)
