"""Names with more than one meaning: what may be somebody else's is told, and new code means the framework."""

from __future__ import annotations

import pytest

from poolkit.port.python.source import port_source
from tests.helpers.ports import ported, row

AVERAGE = "from keras.layers import AveragePooling2D\n"


@pytest.mark.parametrize(
    "other",
    [
        "from mylib.layers import AveragePooling2D\n",
        "AveragePooling2D = wrap(AveragePooling2D)\n",
        "def AveragePooling2D(k):\n    return lambda x: x\n",
        "class AveragePooling2D:\n    pass\n",
        "from functools import partial\nAveragePooling2D = partial(AveragePooling2D, padding='same')\n",
        "from torch.nn import AvgPool2d as AveragePooling2D\n",
        "from .mine import AveragePooling2D\n",
    ],
)
@pytest.mark.parametrize("to", ["torch", None])
def test_a_name_that_is_given_twice(other: str, to: str | None) -> None:
    source = f"{AVERAGE}{other}y = AveragePooling2D(2)(x)\n"
    after = port_source(source, to)
    assert after.text == source
    rows = [row for row in after.rows if row.before.startswith("AveragePooling2D(2)")]
    assert [row.status for row in rows] == ["failed"]
    assert "more than one meaning" in rows[0].note


@pytest.mark.parametrize(
    "head",
    [
        "try:\n    import keras\nexcept ImportError:\n    keras = None\n",
        "try:\n    import keras\nexcept ImportError:\n    from tensorflow import keras\n",
        "import keras\nimport keras\n",
        "import keras\nimport keras.layers\n",
    ],
)
def test_the_same_meaning_twice(head: str) -> None:
    assert row(f"{head}y = keras.layers.MaxPooling2D(2)(x)\n").status == "exact"


def test_two_frameworks_under_one_name() -> None:
    head = 'if be == "torch":\n    import torch.nn as nn\nelse:\n    import flax.linen as nn\n'
    rows = port_source(f"{head}a = nn.MaxPool2d(2)\nb = nn.max_pool(x, (2, 2), (2, 2))\n", "keras").rows
    assert [row.status for row in rows] == ["failed", "failed"]
    assert all("more than one meaning" in row.note for row in rows)


def test_a_function_of_that_name_elsewhere_is_none() -> None:
    source = f"{AVERAGE}class A:\n    def AveragePooling2D(self):\n        return AveragePooling2D(2)\n"
    assert row(source).status == "exact"


def test_a_parameter_whose_default_is_the_module() -> None:
    found = row("import keras\ndef g(x, keras=keras):\n    return keras.layers.MaxPooling2D(2)(x)\n")
    assert found.status == "failed"
    assert "more than one meaning" in found.note
    found = row("import keras\ndef g(x, keras):\n    return keras.layers.MaxPooling2D(2)(x)\n")
    assert (found.status, found.after) == ("caveat", "torch.nn.MaxPool2d(2)(x)")
    assert "keras.layers comes from elsewhere" in found.note


# ------------------------------------------------------------------------------------------- what the new code means


@pytest.mark.parametrize(
    ("source", "to", "head", "line"),
    [
        (
            "from keras import layers\ndef f(x, torch):\n    return layers.MaxPooling2D(2)(x)\n",
            "torch",
            "import torch as torch_\n",
            "    return torch_.nn.MaxPool2d(2)(x)",
        ),
        (
            "import torch.nn as nn\nfrom keras import layers\ndef f(x, nn):\n    y = layers.MaxPooling2D(2)\n",
            "torch",
            "import torch.nn as nn\nimport torch\n",
            "    y = torch.nn.MaxPool2d(2)",
        ),
        (
            "import torch.nn as nn\nfrom keras import layers\nclass A:\n    nn = 3\n    p = layers.MaxPooling2D(2)\n",
            "torch",
            "import torch.nn as nn\nimport torch\n",
            "    p = torch.nn.MaxPool2d(2)",
        ),
        (
            "from keras import layers\ndef f(x):\n    pk = 3\n    return layers.AvgPool2D(3, padding='same')(x)\n",
            "torch",
            "import poolkit\n",
            None,
        ),
        (
            "from keras import layers\ndef f(x, pk, poolkit):\n    return layers.AvgPool2D(3, padding='same')(x)\n",
            "torch",
            "import poolkit as poolkit_\n",
            None,
        ),
        (
            "from torch import nn\ndef f(keras=None):\n    return nn.MaxPool2d(2)\n",
            "keras",
            "import keras as keras_\n",
            "    return keras_.layers.MaxPooling2D(2)",
        ),
        (
            "import torch\ndef f(x, jnp):\n    return torch.mean(x, dim=(2, 3))\n",
            "jax",
            "import jax.numpy\n",
            "    return jax.numpy.mean(x, axis=(1, 2))",
        ),
    ],
)
def test_a_name_that_is_taken_somewhere(source: str, to: str, head: str, line: str | None) -> None:
    after = port_source(source, to)
    assert after.complete, after.rows
    assert after.text.startswith(head), after.text
    assert line is None or line in after.text.splitlines(), after.text


def test_a_name_that_a_case_gives() -> None:
    source = "from keras import layers\nmatch x:\n    case torch:\n        y = layers.MaxPooling2D(2)(x)\n"
    assert ported(source).text.startswith("import torch as torch_\n")


def test_a_function_that_imports_the_module_itself() -> None:
    source = "from keras import layers\ndef f(x):\n    y = layers.MaxPool2D(2)(x)\n    import torch\n    return y\n"
    after = ported(source).text
    assert "import torch as torch_\n" in after
    later = "from keras import layers\ndef f(x):\n    import torch\n    return torch, layers.MaxPooling2D(2)(x)\n"
    assert "torch_" not in ported(later).text


# --------------------------------------------------------------------------------------------- pools that nobody reads


@pytest.mark.parametrize(
    ("source", "before"),
    [
        ("from keras import layers\ny = getattr(layers, name + 'Pool')(2)(x)\n", "getattr(layers, name + 'Pool')"),
        (
            "import tensorflow_addons as tfa\ny = tfa.layers.AdaptiveAveragePooling2D(3)(x)\n",
            "tfa.layers.AdaptiveAveragePooling2D(3)",
        ),
        ("from torch_geometric.nn import global_mean_pool\ny = global_mean_pool(x, b)\n", "global_mean_pool(x, b)"),
    ],
)
def test_a_pool_that_is_not_read_is_told(source: str, before: str) -> None:
    after = port_source(source, "jax")
    assert after.text == source
    assert [(row.before, row.status) for row in after.rows] == [(before, "failed")]
    assert len(after.rows[0].note) > 40


def test_a_library_for_the_target_is_its_own() -> None:
    source = "from mmcv.ops import roi_pool\ny = roi_pool(x, boxes, 7)\n"
    assert port_source(source, "torch").rows == ()
    assert port_source(source, "keras").rows[0].status == "failed"


def test_pools_that_are_no_pooling_are_not_told() -> None:
    source = """\
    import keras
    import torch.multiprocessing as mp
    from multiprocessing import Pool
    from concurrent.futures import ThreadPoolExecutor
    from psycopg2.pool import SimpleConnectionPool
    a = Pool(2), mp.Pool(3), ThreadPoolExecutor(2), SimpleConnectionPool(1), getattr(keras, name)
    """
    assert ported(source).rows == ()
