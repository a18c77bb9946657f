"""Cases whose numbers were worked out by hand or stand in a framework's documentation.

Each is named after a difference between frameworks that it pins; `why` says who does what instead. The oracle has to
give these numbers too, so that neither it nor the core can be wrong alone.
"""

from __future__ import annotations

from poolkit_conformance.case import Case
from poolkit_conformance.cases_blur import LITERALS as BLURS
from poolkit_conformance.cases_composites import LITERALS as COMPOSITES
from poolkit_conformance.cases_fractional import LITERALS as FRACTIONAL
from poolkit_conformance.cases_strips import LITERALS as STRIPS
from poolkit_conformance.cases_tokens import LITERALS as TOKENS
from poolkit_conformance.literal import INF, NAN, ONE_TO_4, row
from poolkit_conformance.literals_choices import ADAPTIVE, CHOICES
from poolkit_conformance.literals_further import FURTHER
from poolkit_conformance.literals_padding import CEIL, PADDING
from poolkit_conformance.literals_powers import POWERS

# --------------------------------------------------------------------------------------------------- dtypes, precision

NUMBERS = [
    row("average_of_integers_is_not_truncated", "avg window=2", (1, 2), (1.5,), dtype="int64", why="PyTorch gives 1"),
    row(
        "global_average_of_integers_is_not_truncated",
        "avg output_size=1",
        (1, 2),
        (1.5,),
        dtype="int32",
        why="TensorFlow's reduce_mean gives 1",
    ),
    row(
        "sum_of_uint8_does_not_wrap",
        "sum output_size=1",
        (200, 200, 200, 200),
        (800,),
        few=True,
        dtype="uint8",
        why="TensorFlow's reduce_sum gives 32",
    ),
    row(
        "maximum_of_int64_keeps_every_digit",
        "max window=2",
        (2**53, 2**53 + 1),
        (2**53 + 1,),
        dtype="int64",
        indices=(1,),
        why="tf.nn.max_pool2d of a NumPy array goes through float32",
    ),
    row("maximum_of_int8_minimum", "max window=2", (-128, -128), (-128,), dtype="int8", indices=(0,)),
    row("minimum_of_int8_minimum", "min window=2", (5, -128), (-128,), dtype="int8"),
    row(
        "maximum_of_booleans",
        "max window=2",
        (False, True, False, False),
        (True, False),
        few=True,
        dtype="bool",
        indices=(1, 2),
    ),
    row(
        "maximum_of_uint8_with_padding",
        "max window=3 stride=1 padding=1",
        (0, 0),
        (0, 0),
        dtype="uint8",
        indices=(0, 0),
    ),
    row("average_of_float64_is_float64", "avg window=3", (1, 0, 0), (1 / 3,), dtype="float64"),
    row(
        "average_of_large_float16_stays_finite",
        "avg window=2",
        (60000, 60000),
        (60000,),
        few=True,
        dtype="float16",
        why="the sum alone is beyond float16",
    ),
    row(
        "average_of_300_bfloat16_ones",
        "avg window=300",
        (1,) * 300,
        (1,),
        dtype="bfloat16",
        why="a running sum in bfloat16 stops at 256",
    ),
]

# -------------------------------------------------------------------------- softmax-weighted

EXACT = (-0.04785237, -0.04293191, 0.12018182, 0.97060233)
SEMI = (0.03205860, 0.08714432, 0.23688284, 0.64391428)
SOFTMAX = [
    row("softmax_of_1_to_4", "softmax window=4", ONE_TO_4, (3.492652734585770,), few=True, dtype="float64"),
    row(
        "softmax_gradient_is_the_true_one",
        "softmax window=4",
        ONE_TO_4,
        (3.492652734585770,),
        gradient=EXACT,
        why="the published code gives its weights instead",
    ),
    row(
        "softmax_semi_gradient_is_the_published_one",
        "softmax output_size=1 grad=semi",
        ONE_TO_4,
        (3.492652734585770,),
        gradient=SEMI,
    ),
    row(
        "softmax_of_large_numbers_is_finite",
        "softmax window=4",
        (100, 90, 0, 0),
        (99.99954602131298,),
        few=True,
        why="without subtracting the largest: NaN",
    ),
    row(
        "softmax_of_very_negative_numbers_is_finite",
        "softmax output_size=1",
        (-110, -120, -130),
        (-110.00045401990728,),
        why="without subtracting the largest: 0/0",
    ),
    row(
        "softmax_keeps_negative_results",
        "softmax window=2",
        (-1, -2),
        (-1.2689414213699952,),
        why="the published CPU code cuts them off at 0",
    ),
    row(
        "softmax_of_numbers_that_beta_would_overflow",
        "softmax window=3 beta=10.0",
        (2e307, 1e308, -1e308),
        (1e308,),
        dtype="float64",
        gradient=(0.0, 1.0, 0.0),
        why="10 * 1e308 is infinite, and exp(inf - inf) is NaN",
    ),
    row(
        "softmax_takes_the_smallest_for_a_negative_beta",
        "softmax output_size=1 beta=-10.0",
        (2e37, -1e38, 3e38),
        (-1e38,),
    ),
    row(
        "softmax_of_infinity_is_nan",
        "softmax window=2",
        (INF, 1, 1, 2),
        (NAN, 1.7310585786300048),
        few=True,
        why="its weight is exp(inf - inf), as in each framework's own softmax",
    ),
    row("softmax_beta_0_is_the_average", "softmax window=4 beta=0.0", ONE_TO_4, (2.5,), gradient=(0.25,) * 4),
]

LITERALS: list[Case] = [
    *PADDING,
    *CEIL,
    *ADAPTIVE,
    *CHOICES,
    *NUMBERS,
    *SOFTMAX,
    *POWERS,
    *BLURS,
    *FRACTIONAL,
    *STRIPS,
    *TOKENS,
    *FURTHER,
    *COMPOSITES,
]
