-- One row per solution that was sampled, or came from a file: those of tree searches are left out.
-- A tree search looks for wrong responses, so that they say nothing of how often a policy is right.
create view sampled_solutions as

select *, policy_name(policy_id) as policy
from solutions
where not is_searched
