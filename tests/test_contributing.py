"""CONTRIBUTING shows the diff that added softmax: every line of it is in the source, and no adapter names the kind."""

from __future__ import annotations

import inspect
import re

from poolkit.lowering.kinds.softmax import Softmax
from tests.helpers.support import ROOT


def added_lines() -> list[str]:
    diff = re.search(r"```diff\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    assert diff is not None
    lines = diff[1].splitlines()
    return [line[1:] for line in lines if line.startswith("+") and not line.startswith("+++")]


def test_the_diff_is_the_row_of_facts_the_class_and_its_registration() -> None:
    added = added_lines()
    source = inspect.getsource(Softmax).rstrip().splitlines()
    row = added.index(source[0])
    assert "\n".join(added[:row]) in (ROOT / "poolkit/spec/kinds.py").read_text()
    assert added[row : row + len(source)] == source
    for line in added[row + len(source) :]:
        assert line in (ROOT / "poolkit/lowering/kinds/__init__.py").read_text()


def test_no_adapter_names_the_kind() -> None:
    for path in (ROOT / "backends").rglob("*.py"):
        if path.name != "conformance.py":
            assert "softmax" not in path.read_text().lower(), path
