"""How units are carried out: task batches, workers, devices, progress, and Prefect's server."""
