"""Ways out of TensorFlow, for the conformance suite: what is saved or converted, as a function of the tensors."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from poolkit_conformance.apart import apart
from poolkit_conformance.harness import Function, Sized, Tensor


def module(function: Function, tensors: tuple[Tensor, ...], told: Sequence[Sized]) -> tuple[Any, list[str]]:
    """A module whose function takes these tensors by name and gives its results by name, as a signature does."""
    described = [tf.TensorSpec(s, t.dtype, f"t{i}") for i, (s, t) in enumerate(zip(told, tensors, strict=True))]
    made: Any = tf.Module()

    def by_name(*given: Tensor) -> dict[str, Tensor]:
        result = function(*given)
        return {f"y{i}": t for i, t in enumerate(result)} if isinstance(result, tuple) else {"y": result}

    made.run = tf.function(by_name, input_signature=described)
    return made, [f"t{i}" for i in range(len(tensors))]


def plain(found: dict[str, Tensor]) -> Any:
    results = {name: tf.convert_to_tensor(t) for name, t in found.items()}
    return results["y"] if "y" in results else tuple([results[f"y{i}"] for i in range(len(results))])


def saved(function: Function, tensors: tuple[Tensor, ...], told: Sequence[Sized]) -> Function:
    """A SavedModel, loaded from its folder: a graph, which knows nothing of poolkit."""
    made, _ = module(function, tensors, told)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(made, folder)
        loaded = tf.saved_model.load(folder)
    return lambda *given: plain(loaded.run(*given))


def lite(function: Function, tensors: tuple[Tensor, ...], told: Sequence[Sized]) -> Function:
    """LiteRT, by the operators of its own alone, run by its interpreter, which ends its process at some of them."""
    made, names = module(function, tensors, told)
    content = tf.lite.TFLiteConverter.from_concrete_functions([made.run.get_concrete_function()], made).convert()
    return lambda *given: plain(apart(interpreted, content, {n: t.numpy() for n, t in zip(names, given, strict=True)}))


def interpreted(content: bytes, given: dict[str, Any]) -> dict[str, Any]:
    """What a converted model gives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the interpreter is to move into a package of its own
        run = tf.lite.Interpreter(model_content=content).get_signature_runner()
    return dict(run(**given))


WAYS: dict[str, Callable[..., Function]] = {"saved": saved, "lite": lite}


def exported(function: Function, how: str, told: Sequence[Sized], *tensors: Tensor) -> Function:
    """A function of these tensors, sent out and read again."""
    return WAYS[how](function, tensors, told)
