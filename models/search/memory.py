"""Memory of sampled streams, for many searches of one problem in a row."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pav.models.records import Algorithm, Extend, Prefix, Sample

Result = TypeVar("Result")
# The name of a stream's samples -> the longest list of them that was asked for.
Memory = dict[Hashable, Sequence[Sample]]


def remembered(algorithm: Algorithm[Result], memory: Memory) -> Algorithm[Result]:
    """Advance an algorithm; answer from memory what was sampled under the same name before.

    A stream gives the same samples whenever it is asked, so results are those without memory.
    """
    reply: Any = None
    while True:
        try:
            request = algorithm.send(reply)
        except StopIteration as stop:
            result: Result = stop.value
            return result
        if isinstance(request, Extend):
            reply = yield from _extended(request, memory)
        else:
            reply = yield request


def _extended(request: Extend, memory: Memory) -> Algorithm[tuple[Sequence[Sample], ...]]:
    count = request.num_samples
    names = {prefix: _name(request, prefix) for prefix in request.prefixes}
    missing = tuple(each for each in names if len(memory.get(names[each], ())) < count)
    if missing:
        replies = yield replace(request, prefixes=missing)
        memory.update(
            (names[each], samples) for each, samples in zip(missing, replies, strict=True)
        )
    return tuple(memory[names[prefix]][:count] for prefix in request.prefixes)


def _name(request: Extend, prefix: Prefix) -> Hashable:
    return replace(request, prefixes=(prefix,), num_samples=0)
