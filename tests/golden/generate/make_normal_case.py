#!/usr/bin/env python3
"""Makes the case torch_randn: what torch.randn draws from CPU generators, as diffusers' randn_tensor asks for it.
Needs torch, diffusers, safetensors; usage: make_normal_case.py OUT"""
import json
import pathlib
import sys

import torch
from diffusers.utils.torch_utils import randn_tensor
from safetensors.torch import save_file

# Each source: its seeds and the draws that follow one another. Fewer than 16 values, 16 and more, sizes that are no multiple of 16.
SOURCES = [
    ([0], [([1, 4, 8, 8], "float32"), ([1, 3], "float32"), ([1, 4, 8, 8], "float32")]),
    ([42], [([1, 15], "float32"), ([1, 16], "float32"), ([1, 17], "float32"), ([2, 4, 3, 5], "float32")]),
    ([7, 8, 9], [([3, 4, 5, 3], "float32"), ([1, 4, 5, 3], "float32"), ([3, 2], "float32")]),
    ([1234567890123], [([1, 4, 6, 6], "float16"), ([1, 5], "float16"), ([1, 4, 6, 6], "bfloat16"), ([1, 5], "bfloat16")]),
    ([4294967295], [([2, 3, 4, 4], "float32")]),
    ([18446744073709551615], [([1, 20], "float32")]),
]

folder = pathlib.Path(sys.argv[1]) / "torch_randn"
folder.mkdir(parents=True, exist_ok=True)
tensors, sources = {}, []
for s, (seeds, draws) in enumerate(SOURCES):
    signed = [seed - 2**64 if seed >= 2**63 else seed for seed in seeds]
    generators = [torch.Generator().manual_seed(seed) for seed in signed]
    for d, (shape, dtype) in enumerate(draws):
        given = generators if len(generators) > 1 and shape[0] > 1 else generators[0]
        tensors[f"out.{s}.{d}"] = randn_tensor(tuple(shape), generator=given, dtype=getattr(torch, dtype))
    sources.append({"seeds": seeds, "draws": [{"shape": shape, "dtype": dtype} for shape, dtype in draws]})
save_file(tensors, folder / "io.safetensors")
case = {"case": "torch_randn", "kind": "random numbers", "what": "CPU generators by seed, alone and one for each row of a batch.",
        "reference": {"library": "torch", "version": torch.__version__.split("+")[0], "class": "torch.randn"},
        "tolerance": {"atol": 0.0, "rtol": 0.0}, "outputs": {}, "sources": sources}
(folder / "case.json").write_text(json.dumps(case, indent=1) + "\n")
