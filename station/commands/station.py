"""`raceday station --config FILE`: times, officiates, and serves the live page until it is stopped."""

import argparse
import contextlib
import functools
import os
import pathlib
import secrets
import sys
import time

from shared.chosen_config import add_config_option, chosen_config
from shared.config import load
from shared.errors import RacedayError, StorageError
from shared.files import is_locked, write_ready_file
from shared.process.signals import wait_until_set
from shared.process.start_up import without_collecting
from shared.web.server import listen, protected, url_of
from shared.web.tls.trust_page import PATH as TRUST_PATH
from shared.web.tls.web_tls import WebTls, web_tls
from station.access.station_access import StationAccess, open_access
from station.build import build, hold_lock
from station.checklists.register import ChecklistRegister
from station.commands import access
from station.config import StationConfig
from station.exports.activity import Activity
from station.screens.register import ScreenRegister
from station.service.backups.station_backups import StationBackups
from station.service.checklists.checklist_facts import checklist_facts
from station.service.checklists.logged_ticks import log_ticks
from station.service.checklists.watch import ChecklistWatch
from station.service.station import Station
from station.service.threads import StationThreads
from station.store.event_files.tracks import TrackLibrary
from station.store.recovery.restoring import finish, is_committed
from station.sync.live_sender import live_sender
from station.sync.operator.send_requests import add_request
from station.sync.operator.status import LOCK as SYNC_LOCK
from station.sync.operator.status import hold_sync_lock
from station.web.app import create_app
from station.web.server import WebServer

# The timing takes its turn from a thread that draws pages after this long. Python's own 5 ms would hold up each edge
# several times: by hundreds of watchers, ten times as long as its commit takes.
SWITCH_S = 0.0005
SYNC_GIVES_WAY_S = 30.0  # a post under way ends within this time


def main(arguments: list[str]) -> int:
    """The command; returns the exit code. Raises OperatorError for what a person must fix."""
    if arguments[:1] and arguments[0] in access.ACTIONS:
        return access.main(arguments)
    parser = argparse.ArgumentParser(
        prog="raceday station",
        description="Runs the trackside station. `claim-code` and `token` as the first word: access to it.",
    )
    add_config_option(parser, "station.toml")
    parser.add_argument(
        "--ready-file", type=pathlib.Path, metavar="FILE", help="written with the URL once the station serves"
    )
    options = parser.parse_args(arguments)
    if serve(load(chosen_config(options.config, "station.toml"), StationConfig), options.ready_file):
        log("starts again with what was restored")
        # The same process with everything fresh, whoever watches it: systemd, the demo, or a person at a terminal.
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
    return 0


def serve(config: StationConfig, ready_file: pathlib.Path | None) -> bool:
    """Runs the station until SIGTERM or Ctrl-C. Raises RacedayError if a bug stopped it.

    Returns True once a restored backup waits for the next start. Whatever was opened is closed in reverse order, also
    if the start fails half way.
    """
    with contextlib.ExitStack() as ends:
        with without_collecting():
            runner, backups = _started(config, ready_file, ends)
        wait_until_set(runner.over)
    if runner.failed:
        raise RacedayError(f"the station stopped itself; start it again, the journal is intact.\n{runner.failed}")
    return backups.restarting


def finish_restore(data_dir: pathlib.Path, wait_s: float = SYNC_GIVES_WAY_S) -> None:
    """Finishes a restore that was committed before this start, once sync has closed its files. Raises OperatorError."""
    if not is_committed(data_dir):
        return
    until_s = time.monotonic() + wait_s
    while is_locked(data_dir / SYNC_LOCK) and time.monotonic() < until_s:
        time.sleep(0.05)
    lock = hold_sync_lock(data_dir)
    try:
        done = finish(data_dir)
    finally:
        os.close(lock)
    if done is not None:
        log(f"restored {done.backup}: {done.records} records, head {done.head}; before it: {', '.join(done.aside)}")


def _started(
    config: StationConfig, ready_file: pathlib.Path | None, ends: contextlib.ExitStack
) -> tuple[StationThreads, StationBackups]:
    """Starts the station and its pages; `ends` closes what was opened."""
    tls = web_tls(config.web.tls_certificate, config.web.tls_key, "web")
    listening = ends.enter_context(listen(config.web.host, config.web.port, "web"))
    ends.callback(os.close, hold_lock(config.data_dir))
    finish_restore(config.data_dir)
    activity = Activity()
    observe = activity.observe if config.metrics.enabled else None
    runner = StationThreads(build(config, log=log, observe=observe))
    backups = StationBackups(config.data_dir, runner.over.set)
    backups.remove_left_over()
    ends.callback(lambda: backups.commit_if_wanted(bool(runner.station.snapshot().runs)))
    ends.callback(runner.stop)
    ends.callback(backups.close)
    send = functools.partial(add_request, config.data_dir) if config.sync.leaderboard_url else None
    opened = open_access(config.data_dir, config.access.limits)
    ends.callback(opened.close)
    checklists = ChecklistRegister(config.data_dir, log)
    _log_ticks(opened, checklists)
    watch = ChecklistWatch(runner.station, checklists, checklist_facts(opened.people, backups, config.mqtt), log)
    ends.callback(watch.close)
    app = create_app(
        runner.station,
        opened,
        config.web.allowed_hosts,
        send,
        lambda: opened.state.settings.get("language") or config.web.language,
        TrackLibrary(config.data_dir),
        ScreenRegister(config.data_dir, log),
        backups,
        checklists,
        refusals=runner.station.refusals,
        tls=tls,
        sign_in_over_http=config.web.sign_in_over_http,
    )
    web = WebServer(app, listening, app.state.live.close, app.state.is_official, tls)
    ends.callback(web.close)
    if config.metrics.enabled:
        _offer_metrics(config, runner.station, activity, web, ends)
    sys.setswitchinterval(SWITCH_S)
    runner.start()
    web.start()
    watch.start()
    telling = live_sender(config.sync, runner.station, secrets.token_hex(8), log)
    if telling is not None:
        ends.callback(telling.close)
        telling.start()
    _announce(runner.station, url_of(listening), ready_file, _claim_code(opened))
    _announce_protection(tls, url_of(listening))
    return runner, backups


def _offer_metrics(
    config: StationConfig, station: Station, activity: Activity, web: WebServer, ends: contextlib.ExitStack
) -> None:
    """Begins to answer Prometheus. Raises ConfigError."""
    from shared.metrics.server import metrics_server  # noqa: PLC0415 (their library is loaded only where it is wanted)
    from station.exports.metrics import gather  # noqa: PLC0415

    journal = station.journal_path
    figures = gather(
        station.snapshot, activity, journal, lambda: station.inputs_waiting, station.link_state, station.refusals,
        lambda: web.open_connections,
    )  # fmt: skip
    server = metrics_server(config.metrics, figures, "This station", station.refusals)
    ends.callback(server.close)
    server.start()
    log(f"figures for Prometheus at http://{config.metrics.host}:{server.port}/metrics")


def _log_ticks(opened: StationAccess, checklists: ChecklistRegister) -> None:
    """Puts into the audit who ticked what a restored backup brought, before anybody can tick the same line here.

    A disk that refuses it keeps no station from timing: the next start does it.
    """
    try:
        log_ticks(opened.state, checklists.view.ticks)
    except StorageError as error:
        log(str(error))


def _announce(station: Station, address: str, ready_file: pathlib.Path | None, claim_code: str) -> None:
    if station.notice:
        log(station.notice)
    # The file comes first: whoever reads the printed line may open the file at once.
    if ready_file is not None:
        write_ready_file(ready_file, address)
    print(f"listening on {address}", flush=True)
    if claim_code:
        log(f"nobody has claimed this station yet: open {address}/claim and enter the claim code {claim_code}")
    if (drem := station.drem) is not None:
        print(f"timing an event manager at {drem.url}" if drem.port else f"event manager: {drem.sentence}", flush=True)
    print(f"race control: {address}/operate", flush=True)


def _announce_protection(tls: WebTls | None, address: str) -> None:
    if tls is not None:
        print(f"protected pages: {protected(address)} (phones: {address}{TRUST_PATH})", flush=True)
        if trouble := tls.trouble(time.time_ns()):
            log(trouble)


def _claim_code(opened: StationAccess) -> str:
    """The code while it may be used, "" else; a disk that refuses it keeps no station from timing."""
    try:
        return opened.claim_code_to_show()
    except StorageError as error:
        log(str(error))
        return ""


def log(sentence: str) -> None:
    """Writes a sentence to the error output, which is the service's log (`journalctl`) or the terminal."""
    print(f"station: {sentence}", file=sys.stderr, flush=True)
