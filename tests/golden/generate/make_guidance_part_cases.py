#!/usr/bin/env python3
"""Makes pipe_wan21_guidance_part and pipe_wan22_guidance_part: the tiny models of other cases, guided in a part of the steps as diffusers' guiders
count them (ClassifierFreeGuidance: int(start n) <= step < int(stop n)), by the pipeline's own question whether a step is guided.
Needs torch, diffusers, transformers, ftfy, safetensors; usage: make_guidance_part_cases.py GOLDEN"""
import json
import pathlib
import sys

import diffusers
import numpy as np
import torch
from safetensors.torch import save_file

torch.set_num_threads(1)
golden = pathlib.Path(sys.argv[1])


class Parted(diffusers.WanPipeline):
    part = (0.0, 1.0)

    @property
    def do_classifier_free_guidance(self):
        if getattr(self, "_current_timestep", None) is None:
            return True  # the prompts are being encoded
        times = self.scheduler.timesteps
        step = (times == self._current_timestep).nonzero()[0].item()
        return int(self.part[0] * len(times)) <= step < int(self.part[1] * len(times))


def make(name, source, runs):
    outputs = {}
    for i, (arguments, seed) in enumerate(runs):
        n = "" if i == 0 else str(i)
        pipe = Parted.from_pretrained(golden / source / "model")
        pipe.set_progress_bar_config(disable=True)
        pipe.part = (arguments["guidance_start"], arguments["guidance_end"])
        passes = []
        pipe.transformer.register_forward_hook(lambda *_: passes.append(1))
        steps = []
        given = {k: v for k, v in arguments.items() if k not in ("guidance_start", "guidance_end")}
        video = pipe(**given, generator=torch.Generator().manual_seed(seed), output_type="np",
                     callback_on_step_end=lambda p, k, t, v: steps.append(v["latents"].clone()) or v)[0]
        print(f"{name} {i}: {len(passes)} passes of the (first) transformer")
        arguments.update(seeds=[seed])
        outputs[f"out{n}.latents_per_step"] = (torch.stack(steps), 3e-5)
        outputs[f"out{n}.frames"] = (torch.from_numpy(np.asarray(video)), 2e-5)
    folder = golden / name
    folder.mkdir(exist_ok=True)
    save_file({k: v.contiguous() for k, (v, _) in outputs.items()}, folder / "io.safetensors")
    described = {k: {"shape": list(v.shape), "dtype": "float32", "tolerance": {"atol": s * float(v.abs().max()), "rtol": 1e-5}} for k, (v, s) in outputs.items()}
    (folder / "case.json").write_text(json.dumps({
        "case": name, "kind": "pipeline", "what": "Guidance in a part of the steps.", "model_dir": f"../{source}/model",
        "reference": {"library": "diffusers", "version": diffusers.__version__, "class": "WanPipeline", "torch": torch.__version__.split("+")[0]},
        "inputs": {f"run{i}": run for i, (run, _) in enumerate(runs)}, "outputs": described}, indent=1) + "\n")


wan = {"prompt": "a paper boat in the rain", "negative_prompt": "blurry", "height": 32, "width": 32, "num_frames": 5, "max_sequence_length": 16}
make("pipe_wan21_guidance_part", "pipe_wan21_t2v",
     [(dict(wan, num_inference_steps=5, guidance_scale=4.0, guidance_start=0.0, guidance_end=0.5), 5),
      (dict(wan, num_inference_steps=5, guidance_scale=4.0, guidance_start=0.25, guidance_end=0.8), 6)])
make("pipe_wan22_guidance_part", "pipe_wan22_a14b", [(dict(wan, num_inference_steps=6, guidance_scale=3.0, guidance_start=0.2, guidance_end=0.9), 7)])
