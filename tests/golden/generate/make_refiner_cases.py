#!/usr/bin/env python3
"""Makes pipe_sdxl_base_end and pipe_sdxl_refiner: the first share of the steps by the tiny SDXL of pipe_sdxl, its latents, and the rest of the
steps by a tiny refiner (no first text encoder, an aesthetic score in the time ids) that shares its other parts.
Needs torch, diffusers, transformers, safetensors; usage: make_refiner_cases.py GOLDEN"""
import json
import pathlib
import sys

import diffusers
import numpy as np
import torch
from safetensors.torch import save_file

torch.set_num_threads(1)
golden = pathlib.Path(sys.argv[1])
model = golden / "pipe_sdxl/model"


def case(name, what, cls, model_dir, inputs, tensors, outputs):
    folder = golden / name
    folder.mkdir(exist_ok=True)
    save_file({**tensors, **{k: v.contiguous() for k, (v, _) in outputs.items()}}, folder / "io.safetensors")
    described = {k: {"shape": list(v.shape), "dtype": "float32", "tolerance": {"atol": s * float(v.abs().max()), "rtol": 1e-5}} for k, (v, s) in outputs.items()}
    (folder / "case.json").write_text(json.dumps({
        "case": name, "kind": "pipeline", "what": what, "model_dir": model_dir,
        "reference": {"library": "diffusers", "version": diffusers.__version__, "class": cls, "torch": torch.__version__.split("+")[0]},
        "inputs": {f"run{i}": run for i, run in enumerate(inputs)}, "outputs": described}, indent=1) + "\n")


def run(pipe, arguments, **more):
    pipe.set_progress_bar_config(disable=True)
    steps = []
    arguments = dict(arguments)
    generator = torch.Generator().manual_seed(arguments.pop("seeds")[0])
    out = pipe(**arguments, **more, generator=generator, callback_on_step_end=lambda p, k, t, v: steps.append(v["latents"].clone()) or v)[0]
    return torch.stack(steps), out


base = diffusers.StableDiffusionXLPipeline.from_pretrained(model)
common = {"prompt": "a lighthouse at dusk", "guidance_scale": 5.0, "seeds": [6]}
runs = [dict(common, num_inference_steps=5, denoising_end=0.6, height=32, width=24), dict(common, num_inference_steps=7, denoising_end=0.8, height=24, width=32)]
outputs, latents = {}, []
for i, arguments in enumerate(runs):
    n = "" if i == 0 else str(i)
    steps, left = run(base, arguments, output_type="latent")
    outputs[f"out{n}.latents_per_step"] = (steps, 3e-5)
    outputs[f"out{n}.latents"] = (left, 3e-5)
    latents.append(left)
case("pipe_sdxl_base_end", "The first share of the steps; what is left are latents.", "StableDiffusionXLPipeline", "../pipe_sdxl/model", runs, {}, outputs)

torch.manual_seed(8)
unet = diffusers.UNet2DConditionModel(
    sample_size=16, in_channels=4, out_channels=4, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4, cross_attention_dim=24, attention_head_dim=(2, 4),
    transformer_layers_per_block=(1, 1), down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=24 + 5 * 8)
folder = golden / "pipe_sdxl_refiner"
folder.mkdir(exist_ok=True)
unet.save_pretrained(folder / "unet")
refiner = diffusers.StableDiffusionXLImg2ImgPipeline(
    vae=base.vae, text_encoder=None, tokenizer=None, text_encoder_2=base.text_encoder_2, tokenizer_2=base.tokenizer_2, unet=unet,
    scheduler=diffusers.EulerDiscreteScheduler.from_config(base.scheduler.config), requires_aesthetics_score=True, force_zeros_for_empty_prompt=False)
index = {k: v for k, v in dict(refiner.config).items() if not k.startswith("_")}
(folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionXLImg2ImgPipeline", "_diffusers_version": diffusers.__version__, **index}, indent=2) + "\n")
runs = [dict(common, num_inference_steps=5, denoising_start=0.6), dict(common, num_inference_steps=7, denoising_start=0.8, negative_prompt="text", aesthetic_score=5.5)]
tensors, outputs = {}, {}
for i, (arguments, given) in enumerate(zip(runs, latents)):
    n = "" if i == 0 else str(i)
    steps, image = run(refiner, arguments, image=given, output_type="np")
    tensors[f"in{n}.latents"] = given.contiguous()
    outputs[f"out{n}.latents_per_step"] = (steps, 3e-5)
    outputs[f"out{n}.image"] = (torch.from_numpy(np.asarray(image)), 2e-5)
case("pipe_sdxl_refiner", "The rest of the steps by a refiner, from the latents of pipe_sdxl_base_end.", "StableDiffusionXLImg2ImgPipeline", "../pipe_sdxl/model", runs, tensors, outputs)
