"""PyTorch's own layer for a spec, where one is exactly equal."""

from __future__ import annotations

from typing import Any

from poolkit.dialects.calls import Call, call
from poolkit.dialects.dialect import not_equal
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_all

LAYOUTS = {1: "NCL", 2: "NCHW", 3: "NCDHW"}


def native(spec: PoolSpec) -> Call:
    """The torch.nn module that is equal to a spec in its normal form, at every size."""
    n = len(spec.spatial or "")
    if spec.kind not in ("avg", "max", "sum"):
        raise not_equal(f"torch.nn has no {spec.kind} pooling")
    _check_layout(spec, n)
    return _adaptive(spec, n) if spec.window is None else _window(spec, n)


def _check_layout(spec: PoolSpec, n: int) -> None:
    usual = LAYOUTS.get(n)
    if spec.axes is None:
        raise not_equal(f"layout={spec.layout} does not say how many spatial axes there are, and torch.nn names them")
    if usual is None:
        raise not_equal(f"torch.nn pools one to three spatial axes, and {spec.layout} has {n}")
    letters = spec.letters
    if letters != spec.layout:
        near = _near(spec.replace(layout=letters))
        raise not_equal(f"torch.nn takes a fixed number of axes, and {spec.layout} any number before its own", near)
    role = "".join(c if c in "NC" else "." for c in letters)
    if role not in ("NC" + "." * n, "C" + "." * n):
        near = _near(spec.replace(layout="NC" + (spec.spatial or "")))
        raise not_equal(f"torch.nn takes channels first, as in {usual}, and this layout is {spec.layout}", near)
    if spec.axes != spec.spatial:
        raise not_equal(f"torch.nn counts indices over all spatial axes, and here only {spec.axes} is pooled")


def _near(spec: PoolSpec) -> Call | None:
    from poolkit.errors import NotExactError

    try:
        return native(spec)
    except NotExactError as error:
        nearest: Call | None = error.nearest
        return nearest


def _adaptive(spec: PoolSpec, n: int) -> Call:
    if spec.kind == "sum":
        raise not_equal("torch.nn has no sum over bins")
    if spec.divisor_override is not None:
        near = _near(spec.replace(divisor_override=None))
        raise not_equal("torch.nn's averages over bins divide by the cells of each bin", near)
    if spec.output_size == (None,):
        raise not_equal("torch.nn's layers for one axis need its size, and None leaves it as it is: pool nothing")
    kind = {"avg": "Avg", "max": "Max"}[spec.kind]
    options = {"return_indices": True} if spec.indices else {}
    pool = call(f"torch.nn.Adaptive{kind}Pool{n}d", _short(spec.output_size), **options)
    if spec.keepdims:
        return pool
    if spec.indices or "N" not in spec.letters:
        raise not_equal("Flatten() drops the pooled axes of one batched tensor", pool)
    return call("torch.nn.Sequential", pool, call("torch.nn.Flatten"))


def _window(spec: PoolSpec, n: int) -> Call:
    padding, reason = _padding(spec)
    arguments: list[Any] = [_short(spec.window)]
    if spec.stride != spec.window:
        arguments.append(_short(spec.stride))
    options = {"padding": padding} if padding else {}
    if spec.kind == "max":
        made = call(f"torch.nn.MaxPool{n}d", *arguments, **options, **_of_max(spec))
    else:
        made = call(f"torch.nn.AvgPool{n}d", *arguments, **options, **_of_average(spec, bool(padding)))
        reason = reason or _no_average(spec, n)
    if reason:
        raise not_equal(reason, made)
    return made


def _of_max(spec: PoolSpec) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if not is_all(spec.dilation, 1):
        options["dilation"] = _short(spec.dilation)
    if spec.indices:
        options["return_indices"] = True
    if spec.ceil_mode:
        options["ceil_mode"] = True
    return options


def _of_average(spec: PoolSpec, padded: bool) -> dict[str, Any]:
    options: dict[str, Any] = {"ceil_mode": True} if spec.ceil_mode else {}
    divisor = 1 if spec.kind == "sum" else spec.divisor_override
    if isinstance(divisor, int) and len(spec.window) > 1:  # type: ignore[arg-type]  # a tuple, once canonical
        options["divisor_override"] = divisor
    elif padded and not spec.count_include_pad:
        options["count_include_pad"] = False
    return options


def _no_average(spec: PoolSpec, n: int) -> str | None:
    divisor = 1 if spec.kind == "sum" else spec.divisor_override
    if not is_all(spec.dilation, 1):
        return "torch.nn's averages have no dilation"
    if divisor is not None and n == 1:
        return "AvgPool1d has no divisor_override"
    if isinstance(divisor, float):  # a whole number is an int in every spec, unless it is too large for one
        return f"torch.nn's divisor_override is an integer, and this one is {divisor}"
    return None


def _padding(spec: PoolSpec) -> tuple[Any, str | None]:
    """What torch.nn is given as padding, and why that is not equal, if it isn't."""
    padding: Any = spec.padding
    window: Any = spec.window
    dilation: Any = spec.dilation
    if padding == "valid":
        return 0, None
    near = _short(tuple(min(d * (k - 1) // 2, k // 2) for k, d in zip(window, dilation, strict=True)))
    if isinstance(padding, str):
        return near, f"{padding} pads by the input's size, and torch.nn's padding is the same at every size"
    if any(low != high for low, high in padding):
        return near, "torch.nn pads both ends alike"
    lows = tuple(low for low, _ in padding)
    if any(low > k // 2 for low, k in zip(lows, window, strict=True)):  # whatever the dilation
        return near, "torch.nn pads by at most half of the window"
    return _short(lows), None


def _short(values: Any) -> Any:
    """One number for equal ones."""
    return values[0] if isinstance(values[0], int) and is_all(values, values[0]) else values
