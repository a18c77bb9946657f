"""poolkit's own words, as they stand in a line of source: ``pk.MaxPool(3, 2, "same", layout="NCHW")``."""

from __future__ import annotations

from typing import Any

from poolkit.dialects.calls import Call, known
from poolkit.dialects.dialect import Fields, check_written_out
from poolkit.errors import NotExactError
from poolkit.spec import chain, constructors, constructors_options, mix, pyramid, roi, segment, struct_pool, unpool
from poolkit.spec.operation import Operation
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.text import said
from poolkit.spec.values import is_many

OWN = "poolkit"
MODULES = (constructors_options, constructors, mix, chain, pyramid, unpool, roi, segment, struct_pool)
NAMES = (
    *(
        "PoolSpec",
        "Mix",
        "Chain",
        "Pyramid",
        "MaxPool",
        "AvgPool",
        "MinPool",
        "SumPool",
        "SoftPool",
        "LPPool",
        "GeM",
        "MedianPool",
        "BlurPool",
    ),
    *("GlobalAvgPool", "GlobalMaxPool", "GlobalMinPool", "GlobalSumPool"),
    *("StochasticPool", "FractionalMaxPool", "Unpool", "RoiSpec", "Segment", "StructPool"),
)
MAKERS = {f"{OWN}.{name}": name for name in (*NAMES, "AdaptiveAvgPool", "AdaptiveMaxPool", "AdaptiveMinPool")}


def full_name(dotted: str) -> str | None:
    """The full name of one of poolkit's words: ``pk.MaxPool``, or ``PoolSpec`` alone as a repr has it.

    >>> full_name("pk.MaxPool"), full_name("PoolSpec"), full_name("nn.MaxPool2d")
    ('poolkit.MaxPool', 'poolkit.PoolSpec', None)
    """
    name = f"{OWN}.{dotted.removeprefix('pk.').removeprefix('poolkit.')}"
    return name if name in MAKERS else None


def own_fields(call: Call) -> Fields | Operation:
    """The fields that a call of PoolSpec or of a constructor gives."""
    check_written_out(call)
    values = [*call.args, *(value for _, value in call.kwargs)]
    if all(known(value) for value in values):
        made = _made(call)
        return {"kind": made.kind, **said(made)} if isinstance(made, PoolSpec) else made
    fields = dict(call.kwargs)
    if call.name != f"{OWN}.PoolSpec" or len(call.args) != 1 or not known(call.args[0], fields.get("layout")):
        raise NotExactError("it is a spec of poolkit's with variables in it; it runs in every framework, in its layout")
    return {"kind": call.args[0], **fields}


def _made(value: Any) -> Any:
    """What a call of poolkit's makes, from literals alone."""
    if is_many(value):
        return tuple(map(_made, value))
    if not isinstance(value, Call):
        return value
    name = MAKERS.get(value.name, "")
    maker = next((vars(module)[name] for module in MODULES if name in vars(module)), None)
    if maker is None:
        raise NotExactError(f"{value.name} is no spec of poolkit's")
    return maker(*map(_made, value.args), **{key: _made(one) for key, one in value.kwargs})
