"""Sweeps: the runs of an experiment, on all cores or on a Dask cluster, kept in a store.

Only the calling process writes the store, and it holds a claim on each run that is in flight, so
that two sweeps share a store and its work. Each thread of a Dask worker has its runs done by a
`Runner`. Whatever is killed, at whatever moment: the same call goes on where it was.
"""

from __future__ import annotations

import logging
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from queue import Empty, SimpleQueue
from threading import Event, current_thread, main_thread
from typing import TYPE_CHECKING, Any

from experiments.cases import Case
from experiments.definition import Experiment
from experiments.digest import digest
from experiments.fingerprint import cost_model, version_of
from experiments.pace import Pace
from experiments.runner import run_here
from experiments.store import Record, Store, Task

if TYPE_CHECKING:
    from distributed import Client, Future

IN_FLIGHT = 4
"""Runs a thread that are handed to Dask at once: none waits for work, and few are ever lost."""

ALLOWED_FAILURES = 10
"""Workers of a local cluster that may die under a run. A run that crashes ends only its own
process, so that it is hardly ever the run's fault."""

WORKER_BYTES = 2**30
"""Memory that a local worker is reckoned to need where the experiment names no limit."""

CONNECT_SECONDS = 30.0
"""For a scheduler to answer, and for its first worker to come."""

LOOK_SECONDS = 5.0
"""Between two looks at how many threads the workers have."""

POLL_SECONDS = 0.2
"""Between two looks at what another process has finished."""


@dataclass(frozen=True)
class Advance:
    """How far a sweep is.

    Attributes:
        done: runs that are in the store, failed ones too.
        failed: runs of this sweep that are an error.
        total: runs of the experiment.
        rate: runs a second; None before anything can be said.
        left: the time that is left, in words; empty before anything can be said.
        dashboard: the address of Dask's.
    """

    done: int
    failed: int
    total: int
    rate: float | None
    left: str
    dashboard: str

    def __str__(self) -> str:
        parts = [f"{self.done} of {self.total} runs done"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        if self.rate is not None:
            parts.append(f"{self.rate:.3g} a second")
        if self.left:
            parts.append(f"some {self.left} left")
        return ", ".join(parts)


Watch = Callable[[Advance], object]


def sweep(
    experiment: Experiment,
    store: Store,
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    watch: Watch | None = None,
) -> list[Record]:
    """Do the runs of an experiment that the store does not have.

    A script that calls this without `scheduler` needs `if __name__ == "__main__":` around its
    work, because the processes of the local cluster import it.

    Args:
        scheduler: address of a Dask scheduler, such as tcp://host:8786; its workers need this
            chipweave, and the files that the experiment names in the same places. Without: a local
            cluster.
        workers: processes of the local cluster; by default as many as cores and memory allow.
        watch: called at the beginning and after each run.

    Returns:
        What came of each run, in the order of `experiment.tasks()`; failed ones have an error.

    Raises:
        ImportError: Dask is not installed.
        ValueError: a store that cannot be used, or a scheduler that cannot.
        KeyboardInterrupt: Ctrl-C; the store has what is done.
    """
    tasks = experiment.tasks()
    missing = [(case, task) for case, task in tasks if store.get(task) is None]
    if missing:
        with (
            _interrupts() as interrupted,
            _client(experiment, scheduler, workers, len(missing)) as client,
        ):
            _Sweep(client, store, missing, len(tasks), watch).run(interrupted)
    return [record for _, task in tasks if (record := store.get(task)) is not None]


class _Sweep:
    """Hands runs to Dask, a few at a time, and keeps what comes of them."""

    def __init__(
        self,
        client: Client,
        store: Store,
        missing: Sequence[tuple[Case, Task]],
        total: int,
        watch: Watch | None,
    ) -> None:
        self._client, self._store, self._watch = client, store, watch
        self._ahead = deque(missing)
        self._held: list[tuple[Case, Task]] = []
        self._flying: dict[str, _Flight] = {}
        self._landed: SimpleQueue[Future] = SimpleQueue()
        self._pace = Pace([case.size for case, _ in missing])
        self._start, self._before, self._total = time.monotonic(), total - len(missing), total
        self._done = self._failed = 0
        self._threads, self._looked = 1, -LOOK_SECONDS

    def run(self, interrupted: Event) -> None:
        """Do all runs; wait in the end for those that another process holds.

        Raises:
            KeyboardInterrupt: the event was set.
        """
        try:
            self._tell()
            while self._ahead or self._flying or self._held:
                room = self._room()
                while self._ahead and len(self._flying) < room:
                    self._launch(*self._ahead.popleft())
                self._land(self._arrived())
                if not self._ahead and not self._flying:
                    self._ahead, self._held = deque(self._held), []
                if interrupted.is_set():
                    raise KeyboardInterrupt
        finally:
            for flight in self._flying.values():
                flight.claim.close()

    def _room(self) -> int:
        """Runs that may be in flight; a cluster may grow and shrink."""
        if time.monotonic() > self._looked + LOOK_SECONDS:
            self._looked = time.monotonic()
            self._threads = max(1, sum(self._client.nthreads().values()))
        return IN_FLIGHT * self._threads

    def _launch(self, case: Case, task: Task) -> None:
        """Submit a run, unless another process holds it or has done it."""
        claim = ExitStack()
        if not claim.enter_context(self._store.claim(task)):
            self._held.append((case, task))
            return
        if self._store.get(task) is not None:
            claim.close()
            self._count(case, failed=False)
            return
        future = self._client.submit(run_here, case, task, key=task.key, pure=False)
        self._flying[task.key] = _Flight(case, task, claim, future)
        future.add_done_callback(self._landed.put)

    def _arrived(self) -> list[Future]:
        """Runs that have come to their end, after a wait for the first."""
        found: list[Future] = []
        with suppress(Empty):
            found.append(self._landed.get(timeout=POLL_SECONDS))
            while True:
                found.append(self._landed.get_nowait())
        return found

    def _land(self, futures: Sequence[Future]) -> None:
        """Keep what came of runs; all results in one go, as each costs a way to Dask and back.

        A result that dies with its worker on the way is made anew; where that fails, it is None.
        """
        done = {future.key: future for future in futures if future.status == "finished"}
        results = self._client.gather(done, errors="skip")
        for future in futures:
            flight = self._flying.pop(future.key)
            with flight.claim:
                if results.get(future.key) is not None:
                    record = Record(flight.task, *results[future.key])
                else:
                    record = _failure(flight.task, future)
                self._store.add(record)
            self._count(flight.case, failed=record.error is not None)

    def _count(self, case: Case, *, failed: bool) -> None:
        self._done += 1
        self._failed += failed
        self._pace.step(case.size)
        self._tell()

    def _tell(self) -> None:
        if self._watch is not None:
            self._watch(
                Advance(
                    done=self._before + self._done,
                    failed=self._failed,
                    total=self._total,
                    rate=self._done / (time.monotonic() - self._start) if self._done else None,
                    left=self._pace.left,
                    dashboard=self._client.dashboard_link or "",
                )
            )


@dataclass(frozen=True)
class _Flight:
    """A run that Dask has; its result is kept by the future as long as somebody holds that."""

    case: Case
    task: Task
    claim: ExitStack
    future: Future


def _failure(task: Task, future: Future) -> Record:
    """What came of a run of which Dask has no result.

    Raises:
        ValueError: no other run would fare better.
    """
    from distributed import KilledWorker

    if future.cancelled():
        raise ValueError("the scheduler is gone: the same call with another one goes on")
    error = future.exception()
    if isinstance(error, KilledWorker):
        return Record(task, None, "the worker of the run was killed again and again")
    raise ValueError(f"a worker cannot do runs: {error}")


@contextmanager
def _client(
    experiment: Experiment, scheduler: str | None, workers: int | None, runs: int
) -> Iterator[Client]:
    """A client of the scheduler, or of a local cluster that ends with the block."""
    dask, distributed = _dask()
    if scheduler is not None:
        with _connected(distributed, scheduler) as client:
            _check_workers(client, experiment)
            yield client
        return
    processes = min(runs, workers or fitting_workers(experiment))
    settings = {"distributed.scheduler.allowed-failures": ALLOWED_FAILURES}
    with (
        dask.config.set(settings),
        _local_cluster(distributed, processes) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@contextmanager
def _local_cluster(distributed: Any, processes: int) -> Iterator[Any]:
    with _uninterrupted():
        cluster = distributed.LocalCluster(
            n_workers=processes,
            threads_per_worker=1,
            memory_limit=None,  # a worker's runs are elsewhere: their own limits count
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        )
    with cluster:
        yield cluster


@contextmanager
def _interrupts() -> Iterator[Event]:
    """What Ctrl-C sets while the block runs: an exception would be lost in Dask's callbacks."""
    interrupted = Event()
    if current_thread() is not main_thread():
        yield interrupted
        return
    before = signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Keep Ctrl-C from the threads that the block starts, and from all processes of theirs."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it would let the signal through once more
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _connected(distributed: Any, scheduler: str) -> Iterator[Client]:
    """A client of a user's scheduler.

    Raises:
        ValueError: the scheduler does not answer, at the start or later.
    """
    from distributed.utils import silence_logging_cmgr

    with silence_logging_cmgr(logging.CRITICAL):  # the errors here tell the same
        try:
            client = distributed.Client(scheduler, timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise ValueError(f"scheduler {scheduler}: cannot be used: {error}") from None
        try:
            with client:
                _wait_for_a_worker(client, scheduler)
                yield client
        except OSError as error:
            raise ValueError(f"scheduler {scheduler}: does not answer: {error}") from None


def _wait_for_a_worker(client: Client, scheduler: str) -> None:
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except TimeoutError:
        raise ValueError(
            f"scheduler {scheduler}: no worker within {CONNECT_SECONDS:.0f} s: start one with"
            f" `dask worker {scheduler}`"
        ) from None


def _check_workers(client: Client, experiment: Experiment) -> None:
    """Refuse a cluster whose workers would do other runs than those that are recorded.

    Raises:
        ValueError: there is such a worker.
    """
    methods = sorted({method for method, _ in experiment.runs()})
    try:
        told: dict[str, str] = client.run(versions, methods)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"the workers need this chipweave: {error}") from None
    for worker, version in told.items():
        if version != versions(methods):
            raise ValueError(
                f"worker {worker}: has another chipweave, or other packages, than here"
            )


def versions(methods: Sequence[str]) -> str:
    """The name of everything that may change what methods find on an instance, as it is here."""
    return digest(cost_model(), [version_of(method) for method in methods])


def fitting_workers(experiment: Experiment) -> int:
    """Processes that this machine has cores and memory for."""
    from dask.system import CPU_COUNT  # of a container, if this is one
    from distributed.system import MEMORY_LIMIT

    limit = experiment.memory_limit_mb
    need = WORKER_BYTES if limit is None else limit * 2**20
    return max(1, min(CPU_COUNT // experiment.workers, MEMORY_LIMIT // need))


def _dask() -> tuple[Any, Any]:
    try:
        import dask
        import distributed
    except ImportError:
        raise ImportError(
            "sweeps need Dask, which is not installed: pip install 'chipweave[experiments]'"
        ) from None
    return dask, distributed
