"""The work of units that sample: everything that decides the tokens besides policy and noise."""

from typing import Any

from pydantic import ConfigDict

from pav.models.domains import domain_key
from pav.models.settings import RunSettings
from pav.tasks.store.units import Work


class DecodingWork(Work):
    """A unit that samples. `domain` is the domain's key.

    The number type is part of it, as numbers of another width round differently. The batch size is
    not, so that a run that is out of memory goes on with half of it; the manifest has the size.
    """

    domain: str
    dtype: str
    temperature: float
    top_p: float
    max_tokens: int


class Shard(Work):
    """Where a unit of any stage with shards has its problems, and whose pipeline seed it is.

    A shard is a stable hash of the problem. Other parameters of the unit are not looked at.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    split: str
    shard: int
    num_shards: int
    pipeline_seed: int


class ShardWork(DecodingWork, Shard):
    """A unit that samples from one shard of a split's problems."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def decoding_of(settings: RunSettings) -> dict[str, Any]:
    """Return the fields of `DecodingWork` as the settings have them."""
    return {
        "domain": domain_key(settings),
        "dtype": settings.engine.dtype,
        **settings.sample.model_dump(include={"temperature", "top_p", "max_tokens"}),
    }
