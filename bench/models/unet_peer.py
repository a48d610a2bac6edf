"""The peer of unet_bench: one network of networks.json in diffusers, random weights, channels-last. For every line read it runs a
forward and prints its seconds."""
import json
import sys
import time

import diffusers
import torch

case, threads = json.load(open(sys.argv[1]))[sys.argv[2]], int(sys.argv[3])
torch.set_num_threads(threads)
config, shape, dtype = case["config"], case["sample"], getattr(torch, case["dtype"])


def build():
    if case["network"] == "unet":
        return diffusers.UNet2DConditionModel(**config)
    if case["network"] == "motion":
        unet = diffusers.UNet2DConditionModel(**config)
        return diffusers.UNetMotionModel.from_unet2d(unet, diffusers.MotionAdapter(**case["motion"]), load_weights=False)
    if case["network"] == "svd":
        return diffusers.UNetSpatioTemporalConditionModel(**config)
    if case["network"] == "wan":
        return diffusers.WanTransformer3DModel(**config)
    if case["network"] == "ltx":
        return diffusers.LTXVideoTransformer3DModel(**config)
    if case["network"] in ("wan-vae", "ltx-vae"):
        return (diffusers.AutoencoderKLWan if case["network"] == "wan-vae" else diffusers.AutoencoderKLLTXVideo)(**config)
    return (diffusers.AutoencoderKL if case["network"] == "vae" else diffusers.AutoencoderKLTemporalDecoder)(**config)


def random(*sizes):
    return torch.randn(sizes).to(dtype)


def forward(net, sample):
    batch, context = shape[0], config.get("cross_attention_dim", 1024)
    if case["network"] == "wan":
        return net(sample, torch.tensor([500]), random(batch, case["tokens"], net.config.text_dim)).sample
    if case["network"] == "ltx":
        frames, height, width = case["grid"]
        return net(sample, random(batch, case["tokens"], net.config.caption_channels), torch.full((batch,), 500.0),
                   torch.ones(batch, case["tokens"]), frames, height, width, (0.32, 32, 32)).sample
    if case["network"] in ("vae", "svd-vae", "wan-vae", "ltx-vae"):
        if not case["decode"]:
            return net.encode(sample).latent_dist.mean
        return net.decode(sample, num_frames=batch).sample if case["network"] == "svd-vae" else net.decode(sample).sample
    frames = shape[2] if case["network"] == "motion" else 1  # this class wants the prompt once for each frame
    tokens = random(batch * frames, case["tokens"], context)
    if case["network"] == "svd":
        return net(sample, torch.tensor(1.0), tokens, random(batch, 3)).sample
    added = {}
    if "projection_class_embeddings_input_dim" in config:
        pooled = config["projection_class_embeddings_input_dim"] - 6 * config["addition_time_embed_dim"]
        added = {"text_embeds": random(batch, pooled), "time_ids": random(batch, 6)}
    return net(sample, torch.tensor(500.0), tokens, added_cond_kwargs=added).sample


with torch.device("meta"):
    net = build()
net = net.to(dtype).to_empty(device="cpu").eval()
with torch.inference_mode():
    pattern = torch.randn(65536).mul(0.02).to(dtype)
    for tensor in (*net.parameters(), *net.buffers()):
        tensor.copy_(pattern.repeat(-(-tensor.numel() // pattern.numel()))[: tensor.numel()].view_as(tensor))
    if not any(part.dim() == 5 for part in net.parameters()):
        net = net.to(memory_format=torch.channels_last)
    sample = random(*shape)
    if sample.dim() == 4:
        sample = sample.contiguous(memory_format=torch.channels_last)
    for _ in sys.stdin:
        start = time.perf_counter()
        forward(net, sample)
        print(f"{time.perf_counter() - start:.4f}", flush=True)
