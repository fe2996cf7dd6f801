"""Everything that a run depends on."""

from typing import Annotated

from pav.models.settings.base import LARGEST_SEED, Settings, distinct_numbers
from pav.models.settings.engine import EngineSettings, GradeSettings
from pav.models.settings.evaluate import EvaluateSettings
from pav.models.settings.label import LabelSettings
from pav.models.settings.prepare import PrepareSettings
from pav.models.settings.problems import ProblemSettings
from pav.models.settings.report import ReportSettings
from pav.models.settings.runner import RunnerSettings
from pav.models.settings.sample import SampleSettings
from pav.models.settings.train import TrainSettings


class RunSettings(Settings):
    """Everything that a run depends on."""

    problems: ProblemSettings = ProblemSettings()
    grade: GradeSettings = GradeSettings()
    engine: EngineSettings = EngineSettings()
    prepare: PrepareSettings = PrepareSettings()
    sample: SampleSettings = SampleSettings()
    label: LabelSettings = LabelSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    report: ReportSettings = ReportSettings()
    runner: RunnerSettings = RunnerSettings()
    pipeline_seeds: Annotated[tuple[int, ...], distinct_numbers(0, LARGEST_SEED)] = (0,)
    """Seeds of the whole: labels, verifiers and search are redrawn for each."""
