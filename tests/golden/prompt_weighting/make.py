"""Makes this case: weighted prompts by compel 2.5.1 (weights of 1 and more; its rule for smaller ones is another, so for those its
own tensor function is called, which scales relative to the empty prompt for any weight) on the text encoder of pipe_sd15.

Needs torch 2.11, transformers 5.23, safetensors, compel 2.5.1.  Usage: python make.py
"""

import json
from pathlib import Path

import torch
from compel import Compel
from safetensors.torch import save_file
from transformers import CLIPTextModel, CLIPTokenizer

here = Path(__file__).resolve().parent
model = here.parent / "pipe_sd15" / "model"
tokenizer = CLIPTokenizer.from_pretrained(model / "tokenizer")
encoder = CLIPTextModel.from_pretrained(model / "text_encoder").eval()

# our prompt, the same as fragments and weights
cases = [
    ("a (cat:1.3) and a dog", [("a ", 1.0), ("cat", 1.3), (" and a dog", 1.0)]),
    ("((a painting)) of a (squirrel:2)", [("a painting", 1.1 * 1.1), (" of a ", 1.0), ("squirrel", 2.0)]),
    ("a (cat:0.4) and [a dog]", [("a ", 1.0), ("cat", 0.4), (" and ", 1.0), ("a dog", 1 / 1.1)]),
    ("a (watermark:-0.5) moon", [("a ", 1.0), ("watermark", -0.5), (" moon", 1.0)]),
]

tensors, runs = {}, {}
with torch.no_grad():
    provider = Compel(tokenizer=tokenizer, text_encoder=encoder, truncate_long_prompts=True).conditioning_provider
    for index, (prompt, fragments) in enumerate(cases):
        texts, weights = [t for t, _ in fragments], [w for _, w in fragments]
        if min(weights) >= 1:
            z = provider.get_embeddings_for_weighted_prompt_fragments([texts], [weights], device="cpu")
        else:
            ids, per_token, mask = provider.get_token_ids_and_expand_weights(texts, weights, device="cpu")
            z = provider.build_weighted_embedding_tensor(ids, per_token, mask, device="cpu")[None]
        tensors[f"out{index or ''}.embeddings"] = z.reshape(1, 77, -1).contiguous()
        runs[f"run{index}"] = {"prompt": prompt}

save_file(tensors, here / "io.safetensors")
description = {
    "case": here.name,
    "kind": "prompt",
    "what": "Weighted prompts: token embeddings scaled relative to the empty prompt.",
    "reference": {"library": "compel", "version": "2.5.1", "class": "Compel"},
    "model_dir": "../pipe_sd15/model",
    "inputs": runs,
    "outputs": {},
    "tolerance": {"atol": 1.5e-05, "rtol": 1e-05},
}
(here / "case.json").write_text(json.dumps(description, indent=1) + "\n")
