"""How units are carried out: leases, worker processes, devices, progress, and Prefect's server."""
