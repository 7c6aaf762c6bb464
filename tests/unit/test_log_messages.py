"""docs/log-messages.md has a row for every line that the proxy writes."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/log-messages.md"
SOMETHING = "…"
"""What differs from line to line, there and in what is read from the sources here."""
LOGGED_BY = {"note", "fault", "note_of_no_call", "fault_of_no_call", "error", "exception", "err"}
SAID_BY = {"echo", "say"}
SAYING = ("commands/run.py", "late_addresses.py")
"""Whose words on stderr are the service's."""
REFUSING = ("busy_ports.py", "listeners.py", "advertised_name.py", "late_addresses.py")
"""Whose sentences begin with a key of `listen`."""
MADE_ELSEWHERE = {
    "kemi/clearip_proxy/answering.py": ("_notes", "_skipped"),
    "kemi/clearip_proxy/plain/redirection.py": ("after_plain",),
    "kemi/clearip_proxy/ksr/gateway.py": ("_step", "_reply"),
    "kemi/clearip_proxy/ksr/keeper.py": ("_enter",),
    "kemi/clearip_proxy/sip/faults.py": ("first_faults",),
}
"""Functions that make lines which others write."""
PERCENT = re.compile(r"%(?:\.\d+)?[rsd]")


def template(node: ast.AST) -> str | None:
    """The text of a literal; what is filled in as `…`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    elif isinstance(node, ast.JoinedStr):
        parts = (
            each.value if isinstance(each, ast.Constant) else SOMETHING for each in node.values
        )
        text = "".join(map(str, parts))
    else:
        return None
    return re.sub(f"{SOMETHING}+", SOMETHING, PERCENT.sub(SOMETHING, text)).strip()


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Every source of the proxy and of the command, by its path."""
    for folder in ("kemi", "src/inline_proxy"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield str(file.relative_to(ROOT)), ast.parse(file.read_text())


def arguments(tree: ast.AST, functions: set[str], owner: str = "") -> Iterator[ast.AST]:
    """What is first given to functions of these names, or methods of an object named so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func)
            if called.rpartition(".")[2] in functions and owner in called.lower():
                yield node.args[0]


def literals(tree: ast.AST) -> Iterator[ast.AST]:
    """Every text in a piece of code, as a whole; no docstrings."""
    docstrings = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if template(node) is None:
            waiting.extend(ast.iter_child_nodes(node))
        elif id(node) not in docstrings:
            yield node


def lines_of(path: str, tree: ast.Module) -> Iterator[ast.AST]:
    """What a source writes into the log, or makes for others to write."""
    yield from arguments(tree, LOGGED_BY, "log")
    yield from arguments(tree, {"err"}, "ksr")
    for notes in arguments(tree, {"Noted"}):
        yield from literals(notes)
    if path.endswith(SAYING):
        yield from arguments(tree, SAID_BY)
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name in MADE_ELSEWHERE.get(path, ()):
            yield from literals(function)
    if path.endswith(REFUSING):
        yield from (
            each
            for each in literals(tree)
            if (template(each) or "").startswith(("listen.", f"{SOMETHING}: "))
        )


def written() -> Iterator[str]:
    """The lines that the sources hold; words that are joined to others are none."""
    for path, tree in sources():
        for node in lines_of(path, tree):
            text = template(node)
            if text is not None and " " in text:
                yield text


def documented() -> list[str]:
    """The first cells of the page's rows."""
    return re.findall(r"^\| `([^`]+)`", PAGE.read_text(), flags=re.MULTILINE)


def pattern(text: str) -> re.Pattern[str]:
    """What a line looks like, for `…` anything."""
    return re.compile(".+".join(map(re.escape, text.split(SOMETHING))), re.DOTALL)


WRITTEN = sorted(set(written()))


@pytest.mark.parametrize("line", WRITTEN)
def test_line_of_the_log_has_its_row(line: str) -> None:
    """With what it means and what to do."""
    assert [
        each for each in documented() if pattern(line).match(each) or pattern(each).fullmatch(line)
    ]


def test_lines_are_found() -> None:
    """The search itself works."""
    assert {"canceled by the caller", "call records cannot be written: …"} <= set(WRITTEN)
    assert len(WRITTEN) > 40


def test_row_of_the_page_has_three_cells() -> None:
    """None is left empty."""
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]

    assert [row for row in cells if len(row) != 3 or not all(row)] == []
