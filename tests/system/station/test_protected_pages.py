"""From `raceday certs` to a browser: a real station, seen by peers that trust the event's authority alone."""

import pathlib
import re
import ssl
import subprocess
import sys
import tarfile
import urllib.request
from urllib.error import HTTPError

import pytest

from raceday.certs import cli

ROOT = pathlib.Path(__file__).parents[3]
CONFIG = """
data_dir = "data"
[[gate]]
name = "start"
driver = "mock"
[web]
port = 0
tls_certificate = "{tls}/station-1.web.pem"
tls_key = "{tls}/station-1.key"
"""


@pytest.mark.slow
def test_a_certificate_of_the_events_own_protects_a_stations_pages(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tls, carried, etc = tmp_path / "tls", tmp_path / "station-1.raceday-certs", ["--etc", str(tmp_path / "etc")]
    assert cli.main(["init", *etc]) == 0
    assert cli.main(["machine", "station-1", "--host", "hall.example", "-o", str(carried), *etc]) == 0
    with tarfile.open(carried) as packed:
        packed.extractall(tls, filter="data")
    (tmp_path / "station.toml").write_text(CONFIG.format(tls=tls))
    words = [sys.executable, "-m", "raceday", "station", "--config", str(tmp_path / "station.toml")]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as station:
        assert station.stdout is not None
        lines = iter(station.stdout.readline, "")
        said = next(line for line in lines if line.startswith("protected pages: "))
        port = int(said.split()[2].rsplit(":", 1)[1])
        trust = ssl.create_default_context(cafile=str(tls / "ca.pem"))
        for host in ("localhost", "127.0.0.1"):
            with urllib.request.urlopen(f"https://{host}:{port}/api/v1/state", context=trust, timeout=60) as answer:
                assert answer.status == 200
        with pytest.raises(HTTPError, match="401"):  # it is only asked who stops
            urllib.request.urlopen(f"https://localhost:{port}/api/v1/stop", b"", context=trust, timeout=60)
        for version in ("-tls1_2", "-tls1_3"):
            peer = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", str(tls / "ca.pem"), version]
            named = ["-verify_hostname", "hall.example", "-verify_return_error"]
            subprocess.run([*peer, *named], stdin=subprocess.DEVNULL, capture_output=True, check=True)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/trust", timeout=60) as answer:
            shown = re.findall(r"<span>(\w{4})</span>", answer.read().decode())
        station.terminate()
    capsys.readouterr()
    assert cli.main(["show", *etc]) == 0
    assert " ".join(shown) in capsys.readouterr().out
