"""`raceday demo`: a whole race on this machine. Starts every process, lets the racers race, shows and summarises it."""

import contextlib
import pathlib
import shutil
import tempfile
import time
import webbrowser
from collections.abc import Iterator

import requests
from rich.console import Console

from leaderboard import credentials
from leaderboard.config import SecretFiles
from raceday.broker import free_port, is_port_in_use
from raceday.demo import summary
from raceday.demo.config_files import DemoLayout, Ports
from raceday.demo.plan import DemoPlan, read_plan
from raceday.demo.race_crew import RaceCrew
from raceday.demo.sandbox import Sandbox
from raceday.demo.station_client import StationClient
from raceday.demo.supervisor import Supervisor
from raceday.demo.terminal import Terminal
from raceday.league_demo import command as league_command
from shared.errors import ConfigError, OperatorError
from shared.tracks.shipped import shipped_name
from simulator.driving.policy import DEMO, find_model
from station.views.views import View
from vehicle.models.running.check import CheckedModel, check_model

SYNC_S = 60.0
SANDBOX_STEP_S = 0.2
INFRASTRUCTURE = ("broker", "leaderboard", "world", "station", "sync")


def main(arguments: list[str]) -> int:
    """Run the demo; returns exit code 0 if the race was run, and with --once only if every racer qualified.

    `--league`: serve a whole league instead (league_demo/command.py).
    """
    if league_command.FLAG in arguments:
        return league_command.main(arguments)
    plan = read_plan(arguments, find_model(DEMO).parent)
    model = check_model(plan.model)
    if plan.port and is_port_in_use(plan.port):
        raise OperatorError(f"port {plan.port} is in use: stop what listens there, or choose another --port.")
    console = Console(stderr=False, highlight=False)
    with _folder(plan) as folder, Terminal(console) as terminal:
        layout = DemoLayout(plan, folder, _ports(plan))
        credentials.create(SecretFiles((str(layout.webhook_secret),), str(layout.admin_token)))
        layout.write()
        layout.crew_tokens()
        supervisor = Supervisor(
            folder, lambda name, code: terminal.log(f"{name} ended ({code}); it was started again.")
        )
        try:
            _start_infrastructure(plan, layout, supervisor, terminal)
            if plan.stay:
                _stay_open(plan, layout, supervisor, terminal)
                return 0
            document = _run(plan, layout, supervisor, terminal, model)
            _print_result(document, terminal)
            if not plan.once:
                _stay_open(plan, layout, supervisor, terminal)
        finally:
            supervisor.close()
    return 0 if summary.all_qualified(document) or not plan.once else 1


def _start_infrastructure(plan: DemoPlan, layout: DemoLayout, supervisor: Supervisor, terminal: Terminal) -> None:
    """Starts everything but the cars, and shows the pages."""
    steps = _steps(plan)
    for done, name in enumerate(INFRASTRUCTURE):
        terminal.step(f"starting the {name}", done, steps)
        supervisor.start(layout.process(name))
        if name == "leaderboard":
            _open_race(plan, layout)
    terminal.show_urls([("station", layout.station_url), ("board", f"{layout.leaderboard_url}/races/{plan.race_id}")])
    if not (plan.headless or plan.stay):
        webbrowser.open(layout.station_url)


def _steps(plan: DemoPlan) -> int:
    return len(INFRASTRUCTURE) + (1 if plan.stay else 2) * len(plan.racers) + 2


def _run(
    plan: DemoPlan, layout: DemoLayout, supervisor: Supervisor, terminal: Terminal, model: CheckedModel
) -> dict[str, object]:
    """Lets each racer race, one after the other; returns the summary."""
    steps = _steps(plan)
    race_crew = RaceCrew(str(layout.world), layout.station_url, layout.crew_tokens(), terminal.log, terminal.update)
    try:
        _race_all(plan, layout, supervisor, terminal, race_crew, model)
        terminal.step("waiting for the leaderboard's answer", steps - 1, steps)
        race_crew.wait_for(_all_answered, SYNC_S, "the leaderboard did not answer in time; see sync.log.")
        terminal.step("done", steps, steps)
        return summary.write(plan, layout, race_crew.truths, supervisor.restarts())
    finally:
        race_crew.close()


def _race_all(
    plan: DemoPlan,
    layout: DemoLayout,
    supervisor: Supervisor,
    terminal: Terminal,
    race_crew: RaceCrew,
    model: CheckedModel,
) -> None:
    begun, steps = len(INFRASTRUCTURE), _steps(plan)
    for n, racer in enumerate(plan.racers):
        terminal.step(f"{racer.name} brings {racer.car} to the track", begun + 2 * n, steps)
        race_crew.place(racer)
        supervisor.start(layout.process(racer.car))
        race_crew.wait_online(racer)
        terminal.step(f"{racer.name} races", begun + 2 * n + 1, steps)
        run = race_crew.race(racer, model.name, model.sha256)
        score = "no score" if run.score_ms is None else f"{run.score_ms / 1000:.3f} s"
        terminal.log(f"{racer.name} finished: {run.finished_reason}; score {score}.")
        supervisor.stop(racer.car)


def _all_answered(view: View) -> bool:
    return view.sync.pending == 0 and view.sync.posted + view.sync.rejected >= view.sync.due


def _open_race(plan: DemoPlan, layout: DemoLayout) -> None:
    """Creates race and entries as an organiser would: through the leaderboard's API, with the admin token."""
    rules = {name: getattr(plan.rules, name) for name in plan.rules.__dataclass_fields__}
    own_track = shipped_name(plan.track.name) is None
    body = {
        "race_id": plan.race_id,
        "name": f"Demo race on {plan.track.name}",
        "track": plan.track.name,
        "kind": "community",
        # A race of the virtual circuit alone is on a track that farms have.
        "venue": "any" if own_track else "virtual",
        "one_table": own_track,
        "rules": {name: value for name, value in rules.items() if value is not None},
    }
    headers = {"Authorization": f"Bearer {layout.admin_token.read_text().strip()}"}
    races = f"{layout.leaderboard_url}/api/v1/races"
    calls = [(races, body)]
    calls += [(f"{races}/{plan.race_id}/entries", {"racer": racer.name}) for racer in plan.racers]
    for url, content in calls:
        answer = requests.post(url, json=content, headers=headers, timeout=10)
        if answer.status_code not in (200, 201):
            raise OperatorError(f"the leaderboard refused to open the race: {answer.text[:200]}")


def _ports(plan: DemoPlan) -> Ports:
    return Ports(plan.port or free_port(), free_port(), free_port())


@contextlib.contextmanager
def _folder(plan: DemoPlan) -> Iterator[pathlib.Path]:
    """The run folder: --folder, or a temporary one. Its path is short, since the paths of Unix sockets are limited."""
    if plan.folder is None:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="raceday-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        plan.folder.mkdir(parents=True, exist_ok=True)
        if any(plan.folder.iterdir()):
            raise ConfigError(f"--folder {plan.folder}: is not empty; a demo begins in an empty folder.")
    except OSError as error:
        raise ConfigError(f"--folder {plan.folder}: cannot be used ({error.strerror}).") from None
    yield plan.folder


def _print_result(document: dict[str, object], terminal: Terminal) -> None:
    standing = document["standing"]
    assert isinstance(standing, list)
    for row in standing:
        terminal.log(f"{row['rank']}. {row['racer']}  {row['score']}")
    terminal.log(f"journal head {document['journal_head']}")


def _stay_open(plan: DemoPlan, layout: DemoLayout, supervisor: Supervisor, terminal: Terminal) -> None:
    """Leaves the cars waiting until Ctrl-C: whoever opens a run in the browser races them."""
    steps = _steps(plan)
    for n, racer in enumerate(plan.racers):
        terminal.step(f"starting {racer.car}", len(INFRASTRUCTURE) + n, steps)
        supervisor.start(layout.process(racer.car))
    cars = [racer.car for racer in plan.racers]
    terminal.step("ready", steps, steps)
    code = layout.claim_code()
    door = f"{layout.station_url}/claim#{code}" if code else f"{layout.station_url}/operate"
    if code:
        terminal.log(f"Claim the station at {door} with a name and a passphrase of your own.")
    terminal.log(
        f"Then race {', '.join(cars)} at {layout.station_url}/operate: Call next, Open the run, Start. Ctrl-C ends it."
    )
    client = StationClient(layout.station_url, layout.crew_tokens()[0])
    sandbox = Sandbox(str(layout.world), client, cars, terminal.log, terminal.update)
    try:
        sandbox.enter(plan.racers)
        if plan.stay and not plan.headless:
            webbrowser.open(door)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                sandbox.step()
                time.sleep(SANDBOX_STEP_S)
    finally:
        sandbox.close()
