"""Literals about padding, divisors and ceil mode."""

from __future__ import annotations

from poolkit_conformance.literal import ONE_TO_4, ONE_TO_5, block, row

SQUARES = (1, 4, 9, 16)
GRID = ((0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11), (12, 13, 14, 15))

# ------------------------------------------------------------------------------------------------ padding and divisors

PADDING = [
    row(
        "same_average_of_1_to_5_excludes_padding",
        "avg window=2 padding=same",
        ONE_TO_5,
        (1.5, 3.5, 5),
        few=True,
        why="Flax by default, Equinox and timm's AvgPool2dSame divide the last window by 2: 2.5",
    ),
    row(
        "same_average_of_1_to_5_counts_padding_if_told",
        "avg window=2 padding=same count_include_pad=true",
        ONE_TO_5,
        (1.5, 3.5, 2.5),
    ),
    row("same_lower_average_of_1_to_5_pads_before", "avg window=2 padding=same_lower", ONE_TO_5, (1, 2.5, 4.5)),
    row("ceil_average_of_1_to_5_keeps_the_last_cell", "avg window=2 ceil_mode=true", ONE_TO_5, (1.5, 3.5, 5)),
    row(
        "padding_1_average_of_1_to_5_counted",
        "avg window=2 padding=1 count_include_pad=true",
        ONE_TO_5,
        (0.5, 2.5, 4.5),
        why="PyTorch's default",
    ),
    row("padding_1_average_of_1_to_5_not_counted", "avg window=2 padding=1", ONE_TO_5, (1, 2.5, 4.5)),
    row("valid_average_of_1_to_5_drops_the_last_cell", "avg window=2", ONE_TO_5, (1.5, 3.5)),
    row(
        "same_maximum_of_1_to_4_pads_after",
        "max window=3 stride=2 padding=same",
        ONE_TO_4,
        (3, 4),
        few=True,
        indices=(2, 3),
        why="PyTorch's padding=1 gives 2, 4",
    ),
    row("padding_1_maximum_of_1_to_4", "max window=3 stride=2 padding=1", ONE_TO_4, (2, 4), indices=(1, 3)),
    row("same_average_of_1_to_4_pads_after", "avg window=3 stride=2 padding=same", ONE_TO_4, (2, 3.5)),
    row(
        "padding_1_average_of_1_to_4_counted",
        "avg window=3 stride=2 padding=1 count_include_pad=true",
        ONE_TO_4,
        (1, 3),
    ),
    row("padding_1_average_of_1_to_4_not_counted", "avg window=3 stride=2 padding=1", ONE_TO_4, (1.5, 3)),
    row(
        "same_average_of_squares_k4_s1_is_not_replicated",
        "avg window=4 stride=1 padding=same",
        SQUARES,
        (14 / 3, 7.5, 29 / 3, 12.5),
        why="Keras 3.15 on PyTorch repeats the edge: 3.75, 7.5, 11.25, 14.25",
    ),
    row(
        "same_average_of_1_to_5_k4_s2_is_not_replicated",
        "avg window=4 stride=2 padding=same",
        ONE_TO_5,
        (2, 3.5, 4.5),
        why="Keras 3.15 on PyTorch: 1.75, 3.5, 4.75",
    ),
    row(
        "same_average_of_squares_k3_s2_is_not_replicated",
        "avg window=3 stride=2 padding=same",
        SQUARES,
        (14 / 3, 12.5),
        why="Keras 3.15 on PyTorch: 4.667, 13.667",
    ),
    block(
        "same_average_of_4x4_k3_s2_is_not_replicated",
        "avg window=3 stride=2 padding=same layout=CHW",
        (GRID,),
        (((5, 6.5), (11, 12.5)),),
        why="Keras 3.15 on PyTorch: 5, 6.667, 11.667, 13.333",
    ),
    row(
        "same_maximum_pads_both_sides",
        "max window=3 stride=1 padding=same",
        (5, 4, 3, 2, 1),
        (5, 5, 4, 3, 2),
        why="an oracle that pads after the last cell only gives 5, 4, 3, 2, 1",
    ),
    row(
        "padding_is_never_selected",
        "max window=3 stride=2 padding=1",
        (-1, -2, -3, -4),
        (-1, -2),
        few=True,
        why="Keras's ResNet50V2 pools a map padded with zeros: 0, -2",
    ),
    row("padding_is_never_selected_by_min", "min window=3 stride=2 padding=1", ONE_TO_4, (1, 2)),
    row(
        "padding_larger_than_half_the_window",
        "max window=3 stride=1 padding=2",
        (1, 2, 3),
        (1, 2, 3, 3, 3),
        indices=(0, 1, 2, 2, 2),
        why="PyTorch refuses it",
    ),
    row("asymmetric_padding_average", "avg window=3 stride=1 padding=2:0", ONE_TO_4, (1, 1.5, 2, 3)),
    row("causal_sum_sees_the_past_alone", "sum window=3 stride=1 padding=causal", ONE_TO_4, (1, 3, 6, 9)),
    row(
        "causal_dilated_maximum",
        "max window=2 stride=1 dilation=2 padding=causal",
        (4, 3, 2, 1),
        (4, 3, 4, 3),
        indices=(0, 1, 0, 1),
    ),
    row("divisor_override_replaces_the_count", "avg window=2 divisor_override=2", ONE_TO_4, (1.5, 3.5)),
    row("divisor_override_may_be_negative", "avg window=2 divisor_override=-2", ONE_TO_4, (-1.5, -3.5)),
    row("divisor_override_of_a_partial_window", "avg window=2 ceil_mode=true divisor_override=1", ONE_TO_5, (3, 7, 5)),
]

# ----------------------------------------------------------------------------------------------------------- ceil mode

NINE = (1, 2, 3, 4, 5, 6, 7, 8, 9)
CEIL = [
    row(
        "ceil_drops_a_window_that_starts_in_the_padding",
        "avg window=4 stride=4 padding=2 ceil_mode=true",
        NINE,
        (1.5, 4.5, 8),
        few=True,
        why="three windows, not four",
    ),
    row("ceil_k1_s2_of_4_has_two_windows", "avg window=1 stride=2 ceil_mode=true", ONE_TO_4, (1, 3), why="not three"),
    row(
        "ceil_counts_padding_but_not_overhang",
        "avg window=3 stride=2 padding=1 ceil_mode=true count_include_pad=true",
        (*ONE_TO_5, 6),
        (1, 3, 5, 3),
    ),
    row("ceil_not_counting_padding", "avg window=3 stride=2 padding=1 ceil_mode=true", (*ONE_TO_5, 6), (1.5, 3, 5, 6)),
    row(
        "ceil_overhang_is_after_the_last_cell",
        "avg window=3 stride=3 ceil_mode=true",
        (0, 1, 2, 3, 4, 5, 6),
        (1, 4, 6),
        why="ONNX's reference splits it between both ends: 0.5, 3, 5",
    ),
    row("ceil_window_larger_than_the_input", "max window=3 stride=2 ceil_mode=true", (1, 2), (2,), indices=(1,)),
]
