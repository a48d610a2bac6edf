#!/usr/bin/env python3
"""Makes pipe_wan21_step_cache, pipe_wan22_step_cache and pipe_ltx_step_cache: the tiny models of other cases with diffusers' first-block cache, at
thresholds that leave out the later blocks of some passes and not of others (how many is told).
Needs torch, diffusers, transformers, ftfy, safetensors; usage: make_step_cache_cases.py GOLDEN"""
import json
import pathlib
import sys

import diffusers
import numpy as np
import torch
from diffusers.hooks import FirstBlockCacheConfig
from safetensors.torch import save_file

torch.set_num_threads(1)
golden = pathlib.Path(sys.argv[1])


def passes(transformers):
    """Counts the passes and those that ran the last block."""
    counts = {"all": 0, "whole": 0}

    def count(key):
        return lambda *_: counts.__setitem__(key, counts[key] + 1)

    for transformer in transformers:
        blocks = transformer.blocks if hasattr(transformer, "blocks") else transformer.transformer_blocks
        blocks[0].attn1.register_forward_hook(count("all"))
        blocks[-1].attn1.register_forward_hook(count("whole"))
    return counts


def make(name, source, cls, runs):
    outputs, tensors = {}, {}
    for i, (arguments, seed) in enumerate(runs):
        n = "" if i == 0 else str(i)
        pipe = cls.from_pretrained(golden / source / "model")
        pipe.set_progress_bar_config(disable=True)
        transformers = [t for t in (pipe.transformer, getattr(pipe, "transformer_2", None)) if t is not None]
        counts = passes(transformers)
        for transformer in transformers:
            transformer.enable_cache(FirstBlockCacheConfig(threshold=arguments["step_cache"]))
        steps = []
        given = {k: v for k, v in arguments.items() if k != "step_cache"}
        video = pipe(**given, generator=torch.Generator().manual_seed(seed), output_type="np",
                     callback_on_step_end=lambda p, k, t, v: steps.append(v["latents"].clone()) or v)[0]
        print(f"{name} {i}: {counts['whole']} of {counts['all']} passes were whole")
        assert 0 < counts["whole"] < counts["all"]
        arguments.update(seeds=[seed], reused_passes=counts["all"] - counts["whole"])
        outputs[f"out{n}.latents_per_step"] = (torch.stack(steps), 3e-5)
        outputs[f"out{n}.frames"] = (torch.from_numpy(np.asarray(video)), 2e-5)
    folder = golden / name
    folder.mkdir(exist_ok=True)
    save_file({**tensors, **{k: v.contiguous() for k, (v, _) in outputs.items()}}, folder / "io.safetensors")
    described = {k: {"shape": list(v.shape), "dtype": "float32", "tolerance": {"atol": s * float(v.abs().max()), "rtol": 1e-5}} for k, (v, s) in outputs.items()}
    (folder / "case.json").write_text(json.dumps({
        "case": name, "kind": "pipeline", "what": "Passes that take what the later blocks add from an earlier step.", "model_dir": f"../{source}/model",
        "reference": {"library": "diffusers", "version": diffusers.__version__, "class": cls.__name__, "torch": torch.__version__.split("+")[0]},
        "inputs": {f"run{i}": run for i, (run, _) in enumerate(runs)}, "outputs": described}, indent=1) + "\n")


wan = {"prompt": "a paper boat in the rain", "negative_prompt": "blurry", "height": 32, "width": 32, "num_frames": 5, "max_sequence_length": 16}
make("pipe_wan21_step_cache", "pipe_wan21_t2v", diffusers.WanPipeline,
     [(dict(wan, num_inference_steps=16, guidance_scale=4.0, step_cache=0.2), 5), (dict(wan, num_inference_steps=12, guidance_scale=1.0, step_cache=0.3), 6)])
make("pipe_wan22_step_cache", "pipe_wan22_a14b", diffusers.WanPipeline, [(dict(wan, num_inference_steps=16, guidance_scale=3.0, step_cache=0.2), 7)])
make("pipe_ltx_step_cache", "pipe_ltx_090", diffusers.LTXPipeline,
     [({"prompt": "a paper boat in the rain", "height": 32, "width": 32, "num_frames": 9, "max_sequence_length": 16, "frame_rate": 25, "num_inference_steps": 16, "guidance_scale": 3.0,
        "step_cache": 0.2}, 8)])
