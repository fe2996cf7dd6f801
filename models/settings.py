"""The settings of a run: one frozen model per stage; the same object is the flows' parameter."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

PolicyName = Literal["weak", "base", "strong"]
DomainName = Literal["countdown", "math"]
FormatName = Literal[
    "plain", "math-shepherd", "prm800k", "omegaprm", "omegaprm-tree", "prmbench", "processbench"
]


class Settings(BaseModel):
    """Base of every block: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ProblemSettings(Settings):
    """Which problems, and how they are split."""

    domain: DomainName = "countdown"
    """Family of problems: how questions are shown, responses cut into steps and checked."""
    path: str = ""
    """JSONL, CSV or Parquet file with `question` and `answer`; empty for the embedded hands, which
    only countdown has."""
    target: int = Field(24, ge=1, le=10_000)
    """Number to reach (embedded hands)."""
    highest: int = Field(13, ge=2, le=100)
    """Largest number in a hand (embedded hands)."""
    num_numbers: int = Field(4, ge=2, le=6)
    """Numbers in a hand (embedded hands)."""
    max_train: int = Field(1_000_000, ge=1)
    """Use at most this many training problems, in order of their hash."""
    max_validation: int = Field(1_000_000, ge=1)
    """Use at most this many validation problems, in order of their hash."""
    max_test: int = Field(1_000_000, ge=1)
    """Use at most this many test problems, in order of their hash."""
    prompt: str = "{question}\n"
    """Text that a policy sees before the first step, `{question}` in its place (math)."""
    segmenter: Literal["line", "paragraph", "sentence", "words", "call"] = "line"
    """What a step is (math): a line, a paragraph, a sentence, `step_words` words, or a line inside
    the first function call or fenced block."""
    step_words: int = Field(32, ge=1, le=100_000)
    """Words in one step (math, segmenter `words`)."""
    answer_mark: Literal["any", "hashes", "boxed", "pattern"] = "any"
    """Where the final answer stands (math): after `####`, in the last \\boxed{}, where
    `answer_pattern` says, or `any`: at the last of these."""
    answer_pattern: str = ""
    """Regular expression whose only group is the final answer, such as `^A: (.*)`; ^ and $ match at
    lines (math)."""


class GradeSettings(Settings):
    """The symbolic grader, for answers that their text alone cannot compare."""

    limit_seconds: float = Field(5.0, gt=0, le=3600)
    """Longest time of one verdict, in seconds; then its process is killed and it is `failed`."""
    processes: int = Field(1, ge=1, le=256)
    """Processes that compare answers, for each worker; they start when first needed."""
    memory_mib: int = Field(2048, ge=256)
    """Most memory of one such process, in MiB."""


class EngineSettings(Settings):
    """What decodes and scores."""

    kind: Literal["transformers", "vllm"] = "transformers"
    """Engine; `transformers` runs in this process."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `cuda:N`."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Number type of the weights while decoding and scoring; `auto` is bfloat16 where native."""
    batch_size: int = Field(512, ge=1, le=65_536)
    """Rows decoded together."""
    score_tokens: int = Field(16_384, ge=64)
    """Tokens in one forward pass of a verifier, padding included."""
    python: str = ""
    """Interpreter of the vLLM environment (kind `vllm`)."""


class PrepareSettings(Settings):
    """The three policies: trained from scratch, or local Hugging Face checkpoint folders."""

    base: str = ""
    """Checkpoint folder of the base policy; empty trains the embedded one."""
    weak: str = ""
    """Checkpoint folder of the weak prover; empty takes an earlier one of the embedded policy."""
    strong: str = ""
    """Checkpoint folder of the strong prover; empty takes a later one of the embedded policy."""
    num_layers: int = Field(3, ge=1, le=64)
    """Transformer layers of the embedded policy."""
    hidden_size: int = Field(128, ge=16, le=8192)
    """Width of the embedded policy."""
    intermediate_size: int = Field(384, ge=16)
    """Width of its feed-forward layers."""
    num_heads: int = Field(4, ge=1)
    """Attention heads."""
    weak_steps: int = Field(500, ge=1)
    """Optimiser steps after which the weak prover is kept."""
    base_steps: int = Field(1000, ge=1)
    """Optimiser steps after which the base policy is kept."""
    strong_steps: int = Field(1500, ge=1)
    """Optimiser steps in all; the strong prover is the last checkpoint."""
    batch_size: int = Field(64, ge=1)
    """Solver paths in one optimiser step."""
    learning_rate: float = Field(2e-3, gt=0, lt=1)
    """Highest learning rate of AdamW."""
    warmup_steps: int = Field(50, ge=0)
    """Steps of linear warm-up; cosine decay to zero follows."""
    save_every: int = Field(200, ge=1)
    """Optimiser steps between two saved training states."""
    seed: int = 0
    """Seed of initialisation and of the order of paths."""


class SampleSettings(Settings):
    """Solutions to be labelled."""

    path: str = ""
    """File of solutions to label as they are, instead of sampling any; empty samples."""
    format: FormatName = "plain"
    """Format of that file; plain rows have `question`, `response` and as known `answer`."""
    num_train: int = Field(4, ge=1)
    """n_cov: solutions of the base for each training problem."""
    num_validation: int = Field(2, ge=1)
    """Solutions of the base for each validation problem (early stopping, calibration)."""
    num_test: int = Field(1, ge=0)
    """Solutions of the base for each test problem (reported calibration; never trained on)."""
    num_from_provers: int = Field(0, ge=0)
    """Solutions of each prover for each training problem, labelled like the base's."""
    temperature: float = Field(1.0, gt=0, le=5)
    """Sampling temperature of every policy."""
    top_p: float = Field(1.0, gt=0, le=1)
    """Nucleus of every policy's sampling."""
    max_tokens: int = Field(64, ge=1)
    """Longest response, in tokens."""
    num_shards: int = Field(8, ge=1, le=10_000)
    """Buckets of problems; one unit of work each."""


class LabelSettings(Settings):
    """Monte Carlo labels."""

    planner: Literal["exhaustive", "first_pit", "binary_search", "tree_search", "adaptive"] = (
        "exhaustive"
    )
    """Which prefixes are rolled out, and how often: all the same number of times; up to the first
    pit; halving to the first error, in the sampled solutions or in a tree of rollouts; or until
    each prefix's own counts are enough (with a `budget`: where it buys most)."""
    num_rollouts: int = Field(16, ge=1)
    """n_mc: rollouts of the base from a prefix that is estimated; `adaptive`: at most so many."""
    num_prover_rollouts: int = Field(8, ge=0)
    """The same for each prover, from every distinct prefix it labels; 0: provers do not label."""
    block_size: int = Field(8, ge=1)
    """Rollouts in one block; every number of rollouts here is rounded up to whole blocks."""
    provers: tuple[Literal["weak", "strong"], ...] = ("weak", "strong")
    """Provers that label besides the base."""
    prover_shards: int = Field(1_000_000, ge=0)
    """Buckets of training problems that the provers label (the first ones)."""
    search_rollouts: int = Field(8, ge=1)
    """Rollouts of a prefix while looking for a first error (`first_pit`: on its walk)."""
    pilot_rollouts: int = Field(8, ge=1)
    """Rollouts of a prefix while `first_pit` looks for where to start its walk."""
    high_value: float = Field(0.0, ge=0, lt=1)
    """`first_pit` starts at the first prefix with a larger share of right pilot rollouts; the paper
    does not publish its threshold."""
    pit_rollouts: int = Field(0, ge=0)
    """Fresh rollouts of the prefix that a search ends at; 0 means `num_rollouts`."""
    num_searches: int = Field(16, ge=1)
    """Binary searches of one problem at most (`tree_search`)."""
    search_alpha: float = Field(0.5, gt=0, le=1)
    """`tree_search` prefers rollouts of nodes of high value by alpha^(1 - value)."""
    search_beta: float = Field(0.9, gt=0, le=1)
    """`tree_search` prefers short rollouts by beta^(tokens / search_length)."""
    search_length: float = Field(500.0, gt=0)
    """Length of a rollout, in tokens, at which `search_beta` counts once."""
    search_puct: float = Field(0.125, ge=0)
    """Weight of rarely searched nodes (`tree_search`)."""
    goal: Literal["values", "first_error"] = "values"
    """What `adaptive` wants: every prefix's value, or where a wrong solution's value becomes 0."""
    width: float = Field(0.3, ge=0, lt=1)
    """`adaptive` stops a prefix when its confidence sequence is so narrow; 0: not asked."""
    threshold: float = Field(0.0, ge=0, lt=1)
    """`adaptive` stops a prefix when its confidence sequence lies on one side of this value; 0: not
    asked. For `first_error`: below it a prefix without a right rollout is an error."""
    confidence: float = Field(0.95, gt=0.5, lt=1)
    """Coverage of those confidence sequences, over all looks together."""
    budget: float = Field(0.0, ge=0)
    """What `adaptive` may spend on one pipeline seed, in `budget_unit`; 0: no common budget."""
    budget_unit: Literal["rollouts", "tokens", "minutes"] = "rollouts"
    """Unit of the budget; generated tokens and minutes are turned into rollouts by a pilot."""
    rounds: int = Field(4, ge=1, le=100)
    """Rounds in which the budget is spent: a first block everywhere, then by expected gain."""


class TrainSettings(Settings):
    """Verifiers."""

    steps: int = Field(1500, ge=1)
    """Most optimiser steps of the ORM and of the Q network."""
    prover_steps: int = Field(600, ge=1)
    """Most optimiser steps of each prover's Q network."""
    batch_size: int = Field(128, ge=1)
    """Solutions in one optimiser step."""
    learning_rate: float = Field(1e-3, gt=0, lt=1)
    """Highest learning rate of AdamW."""
    warmup_steps: int = Field(50, ge=0)
    """Steps of linear warm-up; cosine decay follows."""
    weight_decay: float = Field(0.01, ge=0)
    """AdamW's weight decay."""
    eval_every: int = Field(150, ge=1)
    """Optimiser steps between two looks at the validation loss (and two saved states)."""
    patience: int = Field(5, ge=1)
    """Looks without improvement after which training stops; the best checkpoint is kept."""
    targets: Literal["counts", "passing"] = "passing"
    """`counts`: each prefix's own rollouts; `passing`: also every rollout as a one-sample target
    of each later prefix it passes through."""
    balance: bool = False
    """Draw values under and over 0.5 equally often, with inverse weights in the loss."""
    rephrase: float = Field(0.5, ge=0, le=1)
    """Share of solutions shown under another prompt that asks the same problem (countdown: the
    hand in another order)."""
    heads: Literal["separate", "shared"] = "separate"
    """Networks of their own for the provers, or heads of one network."""
    compare_targets: bool = False
    """Train the Q network on both kinds of targets and report both."""


class EvaluateSettings(Settings):
    """Search on held-out problems."""

    num_samples: tuple[int, ...] = (1, 4, 16, 64)
    """Candidates: solutions for best-of-N, candidates per step over the whole beam."""
    best_of_k: tuple[int, ...] = (2, 4, 8, 16)
    """K of the BoK provers."""
    main_k: int = Field(4, ge=1)
    """The K that the claims are made for."""
    alphas: tuple[float, ...] = (0.1, 0.3, 0.5, 0.7, 1.0)
    """Grid of alpha, tried on validation problems only."""
    alpha_num_samples: int = Field(16, ge=1)
    """Candidates while alpha is chosen."""
    prover_value: Literal["formula", "head"] = "formula"
    """BoK value: 1 - (1 - Q)^K of the Q network, or a trained head."""
    beam_width: int = Field(0, ge=0)
    """Beams kept at each step; 0 means num_samples // 4."""
    paper_beam: bool = False
    """Also run beams by the paper's count: N kept, three steps sampled of each."""
    final_pick: Literal["validation", "q_last", "q_product", "orm", "q_likely", "orm_likely"] = (
        "validation"
    )
    """Which score picks among finished beams; `validation` chooses on validation problems."""
    search_seeds: int = Field(3, ge=1)
    """Search seeds of the main arms: ORM, beam on Q and beam on Q + alpha A with main_k."""
    other_seeds: int = Field(1, ge=0)
    """Search seeds of every other arm."""


class ReportSettings(Settings):
    """Intervals and figures."""

    num_resamples: int = Field(10_000, ge=100)
    """Bootstrap resamples over problems."""
    confidence: float = Field(0.95, gt=0.5, lt=1)
    """Nominal coverage of every interval."""
    num_examples: int = Field(3, ge=0)
    """Worked examples shown."""


class RunnerSettings(Settings):
    """How units become Prefect tasks."""

    workers: int = Field(1, ge=1, le=256)
    """Leases that run at the same time; each holds one engine."""
    retries: int = Field(2, ge=0)
    """Retries of a lease after a failure that may pass."""
    retry_seconds: float = Field(2.0, ge=0)
    """Wait before the first retry; it doubles each time."""
    timeout_seconds: float = Field(7200, gt=0)
    """Longest time of a lease."""
    device_hour_price: float = Field(0.0, ge=0)
    """Price of one device-hour, in any currency; 0 hides prices."""


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
    pipeline_seeds: tuple[int, ...] = (0,)
    """Seeds of the whole: labels, verifiers and search are redrawn for each."""
