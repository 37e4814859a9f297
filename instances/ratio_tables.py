"""Plain cost tables where tensors may be compressed: at certain ratios, and beyond all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from instances.compression import Compression
from instances.instance import Instance
from instances.tables import CostTables, Ints


def tables_at(tables: CostTables, given: Compression, choices: Sequence[int]) -> CostTables:
    """Plain tables for certain choices, for methods that know of no compression.

    They are exact but for the weights of coders, which here go with the layers: an encoder is
    charged to the layer that makes the tensor, and a decoder to each that reads it, whether or not
    it has to cross. So a schedule that fits these tables fits, and takes no more than they say.
    """
    count = len(tables.layers)
    k = np.array(choices, dtype=np.int64)
    at, before = np.arange(count), np.concatenate([[0], k[:-1]])
    resident, load = tables.resident.copy(), tables.load.copy()
    load_energy = tables.energy.load.copy()
    for producer, readers in enumerate(given.readers):
        for coders, layers in ((given.encoders, (producer,)), (given.decoders, readers)):
            for layer in layers if k[producer] else ():
                resident[layer] += coders.resident[k[producer], producer]
                load[layer] += coders.load[k[producer], producer]
                load_energy[layer] += coders.load_energy[k[producer], producer]
    alone = tables.alone.copy()
    io, io_energy = tables.io.copy(), tables.energy.io.copy()
    for producer in np.flatnonzero(k).tolist():
        alone[[producer, *given.readers[producer]]] = -1
    if k.any():
        units, energy = spared_tables(given, k)
        io = np.where(units != 0, given.all_cycles(given.traffic - units), io)
        io_energy -= energy
    of = [int(k[skip.producer]) if skip.producer >= 0 else 0 for skip in tables.skips]
    return replace(
        tables,
        entry=given.entry[before, at],
        exit=given.exit[k, at],
        resident=resident,
        load=load,
        io=io,
        alone=alone,
        skips=tuple(
            replace(
                skip,
                enter=code.enter[own],
                leave=code.leave[own],
                enter_energy=code.enter_energy[own],
                leave_energy=code.leave_energy[own],
            )
            for skip, code, own in zip(tables.skips, given.skips, of, strict=True)
        ),
        energy=replace(
            tables.energy,
            entry=given.entry_energy[before, at],
            exit=given.exit_energy[k, at],
            load=load_energy,
            io=io_energy,
        ),
    )


def spared_tables(given: Compression, k: Ints) -> tuple[Ints, Ints]:
    """[L,L] units of traffic and picojoules that each segment s..e is spared: all of `spared`."""
    units, energy = np.zeros_like(given.traffic), np.zeros_like(given.traffic)
    for layer in np.flatnonzero(k).tolist():
        crossed = given.segments_crossed(layer)
        units += crossed * given.saved[k[layer], layer]
        energy += crossed * given.saved_energy[k[layer], layer]
    return units, energy


def relaxed(instance: Instance) -> Instance:
    """The instance with plain tables that no allowed choice of ratios undercuts.

    Each cost by itself is the least of all choices, and coders need neither bytes nor loads.
    """
    given = instance.compression
    if given is None:
        return instance
    tables = _extreme(instance.tables, given, np.min)
    units, joules = _most_spared(given)
    io = np.where(units > 0, given.all_cycles(given.traffic - units), tables.io)
    energy = replace(tables.energy, io=tables.energy.io - joules)
    return replace(instance, tables=replace(tables, io=io, energy=energy), compression=None)


def costliest(instance: Instance) -> CostTables:
    """Plain tables that no allowed choice of ratios exceeds, coders' loads apart."""
    given = instance.compression
    if given is None:
        return instance.tables
    tables = _extreme(instance.tables, given, np.max)
    resident = tables.resident.copy()
    for layer in given.open:
        ks, size = given.allowed(layer), np.s_[..., : tables.chiplets]
        resident[layer] += given.encoders.resident[ks, layer].max(axis=0)[size]
        for reader in given.readers[layer]:
            resident[reader] += given.decoders.resident[ks, layer].max(axis=0)[size]
    return replace(tables, resident=resident)


def ends_at(instance: Instance, choices: Sequence[int]) -> CostTables:
    """Tables with the entries, exits and DRAM energy of certain choices; skips and coders apart."""
    tables, given = instance.tables, instance.compression
    if given is None:
        return tables
    at, k = np.arange(len(choices)), np.array(choices)
    before = np.concatenate([[0], k[:-1]])
    io = tables.energy.io.copy()
    for layer in np.flatnonzero(k).tolist():
        io -= given.segments_crossed(layer) * given.saved_energy[k[layer], layer]
    energy = replace(
        tables.energy, entry=given.entry_energy[before, at], exit=given.exit_energy[k, at], io=io
    )
    return replace(tables, entry=given.entry[before, at], exit=given.exit[k, at], energy=energy)


def costs_by_choice(given: Compression, layer: int, hidden: bool, priced: bool) -> Ints:
    """[R,.] everything that a layer's choice decides, the less the better.

    Args:
        hidden: whether what DRAM traffic takes is nowhere more than a segment takes anyway.
    """
    parts = [given.losses[layer][:, None], given.exit[:, layer]]
    joules = [given.exit_energy[:, layer], -given.saved_energy[:, layer, None]]
    for coders in (given.encoders, given.decoders):
        parts += [coders.resident[:, layer], coders.load[:, layer, None]]
        joules.append(coders.load_energy[:, layer, None])
    if layer + 1 < len(given.readers):
        parts.append(given.entry[:, layer + 1])
        joules.append(given.entry_energy[:, layer + 1])
    for code in given.skips:
        if code.producer == layer:
            parts += [code.enter, code.leave]
            joules += [code.enter_energy, code.leave_energy]
    if not hidden:
        parts.append(-given.saved[:, layer, None])
    if priced:
        parts += joules
    return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)


def _extreme(tables: CostTables, given: Compression, pick: Callable[..., Any]) -> CostTables:
    """Each cost that depends on a choice is the one that `pick` takes of all choices."""
    options = [given.allowed(layer) for layer in range(len(tables.layers))]
    size = np.s_[..., : tables.chiplets]

    def picked(table: Ints, choices: list[list[int]]) -> Ints:
        own = [pick(table[ks, layer], axis=0) for layer, ks in enumerate(choices)]
        return np.array(own)[size]

    before, skips = [[0], *options[:-1]], []
    for skip, code in zip(tables.skips, given.skips, strict=True):
        ks = options[code.producer] if code.producer >= 0 else [0]
        skips.append(
            replace(
                skip,
                enter=pick(code.enter[ks], axis=0)[size],
                leave=pick(code.leave[ks], axis=0)[size],
                enter_energy=pick(code.enter_energy[ks], axis=0)[size],
                leave_energy=pick(code.leave_energy[ks], axis=0)[size],
            )
        )
    return replace(
        tables,
        entry=picked(given.entry, before),
        exit=picked(given.exit, options),
        skips=tuple(skips),
        energy=replace(
            tables.energy,
            entry=picked(given.entry_energy, before),
            exit=picked(given.exit_energy, options),
        ),
    )


def _most_spared(given: Compression) -> tuple[Ints, Ints]:
    """[L,L] units of traffic and picojoules that a segment can be spared at most."""
    units = np.zeros_like(given.traffic)
    joules = np.zeros_like(given.traffic)
    for layer in given.open:
        crossed = given.segments_crossed(layer)
        units += crossed * given.saved[given.allowed(layer), layer].max()
        joules += crossed * given.saved_energy[given.allowed(layer), layer].max()
    return units, joules
