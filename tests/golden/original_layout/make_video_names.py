"""Names of Wan and LTX-Video tensors in their authors' layout and what diffusers' own conversion makes of them -> video_names.json."""
import json
import re

import diffusers
import torch
from diffusers.loaders import single_file_utils as convert


def names(model):
    return {name: torch.zeros(1) for name in model.state_dict()}


def turned(name, table):
    for pattern, to in table:
        name = re.sub(pattern, to, name)
    return name


def check(originals, converter, model, **options):
    pairs = []
    result = converter({name: torch.tensor([float(i)]) for i, name in enumerate(originals)}, **options)
    for name, value in result.items():
        pairs.append([originals[int(value.flatten()[0])], name])
    assert {b for _, b in pairs} == set(model.state_dict()), set(model.state_dict()) ^ {b for _, b in pairs}
    return pairs


WAN = [(r"condition_embedder\.time_embedder\.linear_1", "time_embedding.0"), (r"condition_embedder\.time_embedder\.linear_2", "time_embedding.2"),
       (r"condition_embedder\.text_embedder\.linear_1", "text_embedding.0"), (r"condition_embedder\.text_embedder\.linear_2", "text_embedding.2"),
       (r"condition_embedder\.time_proj", "time_projection.1"), (r"condition_embedder\.image_embedder\.norm1", "img_emb.proj.0"),
       (r"condition_embedder\.image_embedder\.ff\.net\.0\.proj", "img_emb.proj.1"), (r"condition_embedder\.image_embedder\.ff\.net\.2", "img_emb.proj.3"),
       (r"condition_embedder\.image_embedder\.norm2", "img_emb.proj.4"), (r"attn1\.", "self_attn."), (r"attn2\.", "cross_attn."),
       (r"\.to_out\.0\.", ".o."), (r"\.to_([qkv])\.", r".\1."), (r"\.add_([kv])_proj\.", r".\1_img."), (r"norm_added_k", "norm_k_img"),
       (r"^scale_shift_table", "head.modulation"), (r"proj_out", "head.head"), (r"scale_shift_table", "modulation"),
       (r"ffn\.net\.0\.proj", "ffn.0"), (r"ffn\.net\.2", "ffn.2"), (r"\.norm2\.", ".norm3.")]
RES = [(r"norm1\.gamma", "residual.0.gamma"), (r"conv1\.", "residual.2."), (r"norm2\.gamma", "residual.3.gamma"), (r"conv2\.", "residual.6."),
       (r"conv_shortcut", "shortcut"), (r"mid_block\.resnets\.0", "middle.0"), (r"mid_block\.attentions\.0", "middle.1"),
       (r"mid_block\.resnets\.1", "middle.2"), (r"^quant_conv", "conv1"), (r"^post_quant_conv", "conv2"), (r"\.conv_in\.", ".conv1."),
       (r"\.norm_out\.", ".head.0."), (r"\.conv_out\.", ".head.2.")]
FLAT = RES + [(r"down_blocks", "downsamples"), (r"up_blocks\.(\d)\.resnets\.(\d)", lambda m: f"upsamples.{4 * int(m[1]) + int(m[2])}"),
              (r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"upsamples.{4 * int(m[1]) + 3}")]
NESTED = RES + [(r"down_blocks\.(\d)\.resnets", r"downsamples.\1.downsamples"), (r"down_blocks\.(\d)\.downsampler", r"downsamples.\1.downsamples.2"),
                (r"up_blocks\.(\d)\.resnets", r"upsamples.\1.upsamples"), (r"up_blocks\.(\d)\.upsampler", r"upsamples.\1.upsamples.3")]
STAT = [(r"^latents_mean", "per_channel_statistics.mean-of-means"), (r"^latents_std", "per_channel_statistics.std-of-means")]
LTX = [(r"resnets", "res_blocks"), (r"conv_shortcut\.conv\.conv", "conv_shortcut.conv"), (r"norm3\.", "norm3.norm."),
       (r"conv_shortcut\.conv\.", "conv_shortcut.")]


def ltx_vae_original(name, version):
    def up(m):
        level, rest = int(m[1]), m[2]
        if version != "090":
            return f"decoder.up_blocks.{2 * level + (1 if rest.startswith('upsamplers') else 2)}." + rest.replace("upsamplers.0.", "")
        first = {0: 1, 1: 3, 2: 6, 3: 9}[level]
        if rest.startswith("upsamplers"):
            return f"decoder.up_blocks.{first - 1}." + rest.replace("upsamplers.0.", "")
        if rest.startswith("conv_in"):
            return f"decoder.up_blocks.{first - 2}." + rest.replace("conv_in.", "")
        return f"decoder.up_blocks.{first}." + rest

    def down(m):
        level, rest = int(m[1]), m[2]
        if version == "095":
            return f"encoder.down_blocks.{2 * level + (1 if rest.startswith('downsamplers') else 0)}." + rest.replace("downsamplers.0.", "")
        first = {0: 0, 1: 3, 2: 6, 3: 8}[level]
        if rest.startswith("downsamplers"):
            return f"encoder.down_blocks.{first + 1}." + rest.replace("downsamplers.0.", "")
        if rest.startswith("conv_out"):
            return f"encoder.down_blocks.{first + 2}." + rest.replace("conv_out.", "")
        return f"encoder.down_blocks.{first}." + rest

    if version != "090":
        name = re.sub(r"^decoder\.time_embedder", "decoder.last_time_embedder", name)
        name = re.sub(r"^decoder\.scale_shift_table", "decoder.last_scale_shift_table", name)
    name = re.sub(r"^decoder\.up_blocks\.(\d)\.(.*)", up, name)
    name = re.sub(r"^encoder\.down_blocks\.(\d)\.(.*)", down, name)
    name = name.replace("decoder.mid_block", "decoder.up_blocks.0")
    name = name.replace("encoder.mid_block", f"encoder.down_blocks.{8 if version == '095' else 9}")
    return "vae." + turned(name, LTX[:1] + [(r"conv_shortcut\.conv\.", "conv_shortcut."), (r"norm3\.", "norm3.norm.")] + STAT)


def main():
    out = {}
    wan = diffusers.WanTransformer3DModel(num_attention_heads=1, attention_head_dim=12, ffn_dim=8, num_layers=2, image_dim=8, added_kv_proj_dim=12,
                                          in_channels=36, text_dim=8, freq_dim=8)
    originals = [turned(name, WAN) for name in wan.state_dict()]
    out["wan_transformer"] = check(originals, convert.convert_wan_transformer_to_diffusers, wan)
    vae = diffusers.AutoencoderKLWan(base_dim=2, z_dim=2, latents_mean=[0, 0], latents_std=[1, 1])
    out["wan_vae"] = check([turned(name, FLAT) for name in vae.state_dict()], convert.convert_wan_vae_to_diffusers, vae)
    later = diffusers.AutoencoderKLWan(base_dim=2, decoder_base_dim=2, z_dim=2, is_residual=True, in_channels=12, out_channels=12, patch_size=2,
                                       latents_mean=[0, 0], latents_std=[1, 1])
    out["wan22_vae"] = [[turned(name, NESTED), name] for name in later.state_dict()]
    ltx = diffusers.LTXVideoTransformer3DModel(num_attention_heads=1, attention_head_dim=12, cross_attention_dim=12, num_layers=2, caption_channels=8,
                                               in_channels=4, out_channels=4)
    back = [("proj_in", "patchify_proj"), ("time_embed", "adaln_single"), ("norm_q", "q_norm"), ("norm_k", "k_norm")]
    out["ltx_transformer"] = check(["model.diffusion_model." + turned(n, back) for n in ltx.state_dict()],
                                   convert.convert_ltx_transformer_checkpoint_to_diffusers, ltx)
    common = {"latent_channels": 2, "layers_per_block": (1, 1, 1, 1, 1), "patch_size": 1}
    versions = {
        "090": dict(block_out_channels=(2, 4, 8, 8), decoder_block_out_channels=(2, 4, 8, 8), decoder_layers_per_block=(1, 1, 1, 1, 1), **common),
        "091": dict(block_out_channels=(2, 4, 8, 8), decoder_block_out_channels=(4, 8, 16), decoder_layers_per_block=(1, 1, 1, 1),
                    decoder_spatio_temporal_scaling=(True, True, True), decoder_inject_noise=(True, True, True, False), upsample_residual=(True,) * 3,
                    upsample_factor=(2, 2, 2), timestep_conditioning=True, **common),
        "095": dict(block_out_channels=(2, 4, 8, 16, 2048), down_block_types=("LTXVideo095DownBlock3D",) * 4, spatio_temporal_scaling=(True,) * 4,
                    downsample_type=("spatial", "temporal", "spatiotemporal", "spatiotemporal"), decoder_block_out_channels=(4, 8, 16),
                    decoder_layers_per_block=(1, 1, 1, 1), decoder_spatio_temporal_scaling=(True, True, True),
                    decoder_inject_noise=(False,) * 4, upsample_residual=(True,) * 3, upsample_factor=(2, 2, 2), timestep_conditioning=True, **common)}
    for version, config in versions.items():
        with torch.device("meta"):
            model = diffusers.AutoencoderKLLTXVideo(**config)
        originals = [ltx_vae_original(name, version) for name in model.state_dict()]
        kept = [n for n in originals if "mean-of-means" not in n]  # diffusers' conversion drops it, then fills it in another way
        shape = 2048 if version == "095" else 8
        tensors = {n: torch.full((1, shape), float(i)) for i, n in enumerate(originals)}
        result = convert.convert_ltx_vae_checkpoint_to_diffusers(tensors)
        pairs = [[originals[int(v.flatten()[0])], n] for n, v in result.items()]
        assert {b for _, b in pairs} | {"latents_mean", "latents_std"} == set(model.state_dict()), (version, set(model.state_dict()) ^ {b for _, b in pairs})
        out["ltx_vae_" + version] = pairs
    json.dump(out, open("video_names.json", "w"), indent=0)
    print({k: len(v) for k, v in out.items()})


main()
