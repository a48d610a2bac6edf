"""The peer of generation_bench: the same pipelines in diffusers, eager; and the maker of models for it and for model_memory_bench.
  pipeline_peer.py make FOLDER TOKENIZER        a Stable Diffusion of middle size with random weights
  pipeline_peer.py make-sd15 FOLDER TOKENIZER   one of the sizes of Stable Diffusion 1.5
  pipeline_peer.py time THREADS RUNS FOLDER STEPS HEIGHT WIDTH [FRAMES]   prints the best seconds of a run"""
import pathlib
import sys
import time

import torch
from diffusers import AutoencoderKL, DiffusionPipeline, EulerDiscreteScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer


def make(folder, tokenizer):
    torch.manual_seed(0)
    words = CLIPTokenizer.from_pretrained(tokenizer)
    text = CLIPTextModel(CLIPTextConfig(vocab_size=len(words), hidden_size=256, intermediate_size=1024, num_hidden_layers=6, num_attention_heads=4,
                                        projection_dim=256, eos_token_id=words.eos_token_id, pad_token_id=words.pad_token_id))
    unet = UNet2DConditionModel(sample_size=32, block_out_channels=(128, 256, 512), layers_per_block=2, cross_attention_dim=256, attention_head_dim=8,
                                down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
                                up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"))
    vae = AutoencoderKL(block_out_channels=(64, 128, 128, 128), layers_per_block=1, latent_channels=4, sample_size=256,
                        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)
    save(folder, words, text, unet, vae)


def make_sd15(folder, tokenizer):
    torch.manual_seed(0)
    words = CLIPTokenizer.from_pretrained(tokenizer)
    text = CLIPTextModel(CLIPTextConfig(vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
                                        projection_dim=768, eos_token_id=words.eos_token_id, pad_token_id=words.pad_token_id))
    unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
    vae = AutoencoderKL(block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4, sample_size=512,
                        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)
    save(folder, words, text, unet, vae)


def save(folder, words, text, unet, vae):
    scheduler = EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="leading", steps_offset=1)
    StableDiffusionPipeline(vae=vae, text_encoder=text, tokenizer=words, unet=unet, scheduler=scheduler, safety_checker=None, feature_extractor=None,
                            requires_safety_checker=False).save_pretrained(folder)


def measure(threads, runs, folder, steps, height, width, frames=None):
    torch.set_num_threads(int(threads))
    pipe = DiffusionPipeline.from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    arguments = dict(num_inference_steps=int(steps), height=int(height), width=int(width))
    if frames is None:
        arguments.update(prompt="a red fox in snow", guidance_scale=7.5)
    else:
        import numpy as np
        from PIL import Image
        arguments.update(image=Image.fromarray(np.full((int(height), int(width), 3), 90, np.uint8)), num_frames=int(frames), decode_chunk_size=int(frames))
    best = 1e9
    for _ in range(int(runs) + 1):
        start = time.perf_counter()
        pipe(**arguments, generator=torch.Generator().manual_seed(1), output_type="np")
        best = min(best, time.perf_counter() - start)
    print(f"{best:.4f}", flush=True)


if sys.argv[1].startswith("make"):
    (make_sd15 if sys.argv[1] == "make-sd15" else make)(pathlib.Path(sys.argv[2]), sys.argv[3])
else:
    measure(*sys.argv[2:])
