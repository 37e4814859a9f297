"""What compression costs in the analytic model: autoencoders as layers of 1 x 1 *(ours)*.

The output of a layer, K channels of P x Q positions, at ratio r: the encoder is a layer with K
input and ceil(K / r) output channels, the decoder one with these exchanged; neither has a bias.
Both are timed, and their energy is counted, by the same functions as all layers (`layers`,
`energy`), on the whole region:

- They split positions (as WSP, weights replicated) if the weights are no larger than the tensor,
  and output channels (as ISP) if they are, or if there is only one position.
- The encoder of a cluster's last layer follows it as a layer of the same cluster would. So does
  the first layer of a cluster follow the decoder, which receives the code from outside.
- A skip tensor that waits is spread by channels, from which its encoder takes it; whoever reads it
  takes it as the decoder left it.
- They work on what the layers beside them hold: their buffers are those of the weights alone.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import prod

import numpy as np

from instances.compression import MILLION, Coders, Compression, SkipCodes
from instances.cost.coder_costs import Filled, fill_coders, fill_unfolded
from instances.cost.dram import traffics
from instances.cost.facts import ISP, WSP, gather_facts
from instances.instance import Instance
from instances.losses import LossTable
from instances.network import OUTSIDE, Layer, Network, Tensor
from instances.package import Package
from instances.tables import LIMIT, MAX_ENTRIES, CostTables, Ints

logger = logging.getLogger("chipweave")

ANY = "*"
"""In a table of losses, every tensor that is not named."""


def compress(instance: Instance, table: LossTable, budget: float | None) -> Instance:
    """The same instance, whose tensors may be compressed where they cross.

    Args:
        table: the tensors that may be, by name, and what that loses; the entry `*` is for all
            others. A tensor can only be compressed if its layer makes no other, if it stays in the
            network, and if its code is shorter than it is.
        budget: what the losses may add up to; a millionth is the least that counts. None: as much
            as all of them together, for a front.

    Raises:
        ValueError: the instance is not a network on a package, the budget is no number of at least
            0, the table fits no tensor of the network, or its ratios make too large cost tables.
    """
    network, package = instance.network, instance.package
    if network is None or package is None:
        raise ValueError(
            f"instance {instance.name!r} is not a network on a package: the costs of encoders and"
            " decoders follow from these; give a network"
        )
    if budget is not None and not 0 <= budget <= LIMIT / MILLION:
        raise ValueError(f"accuracy budget {budget}: expected a number of at least 0")
    given = _losses(network, table)
    ratios = (1, *sorted({ratio for own in given.values() for ratio in own}))
    tables = instance.tables
    if len(ratios) * tables.step.size > MAX_ENTRIES:
        raise ValueError(
            f"{instance.name}: with {len(ratios)} ratios the cost tables would have more than"
            f" {MAX_ENTRIES:,} entries: give fewer ratios, or a smaller package"
        )
    building = _Building(network, package, tables, ratios, given)
    compression = building.compression(0 if budget is None else _millionths(budget, ROUND_FLOOR))
    if budget is None:
        compression = compression.within(compression.largest_loss)
    return replace(instance, tables=instance.costs, compression=compression)


def _losses(network: Network, table: LossTable) -> dict[int, dict[int, int]]:
    """Layer -> ratio above 1 -> millionths, for all outputs that may be compressed."""
    names = {tensor.name for tensor in network.tensors}
    unknown = [name for name in table.tensors if name not in names and name != ANY]
    if len(unknown) == len(table.tensors):
        raise ValueError(
            f"the table of losses names no tensor of {network.name}, whose tensors are"
            f" {', '.join(sorted(names)[:5])} and so on; it has {', '.join(unknown[:5])}"
        )
    if unknown:
        logger.warning(
            "%s has no tensor %s%s: what the table of losses says of it is not used",
            _printable(network.name),
            _printable(unknown[0]),
            f", nor {len(unknown) - 1} others of the table" if len(unknown) > 1 else "",
        )
    found: dict[int, dict[int, int]] = {}
    for producer, tensor in compressible(network).items():
        name = tensor.name if tensor.name in table.tensors else ANY
        own = {
            ratio: _millionths(table.loss(name, ratio), ROUND_CEILING)
            for ratio in table.ratios(name)
            if ratio > 1 and code_channels(tensor, ratio) < tensor.shape[0]
        }
        if own:
            found[producer] = own
    return found


def compressible(network: Network) -> dict[int, Tensor]:
    """Layer -> the tensor that is all it makes, and that only layers of the network read."""
    return {
        tensor.producer: tensor
        for tensor in network.tensors
        if tensor.producer != OUTSIDE
        and tensor.consumers
        and not tensor.leaves
        and len(network.layers[tensor.producer].outputs) == 1
        and tensor.shape[0] > 1
    }


def code_channels(tensor: Tensor, ratio: int) -> int:
    """Channels of the code."""
    return -(-tensor.shape[0] // ratio)


def _millionths(value: float, rounding: str) -> int:
    exact = Decimal(str(value)) * MILLION
    return min(int(exact.to_integral_value(rounding)), LIMIT)


class _Building:
    """Fills the tables of a compression, ratio by ratio."""

    def __init__(
        self,
        network: Network,
        package: Package,
        tables: CostTables,
        ratios: tuple[int, ...],
        losses: Mapping[int, Mapping[int, int]],
    ) -> None:
        self.network, self.package, self.tables = network, package, tables
        self.ratios, self.losses = ratios, losses
        self.facts = gather_facts(network, package)
        self.tensors = compressible(network)
        count, self.times = len(network.layers), len(ratios)
        self.entry, self.exit = self._repeated(tables.entry), self._repeated(tables.exit)
        self.entry_energy = self._repeated(tables.energy.entry)
        self.exit_energy = self._repeated(tables.energy.exit)
        self.enter = [self._repeated(skip.enter) for skip in tables.skips]
        self.enter_energy = [self._repeated(skip.enter_energy) for skip in tables.skips]
        self.leave = [self._repeated(skip.leave) for skip in tables.skips]
        self.leave_energy = [self._repeated(skip.leave_energy) for skip in tables.skips]
        self.resident = np.zeros((2, self.times, count, tables.chiplets), dtype=np.int64)
        self.load, self.load_energy, self.saved, self.saved_energy = np.zeros(
            (4, self.times, count), dtype=np.int64
        )

    def _repeated(self, table: Ints) -> Ints:
        return np.repeat(table[None], self.times, axis=0)

    def compression(self, budget: int) -> Compression:
        """All tables."""
        for k in range(1, self.times):
            self._fill(k)
        count = len(self.network.layers)
        traffic = np.zeros((count, count), dtype=np.int64)
        for first in range(count):
            traffic[first, first:] = traffics(self.facts, first, count - 1)
        constants = self.facts.package[0]
        encoders, decoders = (Coders(r, self.load, self.load_energy) for r in self.resident)
        return Compression(
            ratios=self.ratios,
            readers=self._readers(),
            losses=self._loss_table(),
            budget=budget,
            entry=self.entry,
            exit=self.exit,
            entry_energy=self.entry_energy,
            exit_energy=self.exit_energy,
            skips=tuple(
                SkipCodes(skip.producer, skip.consumers, *costs)
                for skip, *costs in zip(
                    self.tables.skips,
                    self.enter,
                    self.leave,
                    self.enter_energy,
                    self.leave_energy,
                    strict=True,
                )
            ),
            encoders=encoders,
            decoders=decoders,
            traffic=traffic,
            saved=self.saved,
            rate=(int(constants["dram_numerator"]), int(constants["dram_denominator"])),
            saved_energy=self.saved_energy,
        )

    def _readers(self) -> tuple[tuple[int, ...], ...]:
        found: list[set[int]] = [set() for _ in self.network.layers]
        for producer, consumer in self.network.edges:
            found[producer].add(consumer)
        return tuple(tuple(sorted(own)) for own in found)

    def _loss_table(self) -> Ints:
        found = np.full((len(self.network.layers), self.times), -1, dtype=np.int64)
        found[:, 0] = 0
        for layer, own in self.losses.items():
            for ratio, loss in own.items():
                found[layer, self.ratios.index(ratio)] = loss
        return found

    def _fill(self, k: int) -> None:
        """Everything of one ratio."""
        ratio = self.ratios[k]
        of = [layer for layer, own in self.losses.items() if ratio in own]
        pairs = coder_network([self.tensors[layer] for layer in of], ratio)
        coders = gather_facts(pairs, self.package)
        splits = [split_of(self.tensors[layer], ratio) for layer in of]
        filled = fill_coders(coders, self.facts, np.array(of), np.array(splits))
        for n, layer in enumerate(of):
            self.exit[k, layer], self.exit_energy[k, layer] = filled.exit[n], filled.exit_energy[n]
            if layer + 1 in self.tensors[layer].consumers:
                self.entry[k, layer + 1] = filled.entry[n]
                self.entry_energy[k, layer + 1] = filled.entry_energy[n]
            self.resident[:, k, layer] = filled.resident[n]
            self.load[k, layer], self.load_energy[k, layer] = filled.load[n]
            self.saved[k, layer], self.saved_energy[k, layer] = filled.saved[n]
        place = {layer: n for n, layer in enumerate(of)}
        for s, skip in enumerate(self.tables.skips):
            if skip.producer in place:
                self._fill_skip(k, s, place[skip.producer], splits, filled)

    def _fill_skip(self, k: int, s: int, n: int, splits: Sequence[int], filled: Filled) -> None:
        skip = self.tables.skips[s]
        self.leave[s][k], self.leave_energy[s][k] = filled.leave[n], filled.leave_energy[n]
        of = next(t for t, own in enumerate(self.network.tensors) if own.name == skip.name)
        uses = np.flatnonzero(self.facts.uses["tensor"] == of)
        for v, use in enumerate(uses.tolist()):
            if not self.facts.uses[use]["chain"]:
                unfolded = fill_unfolded(self.facts, use, splits[n])
                self.enter[s][k, v] = filled.decode[n] + unfolded[0]
                self.enter_energy[s][k, v] = filled.decode_energy[n] + unfolded[1]


def coder_network(tensors: Sequence[Tensor], ratio: int) -> Network:
    """Encoder and decoder of each tensor in turn, as layers."""
    layers = []
    for n, tensor in enumerate(tensors):
        (channels, *positions), code = tensor.shape, code_channels(tensor, ratio)
        at = (positions[0], positions[1])
        short, long = (f"code{n}", (code, *at)), (f"decoded{n}", tensor.shape)
        layers += [
            Layer(f"encoder{n}", "conv", code, channels, at, inputs=(f"in{n}",), outputs=(short,)),
            Layer(f"decoder{n}", "conv", channels, code, at, inputs=(f"code{n}",), outputs=(long,)),
        ]
    inputs = tuple((f"in{n}", tensor.shape) for n, tensor in enumerate(tensors))
    return Network(f"coders-{ratio}", inputs, tuple(layers))


def split_of(tensor: Tensor, ratio: int) -> int:
    """How coders are split: what is larger, positions or weights, stays where it is."""
    channels, *positions = tensor.shape
    weights = channels * code_channels(tensor, ratio)
    return WSP if prod(positions) > 1 and weights <= tensor.elements else ISP


def _printable(name: str) -> str:
    """A name for a log, which may be a terminal: nothing in it steers one."""
    return name if name.isprintable() else repr(name)
