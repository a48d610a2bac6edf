"""The networks of enhancement in Python torch, for the benchmarks to compare with: parameters have the names of the published checkpoints where a
weight file is shared."""
import torch
import torch.nn.functional as F
from torch import nn


def conv(i, o, stride=1):
    return nn.Conv2d(i, o, 3, stride, 1)


class Srvgg(nn.Module):
    """SRVGGNetCompact."""

    def __init__(self, num_feat, num_conv, upscale):
        super().__init__()
        self.scale = upscale
        layers = [conv(3, num_feat), nn.PReLU(num_feat)]
        for _ in range(num_conv):
            layers += [conv(num_feat, num_feat), nn.PReLU(num_feat)]
        self.body = nn.Sequential(*layers, conv(num_feat, 3 * upscale * upscale))

    def forward(self, x):
        return F.pixel_shuffle(self.body(x), self.scale) + F.interpolate(x, scale_factor=self.scale, mode="nearest")


class Dense(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([conv(64 + 32 * i, 32 if i < 4 else 64) for i in range(5)])

    def forward(self, x):
        found = [x]
        for layer in self.layers[:4]:
            found.append(F.leaky_relu(layer(torch.cat(found, 1)), 0.2, inplace=True))
        return self.layers[4](torch.cat(found, 1)) * 0.2 + x


class Rrdb(nn.Module):
    """RRDBNet of 6 blocks, 4x."""

    def __init__(self):
        super().__init__()
        self.first, self.trunk, self.last = conv(3, 64), conv(64, 64), conv(64, 3)
        self.body = nn.ModuleList([nn.Sequential(Dense(), Dense(), Dense()) for _ in range(6)])
        self.up = nn.ModuleList([conv(64, 64), conv(64, 64)])
        self.hr = conv(64, 64)

    def forward(self, x):
        shallow = deep = self.first(x)
        for block in self.body:
            deep = block(deep) * 0.2 + deep
        y = shallow + self.trunk(deep)
        for up in self.up:
            y = F.leaky_relu(up(F.interpolate(y, scale_factor=2, mode="nearest")), 0.2, inplace=True)
        return self.last(F.leaky_relu(self.hr(y), 0.2, inplace=True))


class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv, self.beta = conv(c, c), nn.Parameter(torch.rand(1, c, 1, 1))

    def forward(self, x):
        return F.leaky_relu(self.conv(x) * self.beta + x, 0.2, inplace=True)


class Block(nn.Module):
    def __init__(self, i, c):
        super().__init__()
        def shrink(i, o):
            return nn.Sequential(conv(i, o, 2), nn.LeakyReLU(0.2, True))
        self.conv0 = nn.Sequential(shrink(i, c // 2), shrink(c // 2, c))
        self.convblock = nn.Sequential(*[Residual(c) for _ in range(8)])
        self.lastconv = nn.Sequential(nn.ConvTranspose2d(c, 52, 4, 2, 1), nn.PixelShuffle(2))

    def forward(self, x, flow, scale):
        x = F.interpolate(x, scale_factor=1 / scale, mode="bilinear")
        if flow is not None:
            x = torch.cat((x, F.interpolate(flow, scale_factor=1 / scale, mode="bilinear") / scale), 1)
        y = F.interpolate(self.lastconv(self.convblock(self.conv0(x))), scale_factor=scale, mode="bilinear")
        return y[:, :4] * scale, y[:, 4:5], y[:, 5:]


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.cnn0, self.cnn1, self.cnn2, self.cnn3 = conv(3, 16, 2), conv(16, 16), conv(16, 16), nn.ConvTranspose2d(16, 4, 4, 2, 1)

    def forward(self, x):
        for layer in (self.cnn0, self.cnn1, self.cnn2):
            x = F.leaky_relu(layer(x), 0.2, inplace=True)
        return self.cnn3(x)


class Rife(nn.Module):
    """IFNet 4.25 at its published size; pictures whose sides are multiples of 64."""

    MULTIPLE, SCALES = 64, (16, 8, 4, 2, 1)

    def __init__(self):
        super().__init__()
        self.encode = Encoder()
        for i, c in enumerate((192, 128, 96, 64, 32)):
            self.add_module(f"block{i}", Block(15 if i == 0 else 28, c))

    @staticmethod
    def grid(width, height):
        """Where each pixel is, -1 to 1, and what a pixel is of that."""
        gx = torch.linspace(-1, 1, width).view(1, 1, 1, -1).expand(1, 1, height, -1)
        gy = torch.linspace(-1, 1, height).view(1, 1, -1, 1).expand(1, 1, -1, width)
        return torch.cat((gx, gy), 1), torch.tensor([(width - 1) / 2, (height - 1) / 2]).view(1, 2, 1, 1)

    def forward(self, a, b, fa, fb, grid, size, moment=0.5):
        """The picture at this moment between a and b, of which the encoder made fa and fb."""
        time_plane = torch.full_like(a[:, :1], moment)

        def warp(x, flow):
            moved = grid + flow / size
            return F.grid_sample(x, moved.permute(0, 2, 3, 1), mode="bilinear", padding_mode="border", align_corners=True)

        wa, wb, wfa, wfb, flow, known = a, b, fa, fb, None, ()
        for i, scale in enumerate(self.SCALES):
            turn, mask, carried = getattr(self, f"block{i}")(torch.cat((wa, wb, wfa, wfb, time_plane) + known, 1), flow, scale)
            flow = turn if flow is None else flow + turn
            known = (mask, carried)
            wa, wb = warp(a, flow[:, :2]), warp(b, flow[:, 2:])
            wfa, wfb = warp(fa, flow[:, :2]), warp(fb, flow[:, 2:])
        share = torch.sigmoid(mask)
        return wa * share + wb * (1 - share)
