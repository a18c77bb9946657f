"""Each rule does to its `before.py` what `after_torch.py` and `after_keras.py` show, which have the same numbers."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from poolkit.port.python import rules
from poolkit.port.python.source import port_source
from tests.helpers.ports import MAP, function, same_numbers

FOLDER = Path(__file__).parent / "rules"
AFTER = {path.relative_to(FOLDER).as_posix(): path for path in sorted(FOLDER.glob("*/after_*.py"))}
# The port of these runs as soon as what is around the pool is ported, too, and Haiku's window is over the last axes.
AROUND = ("attributes", "order_after", "order_before", "squeezes", "last_axes", "divisors", "at_some_sizes")
COUNTED = (
    "reductions",
    "turns",
    "known_ranks",
)  # what is pooled has its axes in the order in which the file counts them
REST = {"keras_masks": [np.arange(16).reshape(2, 8) % 3 > 0]}


def test_every_rule_has_its_files() -> None:
    modules = {path.stem for path in Path(rules.__path__[0]).glob("*.py")} - {"__init__"}
    assert (
        modules
        == {name.partition("/")[0] for name in AFTER}
        == {path.parent.name for path in FOLDER.glob("*/before.py")}
    )


@pytest.mark.parametrize("name", AFTER)
def test_a_rule_gives_what_its_files_show(name: str) -> None:
    before, to = (AFTER[name].parent / "before.py").read_text(), AFTER[name].stem.removeprefix("after_")
    ported = port_source(before, to)

    assert ported.complete
    assert ported.text == AFTER[name].read_text()
    rule = AFTER[name].parent.name
    word = before.split()[1].partition(".")[0]
    if rule in AROUND or importlib.util.find_spec(word) is None:  # slim is read without being installed
        return
    shape = function(before, "f").__globals__.get("SHAPE", MAP.shape)
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    at = 2 if len(shape) == 5 else 1
    word = "jax" if word == "flax" else word
    same_numbers(before, *REST.get(rule, ()), of=word, to=to, x=x, at=at, moved=rule not in COUNTED)
