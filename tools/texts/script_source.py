"""Messages in scripts, `t("...")` and `nt("...", "...", n)`, and sentences that stand there without them.

A small reader of JavaScript: it knows comments, strings, templates and regular expressions, which is all that is needed
to find string literals and what stands in front of them.
"""

import json
import re
from dataclasses import dataclass

from tools.texts.found import Found, FoundMessage

_TOKEN = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?\*/)"
    r"|(?P<string>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
    r"|(?P<template>`)"
    r"|(?P<regex>(?<=[(,=:\[!&|?{};\n])\s*/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*)"
    r"|(?P<word>[\w$]+)"
    r"|(?P<space>\s+)"
    r"|(?P<sign>.)",
    re.DOTALL,
)
_SENTENCE = re.compile(r"^[^\w<#.\[]*[A-Z][a-z]+[^\w-]*$|[A-Za-z]{2,}[,:]? [A-Za-z]{2,}|^[A-Z][a-z]+ ")
_HTML_OR_SELECTOR = re.compile(
    r"^[<.#\[]|^\((?:prefers-|pointer:)|^[a-z]+[\[.#>:]|^\w+(?: > \w+)+$|=\"|^[a-z]+(?:, [a-z]+)+$|=>"
)
# Names of keys, events and headers, which are no words for people.
KEYS = "Enter Escape Tab Backspace Delete Home End Space Control Shift Alt Meta Period Comma PageUp PageDown ArrowUp"
NAMES = frozenset((*KEYS.split(), "ArrowDown", "ArrowLeft", "ArrowRight", "Content-Type", "AbortError"))
ALLOWED = frozenset({"use strict", "not the station's answer"})


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int


def read_script(source: str, file: str) -> Found:
    """All messages of one script, and its faults."""
    found = Found()
    tokens = [token for token in _tokens(source) if token.kind not in ("comment", "space")]
    covered: set[int] = set()
    for place, token in enumerate(tokens[:-1]):
        before = tokens[place - 1].text if place else ""
        called = token.kind == "word" and tokens[place + 1].text == "("
        if called and token.text in ("t", "nt") and before not in (".", "function"):
            covered |= _message(tokens, place, file, found)
    for place, token in enumerate(tokens):
        if token.kind in ("string", "template") and place not in covered and (words := _bare(token)):
            found.faults.append(f'{file}:{token.line}: "{words[:80]}" is not written with t(...)')
    return found


def _tokens(source: str) -> list[_Token]:
    """All tokens; a template is its words with … for each expression, then the tokens of its expressions."""
    tokens: list[_Token] = []
    _read(source, 0, tokens, inside=False)
    return tokens


def _read(source: str, at: int, tokens: list[_Token], *, inside: bool) -> int:
    """Reads from `at` to the end, or to the brace that ends an expression in a template; returns the place behind."""
    depth = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        assert match is not None  # the last alternative takes any sign
        kind, line = str(match.lastgroup), source.count("\n", 0, at) + 1
        if kind == "template":
            at = _read_template(source, match.end(), tokens, line)
            continue
        at = match.end()
        depth += (match[0] == "{") - (match[0] == "}")
        if inside and depth < 0:
            return at
        tokens.append(_Token(kind, match[0], line))
    return at


def _read_template(source: str, at: int, tokens: list[_Token], line: int) -> int:
    words, inner = "", list[_Token]()
    while at < len(source) and source[at] != "`":
        if source.startswith("${", at):
            at = _read(source, at + 2, inner, inside=True)
            words += "…"
        else:
            step = 2 if source[at] == "\\" else 1
            words += source[at : at + step]
            at += step
    tokens.append(_Token("template", f"`{words}`", line))
    tokens += inner
    return at + 1


def _message(tokens: list[_Token], place: int, file: str, found: Found) -> set[int]:
    """The message that begins here; returns the places of its literals."""
    forms = 2 if tokens[place].text == "nt" else 1
    places = [place + 2 + 2 * form for form in range(forms)]
    literals = [tokens[at] for at in places if at < len(tokens)]
    if len(literals) != forms or any(literal.kind != "string" for literal in literals):
        found.faults.append(f"{file}:{tokens[place].line}: a message is written out where it stands, in quotes")
        return set()
    words = [_value(literal.text) for literal in literals]
    found.messages.append(FoundMessage(words[0], words[1] if forms == 2 else "", file, tokens[place].line))
    return set(places)


def _value(literal: str) -> str:
    """What a string literal stands for."""
    inner = literal[1:-1]
    if literal[0] == "'":
        inner = inner.replace("\\'", "'").replace('"', '\\"')
    value: str = json.loads(f'"{inner}"')
    return value


def _bare(token: _Token) -> str:
    """The words of a literal that look like a sentence for people, "" if they do not."""
    words = token.text[1:-1]
    if token.kind == "template":
        words = re.sub(r"<[^<>]*>", " ", words)
    plain = words.replace("Raceday", "").strip()
    if plain in NAMES or plain in ALLOWED or _HTML_OR_SELECTOR.search(plain) or "\n" in plain:
        return ""
    return plain if _SENTENCE.search(plain) else ""
