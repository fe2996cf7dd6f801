-- One row per training and look at it: losses in nats, learning rate.
create table training_runs as

select name, pipeline_seed, step, train_loss, validation_loss, learning_rate, unit_id
from read_parquet($training_runs, union_by_name = true)
order by name, pipeline_seed, unit_id, step
