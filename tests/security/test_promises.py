"""Every promise has a test that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TABLE)))
NUMBERED = {int(number) for number in re.findall(r"^\| (\d+)\. ", TABLE, re.MULTILINE)}


@pytest.mark.parametrize(("file", "test"), NAMED, ids=[test for _, test in NAMED])
def test_a_test_that_is_named_exists(file: str, test: str):
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_promise_has_its_tests():
    assert {*range(1, 15), 23} == NUMBERED


def test_every_test_of_a_promise_is_named():
    tests = {
        name
        for path in Path(__file__).parent.glob("test_*.py")
        for name in re.findall(r"^def (test_promise_\w+)", path.read_text(), re.MULTILINE)
    }
    assert tests == {test for _, test in NAMED if test.startswith("test_promise_")}
