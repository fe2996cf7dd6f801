"""Greedy search: sample a few next steps, take the one of the highest reward, go on from there."""

from greedy_settings import GreedySettings

from pav.models.planners.rollouts import full_response
from pav.models.records import Extend, Grade, Score
from pav.models.search.arms import Arm, alpha_of, final_picks, prover
from pav.models.search.results import SearchCost, SearchResult
from pav.models.search.rewards import BASE_VERIFIER, effective_reward
from pav.models.search.strategies import Strategy


def arms(settings):
    """Return greedy search on Q, and on Q + alpha A under the main prover."""
    seeds = settings.evaluate.other_seeds
    main = f"bo{settings.evaluate.main_k}"
    return {Arm("greedy", "q", "", 1): seeds, Arm("greedy", "pav", main, 1): seeds}


def greedy(root, *, arm, sampling, options):
    """Search from the bare problem."""
    num_each = options.knobs["greedy"]["num_each"]
    measured, alpha = prover(arm.prover, options), alpha_of(arm)
    here, cost, num_tokens = root, SearchCost(), 0
    while not here.is_finished and num_tokens < sampling.max_tokens:
        [samples] = yield Extend(
            sampling.policy, (here,), num_each, "step", sampling.max_tokens, "search", sampling.seed
        )
        cost.add_candidates([sample.num_tokens for sample in samples])
        prefixes = [full_response(here, sample) for sample in samples]
        scores = yield Score(BASE_VERIFIER, tuple(prefixes))
        cost.add_scored(BASE_VERIFIER, [num_tokens + sample.num_tokens for sample in samples])
        rewards = [effective_reward(q, q, prover=measured, alpha=alpha) for q in scores]
        best = rewards.index(max(rewards))
        here, num_tokens = prefixes[best], num_tokens + samples[best].num_tokens
    if not here.is_finished:
        return SearchResult((), (), {}, cost, 1)
    gradings = yield Grade((here,))
    return SearchResult((here,), tuple(gradings), dict.fromkeys(final_picks(options), 0), cost)


STRATEGY = Strategy(title="greedy", arms=arms, search=greedy, knobs=GreedySettings)
