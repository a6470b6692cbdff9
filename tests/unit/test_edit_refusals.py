"""Whoever reads Chinese alone understands every refusal of an edit."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import geogrid.edit

FOLDER = Path(geogrid.edit.__file__).parent
TREES = {path.stem: ast.parse(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.py"))}
CHINESE_END = re.compile(r"\([^()]*[\u4e00-\u9fff].*\)$", re.DOTALL)


def constants():
    """Texts that modules of edits give a name."""
    return {
        target.id: statement.value
        for tree in TREES.values()
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def text_of(node, names):
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part, names) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return text_of(node.value, names)
    if isinstance(node, ast.Name) and node.id in names:
        return text_of(names[node.id], names)
    return "…"


def refusals():
    known = constants()
    for module, tree in TREES.items():
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            # A name stands for what was last given to it above.
            spoken = sorted(
                (one for one in ast.walk(function) if isinstance(one, ast.Assign | ast.Call)),
                key=lambda one: (one.lineno, one.col_offset),
            )
            names = dict(known)
            for one in spoken:
                if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name):
                    names[one.targets[0].id] = one.value
                elif isinstance(one, ast.Call) and getattr(one.func, "id", "") == "EditError":
                    yield pytest.param(text_of(one.args[0], names), id=f"{module}-{one.lineno}")


REFUSALS = list(refusals())


def test_the_refusals_of_edits_are_found():
    assert len(REFUSALS) >= 25


@pytest.mark.parametrize("sentence", REFUSALS)
def test_a_refusal_ends_with_a_chinese_sentence_in_brackets(sentence):
    assert CHINESE_END.search(sentence), sentence
