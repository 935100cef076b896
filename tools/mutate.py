"""Mutation tests of small pure modules: each mutant runs their tests in a fork; surviving mutants are named.

python tools/mutate.py vehicle/core/limiter.py tests/vehicle/core/test_limiter.py
python tools/mutate.py vehicle/core/modes.py tests/vehicle/core/test_modes.py tests/vehicle/core/test_controller.py
"""

import ast
import copy
import os
import pathlib
import sys
import types
from collections.abc import Iterator

import pytest

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}
SWAPPED = {"min": "max", "max": "min"}


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the small mistakes that could be made in one syntax node."""
    match node:
        case ast.Compare(ops=[operator]):
            for other in COMPARED.get(type(operator), ()):
                yield ast.Compare(node.left, [other()], node.comparators)
        case ast.BinOp(op=operator) if type(operator) in COUNTED:
            yield ast.BinOp(node.left, COUNTED[type(operator)](), node.right)
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
            for left_out in range(len(node.values)):
                yield ast.BoolOp(node.op, [value for n, value in enumerate(node.values) if n != left_out])
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.Call(func=ast.Name(id=name)) if name in SWAPPED:
            yield ast.Call(ast.Name(SWAPPED[name], ast.Load()), node.args, node.keywords)
        case ast.Constant():
            yield from (ast.Constant(other) for other in _other_values(node.value))
        case ast.If() | ast.IfExp():
            yield from (_decided(node, outcome) for outcome in (True, False))


def _other_values(value: object) -> Iterator[bool | int | float | str]:
    match value:
        case bool():
            yield not value
        case int() | float():
            yield from (value + 1, value - 1)
        case str():
            yield value + "x"


def _decided(node: ast.If | ast.IfExp, outcome: bool) -> ast.AST:
    changed = copy.copy(node)
    changed.test = ast.Constant(outcome)
    return changed


def mutants(source: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield each mutant: its description and its tree. Docstrings and `what=` texts are not changed."""
    count = len(list(ast.walk(ast.parse(source))))
    for place in range(count):
        found = _at(source, place)
        if found is None:
            continue
        for number, variant in enumerate(variants(found[1])):
            tree, node, parent = _located(source, place)
            before = ast.unparse(node)
            _replace(parent, node, list(variants(node))[number])
            line = getattr(node, "lineno", 0)
            yield f"line {line}: {before[:60]!r} became {ast.unparse(ast.fix_missing_locations(variant))[:60]!r}", tree


def _at(source: str, place: int) -> tuple[ast.Module, ast.AST] | None:
    tree, node, parent = _located(source, place)
    parents = {child: above for above in ast.walk(tree) for child in ast.iter_child_nodes(above)}
    silent = (
        _is_type(parents, node)
        or isinstance(parent, ast.Expr)
        or (isinstance(parent, ast.keyword) and parent.arg in ("what", "frozen", "slots"))
    )
    return None if silent or isinstance(parent, ast.JoinedStr) else (tree, node)


def _is_type(parents: dict[ast.AST, ast.AST], node: ast.AST) -> bool:
    """True for a value within Literal[...], which only the type checker reads."""
    outer = parents.get(parents.get(node, node), node)
    return isinstance(outer, ast.Subscript) and ast.unparse(outer.value) == "Literal"


def _located(source: str, place: int) -> tuple[ast.Module, ast.AST, ast.AST]:
    tree = ast.parse(source)
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    node = list(ast.walk(tree))[place]
    return tree, node, parents.get(node, tree)


def _replace(parent: ast.AST, node: ast.AST, by: ast.AST) -> None:
    for name, value in ast.iter_fields(parent):
        if value is node:
            setattr(parent, name, by)
        elif isinstance(value, list):
            setattr(parent, name, [by if item is node else item for item in value])


def survives(tree: ast.Module, name: str, path: pathlib.Path, tests: list[str]) -> bool:
    """True if the tests pass with the mutant in the module's place. Runs in a fork."""
    if pid := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        exec(compile(ast.fix_missing_locations(tree), str(path), "exec"), module.__dict__)  # noqa: S102
        code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests]))
    except BaseException:  # a mutant that cannot be imported counts as killed
        code = 1
    os._exit(0 if code == 0 else 1)


def main(arguments: list[str]) -> int:
    path, tests = pathlib.Path(arguments[0]), arguments[1:]
    name = ".".join(path.with_suffix("").parts)
    source = path.read_text(encoding="utf-8")
    if not survives(ast.parse(source), name, path, tests):
        print("the tests fail without a mutant")
        return 2
    alive, count = [], 0
    for what, tree in mutants(source):
        count += 1
        if survives(tree, name, path, tests):
            alive.append(what)
            print(f"{path}: alive: {what}", flush=True)
    print(f"{path}: {count} mutants, {len(alive)} alive")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
    sys.exit(main(sys.argv[1:]))
