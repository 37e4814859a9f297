"""Table instances in files: all costs written out, by hand or by another simulator.

    kind: tables
    name: tiny                    # by default the file's name
    batch: 8                      # samples of a run
    chiplets: 3                   # C; lists over region sizes 1..C have C entries
    capacity: 100                 # bytes a chiplet can hold
    options: [ISP, WSP]           # names of the partitions
    leakage: 0                    # default; picojoules a cycle of the whole package
    layers:                       # in execution order
      - name: a                   # unique
        load: 12                  # cycles to bring the weights from DRAM, once a segment
        resident: {ISP: [60, 30, 20], WSP: [60, 60, 60]}   # bytes for the whole segment
        working: {ISP: [8, 8, 8], WSP: [8, 4, 3]}          # bytes while the layer runs
        entry: {ISP: [40, 22, 16], WSP: [40, 21, 15]}      # cycles as first of a cluster
        exit: {ISP: [4, 2, 2], WSP: [4, 2, 2]}             # cycles to send results away
        compute: {ISP: [36, 18, 12], WSP: [36, 18, 12]}    # optional, in all layers or none:
                                  #   the part of entry and step that is arithmetic
        alone: 55                 # optional: beat of the layer alone, in weight tiles, on the
                                  #   whole package; absent: it cannot run that way
        load_energy: 7            # default 0; picojoules a segment
        entry_energy: {...}       # default 0; picojoules a sample, shaped like `entry`
        exit_energy: {...}        # default 0; like `exit`
        step_energy: {...}        # default 0; like `step`
        alone_energy: 9           # default 0; a sample
      - name: b
        ...
        step:                     # absent on the first layer: cycles after its predecessor;
          ISP: {ISP: [28, 17, 13], WSP: [28, 15, 11]}      # previous option: own option: list
          WSP: {ISP: [28, 17, 13], WSP: [28, 14, 10]}
    io:                           # io[s][e]: cycles of DRAM traffic a sample of segment s..e;
      - [5, 7]                    #   entries with e < s are 0
      - [0, 4]
    io_energy: [[0, 0], [0, 0]]   # default 0; picojoules a sample
    skips:                        # default none; tensors that skip layers, see
      - name: shortcut            #   `instances.tables.Skip`; default name 'skip 0', 'skip 1', ...
        producer: a               # layer, or null (default) for a tensor from outside
        consumers:                # layers after the producer; may be none if the tensor leaves
          - layer: c
            enter: {ISP: [3, 2, 2], WSP: [3, 2, 1]}        # default 0; cycles to receive it
            enter_energy: {...}   # default 0; picojoules a sample
        leaves: false             # default; the tensor is also a result of the network
        leave: [2, 1, 1]          # default 0; cycles to send it away
        hold: [8, 4, 3]           # default 0; bytes a chiplet while it waits
        leave_energy: [0, 0, 0]   # default 0; picojoules a sample

Every number is a whole number of at least 0.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from instances.files.schema import Batch, Chiplets, Count, Counts, FileModel, Items, Name, Names

ByOption = dict[str, Counts]
ByOptions = dict[str, ByOption]


class TableLayer(FileModel):
    """One entry of `layers`."""

    name: Name
    load: Count
    resident: ByOption
    working: ByOption
    entry: ByOption
    exit: ByOption
    step: ByOptions | None = None
    compute: ByOption | None = None
    alone: Count | None = None
    load_energy: Count = 0
    entry_energy: ByOption | None = None
    exit_energy: ByOption | None = None
    step_energy: ByOptions | None = None
    alone_energy: Count = 0


class SkipConsumer(FileModel):
    """One entry of a skip tensor's `consumers`."""

    layer: Name
    enter: ByOption | None = None
    enter_energy: ByOption | None = None


class TableSkip(FileModel):
    """One entry of `skips`."""

    name: Name | None = None
    producer: Name | None = None
    consumers: Items[SkipConsumer] = Field([])
    leaves: bool = False
    leave: Counts | None = None
    hold: Counts | None = None
    leave_energy: Counts | None = None


class TableFile(FileModel):
    """A file of kind tables."""

    kind: Literal["tables"]
    name: Name | None = None
    batch: Batch
    chiplets: Chiplets
    capacity: Count
    options: Names
    leakage: Count = 0
    layers: list[TableLayer]
    io: Items[Counts]
    io_energy: Items[Counts] | None = None
    skips: Items[TableSkip] = Field([])
