#!/usr/bin/env python3
"""Makes pipe_sd15_single_file: a tiny Stable Diffusion 1 as one file in its authors' layout, and the picture that diffusers makes of what its
own conversion takes out of it. Needs torch, diffusers, transformers, safetensors; usage: make_single_file_case.py GOLDEN"""
import json
import pathlib
import sys

import diffusers
import numpy as np
import torch
from diffusers.loaders import single_file_utils as ldm
from safetensors.torch import save_file
from transformers import CLIPTextModel, CLIPTokenizer

torch.set_num_threads(1)
golden = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(golden / "original_layout"))
import make  # noqa: E402

case = golden / "pipe_sd15_single_file"
case.mkdir(exist_ok=True)
tokenizer = CLIPTokenizer.from_pretrained(golden / "pipe_sd15/model/tokenizer")
words = len(tokenizer)
names = {**make.under("model.diffusion_model.", make.unet([32], 1, [1], 64)), **make.under("first_stage_model.", make.vae([32], 1)),
         **make.under("cond_stage_model.transformer.", make.clip_text(64, 1, words, 64))}
g = torch.Generator().manual_seed(41)
state = {}
for name, shape in names.items():
    fan = max(int(np.prod(shape[1:])), 1)
    norm = len(shape) == 1 and name.endswith("weight")
    value = 1 + 0.1 * torch.randn(shape, generator=g) if norm else torch.randn(shape, generator=g) * (0.05 if len(shape) == 1 else fan ** -0.5)
    state[name] = torch.arange(77).reshape(1, 77) if name.endswith("position_ids") else value.half()
save_file(state, case / "model.safetensors")
state = {k: v.float() if v.is_floating_point() else v for k, v in state.items()}

unet = dict(sample_size=64, in_channels=4, out_channels=4, block_out_channels=[32], layers_per_block=1, cross_attention_dim=64, attention_head_dim=8,
            down_block_types=["CrossAttnDownBlock2D"], up_block_types=["CrossAttnUpBlock2D"])
vae = dict(block_out_channels=[32], layers_per_block=1, latent_channels=4, scaling_factor=0.18215, down_block_types=["DownEncoderBlock2D"],
           up_block_types=["UpDecoderBlock2D"])
text = make.text_config(64, 1, words, 64)
text.eos_token_id = words - 1


def filled(model, weights):
    model.load_state_dict(weights)
    return model.eval()


clip = {k: v for k, v in ldm.convert_ldm_clip_checkpoint({k: v for k, v in state.items() if k.startswith("cond_stage_model.")}).items() if "position_ids" not in k}
encoder = CLIPTextModel(text)
own = encoder.state_dict()
encoder.load_state_dict({k if k in own else k.removeprefix("text_model."): v for k, v in clip.items()})
pipe = diffusers.StableDiffusionPipeline(
    vae=filled(diffusers.AutoencoderKL.from_config(vae), ldm.convert_ldm_vae_checkpoint(dict(state), vae)),
    unet=filled(diffusers.UNet2DConditionModel.from_config(unet), ldm.convert_ldm_unet_checkpoint(dict(state), unet)),
    text_encoder=encoder.eval(), tokenizer=tokenizer, safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    scheduler=diffusers.EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1, timestep_spacing="leading"))
pipe.set_progress_bar_config(disable=True)
steps = []
run = {"prompt": "a red fox in snow", "negative_prompt": "blurry", "num_inference_steps": 3, "guidance_scale": 5.0, "height": 24, "width": 32, "seeds": [8]}
image = pipe(**{k: v for k, v in run.items() if k != "seeds"}, generator=torch.Generator().manual_seed(8), output_type="np",
             callback_on_step_end=lambda p, k, t, v: steps.append(v["latents"].clone()) or v)[0]
outputs = {"out.latents_per_step": (torch.stack(steps), 3e-5), "out.image": (torch.from_numpy(np.asarray(image)), 2e-5)}
save_file({k: v.contiguous() for k, (v, _) in outputs.items()}, case / "io.safetensors")
described = {k: {"shape": list(v.shape), "dtype": "float32", "tolerance": {"atol": s * float(v.abs().max()), "rtol": 1e-5}} for k, (v, s) in outputs.items()}
(case / "case.json").write_text(json.dumps({
    "case": case.name, "kind": "pipeline", "what": "Stable Diffusion 1 from one file in its authors' layout; the tokenizer is another model's.",
    "reference": {"library": "diffusers", "version": diffusers.__version__, "class": "StableDiffusionPipeline", "torch": torch.__version__.split("+")[0]},
    "model_dir": "model.safetensors", "tokenizers": "../pipe_sd15/model", "inputs": {"run0": run}, "outputs": described}, indent=1) + "\n")
