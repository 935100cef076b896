"""`raceday station claim-code` and `raceday station token`: access for whoever is at the station's machine itself.

Both write the same files as a running station, which notices it within a second.
"""

import argparse

from shared.chosen_config import add_config_option, chosen_config
from shared.config import load
from station.access.roles import Role, role_of_word
from station.access.station_access import StationAccess, open_access, script_token
from station.config import StationConfig

ACTIONS = ("claim-code", "token")
MACHINE = "the command line"


def main(arguments: list[str]) -> int:
    """The command; returns the exit code. Raises RacedayError for what a person must fix."""
    options = _parser().parse_args(arguments)
    config = load(chosen_config(options.config, "station.toml"), StationConfig)
    if options.action == "token":
        print(script_token(config.data_dir, MACHINE, options.name, role_of_word(options.role)))
        return 0
    return _claim_code(open_access(config.data_dir, config.access.limits), reset=options.reset)


def _claim_code(access: StationAccess, *, reset: bool) -> int:
    try:
        code = access.renew_claim_code(MACHINE) if reset else access.claim_code_to_show()
    finally:
        access.close()
    if not code:
        print("This station is claimed. `raceday station claim-code --reset` makes a code for a new admin.")
        return 1
    print(code)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="raceday station", description="Access to the station from the machine that it runs on."
    )
    actions = parser.add_subparsers(dest="action", required=True)
    claim = actions.add_parser("claim-code", help="print the code with which an admin claims the station")
    claim.add_argument("--reset", action="store_true", help="make a new one, for an admin who lost his PIN")
    token = actions.add_parser("token", help="print a new token for a script: Authorization: Bearer TOKEN")
    token.add_argument("--role", default=Role.OPERATOR.word, help="what the script may do: referee, operator, admin")
    token.add_argument("--name", required=True, help="under which name it acts; revoke it by this name at /people")
    for each in (claim, token):
        add_config_option(each, "station.toml")
    return parser
