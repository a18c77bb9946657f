"""Which value a name has where it stands: windows of the whole map, and what may come between their shape and them."""

from __future__ import annotations

import ast

import pytest

from poolkit.port.python.flow import Flow
from poolkit.port.python.given import every
from poolkit.port.python.tree import Tree
from tests.helpers.ports import ported, row

HEAD = "import torch\nfrom torch.nn import functional as F\ndef f(x, a, xs):\n"
KNOWN = {
    "a branch that returns": "    h = 1\n    if a:\n        return h\n    h = x.shape[2:]\n{}",
    "the other branch returns": "    if a:\n        h = x.shape[2:]\n    else:\n        return x\n{}",
    "a with": "    with torch.no_grad():\n        h = x.shape[2:]\n{}",
    "a try whose handlers raise": "    try:\n        h = x.shape[2:]\n    except TypeError:\n        raise\n{}",
    "another name in a loop": "    h = x.shape[2:]\n    for n in xs:\n        y = n\n{}",
    "a loop around both": "    for x in xs:\n        h = x.shape[2:]\n        if a:\n            continue\n    {}",
    "a function of the same names": "    h = x.shape[2:]\n    def g(x, h):\n        x = h = 1\n{}",
}
UNKNOWN = {
    "a branch": "    h = x.shape[2:]\n    if a:\n        x = a\n{}",
    "an elif": "    h = x.shape[2:]\n    if a:\n        pass\n    elif xs:\n        x = a\n{}",
    "a loop between": "    h = x.shape[2:]\n    while a:\n        x = x[:1]\n{}",
    "a loop in a loop": "    for a in xs:\n        h = x.shape[2:]\n        while a:\n            x = x[:1]\n    {}",
    "the turn before": "    h = x.shape[2:]\n    for n in xs:\n    {}\n        x = n",
    "the turn before, in a branch": "    for x in xs:\n        if a:\n            h = x.shape[2:]\n    {}",
    "a turn that ends early": "    h = x.shape[2:]\n    for n in xs:\n        if a:\n            x = n; break\n{}",
    "a handler": "    h = x.shape[2:]\n    try:\n        x = a()\n    except TypeError:\n        pass\n{}",
    "a finally": "    h = x.shape[2:]\n    try:\n        a()\n    finally:\n        x = a\n{}",
    "a match": "    h = x.shape[2:]\n    match a:\n        case [x]:\n            pass\n{}",
    "a with that gives the name": "    h = x.shape[2:]\n    with a as x:\n        pass\n{}",
    "a walrus": "    h = x.shape[2:]\n    if (x := a):\n        pass\n{}",
    "a sum in place": "    h = x.shape[2:]\n    x += a\n{}",
    "a deletion": "    h = x.shape[2:]\n    del x\n    x = a\n{}",
    "a function that gives it": "    h = x.shape[2:]\n    def g():\n        nonlocal x; x = a\n    g()\n{}",
}
POOL = "    return F.avg_pool2d(x, h)"


@pytest.mark.parametrize("between", KNOWN)
def test_a_window_of_the_whole_map_is_found(between: str) -> None:
    found = row(HEAD + KNOWN[between].format(POOL) + "\n", "keras")

    assert found.after == "keras.layers.GlobalAveragePooling2D(keepdims=True)(x)"


@pytest.mark.parametrize("between", UNKNOWN)
def test_a_window_of_what_may_be_another_map_is_no_global_pool(between: str) -> None:
    found = ported(HEAD + UNKNOWN[between].format(POOL) + "\n", "keras").rows[-1]

    if between == "the turn before, in a branch":
        assert (found.status, found.after) == ("failed", "")
        assert "its window is taken from a shape" in found.note
    else:
        assert (found.status, found.after) == ("caveat", "keras.layers.AveragePooling2D(tuple(h))(x)")
        assert "sizes of x, which is taken for a map in the order NCHW" in found.note


TURN = "for n in xs:\n    h = 1\n    if a:\n        break\n    while b:\n        pass\n    h = 2\ny = f(h)"
CAUGHT = "try:\n    h = 1\nexcept A:\n    h = 2\nexcept B:\n    y = f(h)"


@pytest.mark.parametrize(
    ("source", "values"), [(TURN, ["1", "2"]), (CAUGHT, ["1"])], ids=["a turn that ends before a loop", "a handler"]
)
def test_the_values_that_come_together(source: str, values: list[str]) -> None:
    tree = Tree(source)

    given = Flow(tree).at("h", tree.all(ast.Call)[0])
    assert given is not None
    assert sorted(ast.unparse(one.value) for one in every([given]) if one.value is not None) == values
