"""What a spec keeps of what it is given, and what may be done with it."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest

from poolkit import PoolSpec, SpecError
from poolkit.spec.foreign import NAMES, WORDS
from poolkit.spec.kinds import KINDS
from poolkit.spec.pool_spec import FIELDS
from poolkit.spec.values import alike
from tests.helpers.support import python


def kept(**fields: Any) -> PoolSpec:
    return PoolSpec(**({"kind": "max", "layout": "NCHW"} | fields))


# ------------------------------------------------------------------------------------------------------- one form


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"window": 3}, "axes", "HW"),
        ({"window": 3}, "window", (3, 3)),
        ({"window": [3, 2]}, "window", (3, 2)),
        ({"window": np.int64(3)}, "window", (3, 3)),
        ({"window": (np.int32(3), 2)}, "stride", (3, 2)),
        ({"window": 3}, "dilation", (1, 1)),
        ({"window": 3}, "padding", "valid"),
        ({"window": 3, "padding": 0}, "padding", "valid"),
        ({"window": 3, "padding": ((0, 0), (0, 0))}, "padding", "valid"),
        ({"window": 3, "padding": 1}, "padding", ((1, 1), (1, 1))),
        ({"window": 3, "padding": [1, 0]}, "padding", ((1, 1), (0, 0))),
        ({"window": 3, "padding": [(0, 1), 2]}, "padding", ((0, 1), (2, 2))),
        ({"window": 3, "padding": [[0, 1]], "layout": "NCL"}, "padding", ((0, 1),)),
        ({"window": 2, "layout": "NTHWC", "axes": "T"}, "window", (2,)),
        ({"window": 2, "ceil_mode": np.bool_(True)}, "ceil_mode", True),
        ({"output_size": 1}, "output_size", (1, 1)),
        ({"output_size": (7, None)}, "output_size", (7, None)),
        ({"output_size": 1}, "window", None),
        ({"output_size": 1}, "stride", None),
        ({"output_size": 1}, "dilation", (1, 1)),
        ({"output_size": 1, "padding": 0}, "padding", "valid"),
        ({"window": 2, "kind": "avg", "divisor_override": 4.0}, "divisor_override", 4),
        ({"window": 2, "kind": "avg", "divisor_override": np.float32(0.5)}, "divisor_override", 0.5),
        ({"window": 2, "kind": "softmax"}, "beta", 1.0),
        ({"window": 2, "kind": "softmax", "beta": 2}, "beta", 2.0),
        ({"window": 2, "kind": "softmax"}, "grad", "exact"),
        ({"layout": "channels_last", "window": 3}, "axes", None),
        ({"layout": "channels_last", "window": 3}, "window", 3),
        ({"layout": "channels_last", "window": 3}, "stride", 3),
        ({"layout": "channels_last", "window": [3, 2]}, "stride", (3, 2)),
        ({"layout": "channels_last", "window": 3}, "dilation", 1),
        ({"layout": "channels_last", "window": 3, "padding": 1}, "padding", 1),
        ({"layout": "channels_last", "window": 3, "padding": 0}, "padding", "valid"),
        ({"layout": "channels_last", "window": 3, "padding": (1, 2)}, "padding", ((1, 1), (2, 2))),
        ({"layout": "channels_last", "window": 3, "padding": ((0, 1),)}, "padding", ((0, 1),)),
        ({"layout": "channels_first", "output_size": 1}, "output_size", 1),
        ({"layout": "channels_first", "output_size": 1, "dilation": (1, 1)}, "dilation", 1),
        ({"layout": "...HWC", "window": 3}, "axes", "HW"),
    ],
)
def test_a_value_is_kept_in_one_form(given: dict[str, Any], field: str, value: object) -> None:
    spec = kept(**given)

    assert getattr(spec, field) == value
    assert type(getattr(spec, field)) is type(value)


def test_integers_of_numpy_become_those_of_python() -> None:
    spec = kept(window=(np.int64(3), np.uint8(2)), padding=[(np.int16(1), 0), np.int8(1)])

    assert [type(v) for v in spec.window] == [int, int]
    assert [type(v) for pair in spec.padding for v in pair] == [int] * 4


@pytest.mark.parametrize(
    ("layout", "letters", "spatial"),
    [
        ("NCHW", "NCHW", "HW"),
        ("...HWC", "HWC", "HW"),
        ("NTHWC", "NTHWC", "THW"),
        ("L", "L", "L"),
        ("channels_first", "channels_first", None),
    ],
)
def test_letters(layout: str, letters: str, spatial: str | None) -> None:
    spec = kept(layout=layout, window=2)

    assert (spec.letters, spec.spatial) == (letters, spatial)


def test_specs_that_mean_the_same_are_the_same() -> None:
    same = [kept(window=3), kept(window=(3, 3)), kept(window=[3, 3], stride=3), kept(window=3, axes="HW", padding=0)]

    assert len(set(same)) == 1
    assert len({hash(spec) for spec in same}) == 1
    assert kept(window=3) != kept(window=3, layout="NHWC")


def test_a_spec_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        kept(window=3).window = 2  # type: ignore[misc]


def test_a_hash_is_computed_once() -> None:
    spec = kept(window=3)

    assert hash(spec) == spec.__dict__["_hash"] == hash(spec)


# -------------------------------------------------------------------------------------------------------- replace


@pytest.mark.parametrize(
    ("given", "changes", "wanted"),
    [
        ({"window": 2}, {"window": 3}, {"window": 3, "stride": 3}),
        ({"window": 2, "stride": 1}, {"window": 3}, {"window": 3, "stride": 1}),
        ({"window": (2, 3)}, {"layout": "NHWC"}, {"window": (2, 3), "layout": "NHWC"}),
        ({"window": 2, "padding": 1}, {"layout": "NCL"}, {"window": 2, "padding": 1, "layout": "NCL"}),
        ({"window": 2}, {"layout": "NDHWC"}, {"window": (2, 2, 2), "layout": "NDHWC"}),
        ({"window": 2}, {"layout": "channels_last"}, {"window": 2, "layout": "channels_last"}),
        ({"window": (2, 3)}, {"layout": "channels_last"}, {"window": (2, 3), "layout": "channels_last"}),
        ({"window": 2, "layout": "channels_last"}, {"layout": "NHWC"}, {"window": 2, "layout": "NHWC"}),
        (
            {"window": (2, 3), "padding": ((0, 1), (2, 3))},
            {"layout": "NWHC"},
            {"window": (3, 2), "padding": ((2, 3), (0, 1)), "layout": "NWHC"},
        ),
        (
            {"window": (2, 3), "layout": "NTHWC", "axes": "TW"},
            {"layout": "NCWHT"},
            {"window": (3, 2), "layout": "NCWHT", "axes": "WT"},
        ),
        ({"output_size": (1, 2)}, {"layout": "NWHC"}, {"output_size": (2, 1), "layout": "NWHC"}),
        ({"window": 2, "stride": 1}, {"window": None, "output_size": 1}, {"output_size": 1}),
        ({"window": 2, "layout": "NTHWC", "axes": "HW"}, {"axes": None}, {"window": 2, "layout": "NTHWC"}),
        ({"kind": "softmax", "window": 2}, {"kind": "avg"}, {"kind": "avg", "window": 2}),
        ({"window": 2, "indices": True}, {"indices": False, "kind": "sum"}, {"kind": "sum", "window": 2}),
        ({"window": 2}, {}, {"window": 2}),
    ],
)
def test_replace(given: dict[str, Any], changes: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert kept(**given).replace(**changes) == kept(**wanted)


# ---------------------------------------------------------------------------------------------- the table of fields


def test_no_option_of_a_kind_is_a_field() -> None:
    assert [name for facts in KINDS.values() for name in facts.options if hasattr(PoolSpec, name)] == []


def test_an_option_is_read_by_its_name() -> None:
    spec = kept(kind="softmax", window=2, beta=2)

    assert spec.options == (("beta", 2.0), ("grad", "exact"))
    assert (getattr(spec, "beta"), getattr(spec, "grad")) == (2.0, "exact")  # noqa: B009  # as a user writes it
    with pytest.raises(AttributeError, match="a spec of 'max' pooling has no attribute 'beta'"):
        getattr(kept(window=2), "beta")  # noqa: B009


def test_options_are_given_together_or_by_name() -> None:
    named = kept(kind="softmax", window=2, beta=2)

    assert kept(kind="softmax", window=2, options={"beta": 2}) == named
    assert named.replace(options={"beta": 3}) == named.replace(beta=3) == kept(kind="softmax", window=2, beta=3)
    assert hash(named) != hash(named.replace(beta=3))
    with pytest.raises(SpecError, match="received options=3, and options are a mapping of names to values"):
        PoolSpec("softmax", window=2, layout="NCL", options=3)  # type: ignore[arg-type]


def test_defaults_of_options_are_accepted() -> None:
    for kind in KINDS.values():
        assert all(option.accepts(option.default) for option in kind.options.values())


def test_foreign_names_are_foreign_and_lead_to_fields() -> None:
    assert {*WORDS, "options"} == set(FIELDS)
    assert set(NAMES) & set(FIELDS) == set()


# ----------------------------------------------------------------------------------------------- copies and processes


def test_copies_are_equal() -> None:
    spec = kept(window=(3, 2), padding=((0, 1), (1, 1)), ceil_mode=True)
    hash(spec)

    for other in (copy.copy(spec), copy.deepcopy(spec), pickle.loads(pickle.dumps(spec)), dataclasses.replace(spec)):
        assert other == spec
        assert hash(other) == hash(spec)


def test_a_hash_does_not_travel_to_another_process() -> None:
    # A string hashes differently in every process, so a spec whose hash was pickled would not be found in a dict.
    spec = kept(window=3)
    hash(spec)
    code = f"import pickle, poolkit; s = pickle.loads({pickle.dumps(spec)!r}); print({{s: 1}}[{spec!r}])"
    code = code.replace("[PoolSpec", "[poolkit.PoolSpec")

    assert [python(code, PYTHONHASHSEED=seed) for seed in ("1", "2")] == ["1\n", "1\n"]


# ------------------------------------------------------------------------------------------------------- compilers


def test_a_spec_can_be_made_while_torch_is_compiling() -> None:
    import torch

    import poolkit as pk

    def specs(x: Any) -> tuple[Any, ...]:
        made = pk.MaxPool(3, 2, "same", layout="NCHW", indices=True)
        return (
            x + made.window[1],  # type: ignore[index]
            made,
            made.replace(layout="NWHC"),
            pk.AvgPool(3, 2, 1, layout="NCHW", divisor_override=2.5),
            pk.GlobalAvgPool(layout="channels_first", keepdims=False),
            PoolSpec("softmax", window=(3, 2), padding=((0, 1), (1, 1)), layout="NHWC", beta=2.0),
            PoolSpec.parse("max output_size=3,none layout=...HWC"),
            PoolSpec.from_dict(pk.SumPool(2, layout="NCL").to_dict()),
            hash(made),
        )

    eager = specs(torch.ones(2))
    compiled = torch.compile(specs, fullgraph=True, backend="eager")(torch.ones(2))

    assert torch.equal(eager[0], compiled[0])
    assert eager[1:] == compiled[1:]


@pytest.mark.parametrize(
    ("value", "default", "wanted"),
    [
        (2, 1.0, 2.0),
        (np.int64(2), 1, 2),
        (True, 1, None),
        (2.0, 1, None),
        (True, False, True),
        (1, False, None),
        ("a", "b", "a"),
        (3, None, 3),
    ],
)
def test_an_option_has_the_type_of_its_default(value: object, default: object, wanted: object) -> None:
    found = alike(value, default)

    assert (found, type(found)) == (wanted, type(wanted))
