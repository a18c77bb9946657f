"""What a lowering may do at a situation besides plain calls, as far as it decides in which ways a plan is computed."""

from __future__ import annotations

from typing import NamedTuple


class Means(NamedTuple):
    """What is shipped has none of them: it may run where there is no float64, and be traced."""

    shipped: bool  # it is to be short, and right for any numbers
    derivative: bool  # one may be taken
    wide: bool  # sums in float64 are to be had
    tries: bool  # numbers may be computed to see whether they are in range
    derives: bool  # a derivative may be given by hand, and numbers that are out of range be computed again
    asks: bool  # a choice may go by what tensors hold
    at_once: bool  # calls are made one by one, and numbers can be put at places that are data
    refuses: bool  # a place that there is not is refused by the call that would write to it
    multiplies: str  # by which product of matrices masked sums are fastest, if any
