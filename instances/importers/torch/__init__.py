"""PyTorch modules as networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from instances.importers.torch.export import exported
from instances.importers.torch.walk import walk
from instances.network import Network

if TYPE_CHECKING:
    from torch import nn


def from_torch(module: nn.Module, example: Any, *, name: str | None = None) -> Network:
    """The network of a PyTorch module, from its graph; no weight is read, copied or needed.

    Convolutions, matrix products, attention and recurrent layers become layers, as
    docs/torch.md says; all else is fused. `example` is one sample: what has a larger batch counts
    as one sample with as many rows more. The module is taken in the mode in which it is, so call
    its `eval()` first unless training is meant.

    Args:
        module: best made under `torch.device("meta")`, which takes no memory for weights.
        example: of an input: a tensor, a tuple of the arguments, or a dict of them by name. Only
            shapes and types count; a tensor may be a meta tensor.
        name: of the network; the class of the module by default.

    Raises:
        ImportError: PyTorch is not installed.
        ValueError: this is no module, PyTorch cannot export it, or it has an operator that cannot
            be stated as layers.
    """
    try:
        import torch
    except ImportError:
        raise ImportError("PyTorch is not installed: pip install 'chipweave[torch]'") from None
    if not isinstance(module, torch.nn.Module):
        meant = ": make an object of it" if isinstance(module, type) else ""
        raise ValueError(f"from_torch: found {module!r:.80}, expected a torch.nn.Module{meant}")
    return walk(exported(module, example), name or type(module).__name__)
