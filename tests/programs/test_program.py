"""The recorder: what is written down is what runs, once each, and nothing that depends on a tensor."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from poolkit.programs.program import record
from poolkit.programs.recorder import Name, Tape, Value, choose, render, tell


class Ops:
    imports: ClassVar[dict[str, str]] = {"np": "import numpy as np", "unused": "import unused"}


def test_the_same_call_twice_is_one_line() -> None:
    program = record(lambda o, x: o.np.maximum(x + 1, x + 1) - (x + 1) * 2.0, Ops(), "title", "numpy", "fold")
    assert program.source == (
        'import numpy as np\n\n\ndef pool(x):\n    """title"""\n'
        "    total = x + 1\n    return np.maximum(total, total) - (total * 2.0)\n"
    )
    assert program(3.0) == 4.0 - 8.0


def test_what_the_result_does_not_need_is_left_out() -> None:
    def lowering(o: object, x: Value) -> Value:
        x.reshape((1, -1))
        return -x

    assert "reshape" not in record(lowering, Ops(), "title", "numpy", "fold").source


def test_no_line_is_called_as_an_argument_is() -> None:
    def lowering(o: Any, x: Value, total: Value) -> Value:
        y = x + 1
        return y * y + total

    program = record(lowering, Ops(), "title", "numpy", "fold", further=("total",))
    assert "total_1 = x + 1" in program.source
    assert program(2.0, 5.0) == 14.0


def test_slices_tuples_and_facts() -> None:
    program = record(lambda o, x: (x[1:-1:2, None], x.shape[0] // 2, ~x[:3]), Ops(), "title", "numpy", "fold")
    assert program.source.splitlines()[-1] == "    return x[1:-1:2, None], (x.shape[0] // 2), (~x[:3])"


def test_a_function_is_an_argument_with_lines_of_its_own() -> None:
    """What was computed before it stays outside; what is short is a lambda; and no name is taken twice."""

    def lowering(o: Any, x: Value) -> Value:
        before, pair = o.np.long_name_of_a_call(x, 1.0), o.np.both(x > 0, lambda: (x, -x), lambda: x)

        def nested() -> Value:
            y = o.np.another_long_name_of_a_call_that_has_a_line(before, pair[1])
            return y * y + o.np.one_more(x, lambda: y)

        return o.np.either(x > 0, lambda: before, nested) + o.np.long_name_of_a_call(x, 1.0)

    assert record(lowering, Ops(), "title", "numpy", "fold").source.splitlines()[5:] == [
        "    value = np.long_name_of_a_call(x, 1.0)",
        "    is_so = x > 0",
        "    value_3 = np.both(is_so, lambda: (x, (-x)), lambda: x)",
        "    def f4():",
        "        value_5 = np.another_long_name_of_a_call_that_has_a_line(value, value_3[1])",
        "        return (value_5 * value_5) + np.one_more(x, lambda: value_5)",
        "    return np.either(is_so, lambda: value, f4) + value",
    ]


def test_a_choice_by_data_runs_what_is_chosen_alone() -> None:
    """A function of one line is a lambda, which has to be called, not returned."""

    def lowering(o: Any, x: Value) -> Any:
        return choose(x > 0, x * 2, lambda: -x)

    program = record(lowering, Ops(), "title", "numpy", "fold")
    assert program.source.splitlines()[-1] == "    return (x * 2) if (x > 0) else (-x)"
    assert (program(3), program(-3), choose(False, 1, lambda: 2)) == (6, 3, 2)


def test_a_function_of_several_callers_is_recorded_once_with_its_name() -> None:
    """What a branch has recorded is out of sight behind it, unless it stands outermost; a line needs no function."""

    def recording(outermost: bool) -> list[str]:
        def lowering(o: Any, x: Value) -> Value:
            def twice(y: Value) -> Value:
                squared = o.shared("squared", "key", lambda cut: o.np.sqrt(o.np.exp(cut * cut)), outermost=outermost)
                return squared(squared(o.shared("negative", "other", lambda cut: -cut)(y)))

            return o.np.branch(lambda: twice(x)) + twice(x + 1)

        return record(lowering, Ops(), "title", "numpy", "fold").source.splitlines()[5:]

    assert recording(outermost=True) == [
        "    def squared(cut):",
        "        return np.sqrt(np.exp((cut * cut)))",
        "    return np.branch(lambda: squared(squared((-x)))) + squared(squared((-(x + 1))))",
    ]
    assert sum("def squared" in line for line in recording(outermost=False)) == 2


def test_a_function_is_compiled_when_it_is_asked_for() -> None:
    program = record(lambda o, x: x + 1, Ops(), "title", "numpy", "fold").finished(lambda function: [function])

    assert "function" not in vars(program)
    assert program.function[0](2) == 3  # type: ignore[index]
    assert program.function is program.function


def test_equal_functions_are_one() -> None:
    def lowering(o: Any, x: Value) -> Value:
        return o.np.one(lambda: (x, 1), lambda: x) + o.np.other(lambda: (x, 1), lambda: x)

    assert record(lowering, Ops(), "title", "numpy", "fold").source.splitlines()[5:] == [
        "    return np.one(lambda: (x, 1), lambda: x) + np.other(lambda: (x, 1), lambda: x)",
    ]


def test_a_function_may_be_given_by_name_and_a_line_in_it_is_not_one_after_it() -> None:
    def lowering(o: Any, x: Value) -> Value:
        inside = o.np.both_of_them(x, other=lambda: o.np.long_name_of_a_call(x, 1.0))
        return inside + o.np.long_name_of_a_call(x, 1.0)

    assert record(lowering, Ops(), "title", "numpy", "fold").source.splitlines()[5:] == [
        "    value = np.both_of_them(x, other=lambda: np.long_name_of_a_call(x, 1.0))",
        "    return value + np.long_name_of_a_call(x, 1.0)",
    ]


def test_what_a_call_does_to_its_owner_stands_where_the_owner_is_used() -> None:
    def lowering(o: Any, x: Value) -> Value:
        made = o.np.vectorize(lambda cell: cell + x)
        tell(made, "told", lambda first, second: (first, second[0] * 2))
        tell(o.np.vectorize(lambda other: other), "told", 1)
        return made(x) + made(1)

    assert record(lowering, Ops(), "title", "numpy", "fold").source.splitlines()[5:] == [
        "    value = np.vectorize(lambda cell: cell + x)",
        "    value.told(lambda first, second: (first, (second[0] * 2)))",
        "    return value(x) + value(1)",
    ]
    told: list[int] = []
    tell(told, "append", 3)
    assert told == [3]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (float("-inf"), 'float("-inf")'),
        (float("nan"), 'float("nan")'),
        ((1,), "(1,)"),
        ([(0, 1), (2, 3)], "[(0, 1), (2, 3)]"),
        ("float32", '"float32"'),
        (None, "None"),
        (True, "True"),
    ],
)
def test_constants(value: object, text: str) -> None:
    assert render(value) == text


def test_a_program_holds_no_tensor() -> None:
    with pytest.raises(TypeError, match="strings, tuples and functions, received object"):
        render(object())


def test_a_lowering_may_not_branch_on_a_symbol() -> None:
    x = Value(Tape(), "x")
    with pytest.raises(TypeError, match="no truth value"):
        bool(x.shape[0] > 3)
    with pytest.raises(TypeError, match="cannot be iterated"):
        list(x.shape)
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)


def test_special_names_are_not_recorded() -> None:
    with pytest.raises(AttributeError):
        _ = Name(Tape(), "np").__wrapped__
    with pytest.raises(AttributeError):
        _ = Value(Tape(), "x").__array__
