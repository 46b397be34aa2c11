"""Writes the fixture: IM-NET-pytorch's networks, narrow, with random weights, and PyTorch's outputs.

    pip install torch==2.13.0 && python tests/interchange/pytorch/make.py

Layer by layer as described in the docstrings of imfield_jax.models, with the parameter names of IM-NET-pytorch.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

HERE, Z, SLOPE = Path(__file__).parent, 6, 0.02


def leaky(values):
    return nn.functional.leaky_relu(values, SLOPE)


class Encoder(nn.Module):
    def __init__(self, width):
        super().__init__()
        sizes = [1, width, 2 * width, 4 * width, 8 * width]
        for number in range(1, 5):
            conv = nn.Conv3d(sizes[number - 1], sizes[number], 4, stride=2, padding=1, bias=False)
            setattr(self, f"conv_{number}", conv)
            setattr(self, f"in_{number}", nn.InstanceNorm3d(sizes[number]))
        self.conv_5 = nn.Conv3d(sizes[4], Z, 4)

    def forward(self, voxels):
        for number in range(1, 5):
            voxels = leaky(getattr(self, f"in_{number}")(getattr(self, f"conv_{number}")(voxels)))
        return torch.sigmoid(self.conv_5(voxels)).flatten(1)


class Generator(nn.Module):
    def __init__(self, widths):
        super().__init__()
        for number, (a, b) in enumerate(zip((Z + 3, *widths), (*widths, 1), strict=True), start=1):
            setattr(self, f"linear_{number}", nn.Linear(a, b))

    def values(self, points, z):
        values = torch.cat([points, z.expand(len(points), -1)], dim=1)
        for number in range(1, 7):
            values = leaky(getattr(self, f"linear_{number}")(values))
        return self.linear_7(values)

    def forward(self, points, z):
        values = self.values(points, z)
        return torch.max(torch.min(values, values * 0.01 + 0.99), values * 0.01)[:, 0]


class Block(nn.Module):
    def __init__(self, a, b, stride):
        super().__init__()
        self.conv_1, self.bn_1 = nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b)
        self.conv_2, self.bn_2 = nn.Conv2d(b, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b)
        if stride > 1:
            self.conv_s, self.bn_s = nn.Conv2d(a, b, 1, stride, bias=False), nn.BatchNorm2d(b)

    def forward(self, image):
        out = self.bn_2(self.conv_2(leaky(self.bn_1(self.conv_1(image)))))
        return leaky(out + (self.bn_s(self.conv_s(image)) if hasattr(self, "conv_s") else image))


class ImageEncoder(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv_0, self.bn_0 = nn.Conv2d(1, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        sizes = [width, width, width, 2 * width, 2 * width, 4 * width, 4 * width, 8 * width, 8 * width]
        for number in range(1, 9):
            stride = 2 if number in (3, 5, 7) else 1
            setattr(self, f"res_{number}", Block(sizes[number - 1], sizes[number], stride))
        self.conv_9, self.bn_9 = nn.Conv2d(8 * width, 8 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(8 * width)
        self.conv_10 = nn.Conv2d(8 * width, Z, 4)

    def forward(self, view):
        image = leaky(self.bn_0(self.conv_0(1 - view)))
        for number in range(1, 9):
            image = getattr(self, f"res_{number}")(image)
        return torch.sigmoid(self.conv_10(leaky(self.bn_9(self.conv_9(image))))).flatten(1)


def main():
    torch.manual_seed(0)
    generator = Generator((12, 11, 10, 9, 8, 7))
    autoencoder, single_view = nn.Module(), nn.Module()
    autoencoder.encoder, autoencoder.generator = Encoder(2), generator
    single_view.img_encoder, single_view.generator = ImageEncoder(2), generator
    with torch.no_grad():
        for model in (autoencoder, single_view.img_encoder):
            for name, values in (*model.named_parameters(), *model.named_buffers()):
                if values.ndim > 1:
                    nn.init.kaiming_normal_(values)
                elif name.endswith(("bias", "running_mean")):
                    values.normal_(0, 0.2)
                elif name.endswith(("weight", "running_var")):  # of batch normalisation
                    values.uniform_(0.5, 1.5)
        for model in (autoencoder, single_view):
            model.eval()
        voxels = (torch.rand(2, 1, 64, 64, 64) < 0.3).to(torch.uint8)
        views = torch.randint(0, 256, (1, 1, 128, 128), dtype=torch.uint8)
        points = torch.rand(50, 3) - 0.5
        z_voxels, z_views = autoencoder.encoder(voxels.float()), single_view.img_encoder(views / 255)
        generator.linear_7.weight *= 8  # otherwise all points would be inside
        generator.linear_7.bias += 0.5 - generator.values(points, z_voxels[:1]).median()
        field = torch.stack([generator(points, z[None]) for z in z_voxels])
    torch.save(autoencoder.state_dict(), HERE / "IM_AE.model64-0.pth")
    torch.save(single_view.state_dict(), HERE / "IM_SVR.model-0.pth", _use_new_zipfile_serialization=False)
    np.savez_compressed(
        HERE / "outputs.npz",
        voxels=np.packbits(voxels.numpy()[:, 0]),
        views=views.numpy()[:, 0],
        points=points.numpy(),
        z_voxels=z_voxels.numpy(),
        z_views=z_views.numpy(),
        field=field.numpy(),
    )


if __name__ == "__main__":
    main()
