"""The stages of a segment at work: one process each, sample after sample."""

from __future__ import annotations

from instances.instance import Instance
from schedules.simulate.clock import Clock, Count, Steps
from schedules.simulate.fabric import Fabric
from schedules.simulate.plan import Intake, LayerPlan, SegmentPlan, StagePlan
from schedules.simulate.record import Record, Span

SLOTS = 2
"""Places for samples of a double buffer."""


class Pipeline:
    """A segment of clusters.

    Attributes:
        loaded: when all weights were there.
    """

    def __init__(
        self,
        clock: Clock,
        fabric: Fabric,
        instance: Instance,
        plan: SegmentPlan,
        number: int,
        record: Record,
    ) -> None:
        self._clock, self._fabric, self._plan, self._record = clock, fabric, plan, record
        self._batch, self._names, self._number = instance.batch, instance.layers, number
        self._overlap = instance.package is not None and instance.package.overlap
        self.loaded = 0
        count = range(len(plan.stages))
        self._resident = [0 for _ in count]
        self._sent = [Count(clock) for _ in count]
        self._written = [Count(clock) for _ in count]
        self._read = [Count(clock) for _ in plan.streams]
        self._drawn = [Count(clock) for _ in plan.streams]
        self._taken = {(k, q): Count(clock) for k in count for q in plan.stages[k].readers}
        self._wanted: dict[tuple[int, int], int] = {}

    def run(self) -> Steps:
        """Load all weights, then let all samples through."""
        yield from self._load()
        self.loaded = self._clock.cycle
        stages = range(len(self._plan.stages))
        work = [self._stage(k) for k in stages]
        work += [self._stream(i) for i in range(len(self._plan.streams))]
        work += [self._write(k) for k in stages if self._plan.stages[k].write is not None]
        yield self._clock.all_of([self._clock.process(own) for own in work])

    # --- weights

    def _load(self) -> Steps:
        """Layer after layer out of the DRAM, an access each; regions take in what has begun."""
        begun = [Count(self._clock) for _ in self._plan.stages]
        ports = [
            self._clock.process(self._deliver(k, stage, begun[k]))
            for k, stage in enumerate(self._plan.stages)
        ]
        for k, stage in enumerate(self._plan.stages):
            for cargo in stage.weights:
                start = self._clock.cycle
                begun[k].add()
                yield self._fabric.read(cargo.dram)
                yield self._clock.timeout(self._fabric.access)
                self._span("DRAM", "load", f"cluster {k}", start)
        yield self._clock.all_of(ports)

    def _deliver(self, k: int, stage: StagePlan, begun: Count) -> Steps:
        for place, cargo in enumerate(stage.weights, 1):
            yield begun.reached(place)
            yield self._fabric.deliver(cargo)
            self._record.links += cargo.links
            self._resident[k] += cargo.port
            self._record.holds(stage.tiles, self._resident[k])

    # --- DRAM while samples pass

    def _stream(self, number: int) -> Steps:
        """Read a stream's tensors of each sample, at most a double buffer ahead."""
        tensors = self._plan.streams[number]
        amount = sum(self._plan.sizes[t] for t in tensors)
        for sample in range(self._batch):
            yield self._drawn[number].reached(sample + 1 - SLOTS)
            start = self._clock.cycle
            yield self._fabric.read(amount)
            self._span("DRAM", "read", str(sample), start)
            self._leave(tensors, sample)
            self._read[number].add()

    def _write(self, k: int) -> Steps:
        """Write a cluster's results of each sample."""
        stage = self._plan.stages[k]
        assert stage.write is not None
        for sample in range(self._batch):
            yield self._sent[k].reached(sample + 1)
            start = self._clock.cycle
            yield self._fabric.write(stage.write)
            self._span("DRAM", "write", str(sample), start)
            self._record.links += stage.write.links
            self._arrive(stage.written, sample)
            self._written[k].add()

    # --- a stage

    def _stage(self, k: int) -> Steps:
        stage = self._plan.stages[k]
        first = stage.layers[0]
        for sample in range(self._batch):
            for intake in (*first.before, first.along)[:1]:
                if intake is not None:
                    yield from self._wait(intake, sample)
            start = self._clock.cycle
            for layer in stage.layers:
                yield from self._layer(k, layer, sample)
            yield from self._send(k, sample)
            self._span(f"cluster {k}", "sample", str(sample), start)

    def _layer(self, k: int, layer: LayerPlan, sample: int) -> Steps:
        stage, name = self._plan.stages[k], self._names[layer.index]
        self._record.holds(stage.tiles, self._resident[k] + layer.buffer)
        for intake in layer.before:
            yield from self._wait(intake, sample)
            yield from self._take(k, intake, sample, name)
        if layer is stage.layers[-1]:
            yield from self._room(k, sample)
        if layer.along is not None:
            yield from self._wait(layer.along, sample)
        if layer.along is not None and not self._overlap:
            yield from self._take(k, layer.along, sample, name)
        start = self._clock.cycle
        array = self._clock.timeout(layer.compute)
        if layer.along is not None and self._overlap:
            yield from self._take(k, layer.along, sample, name)
        yield array
        self._record.works(stage.tiles, layer.compute)
        end = start + layer.compute
        self._record.spans.append(Span(self._number, f"cluster {k}", "compute", name, start, end))

    def _wait(self, intake: Intake, sample: int) -> Steps:
        """Until all of the regions that it comes from have sent."""
        for sender in intake.senders:
            yield self._sent[sender].reached(sample + 1)

    def _take(self, k: int, intake: Intake, sample: int, name: str) -> Steps:
        """Through the ports, and not before the DRAM has read it; then the way."""
        start = self._clock.cycle
        yield self._fabric.deliver(intake.cargo)
        for stream in intake.streams:
            yield self._read[stream].reached(sample + 1)
        yield self._clock.timeout(intake.cargo.way)
        self._record.links += intake.cargo.links
        if intake.own is not None:
            self._drawn[intake.own].add()
        for sender in intake.closes:
            self._taken[sender, k].add()
        self._arrive(intake.tensors, sample)
        self._span(f"cluster {k} ports", "take in", name, start)

    def _room(self, k: int, sample: int) -> Steps:
        """Until there is a place for the results: one in the making, one for each stage ahead."""
        for reader in self._plan.stages[k].readers:
            yield self._taken[k, reader].reached(sample - (reader - k))
        if self._plan.stages[k].write is not None:
            yield self._written[k].reached(sample + 1 - SLOTS)

    def _send(self, k: int, sample: int) -> Steps:
        """Results leave while the array works on them, if it may, what is left of them after it."""
        stage, fabric, start = self._plan.stages[k], self._fabric, self._clock.cycle
        hidden = stage.layers[-1].compute if self._overlap else 0
        for place, amount in enumerate((stage.results, *stage.skips)):
            needed = fabric.port_cycles(amount) + fabric.hop
            yield self._clock.timeout(max(0, needed - hidden) if place == 0 else needed)
        if self._clock.cycle > start:
            self._span(f"cluster {k} ports", "send", str(sample), start)
        self._leave(stage.sent, sample)
        self._sent[k].add()

    # --- what is under way

    def _leave(self, tensors: tuple[int, ...], sample: int) -> None:
        for t in tensors:
            self._wanted[t, sample] = self._plan.takers[t]
            self._record.leaves(self._plan.sizes[t])

    def _arrive(self, tensors: tuple[int, ...], sample: int) -> None:
        for t in tensors:
            self._wanted[t, sample] -= 1
            if not self._wanted[t, sample]:
                del self._wanted[t, sample]
                self._record.arrives(self._plan.sizes[t])

    def _span(self, track: str, what: str, name: str, start: int) -> None:
        now = self._clock.cycle
        self._record.spans.append(Span(self._number, track, what, name, start, now))
