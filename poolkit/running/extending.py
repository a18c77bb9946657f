"""`register_kind`: a kind of pooling from outside, which is from then on a kind like those of poolkit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard, cast

from poolkit.lowering.kinds import FOLDS
from poolkit.lowering.kinds.kind import Kind
from poolkit.running import dispatch
from poolkit.spec.kinds import BUILT_IN, KINDS, Facts, Option
from poolkit.spec.messages import shown, wrong
from poolkit.spec.operation import Operation
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import alike, flag, number

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
    table = _options(options)
    _check(name, fold, table)
    _check_facts(does, widest, {"operations": operations, "refuses": refuses, "oracle": oracle})
    if name in KINDS:
        dispatch.forget()  # programs of the kind that had this name
    single = "" if flag("hands_on", hands_on) else name
    KINDS[name] = Facts(
        does,
        flag("selects", selects),
        hands_on=flag("hands_on", hands_on),
        options=table,
        operations=operations or Facts.operations,
        widest=widest,
        refuses=refuses,
        oracle=oracle,
        alone=lambda options: single,
    )
    FOLDS[name] = fold


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping)


def _options(given: object) -> dict[str, Option]:
    if given is None:
        return {}
    if _is_mapping(given) and all(isinstance(name, str) for name in given):
        return cast("dict[str, Option]", dict(given))
    rule = "options are a mapping of names to a pk.Option each"
    raise wrong(f"options={shown(given)}", rule, 'write it as in options={"scale": pk.Option(1.0, …)}')


def _check(name: object, fold: object, options: Mapping[str, Option]) -> None:
    texts = {str(getattr(one, "word", one.__name__.lower())): one for one in Operation.ALL}
    words = [*BUILT_IN, *[word for word, one in texts.items() if one.written(f"{word} ")]]
    if not isinstance(name, str) or not name.isidentifier() or name in words:
        raise wrong(shown(name), f"a new kind has a word of its own, none of {', '.join(words)}", "name it otherwise")
    if not (isinstance(fold, type) and issubclass(cast("type[object]", fold), Kind)):
        raise wrong(shown(fold), "a kind is a subclass of poolkit.lowering.kinds.Kind", "inherit from Kind, Sum or Max")
    for option, row in options.items():
        if not option.isidentifier() or hasattr(PoolSpec, option) or option in ("kind", "layout"):
            rule = "an option is a word, and not the name of a field or method of PoolSpec"
            raise wrong(f"an option {shown(option)}", rule, "name it otherwise")
        _check_option(option, row)


def _check_option(name: str, row: object) -> None:
    accepts, words = getattr(row, "accepts", None), getattr(row, "rule", None)
    if not isinstance(row, Option) or not callable(accepts) or not isinstance(words, str):
        rule = "an option is a pk.Option of a default, a function that accepts values, and its rule in words"
        raise wrong(f"{name}={shown(row)}", rule, 'write pk.Option(1.0, lambda v: v > 0, "a number above 0")')
    if not row.takes(alike(row.default, row.default)):
        raise wrong(f"the default {shown(row.default)} of {name}", f"{name} is {row.rule}", "give another")


def _check_facts(does: object, widest: object, functions: Mapping[str, object]) -> None:
    if not isinstance(does, str) or not does.strip():
        raise wrong(f"does={shown(does)}", "it is a verb", 'write it as in does="adds up squares"')
    if widest is not None and not (number(widest) or 0) >= 1:
        raise wrong(f"widest={shown(widest)}", "it is a number of cells, 1 or more", "write it as in widest=7")
    for name, function in functions.items():
        if function is not None and not callable(function):
            raise wrong(f"{name}={shown(function)}", f"{name} is a function, or left out", f"leave {name} out")
