"""torch's fractional max pools: the windows are at places that it draws, or that `_random_samples` says."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from poolkit.dialects.calls import listed
from poolkit.dialects.dialect import Fields, Word
from poolkit.dialects.torch.native import LAYOUTS
from poolkit.dialects.torch.windows import each, flag
from poolkit.errors import NotExactError

DRAWS = (
    "torch draws its windows anew at each call, and poolkit by key= or samples= of the call, and in the middle without "
    "them: the numbers are other ones"
)


def _fractional(
    n: int,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: Any = False,
    _random_samples: Any = None,  # data, which a spec does not hold: they are the samples= of a call
) -> Fields:
    if (output_size is None) == (output_ratio is None):
        raise NotExactError(
            f"output_size={output_size} and output_ratio={output_ratio} are given, and one of them says how many "
            "windows there are; give one"
        )
    size = {"output_ratio": output_ratio} if output_size is None else {"output_size": output_size}
    return {
        "kind": "fractional_max",
        "window": each(n, listed(kernel_size)),
        **{name: each(n, listed(value)) for name, value in size.items()},
        "indices": flag(return_indices),
        "layout": LAYOUTS[n],
    }


def with_indices(fields: Callable[..., Fields]) -> Callable[..., Fields]:
    """The function that gives the positions whatever its return_indices says."""

    def both(*args: Any, **kwargs: Any) -> Fields:
        return fields(*args, **kwargs) | {"indices": True}

    both.__signature__ = inspect.signature(fields)  # type: ignore[attr-defined]
    return both


SAMPLES = (("samples", "_random_samples"),)

FRACTIONAL = tuple(
    Word(name, fields, tensor, further=SAMPLES, differs=DRAWS)
    for n in (2, 3)
    for name, fields, tensor in (
        (f"torch.nn.FractionalMaxPool{n}d", partial(_fractional, n), None),
        (f"torch.nn.functional.fractional_max_pool{n}d", partial(_fractional, n), "input"),
        (
            f"torch.nn.functional.fractional_max_pool{n}d_with_indices",
            with_indices(partial(_fractional, n)),
            "input",
        ),
    )
)
