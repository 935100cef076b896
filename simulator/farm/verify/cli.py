"""`raceday verify ID --server URL`: downloads a result with its conditions, model and trace, and drives it again.

A file instead of an id is verified without a leaderboard (simulator/virtual_races/cli.py).
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from shared.errors import BadInput
from shared.text import text
from shared.web.keyed_calls import KeyedCalls
from simulator.farm.canary import canary_sha256
from simulator.farm.engine_process import ProcessEngine
from simulator.farm.verify.served import OTHERWISE, ServedResult
from simulator.virtual_races.cli import model_path, say_verified, verify_main
from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport, evaluate_isolated
from simulator.virtual_races.result_file import file_sha256, verify

SAME, CANNOT_TELL = 0, 3  # exit codes; 2 is a sentence about what is missing
MAX_MODEL_BYTES = 1 << 30


def main(arguments: list[str]) -> int:
    """The command; exit code 0: the same, 1: otherwise, 3: this machine cannot tell. Raises RacedayError."""
    parser = argparse.ArgumentParser(
        prog="raceday verify", description="Drive a result again, and compare what was driven frame by frame."
    )
    parser.add_argument("result", metavar="ID|URL|RESULT.json", help="a submission of yours, or a result's file")
    parser.add_argument("--server", default="http://127.0.0.1:8090", metavar="URL", help="the leaderboard of the id")
    parser.add_argument("--key", default="", help="a key of yours with the scope submissions:write; or in RACEDAY_KEY")
    parser.add_argument("--model", help="the model: an archive, a folder or 'demo'; of an id: default the one sent in")
    parser.add_argument("--opponent", metavar="MODEL", help="the one that drove against it, if one did")
    chosen = parser.parse_args(arguments)
    if chosen.result.endswith(".json") or Path(chosen.result).is_file():
        if chosen.model is None:
            parser.error("give the model of the file's result by --model")
        more = [] if chosen.opponent is None else ["--opponent", chosen.opponent]
        return verify_main([chosen.result, "--model", chosen.model, *more])
    server, name = _named(chosen.result, chosen.server)
    key = chosen.key or os.environ.get("RACEDAY_KEY", "")
    if not key.startswith("rk_") or not key.isascii() or not key.isprintable():
        raise BadInput(
            text(
                "Give a key of yours with the scope submissions:write, by --key or in RACEDAY_KEY: "
                "it is made on {server}/account/keys.",
                server=server,
            )
        )
    model, opponent = (None if each is None else model_path(each) for each in (chosen.model, chosen.opponent))
    return verify_served(ServedResult(KeyedCalls(server, key), name), model, opponent=opponent)


def _own_canary() -> str:
    engine = ProcessEngine(1)
    try:
        return canary_sha256(engine)
    finally:
        engine.close()


def verify_served(
    served: ServedResult,
    model: Path | None,
    evaluate: Callable[[EvaluationJob], EvaluationReport] = evaluate_isolated,
    own_canary: Callable[[], str] = _own_canary,
    opponent: Path | None = None,
) -> int:
    """Compare the result with what is driven here, and say what comes of it; the exit code. Raises RacedayError."""
    result = served.result()
    served.check_seeds(result)
    served.check_trace(result)
    with tempfile.TemporaryDirectory(prefix="raceday-verify-") as folder:
        path = Path(folder) / "model" if model is None else model
        if model is None:
            path.write_bytes(served.document("/model", MAX_MODEL_BYTES))
            if file_sha256(path) != result.model_sha256:
                print(text("Of the archive the leaderboard keeps only what drives: that is driven."))
        by_hash = model is not None and path.is_file()
        if say_verified(verify(result, path, evaluate, opponent, by_hash=by_hash)):
            return SAME
    ours = own_canary()
    if result.node_class and not ours.startswith(result.node_class):
        print(
            text(
                "This machine is of another class ({ours}) than the one that drove it ({theirs}): "
                "the same may be driven otherwise here, and nobody is wrong. "
                "Verify on a machine of that class: the same kind of processor, and the releases of the lock file.",
                ours=ours[: len(result.node_class)],
                theirs=result.node_class,
            )
        )
        return CANNOT_TELL
    print(text("The result was driven otherwise than this model drives: show this to the race's organiser."))
    return OTHERWISE


def _named(written: str, server: str) -> tuple[str, str]:
    """The server and the submission that an id, a result's id or an address names. Raises BadInput."""
    name = written
    if written.startswith(("http://", "https://")):
        parts = urlsplit(written)
        server = f"{parts.scheme}://{parts.netloc}"
        segments = parts.path.strip("/").split("/")
        name = segments[segments.index("submissions") + 1] if "submissions" in segments[:-1] else ""
    name = name.removeprefix("submission-")
    if not name.isascii() or not name.isalnum():
        raise BadInput(
            text(
                "{written} names no submission: give its id as your page of submissions has it, its address, "
                "or the file of a result.",
                written=repr(written[:80]),
            )
        )
    return server, name
