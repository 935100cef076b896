"""config/farm-cluster.yaml and the commands of docs/run-a-farm.md, as Ray itself reads them."""

import pathlib
import re
import shlex
from typing import Any

import yaml
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.scripts.scripts import cli as ray_command

ROOT = pathlib.Path(__file__).resolve().parents[3]


def parsed(line: str) -> dict[str, Any]:
    """The options of a `ray` command; Ray raises for those that it does not have."""
    words = [word for word in shlex.split(line) if not word.startswith("RAY_AUTH_MODE=")]
    assert words[0].rpartition("/")[2] == "ray", line
    name, command, rest = ray_command.resolve_command(
        ray_command.make_context("ray", [], resilient_parsing=True), words[1:]
    )
    assert name is not None
    assert command is not None
    return command.make_context(name, rest).params | {"command": name}


def test_ray_takes_the_cluster_file_and_its_commands() -> None:
    written = yaml.safe_load((ROOT / "config" / "farm-cluster.yaml").read_text())
    config = prepare_config(written)
    validate_config(config)
    assert config["max_workers"] == len(config["provider"]["worker_ips"]) == 2
    stop, head = map(parsed, config["head_start_ray_commands"])
    again, worker = map(parsed, config["worker_start_ray_commands"])
    assert stop["command"] == again["command"] == "stop"
    assert (head["head"], head["include_dashboard"], head["autoscaling_config"]) == (
        True,
        False,
        "~/ray_bootstrap_config.yaml",
    )
    assert worker["address"] == f"$RAY_HEAD_IP:{head['port']}"
    assert head["disable_usage_stats"]
    assert worker["disable_usage_stats"]


def test_the_commands_of_the_guide_are_those_of_the_cluster_file() -> None:
    guide = (ROOT / "docs" / "run-a-farm.md").read_text()
    head, worker = (
        parsed(line.strip()) for line in re.findall(r"^ *(RAY_AUTH_MODE=token ray start .*)$", guide, re.MULTILINE)
    )
    assert (head["head"], head["port"], head["disable_usage_stats"]) == (True, 6379, True)
    assert (worker["address"], worker["disable_usage_stats"]) == ("10.0.0.10:6379", True)
    assert "RAY_AUTH_MODE=token raceday farm --engine ray --ray-address 10.0.0.10:6379 " in guide
    assert parsed(re.findall(r"`(ray get-auth-token[^`]*)`", guide)[0])["generate"]
    assert all(parsed(line)["command"] for line in re.findall(r"`(ray (?:up|stop|status)\b[^`]*)`", guide))
