"""A missing extra is a sentence that says what to install; a fault of ours stays a traceback. `raceday --version`."""

import importlib
import importlib.metadata
import pathlib
import subprocess
import sys
import textwrap

import pytest

from raceday import extras
from raceday.__main__ import COMMANDS, CliCommand, main
from raceday.extras import (
    DISTRIBUTION_OF,
    OURS,
    ExtraState,
    distributions_of,
    installed_distributions,
    missing_sentence,
    states,
)
from raceday.version import version_text

# As pip writes a distribution's METADATA.
REQUIRES = [
    "numpy>=2.2",
    "paho-mqtt<3,>=2.1",
    "psycopg[binary]>=3.2; extra == 'cluster'",
    'lgpio>=0.2.2; (python_version < "3.13") and extra == "pi"',
    "PyYAML ; extra == 'station'",
    "ruamel.yaml>=1;extra=='station'",
]


@pytest.mark.parametrize(
    ("python", "pi"), [((3, 11), ("lgpio",)), ((3, 12), ("lgpio",)), ((3, 13), None)], ids=["3.11", "3.12", "3.13"]
)
def test_the_metadata_say_what_an_extra_consists_of(python: tuple[int, int], pi: tuple[str, ...] | None) -> None:
    found = distributions_of(REQUIRES, python)
    assert found[""] == ("numpy", "paho-mqtt")
    assert found["cluster"] == ("psycopg",)
    assert found["station"] == ("pyyaml", "ruamel-yaml")
    assert found.get("pi") == pi


def test_every_distribution_is_found_by_the_name_of_its_module() -> None:
    """What is installed here says which modules it has; the table must know each whose name differs."""
    of_machines = {name for extra, names in installed_distributions().items() for name in names if extra != "dev"}
    found: dict[str, set[str]] = {}
    for module, distributions in importlib.metadata.packages_distributions().items():
        for distribution in {extras.normal(name) for name in distributions} & of_machines:
            found.setdefault(distribution, set()).add(extras.normal(DISTRIBUTION_OF.get(module, module)))
    assert len(found) > 20
    assert {name for name, from_modules in found.items() if name not in from_modules} == set()


def imported(code: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, package: str) -> ImportError:
    """The error of `code` in a module of `package`."""
    module = f"{package}_that_imports"
    (tmp_path / f"{module}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError) as raised:
        importlib.import_module(module)
    return raised.value


def test_a_package_of_an_extra_is_a_sentence_and_a_fault_is_none(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        extras, "installed_distributions", lambda: {"": ("numpy",), "vehicle": ("opencv-python-headless", "mcap")}
    )
    monkeypatch.setattr(extras, "states", lambda: [ExtraState("vehicle", ("opencv-python-headless",))])
    monkeypatch.setattr(extras, "OURS", OURS | {"ours_that_imports"})
    sentence = missing_sentence("vehicle.commands.vehicle", (), ModuleNotFoundError("x", name="cv2.aruco"))
    assert sentence is not None
    assert sentence.startswith("needs the extra `vehicle`; missing here: opencv-python-headless. Run `")
    assert "raceday[vehicle]" in sentence
    # A package that a package of the extra needs, and that no extra names.
    transitive = imported("import no_such_package", tmp_path, monkeypatch, "theirs")
    sentence = missing_sentence("vehicle.commands.vehicle", (), transitive)
    assert sentence is not None
    assert "needs the extra `vehicle`" in sentence
    for fault in (
        imported("import no_such_package", tmp_path, monkeypatch, "ours"),  # a typing error of ours
        ImportError("cannot import name 'x' from 'shared.units'", name="shared.units"),
        ModuleNotFoundError("No module named 'station.gone'", name="station.gone"),
        ModuleNotFoundError("No module named 'asyncio.gone'", name="asyncio.gone"),
        ImportError("nameless"),
    ):
        assert missing_sentence("vehicle.commands.vehicle", (), fault) is None


@pytest.mark.parametrize(
    ("module", "needs", "package", "lacking"),
    [
        ("vehicle.commands.run", (), "mcap", "`vehicle`;"),
        ("raceday.model", ("vehicle",), "onnx", "`vehicle`;"),
        ("raceday.model", ("vehicle",), "numba", "`virtual`;"),
        ("simulator.farm.cli", (), "numba", "`virtual`;"),
        ("simulator.realtime.world_process", (), "onnx", "`simulator`;"),
        ("raceday.demo.demo", ("vehicle", "simulator"), "onnx", "`simulator`, `vehicle`;"),
    ],
)
def test_only_the_extras_that_help_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, module: str, needs: tuple[str, ...], package: str, lacking: str
) -> None:
    wanted = {"": (), "simulator": ("onnx",), "vehicle": ("onnx", "mcap"), "virtual": ("numba",)}
    monkeypatch.setattr(extras, "installed_distributions", lambda: wanted)
    monkeypatch.setattr(extras, "states", lambda: [ExtraState(e, names) for e, names in sorted(wanted.items()) if e])
    sentence = missing_sentence(module, needs, ModuleNotFoundError("x", name=package))
    assert sentence is not None
    assert f" {lacking} missing" in sentence


def test_a_package_that_cannot_be_loaded_is_said_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "installed_distributions", lambda: {"": (), "vehicle": ("opencv-python-headless",)})
    # opencv/opencv-python #386 on a bare Debian.
    error = ImportError("libGL.so.1: cannot open shared object file: No such file or directory", name="cv2")
    sentence = missing_sentence("vehicle.commands.vehicle", (), error)
    assert sentence is not None
    assert "cannot be loaded (libGL.so.1" in sentence


def test_on_an_installed_machine_the_cure_is_the_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", "/opt/raceday/releases/0.1.0-1")
    monkeypatch.setattr(extras, "installed_distributions", lambda: {"": (), "vehicle": ("mcap",)})
    monkeypatch.setattr(extras, "states", lambda: [ExtraState("vehicle", ("mcap",))])
    sentence = missing_sentence("vehicle.commands.vehicle", (), ModuleNotFoundError("x", name="mcap"))
    assert sentence == "needs the extra `vehicle`; missing here: mcap. Run `sudo raceday install car`."


BASE_ONLY = """
    import importlib.abc, importlib.metadata, sys
    from raceday.extras import OURS, installed_distributions, normal

    base = {"": installed_distributions()[""]}
    files = importlib.metadata.packages_distributions()
    there = {normal(name) for name in base[""]}
    gone = {name for names in installed_distributions().values() for name in names} - there

    class Blocker(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path=None, target=None):
            owners = {normal(each) for each in files.get(name.partition(".")[0], ())}
            if owners and owners <= gone:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            return None

    sys.meta_path.insert(0, Blocker())
    import raceday.extras
    real = raceday.extras.is_installed
    raceday.extras.states = lambda: [
        raceday.extras.ExtraState(extra, tuple(name for name in names if name in gone))
        for extra, names in installed_distributions().items() if extra not in ("", "dev")
    ]
    from raceday.__main__ import main
    for words in WORDS:
        sys.stderr.write(f"== {words[0]}\\n")
        try:
            code = main(words)
        except SystemExit as end:
            code = end.code
        sys.stderr.write(f"-> {code}\\n")
"""
# Arguments that are right, so that a command gets as far as it can.
WORDS: dict[str, list[str]] = {"model": ["model", "check", "x"], "race": ["race", "simulate"]}
WITHOUT_EXTRAS = {"rank", "broker", "submit", "doctor", "install"}  # these need none, or say what they need themselves


def test_no_command_ends_in_a_traceback_without_its_extra(tmp_path: pathlib.Path) -> None:
    """The table of commands in a Python that finds only the packages that every machine has."""
    tried = [c for c in COMMANDS if c.words not in WITHOUT_EXTRAS]
    words = [WORDS.get(c.words, [c.words, "--help"]) for c in tried]
    code = f"WORDS = {words!r}\n{textwrap.dedent(BASE_ONLY)}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    said = done.stderr.split("== ")[1:]
    assert len(said) == len(tried)
    for command, text in zip(tried, said, strict=True):
        _says_what_is_missing(command, text)


def _says_what_is_missing(command: CliCommand, text: str) -> None:
    if text.rstrip().endswith("-> 0"):  # it gets as far as its --help
        return
    assert f"raceday {command.words}: needs the extra" in text, text
    assert text.rstrip().endswith("-> 2"), text
    machine = command.module.partition(".")[0]
    if command.extras:
        assert any(f"`{extra}`" in text for extra in command.extras), text
    elif machine in ("vehicle", "station", "leaderboard"):
        assert f"`{machine}`" in text


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_says_what_is_here(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([option]) == 0
    assert capsys.readouterr().out == version_text() + "\n"
    first, python, *rest = version_text().splitlines()
    assert first.startswith(f"raceday {importlib.metadata.version('raceday')} in ")
    assert python.startswith("Python 3.")
    assert "64 bit" in python
    assert any(line.startswith("extras that are whole: ") and "station" in line for line in rest)
    assert all(state.name not in ("dev", "parity", "") for state in states())
