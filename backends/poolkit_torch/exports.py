"""Ways out of PyTorch, for the conformance suite: what is exported or traced, as a function of the tensors."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import tempfile
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch

from poolkit_conformance.apart import forked
from poolkit_conformance.harness import Function, Sized, Tensor


class Model(torch.nn.Module):
    """A function as a module, which is what PyTorch exports."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self.function = function

    def forward(self, *tensors: Tensor) -> Any:
        return self.function(*tensors)


def dynamic(tensors: tuple[Tensor, ...], told: Sequence[Sized]) -> dict[str, Any]:
    """The axes whose size is not told, but those of one cell, which PyTorch takes for constants, and empty ones.

    PyTorch finds out which axes of several tensors go together, and which are as long as a spec with weights says.
    """
    how = torch.export.Dim.DYNAMIC if len(tensors) == 1 else torch.export.Dim.AUTO
    open_ = [[at for at, n in enumerate(sizes) if n is None] for sizes in told]
    each = [{at: how for at in ats if t.shape[at] > 1} for t, ats in zip(tensors, open_, strict=True)]
    return {"dynamic_shapes": {"tensors": tuple(each)}} if any(open_) else {}


def program(function: Function, tensors: tuple[Tensor, ...], strict: bool = False, **sizes: Any) -> Function:
    """`torch.export`, saved and loaded again."""
    file = io.BytesIO()
    torch.export.save(torch.export.export(Model(function), tensors, strict=strict, **sizes), file)
    file.seek(0)
    run: Function = torch.export.load(file).module()
    return run


def traced(function: Function, tensors: tuple[Tensor, ...], **sizes: Any) -> Function:
    """`torch.jit.trace`, which knows no sizes but those of its example."""
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


def onnx(function: Function, tensors: tuple[Tensor, ...], **sizes: Any) -> Function:
    """ONNX by the exporter that traces, run in ONNX Runtime."""
    return _onnx(function, tensors, dynamo=True, **sizes)


def older_onnx(function: Function, tensors: tuple[Tensor, ...], **sizes: Any) -> Function:
    """ONNX by the one before it, which knows axes by name, and of those that are open nothing but that."""
    named = {f"t{i}": list(range(t.dim())) for i, t in enumerate(tensors)}
    return _onnx(function, tensors, dynamo=False, **({"dynamic_axes": named} if sizes else {}))


def _onnx(function: Function, tensors: tuple[Tensor, ...], **options: Any) -> Function:
    names, several = [f"t{i}" for i in range(len(tensors))], isinstance(function(*tensors), tuple)

    def written() -> bytes:
        file: Any = io.BytesIO()
        torch.onnx.export(Model(function).eval(), tensors, file, input_names=names, verbose=False, **options)
        return bytes(file.getvalue())

    empty = any(t.numel() == 0 for t in tensors)  # of which reshapes divide by 0 in the older exporter
    content = forked(written) if empty and not options["dynamo"] else written()
    session = importlib.import_module("onnxruntime").InferenceSession(content, providers=["CPUExecutionProvider"])

    def run(*given: Tensor) -> Any:
        fed = dict(zip(names, given, strict=True))
        taken = {each.name: fed[each.name].numpy() for each in session.get_inputs()}  # what is not read is no input
        found = [torch.from_numpy(t) for t in session.run(None, taken)]
        return tuple(found) if several else found[0]

    return run


WAYS: dict[str, Callable[..., Function]] = {
    "program": program,
    "strict program": lambda f, t: program(f, t, strict=True),
    "trace": traced,
    "aot": compiled_ahead,
    "onnx": onnx,
    "older onnx": older_onnx,
}


def exported(function: Function, how: str, told: Sequence[Sized], *tensors: Tensor) -> Function:
    """A function of these tensors, sent out and read again."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")  # of what PyTorch itself deprecates; the exporter prints graphs that fail
            return WAYS[how](function, tensors, **dynamic(tensors, told))
    finally:
        logger.setLevel(level)
