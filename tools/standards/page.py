"""A page of docs/security/ from its assessment: a summary by chapter, then a table of each chapter's requirements."""

import textwrap
from collections import Counter
from collections.abc import Iterable

from tools.reference_pages.markdown import table
from tools.standards.catalogue import Standard
from tools.standards.verdicts import NOT, VERDICTS, Assessment, Requirement

TO_ROOT = "../../"  # from the page's folder
WIDTH = 160  # of a paragraph, in characters


def assessment_page(standard: Standard, assessment: Assessment, made: str) -> str:
    """The whole page. `made`: a comment that says what wrote it."""
    parts = [f"# {assessment.title}", made, "", assessment.intro, "", _summary(standard, assessment.requirements)]
    parts += [_unmet(assessment.requirements)]
    for chapter, about in standard.chapters.items():
        rows = [_row(standard, each) for each in assessment.requirements if standard.chapter_of(each.number) == chapter]
        parts += [
            f"## {chapter.rstrip('.-')} {about}",
            "",
            table(("no.", "", "about", "verdict", "why", "shown by"), rows),
        ]
    return "\n".join(parts).rstrip() + "\n"


def _summary(standard: Standard, requirements: Iterable[Requirement]) -> str:
    """Counts of the verdicts by chapter: met / not applicable / not, of all machines together and of each."""
    counted: dict[tuple[str, str], Counter[str]] = {}
    for each in requirements:
        for chapter in (standard.chapter_of(each.number), ""):
            counted.setdefault((chapter, ""), Counter())[each.verdict] += 1
            for machine in standard.machines:
                counted.setdefault((chapter, machine), Counter())[each.verdicts[machine]] += 1
    rows: list[tuple[object, ...]] = []
    for chapter, about in [*standard.chapters.items(), ("", "**all**")]:
        cells = [
            " / ".join(str(counted.get((chapter, machine), Counter())[verdict]) for verdict in VERDICTS)
            for machine in ("", *standard.machines)
        ]
        rows.append((f"{chapter.rstrip('.-')} {about}".strip(), *cells))
    return f"{' / '.join(VERDICTS)}:\n\n{table(('chapter', 'all', *standard.machines), rows)}"


def _unmet(requirements: Iterable[Requirement]) -> str:
    numbers = ", ".join(each.number for each in requirements if each.verdict == NOT)
    line = f"Not met, on one machine at least: {numbers or 'none'}."
    return textwrap.fill(line, WIDTH, break_on_hyphens=False) + "\n"


def _row(standard: Standard, requirement: Requirement) -> tuple[object, ...]:
    shown = ", ".join(_link(proof) for proof in requirement.proofs)
    strength = standard.strengths[requirement.number]
    return requirement.number, strength, requirement.about, _verdict(requirement), requirement.why, shown


def _verdict(requirement: Requirement) -> str:
    if len(set(requirement.verdicts.values())) == 1:
        return _marked(requirement.verdict)
    return ", ".join(f"{machine}: {_marked(verdict)}" for machine, verdict in requirement.verdicts.items())


def _marked(verdict: str) -> str:
    return f"**{verdict}**" if verdict == NOT else verdict


def _link(proof: str) -> str:
    file, _, name = proof.partition("::")
    return f"[`{name.rpartition('::')[2] or file.rpartition('/')[2]}`]({TO_ROOT}{file})"
