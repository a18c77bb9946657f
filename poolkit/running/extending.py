"""`register_kind`: a kind of pooling from outside, which is from then on a kind like those of poolkit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from poolkit.lowering.kinds import FOLDS
from poolkit.lowering.kinds.kind import Kind
from poolkit.running import dispatch
from poolkit.spec.kinds import BUILT_IN, KINDS, Facts, Option
from poolkit.spec.messages import quoted, shown, wrong
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import alike

Oracle = Callable[[Mapping[str, Any], Sequence[float]], float]
Refuses = Callable[[Mapping[str, Any]], str]


def register_kind(
    name: str,
    fold: type[Kind],
    does: str,
    *,
    options: Mapping[str, Option] | None = None,
    selects: bool = False,
    hands_on: bool = True,
    operations: Callable[[int, int], int] | None = None,
    widest: float | None = None,
    refuses: Refuses | None = None,
    oracle: Oracle | None = None,
) -> None:
    """Add a kind of pooling; afterwards ``PoolSpec(name, …)`` takes it on every backend, in every mode.

    `fold` says what happens to the cells of a window (see `poolkit.lowering.kinds`), `does` is a verb for `diff`, and
    `options` are further words of a spec, which the fold finds in ``self.options``. `selects` says that every result is
    one of the window's cells, and `hands_on` that a window of one cell may be that cell as it is. `operations` is for
    `cost`: how many are taken by so many cells in so many windows. A kind of sliding windows alone has a `widest`, the
    most cells of a window along an axis, `math.inf` for any number. `refuses` is given the fields and options of a
    spec, and gives the rule that they break, which a `SpecError` then says, or "". `oracle` is the definition, of the
    options and one window's cells; with it the conformance suite runs the kind in every mode. Your own kind may be
    registered anew.

    >>> import numpy as np
    >>> import poolkit as pk
    >>> from poolkit.lowering.kinds import Sum
    >>> class Energy(Sum):
    ...     def lift(self, x):
    ...         return (self.o.multiply(self.o.multiply(x, x), self.options["scale"]),)
    >>> def energy(options, cells):
    ...     return options["scale"] * sum(a * a for a in cells)
    >>> scale = pk.Option(1.0, lambda value: value > 0, "a number above 0", examples=(0.5,))
    >>> pk.register_kind("energy", Energy, "adds up squares", options={"scale": scale}, hands_on=False, oracle=energy)
    >>> spec = pk.PoolSpec("energy", window=2, scale=0.5, layout="NCL")
    >>> pk.pool(np.array([[[1.0, 2.0, 3.0, 4.0]]]), spec)
    array([[[ 2.5, 12.5]]])
    """
    table = dict(options or {})
    _check(name, fold, table)
    if name in KINDS:
        dispatch.forget()  # programs of the kind that had this name
    single = "" if hands_on else name
    KINDS[name] = Facts(
        does,
        selects,
        hands_on=hands_on,
        options=table,
        operations=operations or Facts.operations,
        widest=widest,
        refuses=refuses,
        oracle=oracle,
        alone=lambda options: single,
    )
    FOLDS[name] = fold


def _check(name: object, fold: object, options: Mapping[str, Option]) -> None:
    if not isinstance(name, str) or not name.isidentifier() or name in BUILT_IN:
        raise wrong(
            shown(name), f"a new kind has a word of its own, none of {', '.join(BUILT_IN)}", "name it otherwise"
        )
    if not (isinstance(fold, type) and issubclass(cast("type[object]", fold), Kind)):
        raise wrong(shown(fold), "a kind is a subclass of poolkit.lowering.kinds.Kind", "inherit from Kind, Sum or Max")
    for option, row in options.items():
        if not option.isidentifier() or hasattr(PoolSpec, option) or option in ("kind", "layout"):
            rule = "an option is a word, and not the name of a field or method of PoolSpec"
            raise wrong(f"an option {quoted(option)}", rule, "name it otherwise")
        if alike(row.default, row.default) is None or not row.accepts(row.default):
            raise wrong(f"the default {shown(row.default)} of {option}", f"{option} is {row.rule}", "give another")
