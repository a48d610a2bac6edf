"""The peer of srvgg_bench: SRVGGNetCompact in Python torch, random weights, network only. Prints "<format> <frames/s>" lines."""
import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

threads, width, height, runs = map(int, sys.argv[1:5])
config = json.load(open(sys.argv[5]))
feat, conv, scale = config["num_feat"], config["num_conv"], config["upscale"]
torch.set_num_threads(threads)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        layers = [nn.Conv2d(3, feat, 3, 1, 1), nn.PReLU(feat)]
        for _ in range(conv):
            layers += [nn.Conv2d(feat, feat, 3, 1, 1), nn.PReLU(feat)]
        layers.append(nn.Conv2d(feat, 3 * scale * scale, 3, 1, 1))
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return F.pixel_shuffle(self.body(x), scale) + F.interpolate(x, scale_factor=scale, mode="nearest")


with torch.inference_mode():
    for dtype in (torch.float32, torch.bfloat16):
        for layout, name in ((torch.channels_last, ""), (torch.contiguous_format, "-contiguous")):
            net = Net().to(dtype).to(memory_format=layout)
            x = torch.rand(1, 3, height, width).to(dtype).contiguous(memory_format=layout)
            net(x)
            best = 1e9
            for _ in range(runs):
                start = time.perf_counter()
                net(x)
                best = min(best, time.perf_counter() - start)
            print(f"{str(dtype)[6:]}{name} {1 / best:.3f}", flush=True)
