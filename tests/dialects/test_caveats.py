"""Every caveat's example is run: the own layer still gives what is written there, and poolkit the definition."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import torch

import poolkit as pk
from poolkit import PoolSpec
from poolkit.dialects.dialect import Caveat
from poolkit.dialects.table import dialect
from tests.helpers.measuring import array, cells, indices, of_engine, own
from tests.helpers.support import environment, python

ENGINES = ("tensorflow", "torch", "jax", "numpy")

ALL = [(name, caveat) for name in ("torch", "keras", "tensorflow", "jax", "numpy") for caveat in dialect(name).caveats]
PLAIN = [(name, caveat) for name, caveat in ALL if name != "keras"]
# Another engine than this process's takes a process of its own.
OF_KERAS = [
    pytest.param(engine, caveat, marks=[] if engine == keras.backend.backend() else [pytest.mark.slow])
    for engine in ENGINES
    for caveat in of_engine(engine)
]


def name_of(value: Any) -> str:
    return value.text.replace(" ", "-")[:60] if isinstance(value, Caveat) else str(value)


def assert_is(given: list[float] | str, expected: Any) -> None:
    """Cells to four digits, which is what an example tells, or the name of what is raised."""
    if isinstance(expected, str) or isinstance(given, str):
        assert given == expected
        return
    np.testing.assert_allclose(given, np.broadcast_to(expected, len(given)), rtol=2e-6)


def assert_differs(given: list[float] | str, caveat: Caveat) -> None:
    """The own layer still gives what was measured. That a sum loses digits is sure; how many depends on the CPU."""
    own, definition = caveat.measured.own, caveat.measured.definition
    if caveat.about in ("half", "sums") and not isinstance(given, str) and np.isfinite(own).all():
        least = np.abs(np.subtract(own, definition)).max() / 10
        assert np.abs(np.subtract(given, definition)).max() > least
    else:
        assert_is(given, own)


@pytest.mark.parametrize(("backend", "caveat"), ALL, ids=name_of)
def test_poolkit_gives_the_definition(backend: str, caveat: Caveat) -> None:
    measured = caveat.measured
    assert caveat in pk.caveats(measured.spec, backend)
    x, tensors = array(measured), {} if measured.indices is None else {"indices": indices(measured)}
    if measured.slopes:
        places = {name: torch.from_numpy(t) for name, t in tensors.items()}
        held = torch.from_numpy(x).requires_grad_()
        found = torch.autograd.grad(pk.pool(held, measured.spec, **places).sum(), held)[0].numpy()
    else:
        found = pk.pool(x, measured.spec, **tensors)
    assert_is(cells(found, measured), measured.definition)


@pytest.mark.parametrize(("backend", "caveat"), PLAIN, ids=name_of)
def test_the_own_layer_gives_something_else(backend: str, caveat: Caveat) -> None:
    assert_differs(own(caveat, backend), caveat)
    assert caveat.measured.own != caveat.measured.definition


@pytest.fixture(scope="module")
def results() -> Callable[[str], list[Any]]:
    """What Keras's own layers give on an engine; an engine that is not this process's runs in one of its own."""
    known: dict[str, list[Any]] = {}

    def of(engine: str) -> list[Any]:
        if engine not in known and engine == keras.backend.backend():
            known[engine] = [own(caveat, "keras") for caveat in of_engine(engine)]
        elif engine not in known:
            code = f"from tests.helpers.measuring import main; main({engine!r})"
            known[engine] = json.loads(python(code, KERAS_BACKEND=engine, TF_CPP_MIN_LOG_LEVEL="3").splitlines()[-1])
        return known[engine]

    return of


@pytest.mark.parametrize(("engine", "caveat"), OF_KERAS, ids=name_of)
def test_the_own_layer_of_keras_gives_something_else(engine: str, caveat: Caveat, results: Any) -> None:
    assert_differs(results(engine)[of_engine(engine).index(caveat)], caveat)


ENDS = """
from tests.helpers.measuring import own
from poolkit.dialects.table import dialect
print("begun", flush=True)
for caveat in dialect("keras").caveats:
    if caveat.measured.own == "ends":
        own(caveat, "keras")
print("passed")
"""


def test_one_bin_of_an_adaptive_maximum_ends_the_process() -> None:
    env = environment(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")
    done = subprocess.run([sys.executable, "-c", ENDS], env=env, capture_output=True, text=True, check=False)
    assert done.stdout == "begun\n"
    assert done.returncode == -signal.SIGFPE


def test_what_has_no_caveat() -> None:
    assert pk.caveats(pk.MaxPool(3, layout="NCHW"), "torch") == ()
    assert [c.engine for c in pk.caveats(pk.MaxPool(3, 2, layout="NHWC"), "keras")] == ["tensorflow"] * 2
    assert "sums" not in [c.about for c in pk.caveats(pk.AvgPool(3, layout="NCHW"), "torch")]
    mix = pk.Mix([PoolSpec(kind, output_size=1, layout="NCHW") for kind in ("avg", "max")], how="cat")
    assert pk.caveats(mix, "torch") == ()
    assert (
        str(pk.caveats(pk.MaxPool(3, layout="NHWC"), "keras")[0])
        == "maxima leave out NaN (on Keras's tensorflow engine)"
    )
