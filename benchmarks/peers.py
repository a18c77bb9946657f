"""What poolkit is held against besides the documented call: the Keras layer, einops, and a copy of the memory."""

from __future__ import annotations

from typing import Any

import poolkit as pk
from benchmarks.frameworks import Framework, Function
from benchmarks.native import native
from benchmarks.sites import SPATIAL, Site


def contenders(f: Framework, site: Site, layout: str) -> dict[str, Function]:
    """Functions that give the same numbers, the documented call first and poolkit last."""
    made = {"native": native(f, site, layout), "keras": _keras(f, site, layout), "einops": _einops(site, layout)}
    spec = site.spec(layout)
    ours: Function = (lambda x, mask: pk.pool(x, spec, mask=mask)) if site.masked else lambda x: pk.pool(x, spec)
    return {name: function for name, function in made.items() if function is not None} | {"poolkit": ours}


def _keras(f: Framework, site: Site, layout: str) -> Function | None:
    """The layer of Keras 3, on the framework that is measured as its engine."""
    if f.name == "numpy":
        return None
    import keras

    layers: Any = keras.layers
    d = len(site.size)
    options: dict[str, Any] = {"data_format": layout}
    word = "Average" if site.kind == "avg" else "Max"
    if site.masked:
        if layout == "channels_first":
            return None  # its mask is one of steps, which are the second axis
        pool = layers.GlobalAveragePooling1D(keepdims=True, **options)
        return lambda x, mask: pool(x, mask=mask[..., 0])
    if site.whole:
        whole: Function = getattr(layers, f"Global{word}Pooling{d}D")(keepdims=True, **options)
        return whole
    if site.output_size:
        adaptive: Function = getattr(layers, f"Adaptive{word}Pooling{d}D")(site.output_size, **options)
        return adaptive
    padding = site.padding if isinstance(site.padding, str) else "valid"
    layer: Function = getattr(layers, f"{word}Pooling{d}D")(site.window, site.stride, padding, **options)
    if not isinstance(site.padding, int):
        return layer
    # As keras.applications writes ResNet's stem; the map is not negative there, so that its zeros win no maximum.
    around = getattr(layers, f"ZeroPadding{d}D")(site.padding, **options)
    return lambda x: layer(around(x))


def _einops(site: Site, layout: str) -> Function | None:
    """`einops.reduce`, which says windows that stand side by side."""
    touching = site.divides or (site.window > 0 and site.window == site.stride and not site.pad)
    if site.masked or not touching:
        return None
    from einops import reduce

    parts = [f"{a.lower()}{k}" for a, k in zip(SPATIAL[len(site.size)], "123", strict=False)]
    before = " ".join(f"({p} w{p})" for p in parts)
    windows = {f"w{p}": k for p, k in zip(parts, site.windows, strict=True)}
    after, kind = " ".join(parts), {"avg": "mean", "max": "max"}[site.kind]
    pattern = f"n c {before} -> n c {after}" if layout == "channels_first" else f"n {before} c -> n {after} c"
    return lambda x: reduce(x, pattern, kind, **windows)
