#!/usr/bin/env python3
"""Makes pipe_wan21_t2v_file, pipe_wan21_i2v_file, pipe_wan22_ti2v_file, pipe_wan21_t2v_gguf and pipe_ltx_{090,091,095}_file: tiny Wan and LTX-Video models in the files that
users of ComfyUI have (names of the authors, no configuration), and the videos that diffusers makes of them. Their sizes are as small as what no
shape tells allows: heads of width 128 (Wan), 32 heads (LTX), 16 or 48 latent channels with the published statistics (Wan).
Needs torch, diffusers, transformers, ftfy, safetensors; usage: make_video_file_cases.py GOLDEN"""
import json
import pathlib
import re
import struct
import sys

import diffusers
import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import AutoTokenizer, CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection, T5Config, T5EncoderModel, UMT5Config, UMT5EncoderModel

torch.set_num_threads(1)
golden = pathlib.Path(sys.argv[1])
WAN_TOKENIZER = "pipe_wan21_t2v/model"
tokenizer = AutoTokenizer.from_pretrained(golden / WAN_TOKENIZER / "tokenizer")
spiece = torch.from_numpy(np.fromfile(golden / WAN_TOKENIZER / "tokenizer/spiece.model", dtype=np.uint8).copy())

source = (golden / "original_layout/make_video_names.py").read_text().replace("\nmain()\n", "\n")
names = {}
exec(compile(source, "make_video_names.py", "exec"), names)  # its tables, and ltx_vae_original()
WAN, VAE = names["WAN"], names["RES"]
# What diffusers and transformers call a tensor -> what its file does; the first that matches of each table is applied, in order.
VAE21 = VAE + [(r"down_blocks", "downsamples"), (r"up_blocks\.(\d)\.resnets\.(\d)", lambda m: f"upsamples.{3 * int(m[1]) + int(m[2])}"),
               (r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"upsamples.{3 * int(m[1]) + 2}")]  # of one resnet a level
VAE22 = VAE + [(r"down_blocks\.(\d)\.resnets", r"downsamples.\1.downsamples"), (r"down_blocks\.(\d)\.downsampler", r"downsamples.\1.downsamples.1"),
               (r"up_blocks\.(\d)\.resnets", r"upsamples.\1.upsamples"), (r"up_blocks\.(\d)\.upsampler", r"upsamples.\1.upsamples.2")]
UMT5 = [(r"^shared", "token_embedding"), (r"encoder\.final_layer_norm", "norm"), (r"encoder\.block", "blocks"),
        (r"layer\.0\.SelfAttention\.relative_attention_bias", "pos_embedding.embedding"), (r"layer\.0\.SelfAttention", "attn"),
        (r"layer\.0\.layer_norm", "norm1"), (r"layer\.1\.layer_norm", "norm2"), (r"layer\.1\.DenseReluDense\.wi_0", "ffn.gate.0"),
        (r"layer\.1\.DenseReluDense\.wi_1", "ffn.fc1"), (r"layer\.1\.DenseReluDense\.wo", "ffn.fc2")]
LTX = [(r"^proj_in", "patchify_proj"), (r"^time_embed", "adaln_single"), (r"norm_q", "q_norm"), (r"norm_k", "k_norm")]


def turned(model, table, prefix=""):
    table = table if callable(table) else (lambda name, t=table: names["turned"](name, t))
    return {prefix + table(k): v.to(torch.bfloat16 if v.dim() > 1 else v.dtype).contiguous() for k, v in model.state_dict().items()}


def filled(model, seed):
    """Weights of which none is neutral, matrices rounded to bfloat16 as they are stored."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() <= 1 or name.endswith("gamma"):
                one = "norm" in name and not name.endswith("bias")
                p.copy_((1.0 if one else 0.0) + 0.1 * torch.randn(p.shape, generator=g))
            if p.dim() > 1:
                p.copy_(p.to(torch.bfloat16))
    return model.eval()


def text_encoder(cls, config, seed):
    torch.manual_seed(seed)
    return filled(cls(config(vocab_size=289, d_model=16, d_kv=8, d_ff=24, num_layers=2, num_heads=2, feed_forward_proj="gated-gelu")), seed)


def wan_transformer(seed, **changes):
    torch.manual_seed(seed)
    return filled(diffusers.WanTransformer3DModel(**{**dict(num_attention_heads=1, attention_head_dim=128, ffn_dim=48, num_layers=1, text_dim=16, freq_dim=16,
                                                            in_channels=16, out_channels=16), **changes}), seed)


def wan_vae(seed, **changes):
    torch.manual_seed(seed)
    return filled(diffusers.AutoencoderKLWan(base_dim=4, num_res_blocks=1, **changes), seed)


def wan_scheduler(shift):
    return diffusers.UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, num_train_timesteps=1000, flow_shift=shift)


def hf(encoder, prefix=""):
    return {prefix + k: v for k, v in turned(encoder, []).items() if not k.startswith("encoder.embed_tokens")}


def half_scale(d):
    return d.astype(np.float16).view(np.uint8).reshape(*d.shape, 2), d.astype(np.float16).astype(np.float32)[..., None]


def q8_0(x):
    """ggml's Q8_0: 32 numbers as a 16-bit scale and 8-bit integers -> the bytes, and the numbers that they stand for."""
    blocks = x.reshape(-1, 32)
    raw, d = half_scale(np.abs(blocks).max(1) / 127)
    q = np.clip(np.round(blocks / np.where(d == 0, 1, d)), -127, 127).astype(np.int8)
    return np.concatenate([raw, q.view(np.uint8)], 1), (d * q).reshape(x.shape)


def q4_0(x):
    """Q4_0: a 16-bit scale and 4-bit integers of -8 to 7, the first half of the block in the low nibbles."""
    blocks = x.reshape(-1, 32)
    extreme = np.take_along_axis(blocks, np.abs(blocks).argmax(1)[:, None], 1)[:, 0]
    raw, d = half_scale(extreme / -8)
    q = np.clip(np.round(blocks / np.where(d == 0, 1, d)) + 8, 0, 15).astype(np.uint8)
    return np.concatenate([raw, q[:, :16] | q[:, 16:] << 4], 1), (d * (q.astype(np.float32) - 8)).reshape(x.shape)


GGML = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 8}


def write_gguf(path, tensors, architecture):
    """GGUF 3 (ggml/docs/gguf.md); shapes of more than four dimensions as the converter of ComfyUI-GGUF keeps them."""
    text = lambda t: struct.pack("<Q", len(t)) + t.encode()
    values = [text("general.architecture") + struct.pack("<I", 8) + text(architecture)]
    entries, data = b"", b""
    for name, (kind, raw, shape) in tensors.items():
        if len(shape) > 4:
            values.append(text("comfy.gguf.orig_shape." + name) + struct.pack("<IIQ", 9, 5, len(shape)) + struct.pack(f"<{len(shape)}i", *shape))
            shape = (shape[0], int(np.prod(shape[1:])))
        entries += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *reversed(shape)) + struct.pack("<IQ", GGML[kind], len(data))
        data += raw + b"\0" * (-len(raw) % 32)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values)) + b"".join(values) + entries
    path.write_bytes(head + b"\0" * (-len(head) % 32) + data)


def quantised(model, table, kind_of):
    """The model's tensors for write_gguf(); the model's own become what the file holds."""
    out = {}
    state = model.state_dict()
    with torch.no_grad():
        for name, tensor in state.items():
            if name == "encoder.embed_tokens.weight":
                continue
            x = tensor.float().numpy()
            kind = kind_of(name, x)
            if kind in ("Q8_0", "Q4_0"):
                raw, value = (q8_0 if kind == "Q8_0" else q4_0)(x)
            else:
                raw = x.astype(np.float16 if kind == "F16" else np.float32)
                value = raw.astype(np.float32)
            out[names["turned"](name, table)] = (kind, raw.tobytes(), x.shape)
            tensor.copy_(torch.from_numpy(value.reshape(x.shape)))
    return out


def picture(height, width):
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([np.sin(x / 5.0 + k) * 60 + np.cos(y / 7.0 - k) * 60 + 128 for k in range(3)], -1).clip(0, 255).astype(np.uint8)


def make(name, what, pipe, files, runs, tokenizers=WAN_TOKENIZER):
    case = golden / name
    case.mkdir(exist_ok=True)
    for file, tensors in files.items():
        if file.endswith(".gguf"):
            write_gguf(case / file, tensors, "t5encoder" if "t5" in file else "wan")
        else:
            torch.save(tensors, case / file) if file.endswith(".pth") else save_file(tensors, case / file)
    pipe.set_progress_bar_config(disable=True)
    outputs, tensors, inputs = {}, {}, {}
    for i, (arguments, seed) in enumerate(runs):
        n = "" if i == 0 else str(i)
        steps, given = [], dict(arguments)
        if "image" in arguments:
            tensors[f"in{n}.image_u8"] = torch.from_numpy(arguments["image"].copy())
            given["image"] = Image.fromarray(given["image"])
        video = pipe(**given, generator=torch.Generator().manual_seed(seed), output_type="np",
                     callback_on_step_end=lambda p, k, t, v: steps.append(v["latents"].clone()) or v)[0]
        inputs[f"run{i}"] = {**{k: v for k, v in arguments.items() if k != "image"}, "seeds": [seed]}
        outputs[f"out{n}.latents_per_step"] = (torch.stack(steps), 3e-5)
        outputs[f"out{n}.frames"] = (torch.from_numpy(np.asarray(video)), 2e-5)
    save_file({**tensors, **{k: v.contiguous() for k, (v, _) in outputs.items()}}, case / "io.safetensors")
    described = {k: {"shape": list(v.shape), "dtype": "float32", "tolerance": {"atol": s * max(float(v.abs().max()), 1.0), "rtol": 1e-5}}
                 for k, (v, s) in outputs.items()}
    main, *others = files
    text = {"case": name, "kind": "pipeline", "what": what, "model_dir": main, "companions": others,
            "reference": {"library": "diffusers", "version": diffusers.__version__, "class": type(pipe).__name__, "torch": torch.__version__.split("+")[0]},
            "inputs": inputs, "outputs": described}
    if tokenizers:
        text["tokenizers"] = f"../{tokenizers}"
    (case / "case.json").write_text(json.dumps(text, indent=1) + "\n")
    print(name, {k: round(float(v.abs().max()), 3) for k, (v, _) in outputs.items()}, sum(f.stat().st_size for f in case.iterdir()))


wan = {"prompt": "the monkey dances", "negative_prompt": "low quality", "height": 32, "width": 32, "num_frames": 5, "num_inference_steps": 3, "guidance_scale": 4.0,
       "max_sequence_length": 20}
encoder = text_encoder(UMT5EncoderModel, UMT5Config, 1)
transformer, vae = wan_transformer(2, num_layers=2), wan_vae(3)
make("pipe_wan21_t2v_file", "Wan 2.1 in three files: transformer, VAE, text encoder with its tokenizer in it.",
     diffusers.WanPipeline(tokenizer, encoder, vae, wan_scheduler(3.0), transformer),
     {"wan_t2v.safetensors": turned(transformer, WAN, "model.diffusion_model."), "wan_vae.safetensors": turned(vae, VAE21),
      "umt5.safetensors": {**hf(encoder), "spiece_model": spiece}}, [(wan, 21)], tokenizers=None)

encoder = text_encoder(UMT5EncoderModel, UMT5Config, 4)
transformer, vae = wan_transformer(5, in_channels=36, image_dim=64, added_kv_proj_dim=128), wan_vae(6)
torch.manual_seed(7)
vision = filled(CLIPVisionModelWithProjection(CLIPVisionConfig(hidden_size=64, intermediate_size=48, num_hidden_layers=2, num_attention_heads=1, image_size=28,
                                                               patch_size=14, projection_dim=8, hidden_act="gelu")), 7)
processor = CLIPImageProcessor(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
make("pipe_wan21_i2v_file", "Wan 2.1 image-to-video in four files; VAE and text encoder as torch.save wrote them, in the names of their authors.",
     diffusers.WanImageToVideoPipeline(tokenizer, encoder, vae, wan_scheduler(3.0), processor, vision, transformer),
     {"wan_i2v.safetensors": turned(transformer, WAN), "wan_vae.pth": turned(vae, VAE21), "umt5.pth": turned(encoder, UMT5), "clip_vision.safetensors": turned(vision, [])},  # 512: diffusers tells the picture tokens by it
     [(dict(wan, image=picture(32, 32), max_sequence_length=512), 22)])

encoder = text_encoder(UMT5EncoderModel, UMT5Config, 8)
STATISTICS = json.loads((golden / "original_layout/wan22_statistics.json").read_text())
transformer = wan_transformer(9, in_channels=48, out_channels=48)
vae = wan_vae(10, decoder_base_dim=6, z_dim=48, is_residual=True, in_channels=12, out_channels=12, patch_size=2, scale_factor_spatial=16, **STATISTICS)
whole = {**turned(transformer, WAN, "model.diffusion_model."), **turned(vae, VAE22, ""), "text_encoders.spiece_model": spiece, **hf(encoder, "text_encoders.umt5xxl.transformer.")}
whole = {k if k.startswith(("model.", "text_encoders.")) else "vae." + k: v for k, v in whole.items()}
make("pipe_wan22_ti2v_file", "Wan 2.2 TI2V, everything in one file.",
     diffusers.WanPipeline(tokenizer, encoder, vae, wan_scheduler(5.0), transformer, expand_timesteps=True), {"whole.safetensors": whole},
     [(dict(wan, width=64), 23)], tokenizers=None)

GGUF_T5 = [(r"^shared", "token_embd"), (r"encoder\.final_layer_norm", "enc.output_norm"), (r"encoder\.block", "enc.blk"),
           (r"layer\.0\.SelfAttention\.relative_attention_bias", "attn_rel_b"), (r"layer\.0\.SelfAttention\.", "attn_"), (r"layer\.0\.layer_norm", "attn_norm"),
           (r"layer\.1\.layer_norm", "ffn_norm"), (r"layer\.1\.DenseReluDense\.wi_0", "ffn_gate"), (r"layer\.1\.DenseReluDense\.wi_1", "ffn_up"),
           (r"layer\.1\.DenseReluDense\.wo", "ffn_down")]


def kind(name, x):
    if x.ndim != 2 or x.shape[1] % 32 or "relative" in name:
        return "F16" if x.ndim == 5 else "F32"
    return "Q4_0" if "attn" in name or "Attention" in name else "Q8_0"


torch.manual_seed(11)
encoder = filled(UMT5EncoderModel(UMT5Config(vocab_size=289, d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2, feed_forward_proj="gated-gelu")), 11)
transformer, vae = wan_transformer(12, num_layers=3, ffn_dim=64, text_dim=32, freq_dim=32), wan_vae(13)
files = {"wan.gguf": quantised(transformer, WAN, kind), "umt5.gguf": quantised(encoder, GGUF_T5, kind)}
make("pipe_wan21_t2v_gguf", "Wan 2.1 with transformer and text encoder in GGUF files, matrices in Q8_0 and Q4_0.",
     diffusers.WanPipeline(tokenizer, encoder, vae, wan_scheduler(3.0), transformer), {**files, "wan_vae.safetensors": turned(vae, VAE21)}, [(wan, 27)])

ltx = {"prompt": "the monkey dances", "negative_prompt": "low quality", "height": 32, "width": 64, "num_frames": 9, "frame_rate": 25, "num_inference_steps": 3,
       "guidance_scale": 3.0, "max_sequence_length": 20}
common = dict(latent_channels=8, patch_size=4)
VERSIONS = {
    "090": dict(block_out_channels=(4, 6, 8, 8), decoder_block_out_channels=(4, 6, 8, 8), layers_per_block=(1, 1, 1, 1, 2), decoder_layers_per_block=(1, 1, 1, 2, 1), **common),
    "091": dict(block_out_channels=(4, 6, 8, 8), layers_per_block=(1, 1, 1, 1, 1), decoder_block_out_channels=(8, 16, 32), decoder_layers_per_block=(1, 2, 1, 1),
                decoder_spatio_temporal_scaling=(True,) * 3, decoder_inject_noise=(True, True, True, False), upsample_residual=(True,) * 3, upsample_factor=(2, 2, 2),
                timestep_conditioning=True, **common),
    "095": dict(block_out_channels=(4, 8, 16, 16, 32), down_block_types=("LTXVideo095DownBlock3D",) * 4, spatio_temporal_scaling=(True,) * 4,
                layers_per_block=(1, 1, 2, 1, 1), downsample_type=("spatial", "temporal", "spatiotemporal", "spatiotemporal"), decoder_block_out_channels=(8, 16, 32),
                decoder_layers_per_block=(1, 1, 1, 2), spatial_compression_ratio=32, temporal_compression_ratio=8, decoder_spatio_temporal_scaling=(True,) * 3, decoder_inject_noise=(False,) * 4, upsample_residual=(True,) * 3,
                upsample_factor=(2, 2, 2), timestep_conditioning=True, **common)}
for k, (version, config) in enumerate(VERSIONS.items()):
    encoder = text_encoder(T5EncoderModel, T5Config, 30 + k)
    torch.manual_seed(40 + k)
    transformer = filled(diffusers.LTXVideoTransformer3DModel(num_attention_heads=32, attention_head_dim=2, cross_attention_dim=64, num_layers=2, caption_channels=16,
                                                              in_channels=8, out_channels=8), 50 + k)
    vae = filled(diffusers.AutoencoderKLLTXVideo(**config), 60 + k)
    g = torch.Generator().manual_seed(70 + k)
    vae.latents_mean.copy_(torch.randn(8, generator=g)), vae.latents_std.copy_(torch.rand(8, generator=g) + 0.5)
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(base_image_seq_len=1024, base_shift=0.95, max_image_seq_len=4096, max_shift=2.05, shift_terminal=0.1,
                                                          use_dynamic_shifting=True)
    files = {"ltx.safetensors": {**turned(transformer, LTX, "model.diffusion_model."), **turned(vae, lambda n, v=version: names["ltx_vae_original"](n, v))},
             "t5xxl.safetensors": hf(encoder)}
    more = {} if version == "090" else {"decode_timestep": 0.05, "decode_noise_scale": 0.025}
    make(f"pipe_ltx_{version}_file", f"LTX-Video 0.{version[1]}.{version[2]}: transformer and VAE in one file, beside it the text encoder.",
         diffusers.LTXPipeline(scheduler, vae, encoder, tokenizer, transformer), files, [(dict(ltx, **more), 24 + k)], tokenizers="pipe_ltx_090/model")
