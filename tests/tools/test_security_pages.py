"""The pages of docs/security/ name every requirement once, with proofs that are there."""

import pathlib
import re
from collections import Counter

import pytest

from tools import security_pages
from tools.standards.catalogue import ASVS, ETSI, Standard
from tools.standards.page import assessment_page
from tools.standards.proofs import proof_fault
from tools.standards.verdicts import read_assessment

SMALL = Standard(
    "a standard", {"1.": "one", "10.": "ten"}, {"1.1": "L1", "1.2": "L2", "10.1": "L1"}, ("station", "car")
)
MET = 'about = "x"\nverdict = "met"\nproof = ["tests/test_a.py::test_b"]\n'
GOOD = {
    "1.1": MET,
    "1.2": MET,
    "10.1": 'about = "y"\nverdict = {station = "not", car = "met"}\nwhy = "z"\nproof = ["code.py::C::f"]\n',
}


@pytest.fixture
def tree(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("def test_b():\n    def test_inner():\n        pass\n")
    (tmp_path / "code.py").write_text("LIMIT: int = 1\n\n\nclass C:\n    async def f(self):\n        pass\n")
    (tmp_path / "page.md").write_text("# A page\n## Limits\n")
    return tmp_path


def faults(tree: pathlib.Path, entries: dict[str, str]) -> list[str]:
    path = tree / "small.toml"
    path.write_text("".join(f'["{number}"]\n{entry}' for number, entry in entries.items()))
    return read_assessment(path, SMALL, tree)[1]


def test_the_standards_have_as_many_requirements_as_were_published() -> None:
    assert Counter(ASVS.strengths.values()) == {"L1": 70, "L2": 183}
    assert len(ETSI.strengths) == 67
    assert {ASVS.chapter_of(number) for number in ASVS.strengths} == set(ASVS.chapters)
    assert {ETSI.chapter_of(number) for number in ETSI.strengths} == set(ETSI.chapters)
    assert (ASVS.chapter_of("1.5.2"), ASVS.chapter_of("10.4.10"), ETSI.chapter_of("5.13-1")) == ("1.", "10.", "5.13-")


@pytest.mark.parametrize("name", security_pages.PAGES)
def test_a_page_is_current_and_each_proof_is_there(name: str) -> None:
    text, found = security_pages.rendered(name)
    assert found == []
    assert (security_pages.FOLDER / f"{name}.md").read_text() == text, "run python tools/security_pages.py"


@pytest.mark.parametrize("page", sorted(security_pages.FOLDER.glob("*.md")), ids=lambda page: page.stem)
def test_every_file_that_a_page_links_to_exists(page: pathlib.Path) -> None:
    linked = {link.partition("#") for link in re.findall(r"\]\(((?!https?:)[^)]+)\)", page.read_text())}
    assert [file for file, _, _ in linked if file and not (page.parent / file).exists()] == []
    for file, _, anchor in linked:
        target = page.parent / file if file else page
        headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE) if anchor else []
        assert not anchor or anchor in {_anchor(heading) for heading in headings}, f"{file}#{anchor}"


def _anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize(
    ("number", "entry", "said"),
    [
        ("1.1", MET.replace("test_b", "test_c"), "tests/test_a.py defines no test_c"),
        ("1.1", MET.replace("test_b", "test_inner"), "tests/test_a.py defines no test_inner"),
        ("1.1", MET.replace("tests/test_a.py", "tests/test_z.py"), "there is no file tests/test_z.py"),
        ("1.1", MET.replace("tests/test_a.py::test_b", "../outside.py"), "there is no file ../outside.py"),
        ("1.1", MET.replace('proof = ["tests/test_a.py::test_b"]', ""), "names the test that shows it"),
        ("1.1", MET.replace("tests/test_a.py::test_b", "code.py"), "names the test that shows it"),
        ("1.1", MET.replace('"met"', '"partly"'), "`verdict` is one of met, not applicable, not"),
        ("1.1", MET.replace('"met"', '{station = "met"}'), "or one of them for each of station, car"),
        ("1.1", MET.replace('"met"', '"not"'), "say `why`"),
        ("1.1", MET.replace('"met"', '{station = "met", car = "not applicable"}'), "say `why`"),
        ("1.1", MET.replace("about", "what"), "an entry has `about`"),
        ("1.1", MET + "note = 1\n", "no other key"),
        ("1.3", MET, "1.3 is no requirement of a standard"),
    ],
)
def test_what_is_wrong_is_said_with_its_number(tree: pathlib.Path, number: str, entry: str, said: str) -> None:
    found = faults(tree, GOOD | {number: entry})
    assert any(said in fault and number in fault for fault in found), found


def test_a_requirement_that_is_missing_or_doubled_is_said(tree: pathlib.Path) -> None:
    assert faults(tree, GOOD) == []
    assert faults(tree, {"1.1": MET, "1.2": MET}) == ["small.toml: 10.1 is missing"]
    (tree / "small.toml").write_text(f'["1.1"]\n{MET}["1.1"]\n{MET}')
    (fault,) = read_assessment(tree / "small.toml", SMALL, tree)[1]
    assert fault.startswith("small.toml: ")
    assert read_assessment(tree / "none.toml", SMALL, tree)[1][0].startswith("none.toml: ")


@pytest.mark.parametrize(
    ("proof", "is_there"),
    [
        ("code.py", True),
        ("code.py::LIMIT", True),
        ("code.py::C", True),
        ("code.py::C::f", True),
        ("code.py::f", False),
        ("page.md::## Limits", True),
        ("page.md::## Bounds", False),
        ("tests", False),
        ("tests/test_a.py", False),
        ("tests/test_a.py::test_b", True),
        ("/etc/passwd", False),
    ],
)
def test_what_is_a_proof(tree: pathlib.Path, proof: str, is_there: bool) -> None:
    assert (proof_fault(proof, tree) == "") == is_there


def test_a_page_counts_by_chapter_and_machine_and_names_what_is_not_met(tree: pathlib.Path) -> None:
    faults(tree, GOOD)
    page = assessment_page(SMALL, read_assessment(tree / "small.toml", SMALL, tree)[0], "<!-- made -->")
    assert "| 1 one | 2 / 0 / 0 | 2 / 0 / 0 | 2 / 0 / 0 |" in page
    assert "| 10 ten | 0 / 0 / 1 | 0 / 0 / 1 | 1 / 0 / 0 |" in page
    assert "| **all** | 2 / 0 / 1 | 2 / 0 / 1 | 3 / 0 / 0 |" in page
    assert "Not met, on one machine at least: 10.1." in page
    assert "| 10.1 | L1 | y | station: **not**, car: met | z | [`f`](../../code.py) |" in page
