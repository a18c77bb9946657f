"""What the suite has to know about a backend: making, differentiating and compiling tensors, and its modes.

A backend's author writes one subclass, in `conformance.py` of the adapter, with a `HARNESS` made from it.
"""

from __future__ import annotations

import contextlib
import fnmatch
import importlib
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import poolkit as pk
from poolkit.lowering.backend import Adapter
from poolkit.running import registry
from poolkit.spec.operation import Operation
from poolkit_conformance.case import FLOATS, INTEGERS, Case, numpy_dtype

Array = np.ndarray[Any, Any]
Tensor = Any
Sized = tuple[int | None, ...]
Function = Callable[..., Tensor]  # of the input and those besides it


@dataclass(frozen=True)
class Share:
    """A part of the cases that are marked few, or named by a pattern: slow modes share them, `--full` runs all."""

    part: int
    parts: int
    of: str = "few"

    def holds(self, case: Case) -> bool:
        return chosen(self.of, case) and zlib.crc32(case.name.encode()) % self.parts == self.part


# Which cases run in a mode: "every" one, those that are marked "few", or those whose names match one of these patterns.
Which = str | Share | tuple[str | Share, ...]

# One case for each thing that may go wrong in a way of its own, for modes that take seconds.
HANDFUL = (
    "avg_adaptive_5x7_to_3",
    "avg_counts_padding",
    "avg_empty_batch",
    "avg_float16_k3_s2_same",
    "avg_global",
    "avg_k3_s2_same",
    "avg_mask_tokens",
    "avg_weight_k3_s2_same",
    "max_adaptive_5x7_to_3",
    "max_all_minus_inf_global",
    "max_int32_k3_s2_same",
    "max_k3x2_dilated2x3",
    "max_mask_k3_s2_same",
    "max_nan_k3_s2_same",
    "max_ties_3d_k2",
    "max_ties_global",
    "softmax_k3_s2_same",
)

# One case for each operation that is no pool of windows or bins alone.
OPERATIONS = (
    "chain_max_blur",
    "learned_attention",
    "mix_add_k3_s2_same",
    "pyramid_spp",
    "roi_align_of_maps",
    "roi_max_of_maps",
    "s3_by_samples_k3_s2_g4_same",
    "segment_max_without_rows",
    "segment_softmax_of_rows",
    "struct_padded",
    "unpool_k3_s2_p1",
)


def shared(*modes: str) -> dict[str, Which]:
    """A handful of cases in each of these modes, and each case that is marked few in one of them."""
    return {mode: (*HANDFUL, Share(part, len(modes))) for part, mode in enumerate(modes)}


class Harness:
    """The defaults; a method that a declared mode needs has to be written."""

    backend: ClassVar[str]
    dtypes: ClassVar[frozenset[str]] = frozenset(FLOATS + INTEGERS + ("complex64",))
    # Of modes that match a pattern the dtypes that what runs there has not: no cases of it. The suite tries each.
    lacks: ClassVar[Mapping[str, frozenset[str]]] = {}
    # Modes for any size that keep an axis of one cell, or of one window, as it is: such cases are none of them.
    constants: ClassVar[frozenset[str]] = frozenset()
    # Mode -> which cases. "compiled:xla" is the mode `compiled`, told which of several compilers.
    modes: ClassVar[Mapping[str, Which]] = {}
    # Whether a recorded program makes the very calls that the direct lowering makes, so that their bits are equal.
    same_bits: ClassVar[bool] = True

    def takes(self, mode: str) -> frozenset[str]:
        """The dtypes whose cases run in a mode."""
        return self.dtypes.difference(*(self.lacks[p] for p in self.lacks if fnmatch.fnmatchcase(mode, p)))

    # ------------------------------------------------------------------------------------------------- tensors

    def context(self, case: Case) -> contextlib.AbstractContextManager[Any]:
        """What has to be switched on around a case."""
        return contextlib.nullcontext()

    def index_dtype(self, case: Case) -> str:
        return "int64"

    @property
    def adapter(self) -> Adapter:
        return registry.adapter(self.backend)

    def from_numpy(self, x: Array) -> Tensor:
        return self.adapter.from_numpy(x)

    def to_numpy(self, t: Tensor) -> Array:
        """With the tensor's own dtype."""
        return np.asarray(self.adapter.to_numpy(t), numpy_dtype(self.adapter.dtype(t)))

    def owns(self, t: Tensor) -> bool:
        """Whether this is a tensor of the backend."""
        try:
            self.adapter.check(t)
        except pk.InputError:
            return False
        return True

    # -------------------------------------------------------------------------------------------------- pooling

    def pool(self, x: Tensor, spec: Operation, **tensors: Tensor) -> Any:
        return pk.pool(x, spec, **tensors)

    def compiled(self, function: Function, how: str) -> Function:
        raise NotImplementedError

    def dynamic(self, function: Function, *tensors: Tensor, case: Case | None = None) -> Function:
        """Compiled or traced without knowing any size, only ranks and dtypes, and what a case says of its sizes."""
        raise NotImplementedError

    def exported(self, function: Function, how: str, told: Sequence[Sized], *tensors: Tensor) -> Function:
        """Exported, saved or converted, and read again, for sizes which are `told`, and any where that is None."""
        ways = importlib.import_module(f"{registry.row(self.backend).package}.exports")
        run: Function = ways.exported(function, how, told, *tensors)
        return run

    # ---------------------------------------------------------------------------------------------- derivatives

    def vjp(self, function: Function, x: Tensor, cotangent: Tensor, *others: Tensor) -> Tensor:
        """The gradient of ``function(x, *others)`` by its first argument."""
        return self.adapter.gradient(lambda t: function(t, *others), x, cotangent)

    def jvp(self, function: Function, x: Tensor, tangent: Tensor) -> Tensor:
        raise NotImplementedError

    def second(self, function: Function, x: Tensor, cotangent: Tensor, tangent: Tensor) -> tuple[Tensor, Tensor]:
        """The derivatives of <vjp(x, cotangent), tangent> with respect to `x` and to `cotangent`."""
        raise NotImplementedError

    def vmap(self, function: Function) -> Function:
        """Over a new first axis of every tensor."""
        raise NotImplementedError

    # --------------------------------------------------------------------------------------------------- memory

    def views(self, x: Array) -> Iterable[Tensor]:
        """The same numbers in tensors that are not laid out one after the other."""
        raise NotImplementedError

    def read_only(self, x: Array) -> Tensor:
        """A tensor that can't be written to, where there is such a thing."""
        return self.from_numpy(x)

    def shares_memory(self, a: Tensor, b: Tensor) -> bool:
        raise NotImplementedError


def chosen(which: Which, case: Case) -> bool:
    """Whether a mode that is declared for `which` cases runs this one."""
    if isinstance(which, Share):
        return which.holds(case)
    if isinstance(which, tuple):
        return any(chosen(each, case) for each in which)
    return which == "every" or (case.few if which == "few" else fnmatch.fnmatchcase(case.name, which))
