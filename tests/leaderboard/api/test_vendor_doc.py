"""The commands of docs/vendor.md, run as they are written there."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from tests.leaderboard import sample_races

DOC = pathlib.Path(__file__).resolve().parents[3] / "docs" / "vendor.md"


@pytest.mark.slow
def test_the_examples_do_what_they_say(tmp_path: pathlib.Path) -> None:
    if not all(shutil.which(tool) for tool in ("curl", "openssl")):
        pytest.skip("curl and openssl are not installed: the examples of docs/vendor.md are not tried")
    server = sample_races.start(tmp_path)
    (tmp_path / "secrets").mkdir(exist_ok=True)
    for name in ("webhook.secret", "admin.token"):
        shutil.copy(tmp_path / name, tmp_path / "secrets" / name)
    said = []
    scripts = re.findall(r"```sh\n(.*?)```", DOC.read_text(), flags=re.DOTALL)
    for script in [*scripts, scripts[1]]:
        environment = os.environ | {"URL": server.url, "no_proxy": "*"}
        done = subprocess.run(
            ["sh", "-e", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        said.append(json.loads(done.stdout))
    race, posted, standing, again = said
    assert race["state"] == "open"
    assert posted == again == {"best": True, "racers": 1, "rank": 1, "score_ms": 9100}
    assert [row["racer"] for row in standing["standings"]] == ["Anna"]
    assert server.stop() == (0, "")
