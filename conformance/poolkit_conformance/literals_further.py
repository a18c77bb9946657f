"""Literals about masks and weights."""

from __future__ import annotations

from typing import Any

from poolkit_conformance.case import Case, Numbers
from poolkit_conformance.literal import INF, NAN, ONE_TO_4, given, row


def _masked(name: str, spec: str, x: Numbers, mask: Numbers, values: Numbers, why: str = "", **more: Any) -> Case:
    return given(row(name, spec, x, values, why, **more), mask=mask)


FURTHER = [
    _masked(
        "a_masked_average_divides_by_what_is_there",
        "avg output_size=1",
        (1, 3, 100),
        (True, True, False),
        (2,),
        few=True,
        gradient=(0.5, 0.5, 0),
        why="multiplied by the mask and averaged: 4/3",
    ),
    _masked(
        "nan_under_a_mask_stays_out",
        "avg output_size=1",
        (1, 3, NAN),
        (True, True, False),
        (2,),
        gradient=(0.5, 0.5, 0),
        why="multiplied by 0 it is NaN",
    ),
    _masked(
        "a_window_without_a_real_cell_is_0",
        "avg window=2",
        (5, 6, 7, 8),
        (False, False, True, False),
        (0, 7),
        gradient=(0, 0, 1, 0),
        why="0/0 is NaN",
    ),
    _masked(
        "the_maximum_of_a_window_without_a_real_cell_is_0",
        "max window=2",
        (-5, -6, -7, -8),
        (False, False, True, False),
        (0, -7),
        gradient=(0, 0, 1, 0),
        why="filled with the lowest number: -3.4e38",
    ),
    _masked(
        "a_masked_maximum_of_minus_infinity",
        "max window=2",
        (-INF, 3, -INF, 4),
        (True, False, True, False),
        (-INF, -INF),
        why="-inf is a real cell",
    ),
    _masked(
        "the_index_of_a_window_without_a_real_cell_is_minus_1",
        "max window=2",
        (5, 6, 9, 8),
        (False, False, False, True),
        (0, 8),
        few=True,
        indices=(-1, 3),
        why="0 would be a cell",
    ),
    _masked(
        "a_masked_cell_does_not_win_a_tie",
        "max window=2",
        (-INF, -INF, -INF, -INF),
        (False, True, False, True),
        (-INF, -INF),
        indices=(1, 3),
        why="filled with -inf and compared: 0 and 2",
    ),
    _masked(
        "a_masked_maximum_of_negative_cells",
        "max window=2",
        (-5, 2, -1, -3),
        (True, False, False, True),
        (-5, -3),
        few=True,
        gradient=(1, 0, 0, 1),
        why="multiplied by the mask: 0",
    ),
    _masked(
        "padding_is_not_real_with_a_mask_either",
        "avg window=3 stride=1 padding=same",
        (1, 2, 3, 4),
        (True, True, True, False),
        (1.5, 2, 2.5, 3),
    ),
    _masked(
        "a_masked_softmax",
        "softmax window=4",
        (1, 2, 50, 3),
        (True, True, False, True),
        (2.575210209,),
        why="a cell of the mask counts as 0 in a softmax of x * mask",
    ),
    _masked("a_masked_sum_of_integers", "sum output_size=1", (200, 100, 255), (1, 0, 1), (455,), dtype="uint8"),
    _masked("a_masked_maximum_of_integers", "max window=2", (-128, 5), (True, False), (-128,), dtype="int8"),
    given(
        row(
            "a_weighted_average",
            "avg window=4",
            ONE_TO_4,
            (3,),
            "the mean of x * w is 7.5",
            few=True,
            gradient=(0.1, 0.2, 0.3, 0.4),
        ),
        weight=(1.0, 2.0, 3.0, 4.0),
    ),
    given(row("a_weighted_sum", "sum window=2", ONE_TO_4, (5, 25), gradient=(1, 2, 3, 4)), weight=(1.0, 2.0, 3.0, 4.0)),
    given(
        row(
            "weights_that_add_up_to_0_give_0",
            "avg window=2",
            ONE_TO_4,
            (0, 3.5),
            "0/0 is NaN",
            gradient=(0, 0, 0.5, 0.5),
        ),
        weight=(0.0, 0.0, 1.0, 1.0),
    ),
    given(
        row(
            "weights_may_be_small",
            "avg window=4",
            (1e-4, 2e-4, 3e-4, 4e-4),
            (3e-4,),
            "the square of what they add up to is 0 in float32, and JAX's own quotient has an infinite slope by it",
            gradient=(0.1, 0.2, 0.3, 0.4),
        ),
        weight=(2e-21, 4e-21, 6e-21, 8e-21),
    ),
    given(
        row("a_mask_takes_weights_out", "avg output_size=1", (1, 3, NAN), (2.5,), gradient=(0.25, 0.75, 0)),
        mask=(True, True, False),
        weight=(1.0, 3.0, 5.0),
    ),
]
