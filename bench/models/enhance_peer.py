"""The peer of enhance_bench: RRDBNet (6 blocks, 4x) and IFNet 4.25 in Python torch, random weights, network only, float32. Prints
"<network>-<layout> <pictures/s>" lines."""
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

threads, runs, rrdb_width, rrdb_height, rife_width, rife_height = map(int, sys.argv[1:7])
torch.set_num_threads(threads)


def conv(i, o, stride=1):
    return nn.Conv2d(i, o, 3, stride, 1)


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
        act = nn.LeakyReLU(0.2, True)
        self.body = nn.Sequential(conv(i, c // 2, 2), act, conv(c // 2, c, 2), act, *[Residual(c) for _ in range(8)],
                                  nn.ConvTranspose2d(c, 52, 4, 2, 1), nn.PixelShuffle(2))

    def forward(self, x, flow, scale):
        x = F.interpolate(x, scale_factor=1 / scale, mode="bilinear")
        if flow is not None:
            x = torch.cat((x, F.interpolate(flow, scale_factor=1 / scale, mode="bilinear") / scale), 1)
        y = F.interpolate(self.body(x), scale_factor=scale, mode="bilinear")
        return y[:, :4] * scale, y[:, 4:5], y[:, 5:]


class Rife(nn.Module):
    def __init__(self):
        super().__init__()
        act = nn.LeakyReLU(0.2, True)
        self.encode = nn.Sequential(conv(3, 16, 2), act, conv(16, 16), act, conv(16, 16), act, nn.ConvTranspose2d(16, 4, 4, 2, 1))
        self.blocks = nn.ModuleList([Block(15 if i == 0 else 28, c) for i, c in enumerate((192, 128, 96, 64, 32))])

    def forward(self, a, b, fa, grid, size):
        fb = self.encode(b)
        time_plane = torch.full_like(a[:, :1], 0.5)

        def warp(x, flow):
            moved = grid + flow / size
            return F.grid_sample(x, moved.permute(0, 2, 3, 1), mode="bilinear", padding_mode="border", align_corners=True)

        wa, wb, wfa, wfb, flow, known = a, b, fa, fb, None, ()
        for block, scale in zip(self.blocks, (16, 8, 4, 2, 1)):
            turn, mask, carried = block(torch.cat((wa, wb, wfa, wfb, time_plane) + known, 1), flow, scale)
            flow = turn if flow is None else flow + turn
            known = (mask, carried)
            wa, wb = warp(a, flow[:, :2]), warp(b, flow[:, 2:])
            wfa, wfb = warp(fa, flow[:, :2]), warp(fb, flow[:, 2:])
        share = torch.sigmoid(mask)
        return wa * share + wb * (1 - share)


def rate(work):
    work()
    best = 1e9
    for _ in range(runs):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return 1 / best


with torch.inference_mode():
    for layout, name in ((torch.contiguous_format, "contiguous"), (torch.channels_last, "channels-last")):
        net = Rrdb().to(memory_format=layout)
        x = torch.rand(1, 3, rrdb_height, rrdb_width).contiguous(memory_format=layout)
        print(f"rrdb-{name} {rate(lambda: net(x)):.4f}", flush=True)
        net = Rife().to(memory_format=layout)
        a, b = (torch.rand(1, 3, rife_height, rife_width).contiguous(memory_format=layout) for _ in range(2))
        gx = torch.linspace(-1, 1, rife_width).view(1, 1, 1, -1).expand(1, 1, rife_height, -1)
        gy = torch.linspace(-1, 1, rife_height).view(1, 1, -1, 1).expand(1, 1, -1, rife_width)
        grid = torch.cat((gx, gy), 1)
        size = torch.tensor([(rife_width - 1) / 2, (rife_height - 1) / 2]).view(1, 2, 1, 1)
        fa = net.encode(a)
        print(f"rife-{name} {rate(lambda: net(a, b, fa, grid, size)):.4f}", flush=True)
