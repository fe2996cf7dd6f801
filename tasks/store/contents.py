"""Whether published files hold the bytes that their units published."""

import hashlib
import os
import threading
from pathlib import Path, PurePosixPath

from pav.models.errors import StoreError
from pav.tasks.store.store import Store
from pav.tasks.store.units import DataFile, Manifest

# (path, size, mtime_ns) -> sha256, so that one process hashes each unchanged file once.
_hashes: dict[tuple[str, int, int], str] = {}
_hashes_lock = threading.Lock()


def is_intact(store: Store, manifest: Manifest) -> bool:
    """Tell whether every file is there: by sha256 in a folder, by size on S3."""
    if store.is_local:
        return all(_has_content(Path(store.address(file.path)), file) for file in manifest.files)
    folders = {str(PurePosixPath(*PurePosixPath(file.path).parts[:3])) for file in manifest.files}
    sizes = {path: size for folder in folders for path, size in store.sizes(folder).items()}
    return all(sizes.get(file.path) == file.num_bytes for file in manifest.files)


def _has_content(path: Path, file: DataFile) -> bool:
    try:
        state = os.stat(path)
        key = (str(path), state.st_size, state.st_mtime_ns)
        if state.st_size != file.num_bytes:
            return False
        if key not in _hashes:
            with path.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
            with _hashes_lock:
                _hashes[key] = found
    except OSError:
        return False
    return _hashes[key] == file.sha256


def file_content(store: Store, file: DataFile) -> bytes:
    """Return the bytes of a file; of those on S3 only the size was compared until now."""
    data = store.read_bytes(file.path)
    if not store.is_local and sha256_of(data) != file.sha256:
        raise StoreError(
            f"{store.address(file.path)}: expected the bytes that its unit published (sha256 "
            f"{file.sha256}), got others of that size (sha256 {sha256_of(data)}); remove that "
            "object and run the same command again: the unit is made again"
        )
    return data


def sha256_of(data: bytes) -> str:
    """Return the 64 hex digits by which a file's content is known."""
    return hashlib.sha256(data).hexdigest()
