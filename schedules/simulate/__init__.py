"""An event-driven simulation of a placed schedule, sample by sample (docs/mesh.md, 'Simulation').

It knows amounts and rates, and none of the formulas of time: how many bytes a layer takes in, how
many outputs a chiplet makes, what ports, links and DRAM carry a cycle, how long a hop takes. The
machine is our reading (ours):

- Segments run one after the other. All weights come first, layer after layer out of the DRAM, one
  access each; each region's ports take in theirs meanwhile.
- A cluster is a process that works on one sample after the other, as soon as it can: there is no
  common beat. Skip tensors come in one after the other before the layer that reads them first;
  everything else that a layer needs comes in at once, while its array works if the package overlaps
  the two. Results leave while the array works on them; what the ports could not send in that time,
  and skip tensors, follow after.
- What was sent waits until its reader takes it in. Between two neighbours there are two places, the
  double buffer; with more stages in between, one more for each. A cluster that finds no place free
  does not begin its last layer.
- DRAM streams of a segment read ahead by at most two samples, and write results behind the stages.
- A byte loads its sender's ports when it is sent; the links, and the receiver's ports, when it is
  taken in; the DRAM when it is read or written, once a sample however many clusters take it.
- With contention, links carry no more than a port does, and the way of a transfer is the longest
  from a chiplet that sends to one that receives. Without, no link limits anything, and the way is
  that across a region as square as can be, wherever it lies.
"""

from schedules.simulate.record import Span as Span
from schedules.simulate.run import SegmentRun as SegmentRun
from schedules.simulate.run import Simulation as Simulation
from schedules.simulate.run import simulate as simulate
from schedules.simulate.trace import write_trace as write_trace
