"""`--to torch --layout NHWC`: what it writes runs as it is on Keras's PyTorch engine, beside Keras's other layers."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.portmodels import run
from tests.helpers.support import ROOT, python

SOURCE = ROOT / "examples" / "porting" / "deeplab_keras.py"

BOTH = """
import runpy, sys
import keras, numpy as np, torch

def outputs(path):
    names = runpy.run_path(path)
    keras.utils.set_random_seed(0)
    image = keras.Input((65, 48, 3))
    x = names["squeeze_excite"](names["stem"](image), 4)
    given = [x, names["image_branch"](x), *names["pyramid"](x), names["head"](x)]
    model = keras.Model(image, given)
    return model(np.random.default_rng(0).random((2, 65, 48, 3), "float32"))

before, after = map(outputs, sys.argv[1:])
assert all(isinstance(one, torch.Tensor) for one in after)
for a, b in zip(before, after, strict=True):
    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
print(len(after), "outputs are equal")
"""


def test_a_ported_file_runs_on_keras_with_pytorch(tmp_path: Path) -> None:
    port = tmp_path / "ported.py"
    assert run(SOURCE, "--to", "torch", "--layout", "NHWC", "--output", port).exit_code == 0
    assert "PoolSpec" in port.read_text()

    code = f"import sys; sys.argv = ['', {str(SOURCE)!r}, {str(port)!r}]\n{BOTH}"
    assert python(code, KERAS_BACKEND="torch") == "8 outputs are equal\n"
