"""The errors as classes: what catches them, and that they survive being wrapped, copied and sent."""

from __future__ import annotations

import pickle

import pytest

import poolkit as pk
from poolkit import errors

PARENTS = {
    pk.SpecError: ValueError,
    pk.ShapeError: ValueError,
    pk.InputError: TypeError,
    pk.DtypeError: TypeError,
    pk.BackendError: ImportError,
    pk.NotExactError: Exception,
}


@pytest.mark.parametrize(("error", "parent"), PARENTS.items())
def test_an_error_is_also_what_python_would_raise(error: type[pk.PoolkitError], parent: type[Exception]) -> None:
    assert issubclass(error, pk.PoolkitError)
    assert issubclass(error, parent)


@pytest.mark.parametrize("error", [pk.PoolkitError, *PARENTS])
def test_an_error_keeps_its_message(error: type[pk.PoolkitError]) -> None:
    assert str(error("what happened")) == "what happened"
    assert str(pickle.loads(pickle.dumps(error("what happened")))) == "what happened"
    # What AutoGraph looks at; see the comment in poolkit/errors.py.
    assert error.__init__ is Exception.__init__


def test_every_error_is_public() -> None:
    defined = {name for name, value in vars(errors).items() if isinstance(value, type)}

    assert defined <= set(pk.__all__)


def test_autograph_keeps_the_type() -> None:
    import tensorflow as tf

    @tf.function
    def pool(x):  # type: ignore[no-untyped-def]
        return pk.MaxPool(0, layout="NHWC")(x)

    with pytest.raises(pk.SpecError, match="window=0"):
        pool(tf.zeros((1, 4, 4, 1)))
