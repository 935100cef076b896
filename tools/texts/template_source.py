"""Messages in Jinja templates, `t("...")` and `nt("...", "...", n=...)`, and words that stand there without them."""

import html.parser
import re

from jinja2 import Environment, nodes

from tools.texts.found import Found, FoundMessage

FUNCTIONS = {"t": 1, "nt": 2}
SPOKEN_ATTRIBUTES = frozenset(
    {"title", "aria-label", "aria-description", "placeholder", "alt", "data-ask", "data-label", "label"}
)
BUTTON_TYPES = frozenset({"submit", "button", "reset"})
UNSPOKEN = frozenset({"script", "style", "kbd", "code", "pre"})
# Words that are the same in every language: names and units.
EVERYWHERE = frozenset(
    {
        "Raceday",
        "English",
        "Deutsch",
        "MQTT",
        "UTC",
        "CSV",
        "JSON",
        "PDF",
        "iCal",
        "API",
        "QR",
        "PIN",
        "GPIO",
        "ID",
        "ms",
        "min",
    }
)
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
# The whole content of a block that is a class, or an address: {% block kind %}gates{% endblock %}.
_NAME_BLOCK = re.compile(r"(\{%-? block \w+ -?%\})(?:[a-z/][\w/?=&;.-]*| ?[a-z-]+=\"\w*\")(\{%-? endblock)")
_CODE = re.compile(r"\b[A-Z0-9]+-[A-Z0-9]+\b")  # an example of a code to be typed: ABCDE-FGHJK
_WORD = re.compile(r"[^\W\d_]{2,}")
_SENTENCE_LIKE = re.compile(r"^\W*[A-Z][a-z]+|[a-z]{2,} [a-z]{2,}")


def read_template(source: str, file: str) -> Found:
    """All messages of one template, and its faults."""
    found = Found()
    tree = Environment(autoescape=True, extensions=["jinja2.ext.do"]).parse(source)
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in FUNCTIONS:
            _message(call, FUNCTIONS[call.node.name], file, found)
    for concatenation in tree.find_all((nodes.Concat, nodes.Add)):
        _lost_in(concatenation, file, found)
    for output in tree.find_all(nodes.Output):
        for shown in output.nodes:
            _bare_constants(shown, file, found)
    parser = _BareWords(file, found)
    source = _NAME_BLOCK.sub(r"\1\2", source)
    parser.feed(
        _JINJA.sub(lambda match: ("\0" if match[0].startswith("{{") else "") + "\n" * match[0].count("\n"), source)
    )
    parser.close()
    return found


def _message(call: nodes.Call, forms: int, file: str, found: Found) -> None:
    words = [argument.value for argument in call.args if isinstance(argument, nodes.Const)]
    if len(words) != forms or len(call.args) != forms or not all(isinstance(word, str) for word in words):
        found.faults.append(f"{file}:{call.lineno}: a message is written out where it stands")
        return
    found.messages.append(FoundMessage(words[0], words[1] if forms == 2 else "", file, call.lineno))


def _lost_in(node: nodes.Node, file: str, found: Found) -> None:
    """What is put together with `~` or `+` is plain text, which no language finds again."""
    if any(_is_message(child) for child in node.iter_child_nodes()):
        found.faults.append(f"{file}:{node.lineno}: put a message beside other text, not together by `~` or `+`")


def _is_message(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Call):
        return isinstance(node.node, nodes.Name) and node.node.name in FUNCTIONS
    return isinstance(node, nodes.CondExpr) and any(_is_message(child) for child in node.iter_child_nodes())


def _bare_constants(node: nodes.Node, file: str, found: Found) -> None:
    """Words in quotes inside `{{ }}` that no `t` is around."""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in FUNCTIONS:
        node = nodes.List([keyword.value for keyword in node.kwargs], lineno=node.lineno)
    if isinstance(node, nodes.Compare | nodes.Filter | nodes.Test | nodes.Getitem | nodes.TemplateData):
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str) and _SENTENCE_LIKE.search(node.value):
        found.faults.append(f'{file}:{node.lineno}: write {{{{ t("{node.value.strip()}") }}}}')
    for child in node.iter_child_nodes():
        _bare_constants(child, file, found)


class _BareWords(html.parser.HTMLParser):
    """Words in the text and in the attributes that people read, with Jinja taken out."""

    def __init__(self, file: str, found: Found) -> None:
        super().__init__()
        self._file, self._found = file, found
        self._unspoken: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNSPOKEN:
            self._unspoken.append(tag)
        given = dict(attrs)
        spoken = [name for name in given if name in SPOKEN_ATTRIBUTES]
        if tag == "input" and given.get("type") in BUTTON_TYPES:
            spoken.append("value")
        if tag == "meta" and given.get("name") == "description":
            spoken.append("content")
        for name in spoken:
            self._check(given[name] or "", f"{name}=")

    def handle_endtag(self, tag: str) -> None:
        if self._unspoken and self._unspoken[-1] == tag:
            self._unspoken.pop()

    def handle_data(self, data: str) -> None:
        if not self._unspoken:
            self._check(data, "")

    def _check(self, data: str, where: str) -> None:
        words = [word for word in _WORD.findall(_CODE.sub(" ", data)) if word not in EVERYWHERE]
        if words:
            shown = " ".join(data.replace("\0", "…").split())
            line = self.getpos()[0] + data[: len(data) - len(data.lstrip())].count("\n")
            self._found.faults.append(f'{self._file}:{line}: {where}"{shown[:80]}" is not written with t(...)')
