"""ONNX models as networks.

    network = from_onnx("model.onnx", dims={"batch": 1})

docs/onnx.md says what is read, how shapes are found and what becomes a layer.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from instances.network import Network

SUFFIX = ".onnx"
"""Of the files' names."""

logger = logging.getLogger("chipweave")


def from_onnx(
    path: str | Path,
    *,
    dims: Mapping[str, int] | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
) -> Network:
    """The network of an ONNX model, from its graph; weights are not needed.

    What the network does not say exactly is told as a warning of the logger `chipweave`.

    Args:
        path: of the file; weights in files beside it are not read.
        dims: sizes of dimensions that the file leaves open, by name; also values of inputs that
            are a single whole number.
        shapes: whole shapes of inputs, by name.

    Raises:
        FileError: the file is no model that this can work with, a dimension is not bound, or a
            layer's size depends on data.
        ImportError: onnx is not installed.
    """
    # Here and not above, as `instances.files` imports this module.
    from instances.files.errors import quoted
    from instances.importers.onnx.binding import bind
    from instances.importers.onnx.convert import convert
    from instances.importers.onnx.model_file import read_model
    from instances.importers.onnx.resolve import Resolver

    source = str(path)
    model = read_model(path)
    bound = bind(model, source, dict(dims or {}), dict(shapes or {}))
    facts = Resolver(model, bound, source).run()
    del model
    network, warnings = convert(facts, source, Path(path).stem)
    for what, names in {**facts.warnings, **warnings}.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        logger.warning("%s: %s (node %s%s)", source, what, quoted(names[0]), more)
    return network
