"""Every fuzz target, by name. A parser of what comes from outside has its line in one of these files."""

from bench.fuzz.target import TargetTable
from bench.fuzz.targets.board_files import BOARD_FILES
from bench.fuzz.targets.board_requests import BOARD_REQUESTS
from bench.fuzz.targets.car_side import CAR_SIDE
from bench.fuzz.targets.devices import DEVICES
from bench.fuzz.targets.machine_files import MACHINE_FILES
from bench.fuzz.targets.messages import MESSAGES
from bench.fuzz.targets.models import MODELS
from bench.fuzz.targets.station_side import STATION_SIDE

TARGETS: TargetTable = {
    **MESSAGES,
    **DEVICES,
    **STATION_SIDE,
    **CAR_SIDE,
    **MODELS,
    **BOARD_FILES,
    **BOARD_REQUESTS,
    **MACHINE_FILES,
}
