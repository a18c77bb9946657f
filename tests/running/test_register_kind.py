"""A kind with an option from outside is like those of poolkit, for specs, texts, `diff`, backends and the suite."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import poolkit as pk
from poolkit.cli.commands import poolkit as command
from poolkit.lowering import kinds
from poolkit.lowering.fold import total
from poolkit.spec.kinds import KINDS
from poolkit_conformance import modes, runner

NAME = "spread"


class Spread(kinds.Kind):
    """The difference of sums of squares and of values, scaled: two tensors of state, and no neutral value but zeros."""

    neutral = (0.0, 0.0)

    def lift(self, x: Any) -> kinds.State:
        return self.o.multiply(x, x), x

    def combine(self, a: kinds.State, b: kinds.State) -> kinds.State:
        return tuple(self.o.add(s, t) for s, t in zip(a, b, strict=True))

    def reduce_axis(self, s: kinds.State, a: Any, inside: Any) -> kinds.State:
        return tuple(total(self.o, t, (a,)) for t in s)

    def finish(self, s: kinds.State, like: Any) -> tuple[Any, None]:
        return self.o.subtract(self.o.multiply(s[0], self.options["scale"]), s[1]), None


def spread(options: Mapping[str, Any], cells: Sequence[float]) -> float:
    return float(options["scale"] * sum(a * a for a in cells) - sum(cells))


SCALE = pk.Option(1.0, lambda value: value > 0, "a number above 0", examples=(0.5,))


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    pk.register_kind(NAME, Spread, "spreads", options={"scale": SCALE}, hands_on=False, oracle=spread)
    yield
    del KINDS[NAME], kinds.FOLDS[NAME]


def spec(**fields: Any) -> pk.PoolSpec:
    given: dict[str, Any] = {"window": 2, "layout": "NCL"}
    return pk.PoolSpec(NAME, **(given | fields))


def test_its_option_is_checked() -> None:
    assert spec().options == (("scale", 1.0),)
    with pytest.raises(pk.SpecError, match='received scale=-1, and scale of "spread" pooling is a number above 0'):
        spec(scale=-1)
    with pytest.raises(pk.SpecError, match=r'scale is an option of .*"spread" pooling; leave scale out'):
        pk.PoolSpec("max", window=2, layout="NCL", scale=2)
    with pytest.raises(pk.SpecError, match='the options of "spread" pooling are: scale; leave gamma out'):
        spec(options={"gamma": 1})


def test_its_option_is_known_to_every_form_of_a_spec() -> None:
    s = spec(scale=2)

    assert repr(s) == 'PoolSpec("spread", window=2, layout="NCL", scale=2.0)'
    assert str(s) == "spread window=2 layout=NCL scale=2.0"
    assert pk.PoolSpec.parse(str(s)) == s
    assert s.to_dict() == {"version": 1, "kind": "spread", "window": 2, "layout": "NCL", "scale": 2.0}
    assert pk.PoolSpec.from_dict(s.to_dict()) == pickle.loads(pickle.dumps(s)) == s
    assert s.replace(layout="NLC") == spec(scale=2, layout="NLC")
    assert len({s, spec(scale=2.0), spec()}) == 2


def test_diff_tells_two_of_it_apart() -> None:
    # A kind that was not in diff's own lists was compared by its windows alone.
    found = pk.diff(spec(), spec(scale=2))
    assert not found.equal
    assert "A's scale is 1.0, B's is 2.0" in str(found)
    assert pk.diff(spec(), spec()).equal
    assert not pk.diff(spec(), pk.AvgPool(2, layout="NCL")).equal


def test_explain_cost_and_the_command_line_know_it() -> None:
    assert spec(scale=2).explain((1, 1, 4)).startswith("spread window=2 layout=NCL scale=2.0\n")
    assert spec().cost((1, 1, 4)).operations == 2
    result = CliRunner().invoke(command, ["lower", "spread window=2 layout=NCL scale=2", "--backend", "numpy"])
    assert result.exit_code == 0
    assert "scale=2.0" in result.output


def test_an_option_of_several_numbers_comes_back_from_texts() -> None:
    ends = pk.Option((0.0, 1.0), lambda v: v[0] < v[1], "a lower and a higher number")
    pk.register_kind(NAME, Spread, "spreads", options={"ends": ends})
    declared = pk.PoolSpec(NAME, window=2, layout="NCL", ends=(-math.inf, 2.0))

    assert pk.PoolSpec.from_dict(json.loads(json.dumps(declared.to_dict()))) == declared
    assert eval(repr(declared), {"PoolSpec": pk.PoolSpec}) == declared


def test_a_kind_may_be_registered_anew() -> None:
    x = np.array([[[1.0, 2.0]]])
    assert pk.pool(x, spec()).item() == 2.0
    pk.register_kind(NAME, kinds.Sum, "sums", options={"scale": SCALE})
    assert pk.pool(x, spec()).item() == 3.0


def test_a_kind_says_which_windows_it_has() -> None:
    pk.register_kind(NAME, Spread, "spreads", options={"scale": SCALE}, oracle=spread, widest=math.inf)
    with pytest.raises(pk.SpecError, match='"spread" pooling has windows of 1 cell and more along each axis'):
        pk.PoolSpec(NAME, output_size=2, layout="NCL")
    names = [case.name for case, mode in runner.tests(runner.harness("numpy")) if mode == "eager"]
    assert "spread_k2" in names
    assert "spread_global" not in names

    pk.register_kind(NAME, Spread, "spreads", options={"scale": SCALE}, widest=2)
    assert spec().output_shape((1, 1, 4)) == (1, 1, 2)
    with pytest.raises(pk.SpecError, match=r"received window=3 .* has windows of 1 to 2 cells along each axis"):
        spec(window=3)


def test_a_kind_refuses_what_it_has_no_meaning_for() -> None:
    def even(fields: Mapping[str, Any]) -> str:
        odd = fields["window"] is not None and any(k % 2 for k in fields["window"])
        return "its windows have an even number of cells" if odd and fields["scale"] == 1 else ""

    pk.register_kind(NAME, Spread, "spreads", options={"scale": SCALE}, oracle=spread, refuses=even)
    assert spec(window=3, scale=2).window == (3,)
    with pytest.raises(pk.SpecError, match=r'window=3 .* for "spread", and its windows have an even'):
        spec(window=3)
    names = [case.name for case, mode in runner.tests(runner.harness("numpy")) if mode == "eager"]
    assert "spread_k2" in names
    assert "spread_k3_s2_ceil" not in names


TAKEN = ("unpool", "roi", "learned", "segment", "struct", "pyramid")  # with which texts of other operations begin


@pytest.mark.parametrize(
    ("name", "fold", "options", "message"),
    [
        ("max", Spread, {}, "a new kind has a word of its own"),
        ("two words", Spread, {}, "a new kind has a word of its own"),
        (NAME, object, {}, "a kind is a subclass of poolkit.lowering.kinds.Kind"),
        (NAME, Spread, {"window": SCALE}, "not the name of a field or method of PoolSpec"),
        (NAME, Spread, {"replace": SCALE}, "not the name of a field or method of PoolSpec"),
        (NAME, Spread, {"scale": pk.Option(-1.0, lambda v: v > 0, "above 0")}, "scale is above 0"),
        (NAME, Spread, {"scale": pk.Option(1.0, lambda v: v["a"], "above 0")}, "scale is above 0"),
        (NAME, Spread, {"scale": pk.Option(1.0, 3, "above 0")}, "a function that accepts values"),  # type: ignore[arg-type]
        (NAME, Spread, {"scale": pk.Option(1.0, bool, 3)}, "its rule in words"),  # type: ignore[arg-type]
        (NAME, Spread, {"scale": 3}, "received scale=3, and an option is a pk.Option"),
        (NAME, Spread, {3: SCALE}, "options are a mapping of names"),
        (NAME, Spread, [1], r"received options=\[1\], and options are a mapping"),
        (NAME, Spread, [], "options are a mapping"),
        *((word, Spread, {}, f"none of .*{word}") for word in TAKEN),
    ],
)
def test_what_is_no_kind_is_refused(name: str, fold: Any, options: Any, message: str) -> None:
    with pytest.raises(pk.SpecError, match=message):
        pk.register_kind(name, fold, "spreads", options=options)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        *(
            ({"widest": w}, "received widest=.* a number of cells, 1 or more")
            for w in ("x", math.nan, -1, 0, True, 10**400)
        ),
        *(({f: 3}, f"received {f}=3, and {f} is a function") for f in ("operations", "refuses", "oracle")),
        *(({"does": d}, "received does=.* it is a verb") for d in (3, "", None)),
        *(({f: 3}, f"received {f}=3, and {f} is True or False") for f in ("selects", "hands_on")),
    ],
)
def test_facts_that_are_none_are_refused(given: dict[str, Any], message: str) -> None:
    """Not only once they are read."""
    with pytest.raises(pk.SpecError, match=message):
        pk.register_kind(**({"name": NAME, "fold": Spread, "does": "spreads"} | given))


def test_a_rule_of_an_option_that_raises_does_not_accept() -> None:
    pk.register_kind(NAME, Spread, "spreads", options={"scale": pk.Option(1.0, lambda v: 1 / v > 0, "above 0")})
    with pytest.raises(pk.SpecError, match='scale of "spread" pooling is above 0'):
        spec(scale=0)


def test_what_is_registered_reaches_no_terminal_as_it_is() -> None:
    def attempts() -> Iterator[Any]:
        yield lambda: pk.register_kind(NAME, Spread, "spreads", options={"a\x1b[2J": SCALE})
        pk.register_kind(
            NAME, Spread, "spreads\x1b[2J\u202e", options={"scale": SCALE}, refuses=lambda _: "\x1b[2J\u202e"
        )
        yield spec

    for attempt in attempts():
        with pytest.raises(pk.SpecError, match=r"\\x1b\[2J") as caught:
            attempt()
        assert str(caught.value).isprintable()
    pk.register_kind(NAME, Spread, "spreads\x1b[2J\u202e", options={"scale": SCALE})
    said = str(pk.diff(spec(), pk.AvgPool(2, layout="NCL")))
    assert r"spreads\x1b[2J\u202e" in said
    assert said.replace("\n", "").isprintable()


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "tensorflow", "keras"])
def test_the_suite_runs_it_in_every_mode(backend: str) -> None:
    h = runner.harness(backend)
    found = [(case, mode) for case, mode in runner.tests(h) if getattr(case.spec, "kind", None) == NAME]
    assert "eager" in {mode for _, mode in found}
    assert len({mode for _, mode in found}) >= 3
    slow = backend in ("tensorflow", "keras", "jax")
    for case, mode in found:
        if not slow or case.few:
            modes.run(h, case, mode)


class Middle(kinds.Kind):
    """Half of the largest and the smallest cell, which forgets that some cells may have to be left out."""

    def lift(self, x: Any) -> kinds.State:
        return x, x

    def combine(self, a: kinds.State, b: kinds.State) -> kinds.State:
        larger, smaller = self.o.greater(b[0], a[0]), self.o.less(b[1], a[1])
        return self.o.where(larger, b[0], a[0]), self.o.where(smaller, b[1], a[1])

    def reduce_axis(self, s: kinds.State, a: Any, inside: Any) -> kinds.State:
        return self.o.max(s[0], a.at), self.o.min(s[1], a.at)

    def finish(self, s: kinds.State, like: Any) -> tuple[Any, None]:
        return self.o.multiply(self.o.add(s[0], s[1]), 0.5), None


class Careful(Middle):
    """The same, of the cells that count alone."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.ends = kinds.Max(*given), kinds.Min(*given)

    def combine(self, a: kinds.State, b: kinds.State) -> kinds.State:
        return tuple(end.combine((s,), (t,))[0] for end, s, t in zip(self.ends, a, b, strict=True))

    def reduce_axis(self, s: kinds.State, a: Any, inside: Any) -> kinds.State:
        return tuple(end.reduce_axis((t,), a, inside)[0] for end, t in zip(self.ends, s, strict=True))


def middle(options: Mapping[str, Any], cells: Sequence[float]) -> float:
    return float(np.max(cells) / 2 + np.min(cells) / 2)


@pytest.mark.parametrize(("fold", "right"), [(Middle, False), (Careful, True)])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_the_suite_sees_cells_that_should_be_left_out(backend: str, fold: type[kinds.Kind], right: bool) -> None:
    # A kind without `inside` passed all but one of 184 tests, whose maps had numbers around 0.
    pk.register_kind(NAME, fold, "takes the middle", oracle=middle)
    h = runner.harness(backend)
    wrong = set[str]()
    for case, mode in runner.tests(h):
        if getattr(case.spec, "kind", None) == NAME and mode in ("eager", "gradient", "second_gradient"):
            try:
                modes.run(h, case, mode)
            except AssertionError:
                wrong.add(case.name.removeprefix(f"{NAME}_"))
    assert (
        wrong == set() if right else {"mask_spaced_above_0_global", "mask_spaced_below_0_adaptive_9x10_to_4x3"} <= wrong
    )
