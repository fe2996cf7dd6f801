"""Everything that a run depends on."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from pav.models.settings.base import LARGEST_SEED, Settings, distinct_numbers
from pav.models.settings.engine import EngineSettings, GradeSettings
from pav.models.settings.evaluate import EvaluateSettings
from pav.models.settings.label import LabelSettings
from pav.models.settings.plugins import PluginBlocks, plugin_blocks
from pav.models.settings.prepare import PrepareSettings
from pav.models.settings.problems import ProblemSettings
from pav.models.settings.report import ReportSettings
from pav.models.settings.runner import RunnerSettings
from pav.models.settings.sample import SampleSettings
from pav.models.settings.train import TrainSettings

# A plug-in's module of settings imports `pav.models.settings.base` and nothing else of pav.
if TYPE_CHECKING:
    PluginSettings = PluginBlocks
else:
    PluginSettings = plugin_blocks()


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
    plugins: PluginSettings = Field(default_factory=PluginSettings)
    pipeline_seeds: Annotated[tuple[int, ...], distinct_numbers(0, LARGEST_SEED)] = (0,)
    """Seeds of the whole: labels, verifiers and search are redrawn for each."""
