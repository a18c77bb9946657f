"""CONTRIBUTING shows the diff that added softmax: every line of it is in the source, and no adapter names the kind."""

from __future__ import annotations

import ast
import inspect
import re

from poolkit.lowering.backend import EXTREMA, SUMS
from poolkit.lowering.kinds.softmax import Softmax
from poolkit.spec.kinds import BUILT_IN
from tests.helpers.support import ROOT, modules_of


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


# Where the code besides a kind's module, its row and its constructor names one, and why; dialects and ports say words.
NAMED = {
    "poolkit/spec/vocabulary.py": "what others call it",
    "poolkit/spec/segment.py": "segments have five of the kinds",
    "poolkit/spec/struct_pool.py": "attention by a softmax",
    "poolkit/lowering/operations/struct_pool.py": "attention by a softmax",
    "poolkit/spec/learned.py": "AdaPool has a part that is one",
    "poolkit/lowering/operations/learned.py": "an instance normalisation is one",
    "poolkit/lowering/routes/choices.py": "routes of kinds that choose a cell",
    "poolkit/lowering/routes/by_convolution.py": "a route of blurs",
}
HOME = (
    "poolkit/lowering/kinds/",
    "poolkit/spec/kinds.py",
    "poolkit/spec/constructors",
    "poolkit/dialects/",
    "poolkit/port/",
)
WORDS = {*EXTREMA, *SUMS, "first", "last"}  # for which frameworks have calls of their own, or which mean other things


def test_no_adapter_and_no_other_code_names_a_kind() -> None:
    """So a kind that is added is a class, a row and a line of the table of folds, in the adapters nothing."""
    named: set[str] = set()
    for path in modules_of("poolkit", "backends"):
        texts = {
            node.value for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.Constant)
        }
        if texts & (set(BUILT_IN) - WORDS) and not str(path).startswith(HOME):
            named.add(str(path))
    assert named == set(NAMED)
