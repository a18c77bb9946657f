"""The suite itself: the oracle against numbers from outside, and broken adapters, each of which has to be caught."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np
import pytest

import poolkit as pk
from poolkit.lowering.backend import Situation
from poolkit.lowering.lower import routes_of
from poolkit.running import registry
from poolkit.running.routes import routes_for
from poolkit.spec.kinds import BUILT_IN
from poolkit.spec.pool_spec import PoolSpec
from poolkit_conformance import modes, oracle, runner
from poolkit_conformance.apart import EndedError, apart
from poolkit_conformance.broken import FAULTS, Fault, OracleHarness
from poolkit_conformance.case import Case, Fixed, as_array
from poolkit_conformance.compare import Mismatch
from poolkit_conformance.expect import expected, given
from poolkit_conformance.harness import Harness, Share, chosen
from poolkit_conformance.known_failures import KNOWN_FAILURES
from poolkit_conformance.literals import LITERALS
from poolkit_conformance.onnx_nodes import AT_LEAST, BY_DEFINITION, onnx_cases
from poolkit_conformance.tolerances import in_a_row

BY_NAME = {case.name: case for case in runner.all_cases()}
SOUND = OracleHarness()


def test_no_two_cases_have_one_name() -> None:
    assert len(BY_NAME) == len(runner.all_cases())


def test_the_cases_do_not_become_fewer() -> None:
    assert len(LITERALS) >= 80
    assert len(BY_NAME) >= 400
    assert len(onnx_cases()) >= AT_LEAST


@pytest.mark.parametrize(("backend", "groups"), [("torch", {2, 3}), ("tensorflow", {3}), ("jax", {2, 4})])
def test_modes_that_share_the_few_cases_leave_none_out(backend: str, groups: set[int]) -> None:
    declared = [which for which in runner.harness(backend).modes.values() if isinstance(which, tuple)]
    shares = [part for which in declared for part in which if isinstance(part, Share) and part.of == "few"]
    few = [case for case in BY_NAME.values() if case.few]

    assert {share.parts for share in shares} == groups
    for parts in groups:
        group = [share for share in shares if share.parts == parts]
        assert [case.name for case in few if not any(chosen(share, case) for share in group)] == []
    assert all(sum(chosen(share, case) for case in few) < 1.4 * len(few) / share.parts for share in shares)


def test_every_kind_has_cases_and_numbers_worked_out_by_hand() -> None:
    assert {part.kind for case in BY_NAME.values() for part in case.spec.poolings()} == set(BUILT_IN)
    assert {part.kind for case in LITERALS for part in case.spec.poolings()} == set(BUILT_IN)


def test_every_corrected_node_test_still_exists() -> None:
    assert set(BY_DEFINITION) <= set(BY_NAME)


@pytest.mark.parametrize("case", [*LITERALS, *onnx_cases()], ids=str)
def test_the_oracle_gives_numbers_from_outside(case: Case) -> None:
    modes.run(SOUND, case, "eager")
    if case.gradient is not None:
        modes.run(SOUND, case, "gradient")


@pytest.mark.parametrize("mode", ["eager", "gradient"])
def test_an_adapter_made_of_the_oracle_passes(mode: str) -> None:
    for case in BY_NAME.values():
        if modes.fits(SOUND, case, mode) and not isinstance(case.data, Fixed):
            modes.run(SOUND, case, mode)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "_"))
def test_a_broken_adapter_is_caught_by_name(fault: Fault) -> None:
    case = BY_NAME[fault.case]

    modes.run(SOUND, case, fault.mode)
    with pytest.raises(Mismatch, match=rf"oracle, {fault.mode}, {case.name}\b"):
        modes.run(fault.harness, case, fault.mode)


def test_an_error_that_is_not_ours_is_not_accepted() -> None:
    class Foreign(OracleHarness):
        def pool(self, x: object, spec: object, **tensors: object) -> object:
            raise ValueError("a framework's own")

    with pytest.raises(Mismatch, match="expected ShapeError, got ValueError"):
        modes.run(Foreign(), BY_NAME["refuses_a_window_beyond_the_map"], "eager")


def test_a_dtype_that_a_mode_takes_after_all_is_found_and_has_no_cases_there() -> None:
    class Modest(OracleHarness):
        modes: ClassVar[Mapping[str, str]] = {"eager": "every", "gradient": "few"}
        lacks: ClassVar[Mapping[str, frozenset[str]]] = {"gr*": frozenset({"float32"})}

    h = Modest()

    assert runner.taken_after_all(h) == [("gradient", "float32")]
    assert {mode for case, mode in runner.tests(h) if case.dtype == "float32"} == {"eager"}


def test_a_message_says_where_and_how_far() -> None:
    broken = OracleHarness(change=lambda x, spec, result: result + np.float32(1e-3))

    with pytest.raises(Mismatch) as caught:
        modes.run(broken, BY_NAME["adaptive_average_5_to_3"], "eager")

    assert "3 of 3 wrong, the first at (0, 0, 0): expected" in str(caught.value)
    assert "within" in str(caught.value)


DIFFERENTIATED = [
    ("softmax", {"beta": 0.7}),
    *(("lp", {"p": p, "normalize": word}) for p in (0.5, 1.0, 1.5, 2.0, 3.0, 20.0) for word in ("sum", "mean")),
    ("lp", {"p": float("inf")}),
    *(("gem", {"p": p, "eps": 0.1}) for p in (0.5, 1.0, 3.0, float("inf"))),
    ("stochastic", {}),
    *(("std", {"correction": c}) for c in (0, 1)),
    ("mean_sqrt", {}),
    *(("logsumexp", {"beta": beta}) for beta in (0.1, 1.0, 10.0, -2.0)),
]


@pytest.mark.parametrize(("kind", "options"), DIFFERENTIATED, ids=str)
def test_the_oracle_agrees_with_a_derivative_by_differences(kind: str, options: dict[str, object]) -> None:
    spec = pk.PoolSpec(kind, window=3, stride=1, padding="same", layout="NCL", **options)
    rng = np.random.default_rng(0)
    x, g, u = rng.standard_normal((1, 2, 5)), rng.standard_normal((1, 2, 5)), rng.standard_normal((1, 2, 5))
    step = 1e-6

    def moved(by: float) -> oracle.Derivative:
        return oracle.vjp(spec, x + by * u, g)

    along = (oracle.answer(spec, x + step * u).values - oracle.answer(spec, x - step * u).values) / (2 * step)
    np.testing.assert_allclose(oracle.jvp(spec, x, u).values, along, atol=1e-8)
    twice = (moved(step).values - moved(-step).values) / (2 * step)
    # The second derivative is symmetric, so moving the gradient along u is the gradient of <gradient, u>.
    np.testing.assert_allclose(oracle.second(spec, x, g, u).values, twice, atol=1e-8)


def test_every_known_failure_gives_a_reason() -> None:
    assert all(len(row.reason.split()) >= 5 for row in KNOWN_FAILURES)


def test_numbers_worked_out_by_hand_have_the_shape_of_the_result() -> None:
    for case in LITERALS:
        if case.values is not None:
            assert as_array(case.values, None).shape == expected(case).magnitude.shape, case.name


@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "keras", "jax"])
def test_routes_of_one_name_have_one_lowering(backend: str) -> None:
    """Another would count as run where only the first is, and could not be asked for by its name."""
    lowerings: dict[tuple[str, str], set[str]] = {}
    for route in registry.adapter(backend).routes:
        for kind in route.kinds:
            lowerings.setdefault((kind, route.name), set()).add(getattr(route.lower, "__qualname__", str(route.lower)))
    assert {key: found for key, found in lowerings.items() if len(found) > 1} == {}


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_every_route_is_run_for_every_kind_that_it_takes(backend: str) -> None:
    """The other adapters have routes for large tensors alone, which tests of their own make."""
    h = runner.harness(backend)
    taken: set[tuple[str, str]] = set()
    tried = [
        case
        for case, mode in runner.tests(h)
        if mode == "routes" and not {"samples", "key", *case.spec.parameters} & {*dict(case.tensors)}
    ]
    for case in [case for case in tried if case.spec.poolings()]:
        with h.context(case):
            tensors = [h.from_numpy(given(case)), *h.views(given(case))]
            listed = [pk.routes(case.spec, backend, case.shape, dtype=case.dtype)]
            listed += [routes_for(t, case.spec) for t in tensors]
        taken |= {(part.kind, route.name) for part in case.spec.poolings() for routes in listed for route in routes}
    taken |= set(_of_graphs(h))

    missing = {(kind, route.name) for route in registry.adapter(backend).routes for kind in route.kinds} - taken
    assert missing == set()


def _of_graphs(h: Harness) -> Iterator[tuple[str, str]]:
    """The first route, which an exported or compiled graph holds, of each pooling that is sent out by itself."""
    adapter = registry.adapter(h.backend)
    compiling = Situation(derivative=True, tracing=True, shipped=True, device="cpu", format=None)
    exporting = compiling._replace(device=None, format="exporting")
    for case, mode in runner.tests(h):
        graph = exporting if mode in ("exported:program", "exported:program any", "exported:trace any") else None
        situation = compiling if mode.startswith("compiled") else graph
        if situation is not None and isinstance(case.spec, PoolSpec) and not case.tensors:
            known, shape = not mode.endswith(" any"), case.shape
            plan = case.spec.plan(len(shape), case.dtype, lambda at, s=shape, k=known: (s[at], k), adapter.widen)
            yield case.spec.kind, routes_of(adapter, plan, situation)[0].name


def test_a_small_window_may_be_added_up_in_a_row_and_a_larger_one_may_not() -> None:
    assert [4 * in_a_row(cells) for cells in (9, 16, 100, 128, 129)] == [4, 4, 25, 32, 4]


def test_a_runtime_that_ends_its_process_fails_one_case() -> None:
    with pytest.raises(EndedError, match="_exit has ended its process"):
        apart(os._exit, 3)

    assert apart(abs, -1) == 1
