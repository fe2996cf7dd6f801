"""Canonical JSON, content hashes, and random numbers that are a function of their name."""

import hashlib
import json
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

_MASK = (1 << 64) - 1


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def parse_json(text: bytes | str) -> Any:
    """Return the value of a JSON text; ValueError for anything else, however deep it nests."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("JSON that nests too deep") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"JSON has no {name}")


def digest(value: Any, *, length: int = 64) -> str:
    """Return the first `length` hex digits of the sha256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:length]


def stream_key(*parts: str | int) -> int:
    """Return a 64-bit key for a random stream named by its parts."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def bucket(key: str, num_buckets: int) -> int:
    """Return the stable bucket of a key, in [0, num_buckets)."""
    return stream_key("bucket", key) % num_buckets


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The splitmix64 finaliser (Steele, Lea and Flood 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def uniforms(
    streams: NDArray[np.uint64], samples: NDArray[np.uint64], positions: NDArray[np.uint64]
) -> NDArray[np.float64]:
    """Return one number in (0, 1) for each (stream, sample, position), by hashing alone."""
    with np.errstate(over="ignore"):
        keys = _mix(streams + samples * np.uint64(0x9E3779B97F4A7C15))
        bits = _mix(keys ^ _mix(positions + np.uint64(0x9E3779B97F4A7C15)))
    return ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
