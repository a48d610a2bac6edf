"""The peer of srvgg_bench: SRVGGNetCompact in Python torch, random weights, network only. Prints "<format> <frames/s>" lines."""
import json
import sys
import time

import torch

from enhancement_networks import Srvgg

threads, width, height, runs = map(int, sys.argv[1:5])
config = json.load(open(sys.argv[5]))
torch.set_num_threads(threads)

with torch.inference_mode():
    for dtype in (torch.float32, torch.bfloat16):
        for layout, name in ((torch.channels_last, ""), (torch.contiguous_format, "-contiguous")):
            net = Srvgg(config["num_feat"], config["num_conv"], config["upscale"]).to(dtype).to(memory_format=layout)
            x = torch.rand(1, 3, height, width).to(dtype).contiguous(memory_format=layout)
            net(x)
            best = 1e9
            for _ in range(runs):
                start = time.perf_counter()
                net(x)
                best = min(best, time.perf_counter() - start)
            print(f"{str(dtype)[6:]}{name} {1 / best:.3f}", flush=True)
