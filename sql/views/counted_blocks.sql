-- One row per block that counts in its label (prefix and policy).
create view counted_blocks as

with

best as (

    select prefix_id, policy_id, min(label_class(stopping_rule)) as class
    from label_blocks
    group by prefix_id, policy_id

)

select label_blocks.*, policy_name(label_blocks.policy_id) as policy
from label_blocks
inner join best using (prefix_id, policy_id)
where label_class(label_blocks.stopping_rule) = best.class
