"""The peer of enhance_bench: RRDBNet (6 blocks, 4x) and IFNet 4.25 in Python torch, random weights, network only, float32. Prints
"<network>-<layout> <pictures/s>" lines."""
import sys
import time

import torch

from enhancement_networks import Rife, Rrdb

threads, runs, rrdb_width, rrdb_height, rife_width, rife_height = map(int, sys.argv[1:7])
torch.set_num_threads(threads)


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
        grid, size = Rife.grid(rife_width, rife_height)
        fa = net.encode(a)
        print(f"rife-{name} {rate(lambda: net(a, b, fa, net.encode(b), grid, size)):.4f}", flush=True)
