"""What the scripts of all pages never do, so that nothing a stranger typed becomes code or reaches another page."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
MACHINES = ("shared", "station", "vehicle", "leaderboard", "simulator")
# A library of others (*.min.js) is held to its origin by tools/vendored.py.
SCRIPTS = sorted(
    path for machine in MACHINES for path in (ROOT / machine).rglob("*.js") if not path.name.endswith(".min.js")
)
NEVER = {
    "text becomes code": r"\beval\(|new Function\(|document\.write|\bimport\(|set(?:Timeout|Interval)\(\s*[\"'`]",
    "an address becomes code": r"javascript:|\.srcdoc|data:text",
    # One name from data may be looked up or set in an object; through two of them the root of all objects is reached
    # (prototype pollution, OWASP ASVS 5.0, 15.3.6).
    "a value is set under two names from data": r"\[[^\]\[\"'`\d]+\]\s*\[[^\]\[\"'`\d]+\]\s*(?:\?\?|\|\||&&)?=(?!=|>)",
    "another window is listened to": r"(?:window|self|globalThis)\.onmessage|addEventListener\(\s*[\"'`]message[\"'`]",
    "another origin is named": r"[\"'`]https?://(?!www\.w3\.org/)",
}


def test_there_are_scripts_of_each_machine_with_pages() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in SCRIPTS} >= {"shared", "station", "vehicle", "leaderboard"}


@pytest.mark.parametrize("what", NEVER)
def test_no_script_does(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in SCRIPTS
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(NEVER[what], line)
    ]
    assert found == []


def test_the_cars_page_draws_text_alone() -> None:
    """What a model or a station is called is put in by `textContent`: the console has no template that escapes it."""
    scripts = [path for path in SCRIPTS if path.is_relative_to(ROOT / "vehicle")]
    drawn = r"innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|setHTML|DOMParser"
    assert [path.name for path in scripts if re.search(drawn, path.read_text())] == []
    assert any("textContent" in path.read_text() for path in scripts)


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("text becomes code", "setTimeout('go()', 5)"),
        ("text becomes code", "const f = new Function(text)"),
        ("an address becomes code", 'link.href = "javascript:alert(1)"'),
        ("a value is set under two names from data", "kept[topic][name] = value"),
        ("a value is set under two names from data", "kept[topic][name] ??= []"),
        ("another window is listened to", 'window.addEventListener("message", take)'),
        ("another origin is named", 'fetch("https://cdn.example/x.js")'),
    ],
)
def test_each_rule_finds_what_it_is_for(what: str, line: str) -> None:
    assert re.search(NEVER[what], line)


def test_what_a_browser_stores_is_known_by_name() -> None:
    """OWASP ASVS 5.0, 14.3.3: choices of a page and a screen's name; a new key is looked at before it stands here."""
    stored = {
        match[1]
        for path in SCRIPTS
        for match in re.finditer(r"(?:local|session)Storage\.\w+\(([^,)]+)", path.read_text())
    }
    assert stored == {'"raceday-screen"', "STORED", "name", "DONE"}
