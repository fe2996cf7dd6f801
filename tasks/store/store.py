"""The store: a local folder or an `s3://bucket/prefix`, with atomic writes and clear errors."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from pav.models.errors import InputError, StoreError
from pav.models.hashing import digest
from pav.tasks.store.local_files import cache_folder, file_sizes, sweep, write_atomically

_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
_PASSING = {errno.EIO, errno.EAGAIN, errno.ESTALE, errno.ETIMEDOUT, errno.EBUSY}
_RESUME = "Everything published before is kept and nothing is half written"
# A request to S3 is tried so often by botocore, and that again so often by s3fs.
_S3_ATTEMPTS = 2
_S3_CONNECT_SECONDS = 5.0
_S3_ANSWER_SECONDS = 15.0
# Neither limit holds while a body is sent, which may wait for the server for ever.
_S3_WRITE_SECONDS = 60.0
_S3_BYTES_A_SECOND = 1e5


class MissingFileError(StoreError):
    """A path of the store holds nothing."""


class StoreUnreachableError(StoreError):
    """The store did not answer; the same request may succeed later."""


class Store:
    """Files by relative path under a root; pickles as its root alone."""

    def __init__(self, root: str) -> None:
        is_remote = root.startswith("s3://")
        key = root.removeprefix("s3://").strip("/")
        self.root = f"s3://{key}" if is_remote else str(Path(root).absolute())
        self.is_local = not is_remote
        if is_remote and not key:
            raise InputError(f"store {root!r}: expected s3://bucket or s3://bucket/prefix")
        if "://" in root and not is_remote:
            raise InputError(f"store {root!r}: expected a folder or an s3:// address")

    def __repr__(self) -> str:
        return f"Store({self.root!r})"

    def __reduce__(self) -> tuple[type["Store"], tuple[str]]:
        return Store, (self.root,)

    @cached_property
    def filesystem(self) -> Any:
        """The s3fs file system of a remote store, one per process (s3fs does not survive fork)."""
        import s3fs

        limits = {
            "connect_timeout": _S3_CONNECT_SECONDS,
            "read_timeout": _S3_ANSWER_SECONDS,
            "retries": {"mode": "standard", "total_max_attempts": _S3_ATTEMPTS},
        }
        filesystem = s3fs.S3FileSystem(
            endpoint_url=os.environ.get("AWS_ENDPOINT_URL") or None,
            use_listings_cache=False, skip_instance_cache=True, config_kwargs=limits,
        )  # fmt: skip
        filesystem.retries = _S3_ATTEMPTS
        return filesystem

    def address(self, path: str) -> str:
        """Return the absolute path, or the s3:// address, of a relative path."""
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or ".." in parts or "\0" in path:
            raise StoreError(f"store path {path!r}: expected a relative path without '..'")
        return f"{self.root}/{PurePosixPath(path)}"

    def read_bytes(self, path: str) -> bytes:
        """Return the content of a file; MissingFileError where there is none."""
        address = self.address(path)
        with self._errors("reading", path):
            if self.is_local:
                return Path(address).read_bytes()
            return bytes(self.filesystem.cat_file(address))

    def write_bytes(self, path: str, data: bytes) -> None:
        """Write a file whole or not at all; an older one of that path is replaced."""
        address = self.address(path)
        with self._errors("writing", path):
            if self.is_local:
                write_atomically(Path(address), data)
            else:
                patience = _S3_WRITE_SECONDS + len(data) / _S3_BYTES_A_SECOND
                self.filesystem.pipe_file(address, data, timeout=patience)

    def size(self, path: str) -> int | None:
        """Return a file's size in bytes, or None where there is no such file."""
        address = self.address(path)
        try:
            with self._errors("looking at", path):
                if self.is_local:
                    is_file = Path(address).is_file()
                    return Path(address).stat().st_size if is_file else None
                info = self.filesystem.info(address)
                return int(info["size"]) if info["type"] == "file" else None
        except MissingFileError:
            return None

    def exists(self, path: str) -> bool:
        """Tell whether a file of that path exists."""
        return self.size(path) is not None

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return path -> size of every file in the folder `prefix`, sorted by path."""
        address = self.address(prefix) if prefix else self.root
        with self._errors("listing", prefix or "."):
            found = file_sizes(Path(address)) if self.is_local else self._remote_sizes(address)
        start = len(self.root) + 1
        return {path[start:]: size for path, size in sorted(found.items())}

    def list(self, prefix: str) -> list[str]:
        """Return the relative paths of all files in the folder `prefix`, sorted."""
        return list(self.sizes(prefix))

    def remove(self, path: str) -> None:
        """Remove a file; nothing happens where there is none."""
        address = self.address(path)
        with suppress(MissingFileError), self._errors("removing", path):
            if self.is_local:
                Path(address).unlink(missing_ok=True)
            else:
                self.filesystem.rm_file(address)

    def local_path(self, path: str) -> Path:
        """Return a local file of that content; a remote file is downloaded to the cache once."""
        address = self.address(path)
        if self.is_local:
            return Path(address)
        with self._errors("reading", path):
            info = self.filesystem.info(address)
            key = digest([address, str(info.get("ETag")), info["size"]], length=32)
            target = cache_folder() / "files" / key / PurePosixPath(path).name
            if not target.exists():
                write_atomically(target, bytes(self.filesystem.cat_file(address)))
        return target

    def sweep(self) -> None:
        """Remove what killed processes were writing to a local store an hour ago or earlier."""
        if self.is_local:
            sweep(Path(self.root))

    def check_writable(self) -> None:
        """Raise StoreError unless the store can be written; leave nothing behind."""
        if not self.is_local:
            self.write_bytes(".probe", b"")
            self.remove(".probe")
            return
        folder = Path(self.root)
        while not folder.exists() and not folder.is_symlink():
            folder = folder.parent
        if not folder.is_dir():
            raise StoreError(
                f"store {self.root!r}: {str(folder)!r} is a regular file, expected a folder or a "
                "path where one can be made; give another --store"
            )
        with self._errors("writing", "."), tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"pav")

    def _remote_sizes(self, address: str) -> dict[str, int]:
        found = self.filesystem.find(address + "/", detail=True)
        return {f"s3://{key}": int(info["size"]) for key, info in found.items()}

    @contextmanager
    def _errors(self, doing: str, path: str) -> Iterator[None]:
        """Turn what the file system raises into StoreError with where and what to do."""
        where = f"store {self.root!r}: {doing} {path!r}"
        if self.is_local:
            kinds: tuple[type[Exception], ...] = (OSError,)
        else:
            from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]

            kinds = (OSError, BotoCoreError)
        try:
            yield
        except StoreError:
            raise
        except kinds as error:
            raise _translate(error, where) from error


def _translate(error: Exception, where: str) -> StoreError:
    """Return the StoreError that says what happened and how to go on."""
    if isinstance(error, FileNotFoundError):
        return MissingFileError(f"{where}: no such file ({error})")
    if isinstance(error, FileExistsError | NotADirectoryError | IsADirectoryError):
        return StoreError(
            f"{where}: a regular file stands where a folder is expected, or the reverse "
            f"({error}); give another --store"
        )
    if isinstance(error, PermissionError) or getattr(error, "errno", None) == errno.EROFS:
        return StoreError(f"{where}: not allowed ({error}); give a --store that can be written")
    if getattr(error, "errno", None) in _FULL:
        return StoreError(
            f"{where}: the disk is full ({error}). {_RESUME}; free some space, or give another "
            "--store, and run the same command again: it goes on with what is missing"
        )
    is_remote_failure = not isinstance(error, OSError) or error.errno is None
    if is_remote_failure or getattr(error, "errno", None) in _PASSING:
        reason = f"{type(error).__name__}: {str(error) or 'no answer in time'}"
        return StoreUnreachableError(
            f"{where}: {reason}. {_RESUME}; once the store answers, the same command goes on"
        )
    return StoreError(f"{where}: {type(error).__name__}: {error}. {_RESUME}")
