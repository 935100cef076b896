"""`raceday model check PATH`: would the car run this model?"""

import argparse
import pathlib
from typing import Any

from vehicle.models.trial import try_model


def add_commands(subparsers: Any) -> None:
    """Mount `check` on an argparse subparsers object; the chosen command is `arguments.run(arguments)`."""
    check = subparsers.add_parser("check", help="would the car run this model?", description=__doc__)
    check.add_argument("model", nargs="+", type=pathlib.Path, help="a model's folder or its .onnx file")
    check.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> int:
    for path in arguments.model:
        print(try_model(path))
    return 0
