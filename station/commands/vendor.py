"""`raceday vendor check URL`: posts to an endpoint as stations do, and says which lines of the contract it keeps."""

import argparse
import json
import pathlib
import secrets
import time
from datetime import datetime

from shared.errors import BadInput, ConfigError
from shared.rules.ranking import RaceRules, rules_from
from shared.units import NS_PER_S
from station.sync.settings import SyncSettings, read_secret
from station.sync.webhook import checked_address, key_of
from station.vendor import report
from station.vendor.check import check, rules_of
from station.vendor.endpoint import Endpoint
from station.vendor.made_results import ResultMaker


def main(arguments: list[str]) -> int:
    """The command; 0 if the endpoint keeps the contract, 1 if not. Raises RacedayError for what a person must fix."""
    chosen = _parser().parse_args(arguments)
    address = checked_address(chosen.url, allow_plain_http=chosen.allow_plain_http)
    key = key_of(read_secret(SyncSettings(secret_file=str(chosen.key))))
    endpoint = Endpoint(address, key, str(chosen.ca_file or ""))
    rules = rules_of(endpoint, chosen.race, _rules(chosen.rules))
    made = ResultMaker(chosen.race, rules, secrets.token_hex(3), chosen.station, _finished(chosen.finished))
    findings = []
    for finding in check(endpoint, made, chosen.only):
        findings.append(finding)
        if not chosen.json:
            print(report.line(finding), flush=True)
    print(report.as_json(chosen.url, chosen.race, findings) if chosen.json else report.summary(findings))
    return 1 if any(each.outcome == "fail" for each in findings) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="raceday vendor",
        description="Checks an endpoint that stations are to post to, against the contract of docs/vendor.md. It posts "
        "results of made-up racers (Check ...): name a race that is there for tests.",
    )
    parser.add_argument("action", choices=("check",), help="check: post to the endpoint, and say what it keeps")
    parser.add_argument("url", metavar="URL", help="the endpoint, without /api/v1/results: https://board.example")
    parser.add_argument("--key", type=pathlib.Path, required=True, metavar="FILE", help="the file of the secret")
    parser.add_argument("--race", required=True, metavar="RACE", help="a race of the endpoint, open now")
    parser.add_argument("--rules", metavar="JSON", help="its rules, if the endpoint does not show them: '{...}'")
    parser.add_argument("--station", default="vendor-check", metavar="NAME", help="the station that the results name")
    parser.add_argument("--only", default="", metavar="NAME", help="only the probes whose name holds this")
    parser.add_argument("--finished", metavar="TIME", help="when the runs were finished (default: a minute ago)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--ca-file", type=pathlib.Path, metavar="FILE", help="a PEM file of a private CA")
    parser.add_argument("--allow-plain-http", action="store_true", help="check an http:// address of another machine")
    return parser


def _rules(text: str | None) -> RaceRules | None:
    if text is None:
        return None
    try:
        values = json.loads(text)
        if not isinstance(values, dict):
            raise BadInput("--rules is not a JSON object: write it as '{\"consecutive_laps\": 3}'.")
        return rules_from(values)
    except ValueError as error:
        raise BadInput(f"--rules is not JSON: {error}.") from None
    except ConfigError as error:
        raise BadInput(f"--rules: {error}") from None


def _finished(text: str | None) -> int:
    if text is None:
        return time.time_ns() - 60 * NS_PER_S
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"--finished {text!r} is not a time: write it as 2026-11-28T18:00:00Z.") from None
    if at.tzinfo is None:
        raise BadInput(f"--finished {text!r} has no zone: write it as 2026-11-28T18:00:00Z.")
    return round(at.timestamp() * NS_PER_S)
