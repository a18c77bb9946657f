"""Literals about adaptive bins, and about which element is chosen: NaN, infinities, ties, positions."""

from __future__ import annotations

from poolkit_conformance.literal import INF, NAN, ONE_TO_4, block, row

# ------------------------------------------------------------------------------------------------- adaptive and global

SEVEN = (0, 1, 2, 3, 4, 5, 6)
ADAPTIVE = [
    row(
        "adaptive_average_7_to_7_is_the_input",
        "avg output_size=7",
        SEVEN,
        SEVEN,
        few=True,
        why="Keras 3.15 on JAX: 0, 1, 2.5, 3, 4, 5.5, nan",
    ),
    row(
        "adaptive_maximum_7_to_7_is_the_input",
        "max output_size=7",
        SEVEN,
        SEVEN,
        indices=SEVEN,
        why="Keras 3.15 on JAX: 0, 1, 3, 3, 4, 6, nan",
    ),
    row(
        "adaptive_average_14_to_7_pairs_neighbours",
        "avg output_size=7",
        tuple(range(14)),
        (0.5, 2.5, 4.5, 6.5, 8.5, 10.5, 12.5),
        why="wrong cells in Keras 3.15 on JAX",
    ),
    row(
        "adaptive_average_13_to_7_overlaps",
        "avg output_size=7",
        tuple(range(13)),
        (0.5, 2, 4, 6, 8, 10, 11.5),
        why="wrong cells in Keras 3.15 on JAX",
    ),
    row(
        "adaptive_average_5_to_3",
        "avg output_size=3",
        (0, 1, 2, 3, 4),
        (0.5, 2, 3.5),
        few=True,
        why="Equinox: 0.5, 2.5, 4",
    ),
    row("adaptive_average_7_to_3", "avg output_size=3", SEVEN, (1, 3, 5), why="Equinox: 1, 3.5, 5.5"),
    row(
        "adaptive_average_more_bins_than_cells", "avg output_size=3", (1, 2), (1, 1.5, 2), why="Equinox divides by zero"
    ),
    row(
        "adaptive_maximum_more_bins_than_cells",
        "max output_size=3",
        (1, 2),
        (1, 2, 2),
        indices=(0, 1, 1),
        gradient=(1, 2),
    ),
    block(
        "adaptive_none_keeps_an_axis",
        "avg output_size=1,none layout=HW",
        ((1, 2, 3), (5, 6, 7)),
        ((3, 4, 5),),
        why="Keras refuses it",
    ),
    row("global_average_drops_its_axis", "avg output_size=1 keepdims=false", ONE_TO_4, 2.5, gradient=(0.25,) * 4),
    row("global_average_keeps_its_axis", "avg output_size=1", ONE_TO_4, (2.5,)),
    block(
        "global_average_channels_last",
        "avg output_size=1 keepdims=false layout=HWC",
        (((1, 10), (2, 20)), ((3, 30), (4, 40))),
        (2.5, 25),
        few=True,
    ),
]

# --------------------------------------------------------------------------------- NaN, infinities, ties and positions

TIED = (2, 2, 1, 2)
FIRST = (1, 0, 0, 0)
CHOICES = [
    row(
        "nan_wins_wherever_it_stands",
        "max window=3",
        (NAN, 1, 2, 1, NAN, 2, 1, 2, NAN),
        (NAN, NAN, NAN),
        few=True,
        indices=(0, 4, 8),
        why="TensorFlow's max_pool1d: 2, 2, 2; its max_pool3d: 2, 2, nan; ONNX Runtime: 2, 2, 2",
    ),
    row("nan_wins_between_two_numbers", "max window=2", (1, NAN, 3, 0), (NAN, 3), why="TensorFlow's max_pool1d: 1, 3"),
    row(
        "nan_wins_in_global_pooling",
        "max output_size=1",
        (1, NAN, 3, 0),
        (NAN,),
        few=True,
        indices=(1,),
        why="TensorFlow's reduce_max drops it under jit_compile",
    ),
    row("nan_wins_min_too", "min window=2", (1, NAN, 3, 0), (NAN, 0)),
    row(
        "a_window_of_minus_infinity_is_minus_infinity",
        "max window=2",
        (-INF, -INF, -INF, 1),
        (-INF, 1),
        few=True,
        indices=(0, 3),
        gradient=(1, 0, 0, 1),
        why="TensorFlow's max_pool: the lowest finite number",
    ),
    row(
        "a_map_of_minus_infinity_is_minus_infinity",
        "max output_size=1",
        (-INF,) * 4,
        (-INF,),
        indices=(0,),
        gradient=FIRST,
    ),
    row(
        "minus_infinity_beats_padding",
        "max window=3 stride=1 padding=1",
        (-INF, -INF),
        (-INF, -INF),
        indices=(0, 0),
        gradient=(2, 0),
    ),
    row(
        "plus_infinity_beats_padding_in_min", "min window=3 stride=1 padding=1", (INF, INF), (INF, INF), indices=(0, 0)
    ),
    row("ties_in_a_window_go_to_the_first", "max window=4", TIED, (2,), few=True, indices=(0,), gradient=FIRST),
    row(
        "ties_in_global_pooling_go_to_the_first",
        "max output_size=1",
        TIED,
        (2,),
        few=True,
        indices=(0,),
        gradient=FIRST,
        why="amax, reduce_max and jnp.max give a third to each",
    ),
    row("ties_in_global_min_go_to_the_first", "min output_size=1", (1, 1, 3, 1), (1,), gradient=FIRST),
    row(
        "ties_in_adaptive_bins_go_to_the_first",
        "max output_size=3",
        TIED,
        (2, 2, 2),
        indices=(0, 1, 3),
        gradient=(1, 1, 0, 1),
    ),
    row(
        "ties_with_overlapping_windows",
        "max window=2 stride=1",
        TIED,
        (2, 2, 2),
        indices=(0, 1, 3),
        gradient=(1, 1, 0, 1),
    ),
    block(
        "ties_in_3d_go_to_the_first",
        "max window=1,2,2 layout=DHWC",
        ((((2,), (2,)), ((1,), (2,))),),
        ((((2,),),),),
        few=True,
        indices=((((0,),),),),
        gradient=((((1,), (0,)), ((0,), (0,))),),
        why="TensorFlow's max_pool3d gives 1, 1, 0, 1",
    ),
    block(
        "ties_are_row_major",
        "max output_size=1 layout=HW",
        ((0, 3), (3, 0)),
        ((3,),),
        indices=((1,),),
        gradient=((0, 1), (0, 0)),
    ),
    row("zeros_of_either_sign_tie", "max window=2", (-0.0, 0.0), (0,), indices=(0,), gradient=(1, 0)),
    row(
        "zeros_of_either_sign_tie_in_global_pooling",
        "max output_size=1",
        (-0.0, 0.0),
        (0,),
        indices=(0,),
        gradient=(1, 0),
    ),
    block(
        "indices_count_cells_of_one_channel",
        "max window=2 layout=NHWC",
        ((((1, 2), (3, 4)), ((5, 6), (7, 8))),),
        ((((7, 8),),),),
        few=True,
        indices=((((3, 3),),),),
        why="TensorFlow's max_pool_with_argmax: 6, 7",
    ),
    block(
        "indices_are_of_the_unpadded_input",
        "max window=2 stride=1 padding=1 layout=HW",
        ((1, 2), (3, 4)),
        ((1, 2, 2), (3, 4, 4), (3, 4, 4)),
        indices=((0, 1, 1), (2, 3, 3), (2, 3, 3)),
    ),
    row(
        "dilated_maximum_has_a_gradient",
        "max window=2 stride=1 dilation=2",
        (5, 1, 2, 4, 3),
        (5, 4, 3),
        few=True,
        indices=(0, 3, 4),
        gradient=(1, 0, 0, 1, 1),
        why="JAX's reduce_window has none with dilation",
    ),
]
