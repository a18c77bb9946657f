"""Literals of the kinds that take powers or exponentials: golden values, and where the plain formulas break."""

from __future__ import annotations

from poolkit_conformance.case import Case
from poolkit_conformance.literal import INF, NAN, ONE_TO_4, block, drawn, row

_FOUR_BY_FOUR = ((((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16)),),)
_DILATED = ((((14.560219778561036, 16.24807680927192), (21.633307652783937, 23.49468024894146)),),)

NORMS = [
    row("lp_of_1_to_4", "lp window=4", ONE_TO_4, (5.477225575051661,), few=True, dtype="float64"),
    row("lp_mean_of_1_to_4", "lp window=4 normalize=mean", ONE_TO_4, (2.738612787525831,), dtype="float64"),
    row("lp_3_of_1_to_4", "lp output_size=1 p=3", ONE_TO_4, (4.641588833612778,), dtype="float64"),
    row("lp_of_negative_numbers", "lp window=2", (-1, -2, 3, -4), (5**0.5, 5)),
    row("lp_3_of_negative_numbers", "lp window=2 p=3", (-1, -2), (9 ** (1 / 3),), why="PyTorch: NaN"),
    row("lp_1_is_the_sum_of_magnitudes", "lp window=2 p=1", (-1, -2), (3,), gradient=(-1, -1), why="PyTorch: -3"),
    row("lp_half_is_no_norm_but_defined", "lp window=2 p=0.5", (1, 4), (9,)),
    row(
        "lp_inf_is_the_largest_magnitude",
        "lp window=2 p=inf",
        (-3, 2, 0, 0, 1, -1),
        (3, 0, 1),
        few=True,
        gradient=(-1, 0, 0, 0, 1, 0),
    ),
    row("lp_does_not_overflow", "lp window=2", (1e20, -1e20), (2**0.5 * 1e20,), few=True, why="PyTorch: inf"),
    row("lp_does_not_underflow", "lp window=2", (1e-30, 1e-30), (2**0.5 * 1e-30,), why="PyTorch: 0"),
    row("lp_100_does_not_underflow", "lp window=2 p=100", (0.3, 0.1), (0.3,), why="PyTorch: 0"),
    row("lp_of_windows_far_apart", "lp window=2", (3e30, 4e30, 3e-30, 4e-30, 3, 4), (5e30, 5e-30, 5)),
    row("lp_of_zeros_has_no_gradient", "lp window=2", (0, 0, 3, 4), (0, 5), few=True, gradient=(0, 0, 0.6, 0.8)),
    row("lp_1_of_a_zero_has_no_gradient_there", "lp window=2 p=1", (0, -2), (2,), gradient=(0, -1)),
    row("lp_half_of_a_zero_has_no_gradient_there", "lp output_size=1 p=0.5", (0, 4), (4,), gradient=(0, 1)),
    row(
        "lp_of_a_last_window_of_one_cell",
        "lp window=2 ceil_mode=true",
        (3, 4, 1),
        (5, 1),
        why="PyTorch scales the mean of real cells by the window's size, which gives sqrt(2)",
    ),
    row("lp_mean_counts_real_cells", "lp window=2 padding=same normalize=mean", (1, 7, 5), (5, 5)),
    row("lp_of_infinite_cells", "lp window=2", (INF, 1, -INF, 2, INF, NAN, NAN, INF), (INF, INF, NAN, NAN)),
    row("lp_1_of_infinite_cells", "lp window=2 p=1", (INF, 1, -INF, -INF, 0, NAN), (INF, INF, NAN)),
    row("lp_inf_of_infinite_cells", "lp window=2 p=inf", (INF, 1, -INF, 2, INF, NAN), (INF, INF, NAN)),
    row("lp_of_integers", "lp window=2", (3, -4), (5,), dtype="int32"),
    row("lp_inf_of_integers", "lp output_size=1 p=inf", (3, -4), (4,), dtype="int32"),
    row("lp_of_float16_whose_squares_are_too_large", "lp window=2", (300, 400), (500,), dtype="float16"),
    block(
        "lp_dilated_as_in_onnx",
        "lp window=2 stride=1 dilation=2 layout=NCHW",
        _FOUR_BY_FOUR,
        _DILATED,
        dtype="float64",
        why="ONNX's reference ignores dilations, its node test does not",
    ),
]

MEANS = [
    row("gem_of_1_to_4", "gem window=4", ONE_TO_4, (2.924017738212866,), few=True, dtype="float64"),
    row("gem_clamps_what_is_below_eps", "gem window=2", (-3, 0, 1, 1), (1e-6, 1), gradient=(0, 0, 0.5, 0.5)),
    row("gem_of_eps_itself", "gem window=2 eps=0.5", (0.5, -1), (0.5,), gradient=(0.5, 0)),
    row("gem_200_does_not_overflow", "gem window=2 p=200", (2, 2), (2,), gradient=(0.5, 0.5), why="by hand: inf"),
    row("gem_does_not_overflow", "gem window=2", (1e20, 1e20), (1e20,), few=True, why="by hand: inf"),
    row("gem_in_float16_keeps_eps", "gem window=2", (0, 0, 2, 2), (1e-6, 2), dtype="float16", why="eps**3 would be 0"),
    row("gem_inf_is_the_largest", "gem window=2 p=inf", (-3, 2, -1, -2), (2, 1e-6), gradient=(0, 1, 0, 0)),
    row("gem_of_infinite_cells", "gem window=2", (INF, 1, -INF, 2, NAN, INF, INF, NAN), (INF, 4 ** (1 / 3), NAN, NAN)),
    row("gem_counts_real_cells", "gem window=2 padding=same", (1, 1, 5), (1, 5)),
    row("gem_of_integers", "gem output_size=1 p=2", (1, 3), (5**0.5,), dtype="int32"),
]

LOGARITHMS = [
    row("logsumexp_of_1_to_4", "logsumexp window=4", ONE_TO_4, (3.053895337441305,), few=True, dtype="float64"),
    row("logsumexp_sum", "logsumexp window=4 normalize=sum", ONE_TO_4, (4.440189698561196,), dtype="float64"),
    row("logsumexp_beta_10", "logsumexp output_size=1 beta=10", ONE_TO_4, (3.861375103984048,), dtype="float64"),
    row("logsumexp_of_a_negative_beta", "logsumexp window=2 beta=-100 normalize=sum", (1, 1000, -5, -1), (1, -5)),
    row("logsumexp_does_not_overflow", "logsumexp window=2", (1000, 1000), (1000,), few=True, gradient=(0.5, 0.5)),
    row("logsumexp_does_not_underflow", "logsumexp window=2", (-1e4, -1e4, 0, -1e4), (-1e4, -0.6931471805599453)),
    row("logsumexp_of_one_cell_is_that_cell", "logsumexp window=1 beta=0.5", (3, -4), (3, -4)),
    row("logsumexp_counts_real_cells", "logsumexp window=2 padding=same", (2, 2, -5), (2, -5)),
    row(
        "logsumexp_of_infinite_cells",
        "logsumexp window=2 normalize=sum",
        (INF, 1, -INF, 2, -INF, -INF, NAN, INF, INF, NAN, -INF, NAN),
        (INF, 2, -INF, NAN, NAN, NAN),
        few=True,
    ),
    row(
        "logsumexp_of_minus_infinity_with_beta_below_0",
        "logsumexp window=2 beta=-1 normalize=sum",
        (-INF, 1, INF, 2),
        (-INF, 2),
    ),
]

MEDIANS = [
    row("median_of_1_to_4_is_the_lower", "median window=4", ONE_TO_4, (2,), few=True, gradient=(0, 1, 0, 0)),
    row("median_of_an_odd_count", "median output_size=1", (5, 1, 3), (3,), indices=(2,)),
    row("median_of_ties_is_the_first", "median window=4", (1, 2, 2, 3), (2,), indices=(1,), gradient=(0, 1, 0, 0)),
    row("median_counts_real_cells", "median window=2 padding=same", (4, 1, 9), (1, 9)),
    row("median_of_a_nan_is_nan", "median window=3", (1, NAN, 3, 1, 2, 3), (NAN, 2), indices=(1, 4)),
    row("median_of_infinite_cells", "median window=3", (-INF, INF, 1, INF, INF, 2), (1, INF)),
    row(
        "median_takes_no_padding",
        "median window=2 padding=1 stride=2",
        (INF, INF, INF),
        (INF, INF),
        indices=(0, 1),
        gradient=(1, 1, 0),
    ),
    row("median_of_bytes", "median window=2", (255, 0, 255, 7), (0, 7), few=True, dtype="uint8"),
    row(
        "median_takes_no_padding_for_a_zero",
        "median window=2 padding=1 stride=2",
        (0, 1, 1),
        (0, 1),
        gradient=(1, 1, 0),
    ),
    row("median_quantile_0_is_the_minimum", "median output_size=1 quantile=0", ONE_TO_4, (1,)),
    row("median_quantile_1_is_the_maximum", "median output_size=1 quantile=1", ONE_TO_4, (4,)),
    row("median_quantile_is_exact", "median output_size=1 quantile=0.7", tuple(range(11)), (7,)),
]

ZEILER = (1.6, 0, 0, 0, 2.4, 0, 0, 0, 0)  # figure 1 of the paper: chances 0.4 and 0.6

STOCHASTIC = [
    row("stochastic_of_1_to_4", "stochastic window=4", ONE_TO_4, (3,), few=True, gradient=(-0.1, 0.1, 0.3, 0.5)),
    row("stochastic_of_zeilers_figure", "stochastic output_size=1", ZEILER, (2.08,)),
    row("stochastic_counts_cells_below_0_as_0", "stochastic window=2", (-5, 3, -1, -2), (3, 0), gradient=(0, 1, 0, 0)),
    row("stochastic_of_large_cells", "stochastic window=2", (1e30, 3e30, 1e-30, 3e-30), (2.5e30, 2.5e-30), few=True),
    row("stochastic_of_infinite_cells", "stochastic window=2", (INF, 1, -INF, 2, INF, NAN), (INF, 2, NAN)),
    row("stochastic_of_zeros_has_no_gradient", "stochastic window=2", (0, 0), (0,), gradient=(0, 0)),
    *(
        drawn(
            row(f"stochastic_drawn_{name}", "stochastic window=9", ZEILER, (value,), dtype="float64", indices=(at,)), u
        )
        for name, u, value, at in (("below", 0.39, 1.6, 0), ("above", 0.41, 2.4, 4), ("first", 0, 1.6, 0))
    ),
    drawn(
        row(
            "stochastic_draws_no_cell_of_0",
            "stochastic window=2",
            (0, 2, -1, -2, 3, -1),
            (2, 0, 3),
            "Caffe's draws the first cell with a sample of 0",
            few=True,
            indices=(1, -1, 4),
            gradient=(0, 1, 0, 0, 1, 0),
        ),
        0,
        0.5,
        0.999,
    ),
    drawn(
        row("stochastic_draws_infinite_cells", "stochastic window=2", (INF, 1, -INF, 2, INF, NAN), (INF, 2, NAN)),
        0.9,
        0,
        0,
    ),
    drawn(row("stochastic_drawn_of_integers", "stochastic output_size=1", (1, 3), (3,), dtype="int32"), 0.25),
]

POWERS: list[Case] = [*STOCHASTIC, *MEDIANS, *NORMS, *MEANS, *LOGARITHMS]
