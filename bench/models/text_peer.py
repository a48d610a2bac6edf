"""The peer of text_bench: the same networks in transformers with random weights, the same strings through its tokenizers, the same
picture through Pillow. Prints "<name> <ms>" lines, the best of as many runs."""
import json
import sys
import time
from pathlib import Path

import torch
import transformers
from PIL import Image

threads = int(sys.argv[1])
part = sys.argv[2]
RUNS = 6
if threads > 0:
    torch.set_num_threads(threads)
transformers.logging.set_verbosity_error()
root = Path(__file__).resolve().parents[2]
configs = json.loads((root / "bench/models/text_configs.json").read_text())


def best_ms(runs, act):
    act()
    best = 1e12
    for _ in range(runs):
        start = time.perf_counter()
        act()
        best = min(best, 1e3 * (time.perf_counter() - start))
    return best


def report(name, ms):
    print(f"{name} {ms:.4f}", flush=True)


def strings(case):
    return [entry["text"] for entry in json.loads((root / "tests/golden" / case / "strings.json").read_text())["strings"]]


with torch.inference_mode():
    for dtype in (torch.float32, torch.bfloat16):
        suffix = "-" + str(dtype)[6:]
        for name, model_class in (("clip-l-text", transformers.CLIPTextModel), ("clip-bigg-text", transformers.CLIPTextModelWithProjection)):
            if part not in name + suffix:
                continue
            config = transformers.CLIPTextConfig(**configs[name])
            model = model_class(config).eval().to(dtype)
            ids = torch.randint(0, config.vocab_size - 1, (2, 77))
            report(name + suffix, best_ms(RUNS, lambda: model(input_ids=ids, output_hidden_states=True)))
        if part in "clip-h-vision" + suffix:
            config = transformers.CLIPVisionConfig(**configs["clip-h-vision"])
            model = transformers.CLIPVisionModelWithProjection(config).eval().to(dtype)
            pixels = torch.randn(1, 3, config.image_size, config.image_size).to(dtype)
            report("clip-h-vision" + suffix, best_ms(RUNS, lambda: model(pixel_values=pixels)))
        if part in "umt5-xxl" + suffix:
            config = transformers.UMT5Config(**configs["umt5-xxl"])
            model = transformers.UMT5EncoderModel(config).eval().to(dtype)
            ids = torch.randint(0, config.vocab_size - 1, (1, 128))
            report("umt5-xxl" + suffix, best_ms(RUNS, lambda: model(input_ids=ids, attention_mask=torch.ones_like(ids))))

# The Rust tokenizers themselves, without transformers' wrapper around them.
for name, case, length in (("tokens-clip", "tok_clip_l", 77), ("tokens-umt5", "tok_umt5", 512)):
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(root / "tests/golden" / case / "tokenizer").backend_tokenizer
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(length=length)
    texts = strings(case)
    report(name, best_ms(RUNS, lambda: [tokenizer.encode(text).ids for text in texts]))

picture = Image.frombytes("RGB", (1920, 1080), torch.randint(0, 256, (1080, 1920, 3), dtype=torch.uint8).numpy().tobytes())
report("lanczos-1080p-to-576p", best_ms(RUNS, lambda: picture.resize((1024, 576), Image.Resampling.LANCZOS)))
