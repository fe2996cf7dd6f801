"""What decides which tokens an engine samples from a prefix, besides the policy and the noise."""

from pydantic import ConfigDict

from pav.tasks.store.units import Work


class DecodingWork(Work):
    """A unit that samples. `domain` is the domain's key; `batch_size` is rows decoded together.

    The batch and the number type are part of it, as sums of another order or width round
    differently.
    """

    domain: str
    dtype: str
    batch_size: int
    temperature: float
    top_p: float
    max_tokens: int


class ShardWork(DecodingWork):
    """A unit that samples from one shard of a split's problems; a shard is a stable hash."""

    split: str
    shard: int
    num_shards: int
    pipeline_seed: int


class Shard(Work):
    """Where a unit of any stage with shards has its problems, and whose pipeline seed it is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    split: str
    shard: int
    num_shards: int
    pipeline_seed: int
