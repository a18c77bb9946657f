"""Run as a program: pools on a mesh of eight CPU devices, each against one device; prints JSON that a test judges."""

from __future__ import annotations

import functools
import json
import re
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import poolkit as pk

SIZES = {"N": 8, "C": 32, "H": 16, "W": 6}
SPECS = {
    "mean": pk.GlobalAvgPool(layout="NHWC", keepdims=False),
    "mean of real cells": pk.GlobalAvgPool(layout="NHWC", keepdims=True),
    "maximum": pk.GlobalMaxPool(layout="NCHW", keepdims=True),
    "side by side": pk.AvgPool(2, layout="NHWC"),
    "maximum, same": pk.MaxPool(3, 2, "same", layout="NHWC"),
    "half in common": pk.MaxPool(4, 2, "same", layout="NHWC"),
    "average, same": pk.AvgPool(3, 1, "same", layout="NHWC"),
    "softmax": pk.SoftPool(3, 2, layout="NHWC"),
    "bins": pk.AdaptiveMaxPool(3, layout="NHWC"),
}
own: Any = jax  # whose functions have half of their types
WINDOWS = {"side by side": (2, 2), "maximum, same": (3, 2), "average, same": (3, 1)}  # NHWC, for JAX's own windows
COLLECTIVE = re.compile(r" (all-reduce|all-gather|all-to-all|collective-permute|reduce-scatter)(?:-start)?\(")


def forward(name: str, x: Any, mask: Any) -> Any:
    return pk.pool(x, SPECS[name], **({"mask": mask} if name == "mean of real cells" else {}))


def windows(name: str, x: Any, mask: Any) -> Any:
    """What JAX's own windows give, not divided."""
    start, reducer = (-jnp.inf, own.lax.max) if "maximum" in name else (0.0, own.lax.add)
    return own.lax.reduce_window(x, start, reducer, *[(1, n, n, 1) for n in WINDOWS[name]], "SAME")


def step(name: str, x: Any, mask: Any) -> Any:
    """What is pooled, and the gradient of its squares."""
    value, back = own.vjp(lambda x: forward(name, x, mask), x)  # pyright: ignore[reportUnknownLambdaType]
    return value, *back(jnp.square(value))


def everything(x: dict[str, Any], mask: Any) -> dict[str, Any]:
    return {name: step(name, t, mask) for name, t in x.items()}


def compiled(run: Any, args: Any, mesh: Any, layout: str, axes: dict[str, str]) -> tuple[Any, list[str]]:
    """The results where axes of the layout are sharded, and the collectives of the program."""

    def placed(layout: str) -> Any:
        return NamedSharding(mesh, PartitionSpec(*[axes.get(c) for c in layout]))

    args = [jax.device_put(t, placed(layout if t.ndim == len(layout) else layout.replace("C", ""))) for t in args]
    program: Any = own.jit(run).lower(*args).compile()
    return program(*args), COLLECTIVE.findall(program.as_text())


def main() -> None:
    rng, rows = np.random.default_rng(0), list[Any]()
    x = {name: rng.standard_normal([SIZES[c] for c in spec.layout], "float32") for name, spec in SPECS.items()}
    mask = rng.random((8, 16, 6)) < 0.8
    wanted: dict[str, Any] = own.jit(everything)(x, mask)
    for axes in (AxisType.Auto, AxisType.Explicit):
        line = jax.make_mesh((8,), ("d",), axis_types=(axes,))
        plane = jax.make_mesh((4, 2), ("n", "c"), axis_types=(axes, axes))
        run = forward if axes == AxisType.Auto else step
        for name, spec in SPECS.items():
            for mesh, sharded in ((plane, {"N": "n", "C": "c"}), (line, {"H": "d"})):
                work = functools.partial(run, name)
                place = (spec.layout, sharded)
                found, collectives = compiled(work, (x[name], mask), mesh, *place)
                both: Any = zip(jax.tree.leaves(found), wanted[name], strict=False)
                equal = all(np.allclose(a, b, 1e-5, 1e-6) for a, b in both)
                rows.append([axes.name, "".join(sharded), name, equal, collectives])
                if name in WINDOWS and "H" in sharded:
                    work = functools.partial(windows, name)
                    rows.append(["own", axes.name, name, True, compiled(work, (x[name], mask), mesh, *place)[1]])
    sys.stdout.write(json.dumps(rows))


if __name__ == "__main__":
    main()
