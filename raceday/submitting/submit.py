"""`raceday submit MODEL --race ID`: the command. It ends once the submission is decided, or with --no-wait at once."""

import argparse
import os
import pathlib
import secrets
import sys
import time
from collections.abc import Callable
from typing import Any

from leaderboard.core.race import check_race_id
from leaderboard.core.submissions.states import IN_WORK, STATE_WORDS
from raceday.submitting.api import LeaderboardApi
from raceday.submitting.packing import opened_archive
from raceday.submitting.sender import ModelSending, Wait
from shared.errors import RetryLater
from shared.text import joined, ntext, text
from shared.units import format_ms

_SERVER = "http://127.0.0.1:8090"
_EVERY_S = 1.0
_GIVE_UP_AFTER = 60  # polls in a row without an answer
_MB = 1_000_000


def main(arguments: list[str], wait: Wait = time.sleep) -> int:
    """The command; returns 0 once it is scored (with --no-wait: submitted), else 1. Raises RacedayError."""
    chosen = _parser().parse_args(arguments)
    api = LeaderboardApi(chosen.server, chosen.key)
    race_id = check_race_id(chosen.race)
    with opened_archive(chosen.model) as archive:
        sending = ModelSending(api, archive, wait, _progress(sys.stdout.isatty()), _warn)
        missing = sending.begin(chosen.name or archive.name)
        if not missing:
            print(text("The leaderboard has this model already: nothing is sent."))
        # Before it is sent: whoever has no attempt left learns it now.
        submission = sending.submit(race_id, chosen.checkpoint, secrets.token_hex(8))
        if missing:
            sending.send()
    page = f"{api.server}/races/{race_id}/submissions"
    print(text("Submitted: {page}", page=page), flush=True)
    return 0 if chosen.no_wait else _watch(api, submission["submission_id"], wait)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="raceday submit",
        description="Sends a model to a leaderboard, submits it to a virtual race, and says what becomes of it.",
        epilog="What was sent once is never sent again: after a break the same command goes on.",
    )
    parser.add_argument(
        "model", type=pathlib.Path, metavar="MODEL", help="an archive, or the folder of a trained model"
    )
    parser.add_argument("--race", required=True, metavar="ID", help="the race, as in the address of its page")
    parser.add_argument(
        "--server",
        default=os.environ.get("RACEDAY_SERVER", _SERVER),
        metavar="URL",
        help=f"the leaderboard (default: RACEDAY_SERVER, or {_SERVER})",
    )
    parser.add_argument(
        "--key",
        default=os.environ.get("RACEDAY_KEY", ""),
        metavar="KEY",
        help="your key with the scope submissions:write (default: RACEDAY_KEY, where other users do not see it)",
    )
    parser.add_argument("--name", default="", help="what you call the model (default: as the file is called)")
    parser.add_argument("--checkpoint", default="", help="which of the archive's (default: the best one is chosen)")
    parser.add_argument("--no-wait", action="store_true", help="end once it is submitted")
    return parser


def _warn(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _progress(terminal: bool) -> Callable[[int, int], None]:
    """Tells how far it is: in one line of a terminal, else a line every tenth."""
    last = [-1]

    def show(done: int, size: int) -> None:
        tenth = done * 10 // size
        if not terminal and tenth == last[0]:
            return
        last[0] = tenth
        line = str(text("Sending: {done:.1f} of {all:.1f} MB", done=done / _MB, all=size / _MB))
        print(f"\r{line}" if terminal else line, end="" if terminal and done < size else "\n", flush=True)

    return show


def _watch(api: LeaderboardApi, submission_id: str, wait: Wait) -> int:
    """Print each state that the submission takes, until it is decided."""
    place: dict[str, Any] | None = None
    printed, chosen, failures = 0, False, 0
    while True:
        try:
            found = api.call("GET", f"/submissions/{submission_id}").document
        except RetryLater as error:
            failures += 1
            if failures >= _GIVE_UP_AFTER:
                raise
            if failures == 1:
                _warn(str(error))
            wait(error.after_s or _EVERY_S)
            continue
        failures = 0
        for step in found["history"][printed:]:
            print(_line(step), flush=True)
        printed = len(found["history"])
        before, place = place, found["place"]
        if place is not None and (before is None or place["before"] != before["before"]):
            print("  ", _place_line(place), flush=True)
        if found["choice"] and not chosen:
            print("\n".join(_choice_lines(found["choice"])), flush=True)
            chosen = True
        state = found["submission"]["state"]
        if state not in IN_WORK:
            print("  ", _left_line(found["left"]), flush=True)
            return 0 if state == "scored" else 1
        wait(_EVERY_S)


def _place_line(place: dict[str, Any]) -> str:
    before = ntext("{n} before it in the queue", "{n} before it in the queue", n=place["before"])
    words = text("Next in the queue") if place["before"] == 0 else before
    if place["expected_at"] is None:
        return words
    return joined((words, text("expected about {when}", when=f"{place['expected_at'][:16]}Z")), " · ")


def _left_line(left: dict[str, Any]) -> str:
    parts = []
    if left["in_all"] is not None:
        parts.append(ntext("{n} submission left in this race", "{n} submissions left in this race", n=left["in_all"]))
    if left["today"] is not None:
        parts.append(ntext("{n} left today", "{n} left today", n=left["today"]))
    return joined(parts, " · ") if parts else text("Any number of submissions is left.")


def _choice_lines(choice: dict[str, Any]) -> list[str]:
    """Which checkpoint is driven, and how each of them drove."""
    lines = [f"   {text('{checkpoint} is driven: {reason}.', **{k: choice[k] for k in ('checkpoint', 'reason')})}"]
    for each in choice["checkpoints"]:
        score = "-" if each["score_ms"] is None else format_ms(each["score_ms"])
        drove = text("{laps} laps, score {score}, put back {n} times", laps=each["laps"], score=score, n=each["resets"])
        lines.append(f"     {each['name']}: {each['refused'] or drove}")
    return lines


def _line(step: dict[str, Any]) -> str:
    words = {str(state): words for state, words in STATE_WORDS.items()}
    return f"{step['at']}  {words.get(step['state'], step['state'])}: {step['sentence']}"
