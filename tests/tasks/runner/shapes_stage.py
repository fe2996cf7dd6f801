"""A stage for tests: multiplies matrices of ever new shapes, and tells what memory that takes."""

from pathlib import Path

from pav.tasks.store.units import Outcome, Output


def open_worker(settings, store, device, progress):
    """Return an executor that meets `warm` shapes, then `shapes` more whose memory it writes."""

    def execute(unit):
        lengths = range(16, 16 + unit.parameters["warm"] + unit.parameters["shapes"])
        multiply(lengths[: unit.parameters["warm"]])
        before = resident_bytes()
        multiply(lengths[unit.parameters["warm"] :])
        return Outcome((Output("note.txt", str(resident_bytes() - before).encode()),))

    return execute


def multiply(lengths):
    import torch

    weights, bias = torch.ones(128, 128), torch.ones(128)
    for length in lengths:
        # The operator that runs oneDNN on every processor; a plain product of float32 does not.
        torch.ops.mkldnn._linear_pointwise(torch.ones(length, 128), weights, bias, "none", [], "")


def resident_bytes():
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) * 1024
