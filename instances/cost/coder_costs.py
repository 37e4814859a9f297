"""What encoders and decoders cost, as layers of 1 x 1 on a region: see `instances.cost.coders`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from instances.cost.energy import (
    compute_energy,
    delivery_energy,
    dram_energy,
    load_energy,
    rounded,
    send_energy,
    step_energy,
)
from instances.cost.facts import ISP, OPTIONS, Facts
from instances.cost.layers import (
    arrived,
    compute,
    dram_port,
    folded,
    received,
    redistributed,
    resident,
    sending,
    step,
)
from instances.jit import compiled
from instances.tables import Ints

COUNT = len(OPTIONS)


class Filled(NamedTuple):
    """Costs of n pairs of coders at one ratio.

    Attributes:
        exit, entry, exit_energy, entry_energy: [n,O,C] of the layer whose output it is, and of the
            next one, as in the cost tables.
        leave, leave_energy: [n,C] of a skip tensor that is encoded and sent.
        decode, decode_energy: [n,C] of a tensor that is received and decoded.
        resident: [n,2,C] bytes of weights; encoder, decoder.
        load: [n,2] cycles and picojoules to bring the weights of either.
        saved: [n,2] bytes and picojoules that DRAM is spared.
    """

    exit: Ints
    entry: Ints
    exit_energy: Ints
    entry_energy: Ints
    leave: Ints
    leave_energy: Ints
    decode: Ints
    decode_energy: Ints
    resident: Ints
    load: Ints
    saved: Ints


@compiled
def fill_coders(coders: Facts, facts: Facts, of: Ints, splits: Ints) -> Filled:
    """The costs of all coders of one ratio.

    Args:
        coders: of `coder_network`.
        facts: of the network itself.
        of: [n] the layers whose outputs are compressed.
        splits: [n] how their coders are split.
    """
    pairs, chiplets = of.shape[0], facts.package[0].chiplets
    by_option, plain = (pairs, COUNT, chiplets), (pairs, chiplets)
    exits, entries = np.empty(by_option, np.int64), np.empty(by_option, np.int64)
    exit_energies, entry_energies = np.empty(by_option, np.int64), np.empty(by_option, np.int64)
    leaves, leave_energies = np.empty(plain, np.int64), np.empty(plain, np.int64)
    decodes, decode_energies = np.empty(plain, np.int64), np.empty(plain, np.int64)
    residents = np.empty((pairs, 2, chiplets), np.int64)
    loads, saved = np.empty((pairs, 2), np.int64), np.empty((pairs, 2), np.int64)
    for k in range(pairs):
        encoder, decoder, split = 2 * k, 2 * k + 1, splits[k]
        code, whole = coders.layers[encoder].made, coders.layers[decoder].made
        weights = coders.layers[encoder].weights
        loads[k, 0] = dram_port(facts, weights) + facts.package[0].wait
        loads[k, 1] = load_energy(facts, weights)
        saved[k, 0] = whole - code
        saved[k, 1] = dram_energy(facts, whole) - dram_energy(facts, code)
        for c in range(chiplets):
            n = c + 1
            residents[k, 0, c] = resident(coders, encoder, split, n)
            residents[k, 1, c] = resident(coders, decoder, split, n)
            decodes[k, c], decode_energies[k, c] = _decode(coders, decoder, split, n)
            leaves[k, c], leave_energies[k, c] = _encode(coders, encoder, ISP, split, n)
            for option in range(COUNT):
                cycles, energy = _encode(coders, encoder, option, split, n)
                exits[k, option, c], exit_energies[k, option, c] = cycles, energy
                after = min(of[k] + 1, facts.layers.shape[0] - 2)
                entries[k, option, c] = decodes[k, c] + step(facts, after, split, option, n)
                energy = decode_energies[k, c] + step_energy(facts, after, split, option, n)
                entry_energies[k, option, c] = energy
    return Filled(
        exits,
        entries,
        exit_energies,
        entry_energies,
        leaves,
        leave_energies,
        decodes,
        decode_energies,
        residents,
        loads,
        saved,
    )


@compiled
def _encode(coders: Facts, encoder: int, before: int, split: int, n: int) -> tuple[int, int]:
    """Cycles and picojoules to encode what a layer left with option `before`, and to send it."""
    use = coders.layers[encoder].uses
    moved = redistributed(coders, encoder, use, before, split, n)
    coming = arrived(coders, moved, coders.reach[n])
    cycles = folded(coders, compute(coders, encoder, split, n), coming)
    energy = rounded(compute_energy(coders, encoder, split, n)) + delivery_energy(coders, moved, n)
    sent = send_energy(coders, coders.layers[encoder].made)
    return cycles + sending(coders, encoder, split, n), energy + sent


@compiled
def _decode(coders: Facts, decoder: int, split: int, n: int) -> tuple[int, int]:
    """Cycles and picojoules to receive a code from outside and to decode it."""
    amount = received(coders, decoder, coders.layers[decoder].uses, split, n)
    coming = arrived(coders, amount, coders.reach[n])
    cycles = folded(coders, compute(coders, decoder, split, n), coming)
    energy = rounded(compute_energy(coders, decoder, split, n))
    return cycles, energy + delivery_energy(coders, amount, n)


@compiled
def fill_unfolded(facts: Facts, use: int, split: int) -> tuple[Ints, Ints]:
    """[O,C] cycles and picojoules until a decoded skip tensor is where its reader wants it."""
    layer, chiplets = facts.uses[use].layer, facts.package[0].chiplets
    cycles = np.empty((COUNT, chiplets), dtype=np.int64)
    energy = np.empty((COUNT, chiplets), dtype=np.int64)
    for option in range(COUNT):
        for c in range(chiplets):
            moved = redistributed(facts, layer, use, split, option, c + 1)
            cycles[option, c] = arrived(facts, moved, facts.reach[c + 1])
            energy[option, c] = delivery_energy(facts, moved, c + 1)
    return cycles, energy
