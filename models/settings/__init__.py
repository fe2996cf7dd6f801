"""The settings of a run: one frozen model per stage; the same object is the flows' parameter."""

from pav.models.settings.base import Settings
from pav.models.settings.engine import EngineSettings, GradeSettings
from pav.models.settings.evaluate import EvaluateSettings
from pav.models.settings.label import LabelSettings
from pav.models.settings.prepare import PolicySettings, PrepareSettings
from pav.models.settings.problems import ProblemSettings
from pav.models.settings.report import ReportSettings
from pav.models.settings.run import RunSettings
from pav.models.settings.runner import RunnerSettings
from pav.models.settings.sample import FormatName, SampleSettings
from pav.models.settings.train import TrainSettings

__all__ = [
    "EngineSettings", "EvaluateSettings", "FormatName", "GradeSettings",
    "LabelSettings", "PolicySettings", "PrepareSettings", "ProblemSettings", "ReportSettings",
    "RunSettings", "RunnerSettings", "SampleSettings", "Settings", "TrainSettings",
]  # fmt: skip
