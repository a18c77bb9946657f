"""JAX's primitives."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.export
import jax.numpy  # pyright: ignore[reportUnusedImport]  # makes jax.numpy below certain
from jax import lax

from poolkit.errors import ShapeError
from poolkit.lowering.fold import IN_A_ROW
from poolkit.lowering.operators import Operators
from poolkit.lowering.primitives import Tensor
from poolkit.lowering.routes.stages import multiplied
from poolkit.programs.recorder import tell

if TYPE_CHECKING:
    from poolkit.lowering.axis import Axis

LOOP = 2**12  # numbers below which XLA's sums on a CPU are plain loops, in jaxlib 0.10.2
LARGE = 4 * LOOP  # from which a route may count on it that they are not
CONFIG: Any = jax.config  # whose flags have no types


def at_least(n: Any, least: int) -> bool:
    """Whether a size is so large for all that is known of its symbols, if it has any."""
    try:
        return not jax.export.is_symbolic_dim(n) or bool(n >= least)
    except jax.errors.InconclusiveDimensionOperation:
        return False


def _rows(sizes: list[Any]) -> Any:
    """How many rows of cells, of which each has these sizes, are more numbers than `LOOP`."""
    row: list[Any] = []
    rest: list[Any] = []
    for n in sizes:  # of products with a size behind other pools JAX cannot tell that they are not negative
        (row if at_least(multiplied([*row, n]), 0) else rest).append(n)
    count = 2 * LOOP // (1 + multiplied(row))
    for n in rest:
        count = 2 * count // (1 + n)
    return 1 + count


def _undecided(n: Any, least: int) -> ShapeError:
    return ShapeError(
        f"received an input of symbolic size, for which it cannot be decided that {n} is at least {least}, "
        f'as the windows need it; add a constraint: jax.export.symbolic_shape(..., constraints=["{n} >= {least}"])'
    )


class Ops(Operators):
    """The primitives of `poolkit.lowering.primitives.Ops` in JAX."""

    imports: ClassVar[dict[str, str]] = {
        "jax": "import jax",
        "jnp": "import jax.numpy as jnp",
        "lax": "from jax import lax",
    }
    jax: Any = jax
    jnp: Any = jax.numpy
    lax: Any = lax
    module = "jnp"
    nan_wins = puts = drops = squares = slices_by_size = True
    pairwise_sums: bool = True  # `sum` has to pad, which is a copy
    slices_are_free: ClassVar[bool] = True  # XLA's own sum of bins of 5 cells takes 3 to 9 times as long

    def __init__(self, rank: int, dtype: str) -> None:
        super().__init__(rank, dtype)
        self.index = "int64" if CONFIG.jax_enable_x64 else "int32"

    def number(self, n: Any, dtype: str) -> Any:
        return n if isinstance(n, int) else self.jnp.asarray(n).astype(dtype)

    def around(self, a: Axis) -> tuple[Any, Any]:
        # JAX adds tensors whose sizes are written alike, as (n - 1) // 2 + 1 and -(-n // 2) are not, and pads by what
        # it can tell is not negative. What it makes for its own `SAME` windows and convolutions is both.
        if not (a.rule and jax.export.is_symbolic_dim(a.n)):
            return super().around(a)
        pads: tuple[Any, Any] = self.lax.padtype_to_pads((a.n,), (a.span,), (a.stride,), a.rule.upper())[0]
        return pads

    def slice(self, x: Tensor, at: int, start: int, stop: int | None, step: int) -> Tensor:
        # Indexing clamps, which makes lengths that jax.export cannot unify.
        try:
            return self.lax.slice_in_dim(x, start, stop, step, at)
        except jax.errors.InconclusiveDimensionOperation as error:
            least = stop if stop is not None and stop > 0 else start - (stop or 0)
            raise _undecided(x.shape[at], least) from error

    def edged(self, x: Tensor, at: int, low: int, high: int) -> Tensor:
        return self.jnp.pad(x, [(low, high) if i == at else (0, 0) for i in range(self.rank)], mode="edge")

    def segment(self, x: Tensor, ids: Tensor, n: int, how: str, or_zero: bool = False) -> Tensor:
        return getattr(self.jax.ops, f"segment_{how}")(x, ids, n)

    def put(self, x: Tensor, places: Tensor, n: Any) -> Tensor:
        shape = (multiplied(self.row(x, n)[:-1]), self.size(x, self.rank - 1))
        # As few axes as can be, by numbers without a sign: of others JAX asks whether they count from the end.
        rows = self.jnp.reshape(places, shape).astype("uint32")
        made = self.jnp.zeros((shape[0], n), x.dtype).at[self.lax.broadcasted_iota("uint32", rows.shape, 0), rows]
        made = made.set(self.jnp.reshape(x, shape), mode="promise_in_bounds", unique_indices=True)  # else a derivative
        return self.jnp.reshape(made, self.row(x, n))  # asks which one is seen

    def convolve(
        self, x: Tensor, window: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
    ) -> Tensor:
        ones = self.jnp.ones((1, 1, *window), x.dtype)
        convolve = self.lax.conv_general_dilated
        return convolve(x[:, None], ones, stride, "VALID", rhs_dilation=dilation, precision="highest")[:, 0]

    def clip(self, x: Tensor, low: float, high: float) -> Tensor:
        # XLA on a CPU adds up what a maximum gives in the same loop, but not what is chosen.
        return self.jnp.clip(x, low, high) if self.blind else super().clip(x, low, high)

    def order(self, x: Tensor, at: int) -> Tensor:
        return self.jnp.argsort(x, at).astype("int32")

    def sort(self, x: Tensor, at: int) -> Tensor:
        return self.jnp.sort(x, at)

    def sum(self, x: Tensor, ats: tuple[int, ...]) -> Tensor:
        # XLA on a CPU adds up fewer than 4096 numbers one by one (31x31 equal cells: 115 eps off), more not (3 eps).
        # So zeros are put behind one axis, a row of a large map, many of a small; it takes 1.1 to 2.7 times as long.
        rest = [self.size(x, at) for at in range(self.rank) if at != ats[0]]
        x = x if self.blind and self.large else self.pad(x, ats[0], 0, _rows(rest), 0)
        return self.jnp.sum(x, ats, keepdims=True)

    def own_sum(self, x: Tensor, ats: tuple[int, ...], few: bool = False) -> Tensor:
        sizes = [self.size(x, at) for at in ats]
        known = all(isinstance(n, int) for n in sizes)  # of a symbol it may be more
        few = few or (known and multiplied(sizes) <= IN_A_ROW)
        return self.jnp.sum(x, ats, keepdims=True) if few else self.sum(x, ats)

    def iota(self, x: Tensor, at: int) -> Tensor:
        return self.lax.broadcasted_iota("int32", self.along(at, x.shape[at]), at)

    def detach(self, x: Tensor) -> Tensor:
        return self.lax.stop_gradient(x)

    def branch(
        self, right: Any, near: Callable[[Tensor], Tensor], far: Callable[[Tensor], Tensor], x: Tensor
    ) -> Tensor:
        """What a gradient needs of either branch is computed again: a `cond` keeps room for that of both."""
        return self.lax.cond(right, self.jax.checkpoint(near), self.jax.checkpoint(far), x)

    def each(self, function: Callable[[Tensor], Any], x: Tensor) -> Any:
        """What a branch takes is reserved in any case, and from some 25 MB on new pages at each call."""
        alone = self.jax.checkpoint(lambda part: self.jax.tree.map(lambda t: t[0], function(part[None])))
        return self.lax.map(alone, x) if self.large else function(x)

    def mended(self, right: Any, found: tuple[Tensor, ...], again: Callable[[Tensor], Any], x: Tensor) -> Any:
        """A loop of one turn or none, which leaves `found` where it is: what a `cond` hands on is a copy."""
        return self.lax.while_loop(lambda t: t[0], lambda t: (t[0] & False, again(x)), (~right, found))[1]

    def derived(self, function: Callable[[Tensor], Any], slopes: Callable[..., Any], x: Tensor) -> Any:
        made = self.jax.custom_jvp(function)

        def derivative(primals: Any, tangents: Any) -> Any:
            found = made(primals[0])
            return found, slopes(primals[0], found, tangents[0])

        tell(made, "defjvp", derivative)
        return made(x)

    def unless_derived(self, alone: Callable[[Tensor], Any], both: Callable[[Tensor], Any], x: Tensor) -> Any:
        made = self.jax.custom_jvp(alone)
        tell(made, "defjvp", lambda given, changes: self.jax.jvp(both, given, changes))
        return made(x)
