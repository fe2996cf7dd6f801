"""A task batch: one Prefect task, one worker, many units, each published as it finishes."""

import queue
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pav.models.errors import EngineError, InputError, PavError, WorkError
from pav.models.settings import RunnerSettings, RunSettings
from pav.tasks.runner.messages import Done, Job, Update
from pav.tasks.runner.pool import WorkerPool
from pav.tasks.runner.progress import StageProgress
from pav.tasks.runner.worker import PoolClosedError, Worker
from pav.tasks.store.store import Store, StoreUnreachableError
from pav.tasks.store.units import Unit

if TYPE_CHECKING:
    from prefect import Task
    from prefect.client.schemas.objects import State, TaskRun

PASSING = (EngineError, StoreUnreachableError)


@dataclass
class TaskBatch:
    """Units for one worker; retries go on with those that are neither done nor failed for good."""

    units: list[Unit]
    todo: list[Unit] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    attempts: int = 0
    failures: list[PavError] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.todo = list(self.units)

    @property
    def name(self) -> str:
        """What the task batch does, in a few words."""
        return describe(self.units)


@dataclass(frozen=True)
class BatchContext:
    """What a stage's task batches share."""

    stage_module: str
    settings_json: str
    store_root: str
    progress: StageProgress
    retries: int


def run_units(
    units: Sequence[Unit],
    *,
    work: str,
    settings: RunSettings,
    store: Store,
    pool: WorkerPool,
    progress: StageProgress | None = None,
) -> list[Done]:
    """Execute and publish units of one stage; when all others are done, a failure is raised.

    To be called inside a flow. `work` is the dotted name of the module whose `open_worker`
    executes the units; `progress` tells of them, under another name than the stage's where it
    has one. Returns the units that were executed, with their seconds and cost.
    """
    if not units:
        return []
    store.sweep()
    stage = units[0].stage
    batches = [TaskBatch(chunk) for chunk in split(units, len(pool.workers))]
    pool.start(len(batches))
    with progress or StageProgress(stage, len(units)) as shown:
        context = BatchContext(
            work,
            settings.model_dump_json(),
            store.root,
            shown,
            settings.runner.retries,
        )
        errors = _run_batches(stage, batches, context=context, runner=settings.runner, pool=pool)
    failures = [error for batch in batches for error in batch.failures] + errors
    done = [result for batch in batches for result in batch.done]
    _raise_first(stage, failures, num_missing=len(units) - len(done))
    return done


def split(units: Sequence[Unit], num_workers: int) -> list[list[Unit]]:
    """Return consecutive groups, large ones first, so that the workers finish together.

    Guided self-scheduling: each group is half of a worker's share of what is left.
    """
    groups = []
    rest = list(units)
    while rest:
        size = max(1, len(rest) // (2 * num_workers))
        groups.append(rest[:size])
        rest = rest[size:]
    return groups


def describe(units: Sequence[Unit]) -> str:
    """Return a short name for units: `label train 0-7 with base`, where one number differs."""
    first, last = units[0], units[-1]
    starts, ends = first.name.split(), last.name.split()
    different = [i for i, (a, b) in enumerate(zip(starts, ends, strict=False)) if a != b]
    if len(starts) == len(ends) and len(different) == 1:
        [i] = different
        name = " ".join([*starts[:i], f"{starts[i]}-{ends[i]}", *starts[i + 1 :]])
    elif first == last:
        name = first.name
    else:
        name = f"{first.name} to {last.name}"
    return name if name.split()[0] == first.stage else f"{first.stage} {name}"


def may_pass(task: "Task[Any, Any]", task_run: "TaskRun", state: "State[Any]") -> bool:
    """Tell Prefect whether a failed task batch is worth another try; bad input never is."""
    error = state.data
    return isinstance(error, (*PASSING, TimeoutError, ConnectionError))


def work_off(batch: TaskBatch, worker: Worker, context: BatchContext) -> list[dict[str, Any]]:
    """Execute a batch's units; a failure is raised last, the one that may pass before others."""
    passing: PavError | None = None
    batch.attempts += 1
    for unit in list(batch.todo):
        name = unit.name
        job = Job(context.stage_module, context.settings_json, context.store_root, unit)

        def show(update: Update, name: str = name) -> None:
            context.progress.update(name, update.message, done=update.done, total=update.total)

        try:
            result = worker.run(job, show)
        except PoolClosedError:
            raise
        except PavError as error:
            is_passing = isinstance(error, PASSING)
            again = is_passing and batch.attempts <= context.retries
            context.progress.abandon(name, f"{error}{' (will be tried again)' if again else ''}")
            if is_passing:
                passing = passing or error
                continue
            batch.failures.append(error)
        else:
            batch.done.append(result)
            context.progress.finish(name)
        batch.todo.remove(unit)
    if passing is not None:
        raise passing
    if batch.failures:
        raise batch.failures[0]
    return [{"unit_id": result.unit_id, "seconds": result.seconds} for result in batch.done]


def _run_batches(
    stage: str,
    batches: list[TaskBatch],
    *,
    context: BatchContext,
    runner: RunnerSettings,
    pool: WorkerPool,
) -> list[PavError]:
    """Run each task batch as a Prefect task, at most one for each worker at a time.

    Returns the errors that ended a batch before all its units had failed for good or were done.
    """
    task = _batch_task(stage, runner, "gpu" if pool.device.startswith("cuda") else "cpu")
    idle = list(pool.workers)
    finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
    running: dict[Any, tuple[TaskBatch, Worker]] = {}
    waiting = list(batches)
    errors: list[PavError] = []
    try:
        while waiting or running:
            while waiting and idle:
                batch, worker = waiting.pop(0), idle.pop(0)
                # Prefect fills in what stands between braces, which a file's name may have.
                run_name = batch.name.replace("{", "{{").replace("}", "}}")
                named = task.with_options(task_run_name=run_name)
                future = named.submit(_Handle(batch, worker, context))
                running[future.task_run_id] = (batch, worker)
                future.add_done_callback(finished.put)
            future = finished.get()
            batch, worker = running.pop(future.task_run_id)
            idle.append(worker)
            if batch.todo:
                errors.append(_as_failure(batch, future.result(raise_on_failure=False)))
    finally:
        # Stopped from outside: the task batches' threads must end too, or the flow waits for them.
        if running:
            pool.abort()
    return errors


class _Handle:
    """A task batch with its worker; opaque to Prefect, which would walk through a dataclass."""

    def __init__(self, batch: TaskBatch, worker: Worker, context: BatchContext) -> None:
        self.batch = batch
        self.worker = worker
        self.context = context


def _batch_task(stage: str, runner: RunnerSettings, tag: str) -> Any:
    """Return the Prefect task of a stage's task batches."""
    from prefect import task
    from prefect.cache_policies import NO_CACHE
    from prefect.tasks import exponential_backoff

    @task(
        name=stage,
        tags=[tag],
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=runner.retries,
        retry_delay_seconds=exponential_backoff(backoff_factor=runner.retry_seconds),
        retry_condition_fn=may_pass,
        timeout_seconds=runner.timeout_seconds,
    )
    def run_batch(handle: _Handle) -> list[dict[str, Any]]:
        return work_off(handle.batch, handle.worker, handle.context)

    return run_batch


def _as_failure(batch: TaskBatch, error: object) -> PavError:
    """Return the error of a task batch that gave up with units left."""
    if isinstance(error, PavError):
        return error
    return WorkError(f"{batch.name}: {error!r} ended this batch with {len(batch.todo)} units left")


def _raise_first(stage: str, failures: list[PavError], *, num_missing: int) -> None:
    if not failures:
        return
    for error in failures:
        if isinstance(error, InputError):
            raise error
    first = failures[0]
    raise WorkError(
        f"{num_missing} units of stage {stage!r} are not done; the first failure: {first}. "
        "The other units are kept; run the same command again to go on with what is missing"
    ) from first
