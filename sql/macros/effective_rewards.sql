-- One row per step of a solution of the base, as progress: with Q of the base + alpha * advantage.
create macro effective_rewards(base, prover, k, alpha) as table

select
    steps.*,
    steps.base_value + alpha * steps.advantage as effective_reward
from progress(base, prover, k) as steps
