"""The errors a caller can act on; each is picklable and also the stdlib error it stands for."""


class PavError(Exception):
    """Base of every error that `pav` raises on purpose."""


class InputError(PavError, ValueError):
    """What the user gave is wrong: settings, a file, a checkpoint folder. Exit status 2."""


class StoreError(PavError, OSError):
    """The store cannot be read or written. Exit status 1, or 2 where the address is wrong."""


class EngineError(PavError, RuntimeError):
    """An engine gave out; its unfinished requests are lost and may be submitted again."""


class WorkError(PavError, RuntimeError):
    """A unit of work failed for good. Exit status 1."""
