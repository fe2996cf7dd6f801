"""The pool of worker processes of a run: started once, kept warm over stages, replaced if lost."""

from collections.abc import Iterator
from contextlib import contextmanager

from pav.models.settings import RunSettings
from pav.tasks.runner.devices import DeviceLocks
from pav.tasks.runner.worker import Worker


class WorkerPool:
    """Worker processes, each with its share of the cores; leaving the context ends them all.

    A worker of which nothing is heard for `stall_seconds` is ended. `preload` names modules that a
    started worker imports while it has nothing to do.
    """

    def __init__(
        self,
        num_workers: int,
        *,
        device: str = "auto",
        stall_seconds: float = 120.0,
        preload: tuple[str, ...] = (),
    ) -> None:
        self.requested_device = device
        self.stall_seconds = stall_seconds
        self.preload = preload
        self.is_closed = False
        self.locks = DeviceLocks()
        self.workers = [Worker(self, index) for index in range(num_workers)]

    def __enter__(self) -> "WorkerPool":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def start(self, num_workers: int) -> None:
        """Start that many processes, without waiting until they are ready."""
        for worker in self.workers[:num_workers]:
            worker.start()

    @property
    def device(self) -> str:
        """The device of the first worker: `cpu` or `cuda:N`."""
        return self.workers[0].device()

    def abort(self) -> None:
        """End every process now, in the middle of its work; no job is taken any more."""
        self.is_closed = True
        for worker in self.workers:
            worker.kill()
        self.locks.close()

    def close(self) -> None:
        """End every process and give the devices back; no job is taken any more."""
        self.is_closed = True
        for worker in self.workers:
            worker.ask_to_end()
        for worker in self.workers:
            worker.close()
        self.locks.close()


@contextmanager
def pool(settings: RunSettings) -> Iterator[WorkerPool]:
    """Give the workers that the settings ask for; they start at their first job or `start`."""
    workers = WorkerPool(
        settings.runner.workers,
        device=settings.engine.device,
        stall_seconds=settings.runner.stall_seconds,
        preload=("torch", "transformers"),
    )
    with workers:
        yield workers
