"""Messages in Python: `text("...")` and `ntext("...", "...")` of shared.text, and bare sentences of refusals."""

import ast

from tools.texts.found import Found, FoundMessage

FUNCTIONS = {"text": 1, "ntext": 2}
# Errors whose text a page shows. Those that only a terminal shows (ConfigError, HardwareMissing) stay English.
FOR_PAGES = frozenset({"Refused", "BadInput", "RetryLater"})
PAGE_CODE = (
    "station/core/", "station/web/", "station/access/", "station/views/", "station/service/",
    "leaderboard/pages/", "leaderboard/web/", "vehicle/web/", "shared/text/",
)  # fmt: skip


def read_python(source: str, file: str) -> Found:
    """All messages of one module, and its faults."""
    tree = ast.parse(source)
    names = _names(tree)
    found = Found()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id in names:
            _message(node, FUNCTIONS[names[node.func.id]], file, found)
        elif node.func.id in FOR_PAGES and file.startswith(PAGE_CODE) and node.args and _bare(node.args[0]):
            found.faults.append(f"{file}:{node.lineno}: write the sentence of {node.func.id} with text(...)")
    return found


def _names(tree: ast.Module) -> dict[str, str]:
    """The names that the functions have in this module."""
    return {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("shared.text", "shared.text.sentence")
        for alias in node.names
        if alias.name in FUNCTIONS
    }


def _message(call: ast.Call, forms: int, file: str, found: Found) -> None:
    given = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    words = [value for value in given if isinstance(value, str)]
    if len(words) != forms or len(call.args) != forms:
        found.faults.append(f"{file}:{call.lineno}: a message is written out where it stands, without f or a variable")
        return
    if words[0]:
        found.messages.append(FoundMessage(words[0], words[1] if forms == 2 else "", file, call.lineno))


def _bare(argument: ast.expr) -> bool:
    if isinstance(argument, ast.BinOp):
        return _bare(argument.left) or _bare(argument.right)
    if isinstance(argument, ast.IfExp):
        return _bare(argument.body) or _bare(argument.orelse)
    return isinstance(argument, ast.JoinedStr) or (
        isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    )
