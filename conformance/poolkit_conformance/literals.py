"""Cases whose numbers were worked out by hand or stand in a framework's documentation.

Each is named after a difference between frameworks that it pins; `why` says who does what instead. The oracle has to give these
numbers too, so that neither it nor the core can be wrong alone.
"""

from __future__ import annotations

from typing import Any

from poolkit import PoolSpec
from poolkit_conformance.case import Case, Numbers

NAN, INF = float("nan"), float("inf")


def row(name: str, kind: str, x: Numbers, values: Numbers, why: str = "", **fields: Any) -> Case:
    """A literal along one spatial axis, with one batch and one channel."""
    hand = {key: ((fields.pop(key),),) if key in fields else None for key in ("indices", "gradient")}
    dtype, few = fields.pop("dtype", "float32"), fields.pop("few", False)
    flat = fields.get("keepdims") is False
    spec = PoolSpec(kind, layout="NCL", indices=hand["indices"] is not None, **fields)
    return Case(
        name, spec, (1, 1, len(x)), dtype, ((x,),), few,
        values=((values,),), indices=hand["indices"], gradient=hand["gradient"], why=why,
    )  # fmt: skip


def block(name: str, kind: str, layout: str, x: Numbers, values: Numbers, why: str = "", **fields: Any) -> Case:
    """A literal of any layout, its numbers given in full."""
    hand = {key: fields.pop(key, None) for key in ("indices", "gradient")}
    dtype, few = fields.pop("dtype", "float32"), fields.pop("few", False)
    spec = PoolSpec(kind, layout=layout, indices=hand["indices"] is not None, **fields)
    return Case(name, spec, _shape(x), dtype, x, few, values=values, indices=hand["indices"], gradient=hand["gradient"], why=why)


def _shape(x: Numbers) -> tuple[int, ...]:
    return (len(x), *_shape(x[0])) if isinstance(x, tuple) else ()


ONE_TO_5 = (1, 2, 3, 4, 5)
ONE_TO_4 = (1, 2, 3, 4)
SQUARES = (1, 4, 9, 16)
GRID = ((0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11), (12, 13, 14, 15))

# ----------------------------------------------------------------------------------------------- padding and divisors

PADDING = [
    row("same_average_of_1_to_5_excludes_padding", "avg", ONE_TO_5, (1.5, 3.5, 5), few=True, window=2, padding="same",
        why="Flax by default, Equinox and timm's AvgPool2dSame divide the last window by 2: 2.5"),
    row("same_average_of_1_to_5_counts_padding_if_told", "avg", ONE_TO_5, (1.5, 3.5, 2.5), window=2, padding="same",
        count_include_pad=True),
    row("same_lower_average_of_1_to_5_pads_before", "avg", ONE_TO_5, (1, 2.5, 4.5), window=2, padding="same_lower"),
    row("ceil_average_of_1_to_5_keeps_the_last_cell", "avg", ONE_TO_5, (1.5, 3.5, 5), window=2, ceil_mode=True),
    row("padding_1_average_of_1_to_5_counted", "avg", ONE_TO_5, (0.5, 2.5, 4.5), window=2, padding=1, count_include_pad=True,
        why="PyTorch's default"),
    row("padding_1_average_of_1_to_5_not_counted", "avg", ONE_TO_5, (1, 2.5, 4.5), window=2, padding=1),
    row("valid_average_of_1_to_5_drops_the_last_cell", "avg", ONE_TO_5, (1.5, 3.5), window=2),
    row("same_maximum_of_1_to_4_pads_after", "max", ONE_TO_4, (3, 4), few=True, window=3, stride=2, padding="same", indices=(2, 3),
        why="PyTorch's padding=1 gives 2, 4"),
    row("padding_1_maximum_of_1_to_4", "max", ONE_TO_4, (2, 4), window=3, stride=2, padding=1, indices=(1, 3)),
    row("same_average_of_1_to_4_pads_after", "avg", ONE_TO_4, (2, 3.5), window=3, stride=2, padding="same"),
    row("padding_1_average_of_1_to_4_counted", "avg", ONE_TO_4, (1, 3), window=3, stride=2, padding=1, count_include_pad=True),
    row("padding_1_average_of_1_to_4_not_counted", "avg", ONE_TO_4, (1.5, 3), window=3, stride=2, padding=1),
    row("same_average_of_squares_k4_s1_is_not_replicated", "avg", SQUARES, (14 / 3, 7.5, 29 / 3, 12.5), window=4, stride=1,
        padding="same", why="Keras 3.15 on PyTorch repeats the edge: 3.75, 7.5, 11.25, 14.25"),
    row("same_average_of_1_to_5_k4_s2_is_not_replicated", "avg", ONE_TO_5, (2, 3.5, 4.5), window=4, stride=2, padding="same",
        why="Keras 3.15 on PyTorch: 1.75, 3.5, 4.75"),
    row("same_average_of_squares_k3_s2_is_not_replicated", "avg", SQUARES, (14 / 3, 12.5), window=3, stride=2, padding="same",
        why="Keras 3.15 on PyTorch: 4.667, 13.667"),
    block("same_average_of_4x4_k3_s2_is_not_replicated", "avg", "CHW", (GRID,), (((5, 6.5), (11, 12.5)),), window=3, stride=2,
          padding="same", why="Keras 3.15 on PyTorch: 5, 6.667, 11.667, 13.333"),
    row("same_maximum_pads_both_sides", "max", (5, 4, 3, 2, 1), (5, 5, 4, 3, 2), window=3, stride=1, padding="same",
        why="an oracle that pads after the last cell only gives 5, 4, 3, 2, 1"),
    row("padding_is_never_selected", "max", (-1, -2, -3, -4), (-1, -2), few=True, window=3, stride=2, padding=1,
        why="Keras's ResNet50V2 pools a map padded with zeros: 0, -2"),
    row("padding_is_never_selected_by_min", "min", ONE_TO_4, (1, 2), window=3, stride=2, padding=1),
    row("padding_larger_than_half_the_window", "max", (1, 2, 3), (1, 2, 3, 3, 3), window=3, stride=1, padding=2,
        indices=(0, 1, 2, 2, 2), why="PyTorch refuses it"),
    row("asymmetric_padding_average", "avg", ONE_TO_4, (1, 1.5, 2, 3), window=3, stride=1, padding=((2, 0),)),
    row("causal_sum_sees_the_past_alone", "sum", ONE_TO_4, (1, 3, 6, 9), window=3, stride=1, padding="causal"),
    row("causal_dilated_maximum", "max", (4, 3, 2, 1), (4, 3, 4, 3), window=2, stride=1, dilation=2, padding="causal",
        indices=(0, 1, 0, 1)),
    row("divisor_override_replaces_the_count", "avg", ONE_TO_4, (1.5, 3.5), window=2, divisor_override=2),
    row("divisor_override_may_be_negative", "avg", ONE_TO_4, (-1.5, -3.5), window=2, divisor_override=-2),
    row("divisor_override_of_a_partial_window", "avg", ONE_TO_5, (3, 7, 5), window=2, ceil_mode=True, divisor_override=1),
]  # fmt: skip

# ----------------------------------------------------------------------------------------------------------- ceil mode

NINE = (1, 2, 3, 4, 5, 6, 7, 8, 9)
CEIL = [
    row("ceil_drops_a_window_that_starts_in_the_padding", "avg", NINE, (1.5, 4.5, 8), few=True, window=4, stride=4, padding=2,
        ceil_mode=True, why="three windows, not four"),
    row("ceil_k1_s2_of_4_has_two_windows", "avg", ONE_TO_4, (1, 3), window=1, stride=2, ceil_mode=True, why="not three"),
    row("ceil_counts_padding_but_not_overhang", "avg", ONE_TO_5 + (6,), (1, 3, 5, 3), window=3, stride=2, padding=1,
        ceil_mode=True, count_include_pad=True),
    row("ceil_not_counting_padding", "avg", ONE_TO_5 + (6,), (1.5, 3, 5, 6), window=3, stride=2, padding=1, ceil_mode=True),
    row("ceil_overhang_is_after_the_last_cell", "avg", (0, 1, 2, 3, 4, 5, 6), (1, 4, 6), window=3, stride=3, ceil_mode=True,
        why="ONNX's reference splits it between both ends: 0.5, 3, 5"),
    row("ceil_window_larger_than_the_input", "max", (1, 2), (2,), window=3, stride=2, ceil_mode=True, indices=(1,)),
]  # fmt: skip

# -------------------------------------------------------------------------------------------------- adaptive and global

SEVEN = (0, 1, 2, 3, 4, 5, 6)
ADAPTIVE = [
    row("adaptive_average_7_to_7_is_the_input", "avg", SEVEN, SEVEN, few=True, output_size=7,
        why="Keras 3.15 on JAX: 0, 1, 2.5, 3, 4, 5.5, nan"),
    row("adaptive_maximum_7_to_7_is_the_input", "max", SEVEN, SEVEN, output_size=7, indices=SEVEN,
        why="Keras 3.15 on JAX: 0, 1, 3, 3, 4, 6, nan"),
    row("adaptive_average_14_to_7_pairs_neighbours", "avg", tuple(range(14)), (0.5, 2.5, 4.5, 6.5, 8.5, 10.5, 12.5), output_size=7,
        why="wrong cells in Keras 3.15 on JAX"),
    row("adaptive_average_13_to_7_overlaps", "avg", tuple(range(13)), (0.5, 2, 4, 6, 8, 10, 11.5), output_size=7,
        why="wrong cells in Keras 3.15 on JAX"),
    row("adaptive_average_5_to_3", "avg", (0, 1, 2, 3, 4), (0.5, 2, 3.5), few=True, output_size=3, why="Equinox: 0.5, 2.5, 4"),
    row("adaptive_average_7_to_3", "avg", SEVEN, (1, 3, 5), output_size=3, why="Equinox: 1, 3.5, 5.5"),
    row("adaptive_average_more_bins_than_cells", "avg", (1, 2), (1, 1.5, 2), output_size=3, why="Equinox divides by zero"),
    row("adaptive_maximum_more_bins_than_cells", "max", (1, 2), (1, 2, 2), output_size=3, indices=(0, 1, 1), gradient=(1, 2)),
    block("adaptive_none_keeps_an_axis", "avg", "HW", ((1, 2, 3), (5, 6, 7)), ((3, 4, 5),), output_size=(1, None),
          why="Keras refuses it"),
    row("global_average_drops_its_axis", "avg", ONE_TO_4, 2.5, output_size=1, keepdims=False, gradient=(0.25,) * 4),
    row("global_average_keeps_its_axis", "avg", ONE_TO_4, (2.5,), output_size=1),
    block("global_average_channels_last", "avg", "HWC", (((1, 10), (2, 20)), ((3, 30), (4, 40))), (2.5, 25), few=True,
          output_size=1, keepdims=False),
]  # fmt: skip

# ---------------------------------------------------------------------------------- NaN, infinities, ties and positions

TIED = (2, 2, 1, 2)
FIRST = (1, 0, 0, 0)
CHOICES = [
    row("nan_wins_wherever_it_stands", "max", (NAN, 1, 2, 1, NAN, 2, 1, 2, NAN), (NAN, NAN, NAN), few=True, window=3,
        indices=(0, 4, 8), why="TensorFlow's max_pool1d: 2, 2, 2; its max_pool3d: 2, 2, nan; ONNX Runtime: 2, 2, 2"),
    row("nan_wins_between_two_numbers", "max", (1, NAN, 3, 0), (NAN, 3), window=2, why="TensorFlow's max_pool1d: 1, 3"),
    row("nan_wins_in_global_pooling", "max", (1, NAN, 3, 0), (NAN,), few=True, output_size=1, indices=(1,),
        why="TensorFlow's reduce_max drops it under jit_compile"),
    row("nan_wins_min_too", "min", (1, NAN, 3, 0), (NAN, 0), window=2),
    row("a_window_of_minus_infinity_is_minus_infinity", "max", (-INF, -INF, -INF, 1), (-INF, 1), few=True, window=2, indices=(0, 3),
        gradient=(1, 0, 0, 1), why="TensorFlow's max_pool: the lowest finite number"),
    row("a_map_of_minus_infinity_is_minus_infinity", "max", (-INF,) * 4, (-INF,), output_size=1, indices=(0,), gradient=FIRST),
    row("minus_infinity_beats_padding", "max", (-INF, -INF), (-INF, -INF), window=3, stride=1, padding=1, indices=(0, 0),
        gradient=(2, 0)),
    row("plus_infinity_beats_padding_in_min", "min", (INF, INF), (INF, INF), window=3, stride=1, padding=1, indices=(0, 0)),
    row("ties_in_a_window_go_to_the_first", "max", TIED, (2,), few=True, window=4, indices=(0,), gradient=FIRST),
    row("ties_in_global_pooling_go_to_the_first", "max", TIED, (2,), few=True, output_size=1, indices=(0,), gradient=FIRST,
        why="amax, reduce_max and jnp.max give a third to each"),
    row("ties_in_global_min_go_to_the_first", "min", (1, 1, 3, 1), (1,), output_size=1, gradient=FIRST),
    row("ties_in_adaptive_bins_go_to_the_first", "max", TIED, (2, 2, 2), output_size=3, indices=(0, 1, 3), gradient=(1, 1, 0, 1)),
    row("ties_with_overlapping_windows", "max", TIED, (2, 2, 2), window=2, stride=1, indices=(0, 1, 3), gradient=(1, 1, 0, 1)),
    block("ties_in_3d_go_to_the_first", "max", "DHWC", ((((2,), (2,)), ((1,), (2,))),), ((((2,),),),), few=True, window=(1, 2, 2),
          indices=((((0,),),),), gradient=((((1,), (0,)), ((0,), (0,))),), why="TensorFlow's max_pool3d gives 1, 1, 0, 1"),
    block("ties_are_row_major", "max", "HW", ((0, 3), (3, 0)), ((3,),), output_size=1, indices=((1,),), gradient=((0, 1), (0, 0))),
    row("zeros_of_either_sign_tie", "max", (-0.0, 0.0), (0,), window=2, indices=(0,), gradient=(1, 0)),
    row("zeros_of_either_sign_tie_in_global_pooling", "max", (-0.0, 0.0), (0,), output_size=1, indices=(0,), gradient=(1, 0)),
    block("indices_count_cells_of_one_channel", "max", "NHWC", ((((1, 2), (3, 4)), ((5, 6), (7, 8))),), ((((7, 8),),),), few=True,
          window=2, indices=((((3, 3),),),), why="TensorFlow's max_pool_with_argmax: 6, 7"),
    block("indices_are_of_the_unpadded_input", "max", "HW", ((1, 2), (3, 4)), ((1, 2, 2), (3, 4, 4), (3, 4, 4)), window=2, stride=1,
          padding=1, indices=((0, 1, 1), (2, 3, 3), (2, 3, 3))),
    row("dilated_maximum_has_a_gradient", "max", (5, 1, 2, 4, 3), (5, 4, 3), few=True, window=2, stride=1, dilation=2,
        indices=(0, 3, 4), gradient=(1, 0, 0, 1, 1), why="JAX's reduce_window has none with dilation"),
]  # fmt: skip

# --------------------------------------------------------------------------------------------------- dtypes, precision

NUMBERS = [
    row("average_of_integers_is_not_truncated", "avg", (1, 2), (1.5,), dtype="int64", window=2, why="PyTorch gives 1"),
    row("global_average_of_integers_is_not_truncated", "avg", (1, 2), (1.5,), dtype="int32", output_size=1,
        why="TensorFlow's reduce_mean gives 1"),
    row("sum_of_uint8_does_not_wrap", "sum", (200, 200, 200, 200), (800,), few=True, dtype="uint8", output_size=1,
        why="TensorFlow's reduce_sum gives 32"),
    row("maximum_of_int64_keeps_every_digit", "max", (2**53, 2**53 + 1), (2**53 + 1,), dtype="int64", window=2, indices=(1,),
        why="tf.nn.max_pool2d of a NumPy array goes through float32"),
    row("maximum_of_int8_minimum", "max", (-128, -128), (-128,), dtype="int8", window=2, indices=(0,)),
    row("minimum_of_int8_minimum", "min", (5, -128), (-128,), dtype="int8", window=2),
    row("maximum_of_booleans", "max", (False, True, False, False), (True, False), few=True, dtype="bool", window=2, indices=(1, 2)),
    row("maximum_of_uint8_with_padding", "max", (0, 0), (0, 0), dtype="uint8", window=3, stride=1, padding=1, indices=(0, 0)),
    row("average_of_float64_is_float64", "avg", (1, 0, 0), (1 / 3,), dtype="float64", window=3),
    row("average_of_large_float16_stays_finite", "avg", (60000, 60000), (60000,), few=True, dtype="float16", window=2,
        why="the sum alone is beyond float16"),
    row("average_of_300_bfloat16_ones", "avg", (1,) * 300, (1,), dtype="bfloat16", window=300,
        why="a running sum in bfloat16 stops at 256"),
]  # fmt: skip

# ------------------------------------------------------------------------------- softmax-weighted (operators.md section 13)

EXACT = (-0.04785237, -0.04293191, 0.12018182, 0.97060233)
SEMI = (0.03205860, 0.08714432, 0.23688284, 0.64391428)
SOFTMAX = [
    row("softmax_of_1_to_4", "softmax", ONE_TO_4, (3.492652734585770,), few=True, dtype="float64", window=4),
    row("softmax_gradient_is_the_true_one", "softmax", ONE_TO_4, (3.492652734585770,), window=4, gradient=EXACT,
        why="the published code gives its weights instead"),
    row("softmax_semi_gradient_is_the_published_one", "softmax", ONE_TO_4, (3.492652734585770,), output_size=1, grad="semi",
        gradient=SEMI),
    row("softmax_of_large_numbers_is_finite", "softmax", (100, 90, 0, 0), (99.99954602131298,), few=True, window=4,
        why="without subtracting the largest: NaN"),
    row("softmax_of_very_negative_numbers_is_finite", "softmax", (-110, -120, -130), (-110.00045401990728,), output_size=1,
        why="without subtracting the largest: 0/0"),
    row("softmax_keeps_negative_results", "softmax", (-1, -2), (-1.2689414213699952,), window=2,
        why="the published CPU code cuts them off at 0"),
    row("softmax_beta_0_is_the_average", "softmax", ONE_TO_4, (2.5,), window=4, beta=0.0, gradient=(0.25,) * 4),
]  # fmt: skip

LITERALS: list[Case] = [*PADDING, *CEIL, *ADAPTIVE, *CHOICES, *NUMBERS, *SOFTMAX]
