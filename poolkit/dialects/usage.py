"""How programs use a framework besides calling its pools: what reading and porting source code goes by."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from poolkit.dialects.calls import Call

if TYPE_CHECKING:
    from poolkit.spec.pool_spec import PoolSpec


@dataclass(frozen=True)
class Spelling:
    """What only one framework calls its classes, as `module` has them.

    `names` are those that modules with a framework's own layers have; any other module may hold classes of the
    project's own. A spelling is `shared` that frameworks without a dialect have, too.
    """

    module: str
    classes: re.Pattern[str]
    names: tuple[str, ...]
    shared: bool = False


@dataclass(frozen=True)
class Methods:
    """What a framework's tensors have as methods: words that begin with `prefix`, and their arguments' own names."""

    prefix: str
    arguments: frozenset[str]


@dataclass(frozen=True)
class Usage:
    """Facts of one framework, each empty where there is nothing to say.

    The code that reads them names no framework, so that another one brings its own.
    """

    # Names under which people import, for a line alone, each with the modules that it may stand for.
    shorts: Mapping[str, str] = field(default_factory=dict[str, str])
    # The beginning of a dotted name -> what stands for it in new code, and the import that puts it there.
    imports: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    # Where another framework holds this one whole.
    inside: tuple[str, ...] = ()
    # Modules below which a name with "pool" in it pools, by one of their names.
    places: tuple[str, ...] = ()
    # Words that may pool and do not say so by their names.
    unsaid: tuple[str, ...] = ()
    # Words that hold others: they are one pool, or only what is inside them is.
    holders: tuple[str, ...] = ()
    # What may stand in a holder without pooling.
    beside: tuple[str, ...] = ()
    # Public modules besides those of the words, which hold the same functions or older ones.
    public: tuple[str, ...] = ()
    # Functions that words are given.
    functions: tuple[str, ...] = ()
    methods: Methods | None = None
    spelling: Spelling | None = None
    # Libraries with layers for the framework, whose pooling poolkit does not read.
    around: tuple[str, ...] = ()
    # Functions and methods that take axes, in one text for each place: 1 is right behind the tensor, and 0 a layer's.
    axes: Mapping[int, str] = field(default_factory=dict[int, str])
    # Reductions of one axis that give positions beside the values -> those that give the values alone.
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    # Words whose sizes may be one number, or have entries for batch and channels; their beginnings.
    listed: tuple[str, ...] = ()
    # What None stands for: a stride of the window, or of a number, and bins of the axis itself.
    none: Mapping[str, str | int] = field(default_factory=dict[str, "str | int"])
    # The beginning of words whose window is over the last axes of a tensor -> what is to be said of that.
    last_axes: Mapping[str, str] = field(default_factory=dict[str, str])
    # The beginning of words whose tensor may have any number of batches, or none.
    any_batches: tuple[str, ...] = ()
    # Layers that a pool may be wrapped in or followed by -> what they do: "reshape", "flatten" or "lambda".
    steps: Mapping[str, str] = field(default_factory=dict[str, str])
    # Positive axes are as often those of one image as of a batch: its pools take both.
    single_images: bool = False
    # Whether a size has to be a tuple or a list, where other frameworks take a tensor's shape, too.
    tuples: bool = False
    # The beginning of words whose padding is "same" or "valid" and nothing else.
    same_or_valid: tuple[str, ...] = ()
    # Beside its words a program's tensors are in either order of the axes.
    either_order: bool = False
    # Whether layers are called by a name that models are saved with.
    named_layers: bool = False
    # The root of a word's module -> the backend whose tensors it takes, where it has none of its own.
    tensors: Mapping[str, str] = field(default_factory=dict[str, str])
    # The reduction for a spec whose pooled axes are dropped, where a layer's would not be right at every rank.
    reduction: Callable[[PoolSpec], Call] | None = None
    # And that of a mean whose axes stay where they are counted, for tensors of any rank.
    counted: Callable[[PoolSpec], Call] | None = None
    # The layer that puts zeros around the spatial axes, by (low, high) of each and whether channels come first.
    zeros: Callable[[tuple[tuple[int, int], ...], bool], Call | None] | None = None
    # Two layers, one after the other, as one.
    chain: Callable[[Call, Call], Call] | None = None
    # The function that makes maps larger or smaller, of its usual order of the axes.
    resizes: str = ""
    # Layers and functions by the axis that they take where they are told none, and what they call it.
    unsaid_axes: Mapping[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])
    # A layer as the function that it calls, and the text of what follows it.
    function: Callable[[Call], tuple[Call, str]] | None = None
