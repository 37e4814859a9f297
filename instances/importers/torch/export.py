"""From a PyTorch module to a graph of few kinds of operators, without weights."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch.export import ExportedProgram

KEPT = (
    "addmv.default",
    "dot.default",
    "gru.input",
    "layer_norm.default",
    "linear.default",
    "lstm.input",
    "mv.default",
    "rnn_relu.input",
    "rnn_tanh.input",
    "scaled_dot_product_attention.default",
)
"""Operators that stay whole: taken apart, their meaning would have to be found again."""


def exported(module: torch.nn.Module, example: Any) -> ExportedProgram:
    """The module's operators, those that PyTorch takes apart taken apart.

    Raises:
        ValueError: PyTorch cannot export it; the message has PyTorch's own reason in one line.
    """
    import torch

    arguments, named = _arguments(example)
    device = _device(module)
    table = torch.export.default_decompositions()
    for name in KEPT:
        operator, overload = name.split(".")
        table.pop(getattr(getattr(torch.ops.aten, operator), overload), None)
    try:
        with _quiet(), torch.no_grad(), device or nullcontext():
            moved = torch.utils._pytree.tree_map_only(
                torch.Tensor, lambda tensor: _like(tensor, device), (arguments, named)
            )
            program = torch.export.export(module, *moved, strict=False)
            return program.run_decompositions(table)
    except Exception as error:  # of many unrelated classes
        raise ValueError(_reason(module, error)) from error


def _arguments(example: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and named arguments."""
    if isinstance(example, dict):
        return (), example
    return tuple(example) if isinstance(example, tuple | list) else (example,), {}


def _device(module: torch.nn.Module) -> torch.device | None:
    """Where the module's weights are; None if it has none."""
    first = next(iter((*module.parameters(), *module.buffers())), None)
    return None if first is None else first.device


def _like(tensor: torch.Tensor, device: torch.device | None) -> torch.Tensor:
    """A tensor of the same shape and type at the module's device; its values do not count."""
    import torch

    if device is None or tensor.device == device:
        return tensor
    return torch.zeros((), dtype=tensor.dtype, device=device).expand(tensor.shape)


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings, no log and no print of what PyTorch tries before it gives up."""
    import logging
    from contextlib import redirect_stderr, redirect_stdout
    from io import StringIO

    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _reason(module: torch.nn.Module, error: Exception) -> str:
    """Why there is no graph, in one line, and what to do."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    hint = "give an example whose tensors `module(*example)` takes"
    if "data-dependent" in str(error) or "GuardOnDataDependent" in type(error).__name__:
        hint = "its control flow depends on data: import the part that does not, or a fixed branch"
    return (
        f"{type(module).__name__} cannot be exported ({text[:200]});"
        f" {hint}; `torch.export.export(module, example)` shows PyTorch's whole report"
    )
