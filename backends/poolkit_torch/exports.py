"""Ways out of PyTorch, for the conformance suite: what is exported or traced, as a function of the tensors."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import tempfile
import warnings
from collections.abc import Callable
from typing import Any

import torch

from poolkit_conformance.harness import Function, Tensor


class Model(torch.nn.Module):
    """A function as a module, which is what PyTorch exports."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self.function = function

    def forward(self, *tensors: Tensor) -> Any:
        return self.function(*tensors)


def any_size(tensors: tuple[Tensor, ...]) -> dict[str, Any]:
    """Every axis but those of one cell, which PyTorch takes for constants, and empty ones.

    PyTorch finds out which axes of several tensors go together, and which are as long as a spec with weights says.
    """
    how = torch.export.Dim.DYNAMIC if len(tensors) == 1 else torch.export.Dim.AUTO
    each = [{at: how for at, n in enumerate(t.shape) if n > 1} for t in tensors]
    return {"dynamic_shapes": {"tensors": tuple(each)}}


def program(function: Function, tensors: tuple[Tensor, ...], strict: bool = False, **sizes: Any) -> Function:
    """`torch.export`, saved and loaded again."""
    file = io.BytesIO()
    torch.export.save(torch.export.export(Model(function), tensors, strict=strict, **sizes), file)
    file.seek(0)
    run: Function = torch.export.load(file).module()
    return run


def traced(function: Function, tensors: tuple[Tensor, ...]) -> Function:
    """`torch.jit.trace`."""
    trace: Any = torch.jit.trace
    run: Function = trace(Model(function), tensors, check_trace=False)
    return run


def compiled_ahead(function: Function, tensors: tuple[Tensor, ...], **sizes: Any) -> Function:
    """AOTInductor: a package of machine code, loaded again."""
    inductor: Any = importlib.import_module("torch._inductor")
    with tempfile.TemporaryDirectory() as folder:
        made = torch.export.export(Model(function), tensors, **sizes)
        run: Function = inductor.aoti_load_package(
            inductor.aoti_compile_and_package(made, package_path=f"{folder}/pool.pt2")
        )
    return run


def onnx(function: Function, tensors: tuple[Tensor, ...], older: bool = False, sizes: bool = True) -> Function:
    """ONNX by one of the two exporters, run in ONNX Runtime."""
    file: Any = io.BytesIO()
    names = [f"t{i}" for i in range(len(tensors))]
    axes = {"dynamic_axes": {name: list(range(t.dim())) for name, t in zip(names, tensors, strict=True)}}
    options: dict[str, Any] = {} if sizes else axes if older else any_size(tensors)
    torch.onnx.export(
        Model(function).eval(), tensors, file, input_names=names, dynamo=not older, verbose=False, **options
    )
    session = importlib.import_module("onnxruntime").InferenceSession(
        file.getvalue(), providers=["CPUExecutionProvider"]
    )

    def run(*given: Tensor) -> Any:
        fed = dict(zip(names, given, strict=True))
        taken = {each.name: fed[each.name].numpy() for each in session.get_inputs()}  # what is not read is no input
        found = [torch.from_numpy(t) for t in session.run(None, taken)]
        return tuple(found) if len(found) > 1 else found[0]

    return run


WAYS: dict[str, Callable[[Function, tuple[Tensor, ...]], Function]] = {
    "program": program,
    "strict program": lambda f, t: program(f, t, strict=True),
    "program any": lambda f, t: program(f, t, **any_size(t)),
    "trace any": traced,
    "aot": compiled_ahead,
    "aot any": lambda f, t: compiled_ahead(f, t, **any_size(t)),
    "onnx": onnx,
    "onnx any": lambda f, t: onnx(f, t, sizes=False),
    "older onnx": lambda f, t: onnx(f, t, older=True),
    "older onnx any": lambda f, t: onnx(f, t, older=True, sizes=False),
}


def exported(function: Function, how: str, *tensors: Tensor) -> Function:
    """A function of these tensors, sent out and read again."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")  # of what PyTorch itself deprecates; the exporter prints graphs that fail
            return WAYS[how](function, tensors)
    finally:
        logger.setLevel(level)
