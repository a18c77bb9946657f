"""The node tests of the `onnx` package for its pooling operators, as cases: its inputs, and its expected numbers.

ONNX averages without padding unless told, drops ceil windows by the same rule as the design, and flattens `Indices`
over the whole tensor, so only those are converted.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from typing import Any

import numpy as np

from poolkit import PoolSpec
from poolkit_conformance.case import Array, Case, Fixed

# Where the node tests stand in the package; each module adds its tests to a list of the package when it is imported.
PACKAGE = "onnx.backend.test.case.node"
MODULES = ("averagepool", "maxpool", "globalaveragepool", "globalmaxpool", "lppool")
OPERATORS = {
    "AveragePool": ("avg", False),
    "MaxPool": ("max", False),
    "LpPool": ("lp", False),
    "GlobalAveragePool": ("avg", True),
    "GlobalMaxPool": ("max", True),
}
LAYOUTS = {3: "NCL", 4: "NCHW", 5: "NCDHW"}
AT_LEAST = 51  # how many tests onnx 1.23 has; fewer would mean that the translation has lost some


@functools.cache
def onnx_cases() -> tuple[Case, ...]:
    """One case a node test; none where onnx isn't installed, which `test_the_suite.py` doesn't accept."""
    if importlib.util.find_spec("onnx") is None:
        return ()
    found: list[Any] = importlib.import_module(PACKAGE)._NodeTestCases
    for module in MODULES:
        importlib.import_module(f"{PACKAGE}.{module}")
    ours = {test.name: test for test in found if test.model.graph.node[0].op_type in OPERATORS}
    return tuple(_case(test) for name, test in sorted(ours.items()) if "_expanded" not in name)


def _case(test: Any) -> Case:
    (node,) = test.model.graph.node
    ((inputs, outputs),) = test.data_sets
    x = np.asarray(inputs[0])
    fields = _attributes(node)
    spec = _spec(node.op_type, fields, x.ndim, len(outputs) == 2)
    indices = None
    if len(outputs) == 2:
        indices = Fixed(_of_one_map(np.asarray(outputs[1]), x.shape, fields.get("storage_order", 0)))
    name = "onnx_" + test.name.removeprefix("test_")
    values = BY_DEFINITION[name][0] if name in BY_DEFINITION else np.asarray(outputs[0])
    return Case(name, spec, x.shape, x.dtype.name, Fixed(x), values=Fixed(values), indices=indices, why=_reason(name))


def _reason(name: str) -> str:
    return BY_DEFINITION[name][1] if name in BY_DEFINITION else "a node test of the onnx package"


def _attributes(node: Any) -> dict[str, Any]:
    helper = importlib.import_module("onnx").helper
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def _spec(operator: str, fields: dict[str, Any], rank: int, indices: bool) -> PoolSpec:
    """ONNX's attributes as a spec. Its default stride is 1; its pads are all starts, then all ends."""
    kind, whole = OPERATORS[operator]
    if whole:
        return PoolSpec(kind, layout=LAYOUTS[rank], output_size=1)
    counts: dict[str, Any] = {"count_include_pad": True} if fields.get("count_include_pad") else {}
    counts |= {"p": fields.get("p", 2)} if operator == "LpPool" else {}
    return PoolSpec(
        kind,
        layout=LAYOUTS[rank],
        window=tuple(fields["kernel_shape"]),
        stride=tuple(fields.get("strides", [1] * (rank - 2))),
        dilation=tuple(fields.get("dilations", [1] * (rank - 2))),
        padding=_padding(fields, rank - 2),
        ceil_mode=bool(fields.get("ceil_mode", 0)),
        indices=indices,
        **counts,
    )


def _padding(fields: dict[str, Any], axes: int) -> Any:
    auto = fields.get("auto_pad", b"NOTSET").decode()
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        return {"SAME_UPPER": "same", "SAME_LOWER": "same_lower"}[auto]
    pads = fields.get("pads", [0] * (2 * axes))
    return tuple(zip(pads[:axes], pads[axes:], strict=True))


def _of_one_map(indices: Array, shape: tuple[int, ...], storage_order: int) -> Array:
    """Positions in the whole tensor, row- or column-major, as row-major positions in their own map."""
    cells = int(np.prod(shape[2:]))
    within = indices % cells
    if storage_order == 0:
        return within
    along = np.unravel_index(within, shape[2:], order="F")
    return np.ravel_multi_index(along, shape[2:])


# Node tests whose expected numbers aren't those of ONNX's own definition: what they should be, and why.
BY_DEFINITION: dict[str, tuple[Array, str]] = {
    "onnx_averagepool_2d_ceil_last_window_starts_on_pad": (
        np.array([1.3595, 2.5564, 3.2150]).reshape(1, 3, 1, 1) / 9,
        "the node test holds these sums of four cells, over the nine of the window, with four digits",
    ),
}
