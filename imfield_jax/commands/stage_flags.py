"""The flags that say how long, how fast and on what each stage trains, and the schedule they make."""

from __future__ import annotations

from absl import flags

from imfield_jax.training.stages import AUTOENCODER, ENCODER, FINETUNE, LOSSES, OPTIMIZERS, Schedule, Stage

_LOSS = flags.DEFINE_enum("loss", "mse", LOSSES, "On occupancy (mse, the paper's) or on logits (bce).")
_RATE = flags.DEFINE_float("learning_rate", 5e-5, "Of each update, after a warm-up.", lower_bound=0.0)
_DECAY = flags.DEFINE_bool(
    "decay",
    False,
    "Let the learning rate fall to zero along a cosine, in the last autoencoder stage and in each stage after it.",
)
_BETA1 = flags.DEFINE_float("beta1", 0.5, "Of Adam.", lower_bound=0.0, upper_bound=1.0)
_OPTIMIZER = flags.DEFINE_enum("optimizer", "adam", OPTIMIZERS, "Muon needs fewer updates; the paper has Adam.")
_AUTOENCODER_STEPS = flags.DEFINE_list(
    "autoencoder_steps", ["5000", "5000", "20000"], "Updates at 16^3, 32^3 and 64^3."
)
_AUTOENCODER_BATCH = flags.DEFINE_integer("autoencoder_batch", 32, "Shapes per update.", lower_bound=1)
_POINTS = flags.DEFINE_integer("points", 4096, "Labelled points per shape and update.", lower_bound=1)
_ENCODER_STEPS = flags.DEFINE_integer("encoder_steps", 20000, "Updates of the image encoder.", lower_bound=0)
_ENCODER_BATCH = flags.DEFINE_integer("encoder_batch", 64, "Views per update.", lower_bound=1)
_FINETUNE_STEPS = flags.DEFINE_integer("finetune_steps", 0, "Updates end to end.", lower_bound=0)
_FINETUNE_BATCH = flags.DEFINE_integer("finetune_batch", 32, "Views per update.", lower_bound=1)
_FINETUNE_POINTS = flags.DEFINE_integer("finetune_points", 2048, "Points per shape and update.", lower_bound=1)
_FINETUNE_RATE = flags.DEFINE_float("finetune_learning_rate", 5e-5, "While finetuning.", lower_bound=0.0)
_LATENT_WEIGHT = flags.DEFINE_float(
    "latent_weight",
    1.0,
    "Of the latent's distance beside the occupancy loss while finetuning.",
    lower_bound=0.0,
)


def schedule() -> Schedule:
    """All stages that have steps. Raises ValueError when none has, or for flags that do not read."""
    try:
        steps = [int(text) for text in _AUTOENCODER_STEPS.value]
    except ValueError:
        steps = []
    if len(steps) != 3 or min(steps) < 0:
        raise ValueError(f"--autoencoder_steps: expected three numbers, found {','.join(_AUTOENCODER_STEPS.value)!r}")
    rate, decay = _RATE.value, _DECAY.value
    counts = dict(zip((16, 32, 64), steps, strict=True))
    last = max((level for level, count in counts.items() if count), default=None)
    stages = [
        Stage(AUTOENCODER, level, count, _AUTOENCODER_BATCH.value, _POINTS.value, rate, decay and level == last)
        for level, count in counts.items()
    ]
    stages.append(Stage(ENCODER, None, _ENCODER_STEPS.value, _ENCODER_BATCH.value, 0, rate, decay))
    stages.append(
        Stage(
            FINETUNE,
            64,
            _FINETUNE_STEPS.value,
            _FINETUNE_BATCH.value,
            _FINETUNE_POINTS.value,
            _FINETUNE_RATE.value,
            decay,
        )
    )
    used = tuple(stage for stage in stages if stage.steps)
    if not used:
        raise ValueError("there is nothing to train: all stages have 0 steps")
    return Schedule(used, _LOSS.value, _BETA1.value, _OPTIMIZER.value, _LATENT_WEIGHT.value)


def check_batches(stages: tuple[Stage, ...], devices: int) -> None:
    """Raises ValueError for a stage whose batch cannot be spread evenly over `devices`."""
    for stage in stages:
        if stage.batch % devices:
            raise ValueError(
                f"{stage.name}: a batch of {stage.batch} cannot be cut into {devices} equal parts, one per device: "
                "choose another batch or --devices=1"
            )
