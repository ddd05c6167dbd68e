"""The plan of the house, checked on the code's own imports."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

STOREYS: tuple[frozenset[str], ...] = (
    frozenset({"domain"}),
    frozenset({"utils"}),
    frozenset({"evidence", "policy", "journal", "knowledge"}),
    frozenset({"receive", "analyze", "execute", "report", "web"}),
    frozenset({"nodes"}),
    frozenset({"flow"}),
    frozenset({"worker"}),
    frozenset({"app"}),
    frozenset({"drill"}),
    frozenset({"cli"}),
    frozenset({"main"}),
)
OUTBUILDINGS = frozenset({"mcp_servers", "sandbox"})  # programs of their own, known to app alone
HOUSE = frozenset().union(*STOREYS) | OUTBUILDINGS
TEMPTING_NAMES = ("mcp", "kubernetes", "queue", "code", "types", "logging", "openai", "yaml")
BROAD_EXCEPTS = {
    "worker.py",  # the worker loop
    "utils/http_server.py",  # the HTTP edge
    "utils/tool_server.py",  # the tool edge
    "sandbox/api/desk.py",  # the HTTP edge of the sandbox, a program of its own
}
MOST_LINES = {"main.py": 40, "flow.py": 60}
MOST_LINES_ANYWHERE = 400
MOST_LINES_OF_A_NODE = 40


def files() -> list[Path]:
    """Every Python file of the house, tests and outbuildings' tests left out."""
    found = [path for name in sorted(HOUSE) for path in (ROOT / name).rglob("*.py")]
    return found + [path for name in sorted(HOUSE) if (path := ROOT / f"{name}.py").exists()]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def part(path: Path) -> str:
    """The folder or single file of the house that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Parts of the house that a file imports, also inside functions."""
    for node in ast.walk(tree(path)):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules = [node.module]
        yield from (module.split(".")[0] for module in modules if module.split(".")[0] in HOUSE)


def storey(name: str) -> int:
    return next(number for number, names in enumerate(STOREYS) if name in names)


def may_import(part_: str, other: str) -> bool:
    if part_ == other:
        return True
    if part_ in OUTBUILDINGS:
        return other in ("utils", "domain")
    if other in OUTBUILDINGS:
        return part_ in ("app", "drill", "cli") if other == "sandbox" else part_ == "app"
    return storey(other) < storey(part_)


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_imports_only_lead_downstairs_and_neighbours_do_not_know_each_other(path: Path) -> None:
    wrong = sorted({other for other in imported(path) if not may_import(part(path), other)})
    assert not wrong, (
        f"{name_of(path)} imports {wrong}; let app.py hand in what fits a small Protocol instead"
    )


def test_domain_needs_nothing_but_the_standard_library() -> None:
    import sys

    for path in (ROOT / "domain").rglob("*.py"):
        for node in ast.walk(tree(path)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                top = name.split(".")[0]
                assert top in sys.stdlib_module_names or top == "domain", f"{name_of(path)} imports {name}"


def test_no_part_of_the_house_hides_a_library() -> None:
    for name in TEMPTING_NAMES:
        assert not (ROOT / name).exists()
        assert not (ROOT / f"{name}.py").exists()


def test_broad_excepts_stand_in_three_places_only() -> None:
    found = set()
    for path in files():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ExceptHandler) and _is_broad(node):
                found.add(name_of(path))
    assert found <= BROAD_EXCEPTS


def _is_broad(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or (
        isinstance(handler.type, ast.Name) and handler.type.id in ("Exception", "BaseException")
    )


def test_only_the_door_brings_changes_to_the_toolbox() -> None:
    """The reader calls reading tools by name, the looker checks what it calls; the door does the rest."""
    callers = {
        name_of(path)
        for path in files()
        if part(path) in ("execute", "analyze", "evidence", "report", "receive", "web", "nodes", "worker")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr == "call" and "toolbox" in ast.unparse(node.value)
    }
    assert callers == {"execute/actions.py", "execute/looks.py", "evidence/cluster_reader.py"}


def test_files_stay_short_enough_to_be_read_at_once() -> None:
    for path in files():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= MOST_LINES.get(name_of(path), MOST_LINES_ANYWHERE), name_of(path)


def test_each_node_is_one_screen() -> None:
    classes = [node for node in ast.walk(tree(ROOT / "nodes.py")) if isinstance(node, ast.ClassDef)]
    assert {c.name for c in classes} >= {
        "ReceiveAlertNode", "AnalyzeRootCauseNode", "ExecuteSolutionNode", "GenerateReportNode",
    }  # fmt: skip
    for node in classes:
        assert (node.end_lineno or 0) - node.lineno < MOST_LINES_OF_A_NODE, node.name


def test_every_module_says_what_it_is_for() -> None:
    silent = [name_of(path) for path in files() if not ast.get_docstring(tree(path))]
    assert not silent
