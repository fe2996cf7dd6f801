-- One row per training: its last look and its best validation loss, in nats.
select
    name,
    pipeline_seed,
    max(step) as steps,
    arg_max(train_loss, step) as last_train_loss,
    min(validation_loss) as best_validation_loss,
    arg_min(step, validation_loss) as best_step,
    unit_id
from training_runs
group by name, pipeline_seed, unit_id
order by name, pipeline_seed, unit_id
