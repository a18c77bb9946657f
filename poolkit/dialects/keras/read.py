"""Keras's words for pooling: layers, their configs, and keras.ops. Imports no Keras."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

from poolkit.dialects.calls import Call, listed
from poolkit.dialects.dialect import MIDDLE, Dialect, Fields, Word, need_value, no_spec, words
from poolkit.dialects.keras.caveats import CAVEATS
from poolkit.dialects.keras.native import LAYOUTS, native
from poolkit.dialects.keras.usage import USAGE
from poolkit.dialects.policies import policy_of
from poolkit.dialects.reductions import reduce
from poolkit.errors import InputError, NotExactError
from poolkit.lowering.geometry import SPATIAL
from poolkit.spec.values import is_many, plain

LAYERS, OPS = "keras.layers", "keras.ops"
BACKEND = "keras.backend"  # whose functions Keras 3 has no more

ROOTS = ("keras", "tf_keras", "tensorflow")

# Arguments of every Keras layer that say nothing about what it pools.
PLAIN = ("name", "dtype", "trainable", "autocast", "activity_regularizer", "input_shape", "batch_input_shape")


def layout_of(n: int | None, data_format: Any) -> str:
    """The layout of a `data_format`, of which None is that of Keras's configuration."""
    need_value("data_format", data_format)
    if data_format is None:
        keras: Any = sys.modules.get("keras")
        data_format = keras.config.image_data_format() if hasattr(keras, "config") else "channels_last"
    data_format = data_format.lower() if isinstance(data_format, str) else data_format
    if data_format not in ("channels_first", "channels_last"):
        raise NotExactError(
            f'data_format={data_format!r} is none of Keras\'s; write "channels_last" or "channels_first"'
        )
    if n is None:
        return str(data_format)
    if n not in SPATIAL:
        raise NotExactError(
            f"it has {n} sizes, and Keras's pools take one to three, none for batch and channels; mend it"
        )
    return f"NC{SPATIAL[n]}" if data_format == "channels_first" else f"N{SPATIAL[n]}C"


def padding_of(padding: Any) -> Any:
    """The word for a padding, in either case; a variable decides what is pooled, and is not carried over."""
    need_value("padding", padding)
    lower = padding.lower() if isinstance(padding, str) else padding
    if lower not in ("valid", "same"):
        raise NotExactError(f'padding={padding!r} is none of Keras\'s pools\'; write "valid" or "same"')
    return lower


def _window(
    kind: str,
    n: int,
    pool_size: Any = 2,  # Keras's own default in two and three dimensions, and once in one
    strides: Any = None,
    padding: Any = "valid",
    data_format: Any = None,
    **plain: Any,
) -> Fields:
    given = _modern({"pool_size": pool_size, "strides": strides, "padding": padding, "data_format": data_format}, plain)
    if given["pool_size"] is None:
        raise NotExactError("pool_size=None is no size, and Keras takes an integer, or one for each axis; write it")
    return {
        "kind": kind,
        "window": listed(given["pool_size"]),
        "stride": listed(given["strides"]),
        "padding": padding_of(given["padding"]),
        "layout": layout_of(n, given["data_format"]),
    }


def _global(kind: str, n: int, data_format: Any = None, keepdims: Any = False, **plain: Any) -> Fields:
    given = _modern({"data_format": data_format}, plain)
    need_value("keepdims", keepdims)
    if not isinstance(keepdims, bool | int):
        raise NotExactError(f"keepdims={keepdims!r} is no flag; write True or False")
    return {"kind": kind, "output_size": 1, "keepdims": bool(keepdims), "layout": layout_of(n, given["data_format"])}


def _adaptive(kind: str, n: int, output_size: Any, data_format: Any = None, **plain: Any) -> Fields:
    _modern({}, plain)
    if is_many(output_size) and None in output_size:
        raise NotExactError(f"output_size={tuple(output_size)} is refused by Keras, which needs a size for every axis")
    return {"kind": kind, "output_size": listed(output_size), "layout": layout_of(n, data_format)}


# What Keras 1 called its arguments, and the orders of its axes.
OLD = {"pool_length": "pool_size", "stride": "strides", "border_mode": "padding", "dim_ordering": "data_format"}
ORDERS = {"th": "channels_first", "tf": "channels_last", "default": None}


def _modern(given: dict[str, Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with those that have a name of Keras 1; the others that are given say nothing of what is pooled."""
    for name, value in plain.items():
        ours = OLD.get(name)
        if ours in given:
            given[ours] = value
        elif name not in PLAIN:
            raise NotExactError(f"{name} is no argument of a pooling layer of Keras; leave it out")
    order = given.get("data_format")  # by its place in Keras 1, too: ``MaxPooling2D((3, 3), (2, 2), "same", "th")``
    given["data_format"] = ORDERS.get(order, order) if isinstance(order, str) else order
    dtype = policy_of(plain.get("dtype"))
    if dtype:
        raise NotExactError(f"dtype={dtype} casts what is pooled, which a spec does not; cast before the pool")
    return given


def _layers(n: int) -> list[Word]:
    kinds = {"Max": "max", "Average": "avg"}
    return [
        word
        for name, kind in kinds.items()
        for word in (
            Word(f"{LAYERS}.{name}Pooling{n}D", partial(_window, kind, n), old=OLD),
            Word(f"{LAYERS}.Global{name}Pooling{n}D", partial(_global, kind, n), old=OLD),
            Word(f"{LAYERS}.Adaptive{name}Pooling{n}D", partial(_adaptive, kind, n)),
        )
    ]


# -------------------------------------------------------------------------------------------------------- keras.ops


def _ops_window(
    kind: str, pool_size: Any, strides: Any = None, padding: Any = "valid", data_format: Any = None
) -> Fields:
    fields = _window(kind, 2, pool_size, strides, padding)
    return {**fields, "layout": layout_of(_count(pool_size) or _count(strides), data_format)}


def _ops_adaptive(kind: str, output_size: Any, data_format: Any = None) -> Fields:
    return {"kind": kind, "output_size": listed(output_size), "layout": layout_of(_count(output_size), data_format)}


def _count(value: Any) -> int | None:
    """The number of spatial axes, where a value has one entry for each."""
    return len(value) if isinstance(value, tuple | list) else None


def _ops_reduce(kind: str, axis: Any = None, keepdims: Any = False, initial: Any = None) -> Fields:
    if initial is not None:
        raise NotExactError("initial takes part in the result, which a spec has no word for; leave it out")
    return reduce(kind, axis, keepdims)


def _backend_pool(
    n: int,
    pool_size: Any,
    strides: Any = (1, 1, 1),
    padding: Any = "valid",
    data_format: Any = None,
    pool_mode: Any = "max",
    **old: Any,
) -> Fields:
    """``keras.backend.pool2d``, whose strides are 1 where none are given, also with the arguments of Keras 1."""
    wrong = next((name for name in old if name not in ("border_mode", "dim_ordering")), None)
    if wrong is not None:
        raise NotExactError(f"{wrong} is no argument of keras.backend.pool{n}d; leave it out")
    need_value("pool_mode", pool_mode, str)
    if pool_mode not in ("max", "avg"):
        raise NotExactError(f'pool_mode={pool_mode!r} is none of Keras\'s; write "max" or "avg"')
    return _window(pool_mode, n, pool_size, 1 if strides == (1, 1, 1) else strides, padding, data_format, **old)


REDUCTIONS = {"mean": partial(reduce, "avg"), "sum": partial(reduce, "sum")} | {
    name: partial(_ops_reduce, kind)
    for name, kind in (("max", "max"), ("amax", "max"), ("min", "min"), ("amin", "min"))
}

# -------------------------------------------------------------------------------------------- layers and their configs


def call_of(obj: Any) -> Call | None:
    """A layer of Keras, or what `get_config` and `keras.layers.serialize` give of one, as the call that makes it."""
    if isinstance(obj, Mapping):
        return _of_config(obj)
    cls = type(obj)
    if not cls.__module__.startswith(("keras.", "tf_keras.")) or not hasattr(obj, "get_config"):
        return None
    return _of_config({"class_name": cls.__name__, "config": obj.get_config()})


def _of_config(data: Mapping[str, Any]) -> Call:
    name, config = plain(data.get("class_name")), data.get("config")
    if not isinstance(name, str) or not isinstance(config, Mapping):
        raise InputError(
            f"received a dict with the keys {', '.join(map(str, data))}, and a layer's has class_name and config; "
            "give what keras.layers.serialize(layer) returns"
        )
    module = str(data.get("module") or LAYERS)
    if module.split(".")[0] not in ROOTS:
        raise NotExactError(
            f"received the config of {module}.{name}, and a class that is not Keras's may pool otherwise; "
            "read the layers inside it"
        )
    arguments = [(key, value) for key, value in config.items() if key not in PLAIN]
    dtype = policy_of(config.get("dtype"))
    if dtype:
        arguments.append(("dtype", dtype))
    return Call(canonical(f"{LAYERS}.{name}"), (), tuple(arguments))


ALIASES = (("AvgPool", "AveragePooling"), ("MaxPool", "MaxPooling"), ("AveragePool", "AveragePooling"))


def canonical(name: str) -> str:
    """Keras's other names, such as ``AvgPool2D``, ``keras.src.layers.pooling…`` and ``keras.backend.mean``."""
    *_, last = name.split(".")
    if name.startswith(("keras.backend.", "tf_keras.backend.")):
        return f"{BACKEND}.{last}"
    if name.startswith("keras.ops.") or ".ops." in name:
        return f"{OPS}.{last}"
    if name.startswith(("keras.", "tf_keras.")) and "layers" in name:
        for short, long in ALIASES:
            before, found, after = last.partition(short)
            if found and before in ("", "Global", "Adaptive") and after in ("1D", "2D", "3D"):
                last = f"{before}{long}{after}"
        return f"{LAYERS}.{last}"
    return name


NEIGHBOURS = {
    **{f"Conv{n}D": "is a convolution with learned weights" for n in (1, 2, 3)},
    **{f"ZeroPadding{n}D": "puts zeros around its input and pools nothing" for n in (1, 2, 3)},
    **{f"UpSampling{n}D": "repeats or interpolates" for n in (1, 2, 3)},
    "Flatten": "makes a vector and pools nothing",
    "Reshape": "changes the shape and pools nothing",
    "Resizing": "interpolates",
    "Lambda": "runs code, which poolkit does not read",
    "TimeDistributed": "applies a layer to every step of a sequence",
    "Bidirectional": "applies a layer to a sequence and to its reverse",
    "Wrapper": "applies a layer in its own way",
    "Masking": "masks steps, which an average behind it leaves out",
}

WORDS = words(
    *(word for n in (1, 2, 3) for word in _layers(n)),
    *(Word(f"{OPS}.{name}", fields, "x") for name, fields in REDUCTIONS.items()),
    *(Word(f"{BACKEND}.{name}", fields, "x", gone=True) for name, fields in REDUCTIONS.items()),
    *(Word(f"{BACKEND}.pool{n}d", partial(_backend_pool, n), "x", gone=True) for n in (2, 3)),
    Word(f"{OPS}.max_pool", partial(_ops_window, "max"), "inputs"),
    Word(f"{OPS}.average_pool", partial(_ops_window, "avg"), "inputs"),
    Word(f"{OPS}.adaptive_max_pool", partial(_ops_adaptive, "max"), "inputs"),
    Word(f"{OPS}.adaptive_average_pool", partial(_ops_adaptive, "avg"), "inputs"),
    *(no_spec(f"{LAYERS}.{name}", what) for name, what in NEIGHBOURS.items()),
    no_spec(f"{OPS}.median", MIDDLE),
)

DIALECT = Dialect("keras", ("keras", "tf_keras"), WORDS, LAYOUTS, canonical, call_of, native, CAVEATS, USAGE)
