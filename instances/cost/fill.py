"""Tables of costs, filled by the functions that state them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from instances.cost.alone import alone
from instances.cost.dram import traffics
from instances.cost.energy import (
    delivery_energy,
    dram_energy,
    entry_energy,
    load_energy,
    send_energy,
    step_energy,
)
from instances.cost.facts import OPTIONS, Facts
from instances.cost.layers import (
    arriving,
    compute,
    dram_port,
    entry,
    resident,
    send,
    sending,
    step,
    transfer,
    working,
)
from instances.cost.rates import over
from instances.jit import compiled
from instances.tables import Ints

COUNT = len(OPTIONS)


class Filled(NamedTuple):
    """Costs of n layers with O options on m region sizes, as in the cost tables.

    Attributes:
        entry, exit, compute, resident, working, entry_energy, exit_energy: [n,O,m].
        step, step_energy: [n,O,O,m], the previous layer's option first.
    """

    entry: Ints
    step: Ints
    exit: Ints
    compute: Ints
    resident: Ints
    working: Ints
    entry_energy: Ints
    step_energy: Ints
    exit_energy: Ints


@compiled
def fill_layers(facts: Facts, first: int, last: int, low: int, high: int) -> Filled:
    """The costs of layers first..last on low..high chiplets."""
    shape = (last - first + 1, COUNT, high - low + 1)
    entries, exits, computes, residents, workings = (
        np.empty(shape, dtype=np.int64),
        np.empty(shape, dtype=np.int64),
        np.empty(shape, dtype=np.int64),
        np.empty(shape, dtype=np.int64),
        np.empty(shape, dtype=np.int64),
    )
    entry_energies = np.empty(shape, dtype=np.int64)
    exit_energies = np.empty(shape, dtype=np.int64)
    steps = np.empty((shape[0], COUNT, COUNT, shape[2]), dtype=np.int64)
    step_energies = np.empty((shape[0], COUNT, COUNT, shape[2]), dtype=np.int64)
    for layer in range(first, last + 1):
        k = layer - first
        for option in range(COUNT):
            for n in range(low, high + 1):
                c = n - low
                entries[k, option, c] = entry(facts, layer, option, n)
                exits[k, option, c] = sending(facts, layer, option, n)
                computes[k, option, c] = compute(facts, layer, option, n)
                residents[k, option, c] = resident(facts, layer, option, n)
                workings[k, option, c] = working(facts, layer, option, n)
                entry_energies[k, option, c] = entry_energy(facts, layer, option, n)
                exit_energies[k, option, c] = send_energy(facts, facts.layers[layer].made)
                for before in range(COUNT):
                    steps[k, before, option, c] = step(facts, layer, before, option, n)
                    energy = step_energy(facts, layer, before, option, n)
                    step_energies[k, before, option, c] = energy
    return Filled(
        entries,
        steps,
        exits,
        computes,
        residents,
        workings,
        entry_energies,
        step_energies,
        exit_energies,
    )


@compiled
def fill_arrivals(facts: Facts, uses: Ints, low: int, high: int) -> tuple[Ints, Ints]:
    """[U,O,m] cycles and picojoules to receive skip tensors, by the option of the layer."""
    cycles = np.empty((uses.shape[0], COUNT, high - low + 1), dtype=np.int64)
    energy = np.empty_like(cycles)
    for k in range(uses.shape[0]):
        layer = facts.uses[uses[k]].layer
        for option in range(COUNT):
            for n in range(low, high + 1):
                amount = arriving(facts, layer, uses[k], option, n)
                cycles[k, option, n - low] = transfer(facts, amount, n)
                energy[k, option, n - low] = delivery_energy(facts, amount, n)
    return cycles, energy


@compiled
def fill_departures(facts: Facts, tensors: Ints, low: int, high: int) -> tuple[Ints, Ints, Ints]:
    """[T,m] of tensors: cycles to send, bytes a chiplet to hold, picojoules to send."""
    cycles = np.empty((tensors.shape[0], high - low + 1), dtype=np.int64)
    hold, energy = np.empty_like(cycles), np.empty_like(cycles)
    for k in range(tensors.shape[0]):
        amount = facts.tensors[tensors[k]].bytes
        for n in range(low, high + 1):
            cycles[k, n - low] = send(facts, amount, n)
            hold[k, n - low] = over(amount, n)
            energy[k, n - low] = send_energy(facts, amount)
    return cycles, hold, energy


@compiled
def fill_io(facts: Facts) -> tuple[Ints, Ints]:
    """[L,L] cycles and picojoules of DRAM traffic; zero below the diagonal."""
    count = facts.layers.shape[0] - 1
    cycles = np.zeros((count, count), dtype=np.int64)
    energy = np.zeros((count, count), dtype=np.int64)
    for first in range(count):
        amounts = traffics(facts, first, count - 1)
        for last in range(first, count):
            cycles[first, last] = dram_port(facts, amounts[last - first])
            energy[first, last] = dram_energy(facts, amounts[last - first])
    return cycles, energy


@compiled
def fill_weights(facts: Facts) -> tuple[Ints, Ints, Ints, Ints]:
    """[L] cycles and picojoules to load the weights; beat and picojoules of a layer alone."""
    count = facts.layers.shape[0] - 1
    load, energy = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    beats, beat_energy = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    for layer in range(count):
        weights = facts.layers[layer].weights
        if weights > 0:
            load[layer] = dram_port(facts, weights) + facts.package[0].wait
            energy[layer] = load_energy(facts, weights)
        beats[layer], beat_energy[layer] = alone(facts, layer)
    return load, energy, beats, beat_energy
