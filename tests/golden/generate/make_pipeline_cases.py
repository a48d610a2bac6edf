#!/usr/bin/env python3
"""Makes pipeline cases with the reference library on the tiny models of pipe_sd15, pipe_sdxl and pipe_animatediff: image-to-image,
inpainting, seeds, eta, LCM. Same layout as the other pipeline cases; a folder unet/ or scheduler/ of a case stands for that of its model.
Needs torch, diffusers, transformers, safetensors, PIL; usage: make_pipeline_cases.py GOLDEN"""
import json
import pathlib
import sys

import torch
from diffusers.utils import torch_utils

plain_randn = torch_utils.randn_tensor
draws = []


def recording_randn(shape, generator=None, device=None, dtype=None, layout=None):
    draws.append(plain_randn(shape, generator=generator, device=device, dtype=dtype, layout=layout))
    return draws[-1].clone()


torch_utils.randn_tensor = recording_randn  # before the modules that take it by name

import diffusers  # noqa: E402
import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

torch.set_num_threads(1)
golden = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(5)


def picture(height, width):
    """Smooth colours, so that resizing is not all noise."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / 5.0 + k) + np.cos(y / 7.0 - k) + rng.normal(0, 0.2, (height, width)) for k in range(3)]
    return (np.stack(waves, -1) * 50 + 128).clip(0, 255).astype(np.uint8)


def mask(height, width):
    m = np.zeros((height, width), np.uint8)
    m[height // 4:, : width // 2] = 255
    m[: height // 4, width // 2:] = 90
    return m


def make(name, cls, model, runs, scheduler=None, unet=None):
    case = golden / name
    case.mkdir(exist_ok=True)
    parts = {}
    if scheduler:
        scheduler.save_pretrained(case / "scheduler")
        parts["scheduler"] = scheduler
    if unet:
        unet.save_pretrained(case / "unet")
        parts["unet"] = unet
    pipe = getattr(diffusers, cls).from_pretrained(golden / model / "model", **parts)
    pipe.set_progress_bar_config(disable=True)
    tensors, inputs, outputs = {}, {}, {}
    for i, run in enumerate(runs):
        n = "" if i == 0 else str(i)
        draws.clear()
        steps = []
        arguments = {k: v for k, v in run.items() if k not in ("picture", "mask", "seeds")}
        for key, argument in (("picture", "image"), ("mask", "mask_image")):
            if key in run:
                tensors[f"in{n}.{'image' if key == 'picture' else 'mask'}_u8"] = torch.from_numpy(run[key].copy())
                arguments[argument] = Image.fromarray(run[key])
        generators = [torch.Generator().manual_seed(s) for s in run.get("seeds", [11])]
        result = pipe(**arguments, generator=generators if len(generators) > 1 else generators[0], output_type="np",
                      callback_on_step_end=lambda p, k, t, v: steps.append(v["latents"].clone()) or v)
        image = torch.from_numpy(np.asarray(result[0]))
        if "seeds" not in run:
            for j, draw in enumerate(draws):
                tensors[f"in{n}.draw{j}"] = draw
        inputs[f"run{i}"] = {k: v for k, v in run.items() if k not in ("picture", "mask")}
        for key, value, scale in (("latents_per_step", torch.stack(steps), 3e-5), ("image", image, 2e-5)):
            tensors[f"out{n}.{key}"] = value.contiguous()
            outputs[f"out{n}.{key}"] = {"shape": list(value.shape), "dtype": "float32",
                                        "tolerance": {"atol": scale * float(value.abs().max()), "rtol": 1e-5}}
    save_file(tensors, case / "io.safetensors")
    text = {"case": name, "kind": "pipeline",
            "reference": {"library": "diffusers", "version": diffusers.__version__, "class": cls, "torch": torch.__version__.split("+")[0]},
            "model_dir": f"../{model}/model", "inputs": inputs, "outputs": outputs}
    (case / "case.json").write_text(json.dumps(text, indent=1) + "\n")


base = {"prompt": "a red fox in snow", "num_inference_steps": 4, "guidance_scale": 5.0}
make("pipe_sd15_img2img", "StableDiffusionImg2ImgPipeline", "pipe_sd15", [
    dict(base, picture=picture(24, 32), strength=0.75, negative_prompt="blurry"),
    dict(base, picture=picture(37, 45), strength=1.0, prompt=["a cat", "a dog"], num_images_per_prompt=2),
    dict(base, picture=picture(24, 32), strength=0.5, seeds=[3, 4], num_images_per_prompt=2),
])
make("pipe_sd15_inpaint", "StableDiffusionInpaintPipeline", "pipe_sd15", [
    dict(base, picture=picture(24, 32), mask=mask(24, 32), height=24, width=32),
    dict(base, picture=picture(50, 40), mask=mask(64, 48), height=24, width=32, strength=0.6),
    dict(base, picture=picture(24, 32), mask=mask(24, 32), height=24, width=32, seeds=[3, 4], num_images_per_prompt=2),
])
torch.manual_seed(1)
config = dict(diffusers.UNet2DConditionModel.load_config(golden / "pipe_sd15/model/unet"), in_channels=9)
unet = diffusers.UNet2DConditionModel.from_config(config)
make("pipe_sd15_inpaint_unet", "StableDiffusionInpaintPipeline", "pipe_sd15", [
    dict(base, picture=picture(24, 32), mask=mask(24, 32), height=24, width=32),
    dict(base, picture=picture(24, 32), mask=mask(24, 32), height=24, width=32, strength=0.8),
], unet=unet)
xl = dict(base, prompt="a lighthouse at dusk")
make("pipe_sdxl_img2img", "StableDiffusionXLImg2ImgPipeline", "pipe_sdxl", [
    dict(xl, picture=picture(32, 24), strength=0.75),
    dict(xl, picture=picture(40, 31), strength=0.5, negative_prompt="text", guidance_rescale=0.5),
])
make("pipe_sdxl_inpaint", "StableDiffusionXLInpaintPipeline", "pipe_sdxl", [
    dict(xl, picture=picture(32, 24), mask=mask(32, 24), height=32, width=24),
    dict(xl, picture=picture(32, 24), mask=mask(32, 24), height=32, width=24, strength=0.5),
])
make("pipe_sd15_seeds", "StableDiffusionPipeline", "pipe_sd15", [
    dict(base, height=24, width=32, seeds=[0], num_images_per_prompt=2),
    dict(base, height=24, width=32, seeds=[7, 8, 9], num_images_per_prompt=3),
    dict(base, height=24, width=32, seeds=[5], prompt=["a cat", "a dog"], negative_prompt=["x", "y"]),
])
sd = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
make("pipe_sd15_ddim_eta", "StableDiffusionPipeline", "pipe_sd15", [
    dict(base, height=24, width=32, eta=0.6),
], scheduler=diffusers.DDIMScheduler(**sd, clip_sample=False, set_alpha_to_one=False, steps_offset=1))
make("pipe_sd15_lcm", "StableDiffusionPipeline", "pipe_sd15", [
    dict(base, height=24, width=32, guidance_scale=1.5, seeds=[12]),
], scheduler=diffusers.LCMScheduler())
# A scheduler configuration of the first releases: without steps_offset and clip_sample.
make("pipe_sd15_old_ddim", "StableDiffusionPipeline", "pipe_sd15", [
    dict(base, height=24, width=32, seeds=[12]),
], scheduler=diffusers.DDIMScheduler(**sd, set_alpha_to_one=False))
torch.manual_seed(2)
config = dict(diffusers.UNet2DConditionModel.load_config(golden / "pipe_sd15/model/unet"), time_cond_proj_dim=16)
make("pipe_sd15_lcm_full", "StableDiffusionPipeline", "pipe_sd15", [
    dict(base, height=24, width=32, guidance_scale=8.5, seeds=[12]),
], scheduler=diffusers.LCMScheduler(), unet=diffusers.UNet2DConditionModel.from_config(config))
