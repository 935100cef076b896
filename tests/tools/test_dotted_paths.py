"""Dotted paths in strings, where no type checker looks: each names a module, or an attribute of one, that exists.

Such strings are the targets of `monkeypatch.setattr`, modules for `python -m`, programs for `python -c`, tables of
commands, and the entry points of pyproject.toml.
"""

import ast
import functools
import importlib
import importlib.util
import pathlib
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("shared", "vehicle", "station", "leaderboard", "simulator", "raceday", "tests", "bench", "tools")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
_MODULE = rf"(?:{'|'.join(FOLDERS)})(?:\.\w+)+"
WHOLE = re.compile(rf"{_MODULE}(?::\w+)?")
INSIDE = re.compile(rf"(?:-m|\bimport|\bfrom) ({_MODULE})")
IMPORTED = re.compile(rf"\bfrom ({_MODULE}) import (\w+(?:, \w+)*)")
FILE_NAME = re.compile(r"\w+\.(conf|db|deb|json|key|lock|log|po|sock|toml)")
GROUPS = set(PROJECT["project"]["entry-points"])
EXCEPTED = {
    "leaderboard.sign_ins": "a logger",
    "raceday.1": "a page of the manual",
    "raceday.drem": "a logger",
    "raceday.local": "a host",
    "raceday.send": "a key of an ASGI scope",
    "raceday.support": "an alias",
    "raceday.web": "a logger",
    "station.example.org": "a host",
    "station.gone": "a module that is meant to be missing",
    "station.example:8080": "a host and its port",
    "station.lan": "a host",
    "station.local:8080": "a host and its port",
}


def paths_in(text: str) -> Iterator[str]:
    """The dotted paths of a string that is one, or that holds imports or a module to run."""
    if WHOLE.fullmatch(text):
        if not FILE_NAME.fullmatch(text) and text not in GROUPS and text not in EXCEPTED:
            yield text
        return
    yield from INSIDE.findall(text)
    for module, names in IMPORTED.findall(text):
        yield from (f"{module}:{name}" for name in names.split(", "))


def module_exists(name: str) -> bool:
    """True if this module could be imported; only the packages above it are."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # what is above it is a module and no package, or is not there
        return False


@functools.cache
def resolves(path: str) -> bool:
    """True if a path `a.b.c` or `a.b:c` names a module, or an attribute of the longest module that it begins with."""
    name, _, attribute = path.partition(":")
    attributes = [attribute] if attribute else []
    while not module_exists(name):
        name, _, last = name.rpartition(".")
        attributes.insert(0, last)
        if not name:
            return False
    if not attributes or module_exists(".".join((name, *attributes))):
        return True
    target: Any = importlib.import_module(name)
    for each in attributes:
        if not hasattr(target, each):
            return False
        target = getattr(target, each)
    return True


@functools.cache
def strings_of(folder: str) -> list[tuple[str, str]]:
    """Every string literal of a folder's modules but this one, as (where it stands, text)."""
    return [
        (f"{file.relative_to(ROOT)}:{node.lineno}", node.value)
        for file in sorted((ROOT / folder).rglob("*.py"))
        if file != pathlib.Path(__file__)
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def strings_in(table: object) -> Iterator[str]:
    """Every string in the tables and lists of a TOML document."""
    if isinstance(table, str):
        yield table
    elif isinstance(table, dict | list):
        for value in table.values() if isinstance(table, dict) else table:
            yield from strings_in(value)


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_path_in_a_string_names_something(folder: str) -> None:
    dead = [f"{place}: {path}" for place, text in strings_of(folder) for path in paths_in(text) if not resolves(path)]
    assert dead == []


def test_each_path_of_the_project_file_names_something() -> None:
    paths = [path for text in strings_in(PROJECT) for path in paths_in(text)]
    assert "vehicle.hardware.cameras.mock:MockCamera" in paths
    assert [path for path in paths if not resolves(path)] == []


def test_every_exception_is_needed() -> None:
    texts = {text for folder in FOLDERS for _, text in strings_of(folder)}
    assert set(EXCEPTED) - texts == set()
    assert [path for path in EXCEPTED if resolves(path)] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shared.units", []),
        ("shared.units.NS_PER_S", []),
        ("shared.clock.time.monotonic_ns", []),
        ("shared.units:NS_PER_S", []),
        ("tests.tools.test_dotted_paths", []),
        ("station.db", []),
        ("shared.unit", ["shared.unit"]),
        ("shared.units.NS_PER_YEAR", ["shared.units.NS_PER_YEAR"]),
        ("shared.units:NS_PER_YEAR", ["shared.units:NS_PER_YEAR"]),
        ("shared.units.a.b", ["shared.units.a.b"]),
        ("python -m station.nowhere --help", ["station.nowhere"]),
        ("import sys; import shared.nothing", ["shared.nothing"]),
        ("from shared.units import NS_PER_S, NS_PER_YEAR\n", ["shared.units:NS_PER_YEAR"]),
        ("a sentence about shared.nothing", []),
    ],
)
def test_what_is_found(text: str, expected: list[str]) -> None:
    assert [path for path in paths_in(text) if not resolves(path)] == expected
