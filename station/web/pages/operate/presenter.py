"""The live content of race control, and what its script needs to know of cars and runs."""

from typing import Any

from station.views.views import View
from station.web.page import PageContent
from station.web.presenters.page import next_command, next_command_of_run, page_model


def control_data(view: View) -> dict[str, Any]:
    """The command that comes next, the cars with their modes, and the runs that a command may be for."""
    return {
        "next": next_command(view),
        "car": view.run.car if view.run is not None else "",
        "cars": [car.name for car in view.cars],
        "modes": {car.name: car.mode if car.online else "silent" for car in view.cars},
        "mode": view.mode,
        "runs": [
            {"run_id": run.run_id, "racer": run.racer, "car": run.car, "next": next_command_of_run(view, run)}
            for run in view.runs
        ],
    }


PARTS = ("run", "clock_label", "incidents", "tiles", "window", "decisions")
LISTS = {"together": "car", "laps": "lap", "places": "place", "health": "health"}
CONTROL = PageContent(page_model, (*PARTS, "uncounted", "sending"), LISTS, data=control_data)
