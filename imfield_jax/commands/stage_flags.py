"""The flags of the training schedule; their defaults are those of car.flags."""

from __future__ import annotations

import dataclasses

from absl import flags

from imfield_jax.training.stages import AUTOENCODER, ENCODER, FINETUNE, LOSSES, OPTIMIZERS, Schedule, Stage

LOSS = flags.DEFINE_enum(
    "loss",
    "bce",
    LOSSES,
    "Cross-entropy of logits (bce), the paper's squared error of occupancy (mse), or soft intersection over union "
    "(iou), to finetune networks that see one image.",
)
RATE = flags.DEFINE_float("learning_rate", 4e-3, "Learning rate after warm-up.", lower_bound=0.0)
DECAY = flags.DEFINE_bool(
    "decay",
    True,
    "Decay the learning rate to zero along a cosine, in the last autoencoder stage and in each stage after it.",
)
BETA1 = flags.DEFINE_float("beta1", 0.9, "Adam's beta1; 0.5 in the paper.", lower_bound=0.0, upper_bound=1.0)
OPTIMIZER = flags.DEFINE_enum("optimizer", "muon", OPTIMIZERS, "Muon needs fewer updates; the paper uses Adam.")
AUTOENCODER_STEPS = flags.DEFINE_list(
    "autoencoder_steps", ["50", "50", "2500"], "Updates of the autoencoder on points of the 16^3, 32^3 and 64^3 grids."
)
AUTOENCODER_BATCH = flags.DEFINE_integer("autoencoder_batch", 16, "Shapes per autoencoder update.", lower_bound=1)
POINTS = flags.DEFINE_integer("points", 1024, "Labelled points per shape in an autoencoder update.", lower_bound=1)
ENCODER_STEPS = flags.DEFINE_integer("encoder_steps", 800, "Updates of the image encoder.", lower_bound=0)
ENCODER_BATCH = flags.DEFINE_integer("encoder_batch", 32, "Views per update of the image encoder.", lower_bound=1)
FINETUNE_STEPS = flags.DEFINE_integer(
    "finetune_steps", 400, "Updates of image encoder and decoder together.", lower_bound=0
)
FINETUNE_BATCH = flags.DEFINE_integer("finetune_batch", 16, "Views per update while finetuning.", lower_bound=1)
FINETUNE_POINTS = flags.DEFINE_integer("finetune_points", 1024, "Points per shape while finetuning.", lower_bound=1)
FINETUNE_WHOLE = flags.DEFINE_bool(
    "finetune_whole",
    False,
    "Finetune on as many points of the whole cube again; without them, all points are near the surface.",
)
FINETUNE_DECODER = flags.DEFINE_bool(
    "finetune_decoder", True, "Finetune the decoder too; without, the autoencoder stays as it is."
)
FINETUNE_RATE = flags.DEFINE_float("finetune_learning_rate", 2e-4, "Learning rate while finetuning.", lower_bound=0.0)
EXTEND = flags.DEFINE_list(
    "extend",
    [],
    "Updates to append to the last stage, also after the run has finished; warm-up and decay start again. To extend "
    "once more, list all extensions, as in --extend=200,400. To train all stages for longer, start a new run with "
    "--init_from=<this run>.",
)
LATENT_WEIGHT = flags.DEFINE_float(
    "latent_weight",
    1.0,
    "Weight of the distance to the autoencoder's latent, added to the occupancy loss while finetuning.",
    lower_bound=0.0,
)


def schedule() -> Schedule:
    """All stages that have steps. Raises ValueError when none has, or for malformed flags."""
    try:
        steps = [int(text) for text in AUTOENCODER_STEPS.value]
    except ValueError:
        steps = []
    if len(steps) != 3 or min(steps) < 0:
        raise ValueError(f"--autoencoder_steps: expected three numbers, found {','.join(AUTOENCODER_STEPS.value)!r}")
    rate, decay = RATE.value, DECAY.value
    counts = dict(zip((16, 32, 64), steps, strict=True))
    last = max((level for level, count in counts.items() if count), default=None)
    stages = [
        Stage(AUTOENCODER, level, count, AUTOENCODER_BATCH.value, POINTS.value, rate, decay and level == last)
        for level, count in counts.items()
    ]
    stages.append(Stage(ENCODER, None, ENCODER_STEPS.value, ENCODER_BATCH.value, 0, rate, decay))
    stages.append(
        Stage(
            FINETUNE,
            64,
            FINETUNE_STEPS.value,
            FINETUNE_BATCH.value,
            FINETUNE_POINTS.value,
            FINETUNE_RATE.value,
            decay,
            whole=FINETUNE_WHOLE.value,
            decoder=FINETUNE_DECODER.value,
        )
    )
    used = tuple(stage for stage in stages if stage.steps)
    if not used:
        raise ValueError("there is nothing to train: all stages have 0 steps")
    used += tuple(
        dataclasses.replace(used[-1], steps=count, round=number) for number, count in enumerate(_extensions(), start=2)
    )
    return Schedule(used, LOSS.value, BETA1.value, OPTIMIZER.value, LATENT_WEIGHT.value)


def _extensions() -> list[int]:
    try:
        counts = [int(text) for text in EXTEND.value]
    except ValueError:
        counts = [0]
    if any(count < 1 for count in counts):
        raise ValueError(f"--extend: expected numbers of updates, found {','.join(EXTEND.value)!r}")
    return counts


def check_batches(stages: tuple[Stage, ...], devices: int) -> None:
    """Raises ValueError for a stage whose batch cannot be spread evenly over `devices`."""
    for stage in stages:
        if stage.batch % devices:
            raise ValueError(
                f"{stage.name}: a batch of {stage.batch} cannot be split evenly over {devices} devices: "
                "choose another batch or --devices"
            )


GROUPS = {
    "Stages": [
        AUTOENCODER_STEPS,
        AUTOENCODER_BATCH,
        POINTS,
        ENCODER_STEPS,
        ENCODER_BATCH,
        FINETUNE_STEPS,
        FINETUNE_BATCH,
        FINETUNE_POINTS,
        FINETUNE_WHOLE,
        FINETUNE_DECODER,
        LATENT_WEIGHT,
        EXTEND,
    ],
    "Optimizer": [OPTIMIZER, RATE, FINETUNE_RATE, DECAY, BETA1, LOSS],
}
