"""The stages of training, in the paper's order, and their settings.

(1) `autoencoder_16`, `_32`, `_64`: voxel encoder and decoder on points of increasing resolution.
(2) `encoder`: the image encoder regresses the latents of the frozen autoencoder.
(3) `finetune` (ours): image encoder and decoder end to end on the occupancy of points.
"""

from __future__ import annotations

import dataclasses
import itertools

AUTOENCODER, ENCODER, FINETUNE, MATTING = "autoencoder", "encoder", "finetune", "matting"
LOSSES = ("mse", "bce", "iou")
ADAM, MUON = OPTIMIZERS = ("adam", "muon")
TRAINED = {
    AUTOENCODER: ("decoder", "voxel_encoder"),
    ENCODER: ("image_encoder",),
    FINETUNE: ("image_encoder", "decoder"),
}


@dataclasses.dataclass(frozen=True)
class Stage:
    """One stage.

    kind:   AUTOENCODER, ENCODER or FINETUNE; MATTING in the training of a matting network.
    level:  16, 32 or 64, the sampling level of its points; None where no points are needed.
    steps:  updates.   batch: shapes per update.   points: labelled points per shape.
    learning_rate: after a short warm-up; `decay` reduces it to zero along a cosine.
    whole:  with as many points of the coarsest level, which are everywhere in the cube; others are near the surface.
    decoder: whether finetuning changes the decoder, too; otherwise the autoencoder stays as it is.
    round:  above 1 in a stage that extends the stage before it, with a fresh optimizer.
    """

    kind: str
    level: int | None
    steps: int
    batch: int
    points: int
    learning_rate: float
    decay: bool
    round: int = 1
    whole: bool = False
    decoder: bool = True

    @property
    def trained(self) -> tuple[str, ...]:
        """The networks that the stage changes."""
        return tuple(name for name in TRAINED[self.kind] if self.decoder or name != "decoder")

    @property
    def name(self) -> str:
        """Unique within a schedule: "autoencoder_16", "encoder", "finetune", and "finetune_round2" of an extension."""
        name = f"{self.kind}_{self.level}" if self.kind == AUTOENCODER else self.kind
        return name if self.round == 1 else f"{name}_round{self.round}"


@dataclasses.dataclass(frozen=True)
class Schedule:
    """All stages of a run, and their common settings.

    loss:  of occupancy, see `losses.occupancy_loss`; "mse" is the paper's.
    beta1: Adam's; 0.5 in IM-NET.
    optimizer: "adam" (the paper's), or "muon" (Jordan et al. 2024), which turns the momentum of every
           weight matrix into the nearest orthogonal one and leaves biases, scales and single-output layers to Adam.
    latent_weight: weight of the distance to the autoencoder's latent beside the occupancy loss while finetuning.
    """

    stages: tuple[Stage, ...]
    loss: str = "mse"
    beta1: float = 0.5
    optimizer: str = ADAM
    latent_weight: float = 1.0

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ValueError(f"loss: expected one of {', '.join(LOSSES)}, found {self.loss!r}")
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer: expected one of {', '.join(OPTIMIZERS)}, found {self.optimizer!r}")

    @property
    def ends(self) -> tuple[int, ...]:
        """The number of updates of the run at the end of each stage."""
        return tuple(itertools.accumulate(stage.steps for stage in self.stages))

    def locate(self, step: int) -> int:
        """The index of the stage that update number `step` belongs to (the first for 0), whose state was saved then."""
        return next(number for number, end in enumerate(self.ends) if step <= end)
