#!/usr/bin/env python3
"""Makes the cases of adapters, of a UNet file over another model, and of the safety checker with the reference library, on the tiny models of
pipe_sd15 and pipe_sdxl; and lora_*.png with lora.json in seeds/, pictures from seeds for the functional test.
Needs torch, diffusers, transformers, peft, safetensors, PIL; usage: make_lora_cases.py GOLDEN"""
import json
import pathlib
import sys

import diffusers
import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPImageProcessor

torch.set_num_threads(1)
golden = pathlib.Path(sys.argv[1])
REFERENCE = {"library": "diffusers", "version": diffusers.__version__, "torch": torch.__version__.split("+")[0]}


def tolerances(outputs):
    return {name: {"shape": list(value.shape), "dtype": str(value.dtype).split(".")[1],
                   "tolerance": {"atol": scale * max(float(value.abs().max()), 1e-3), "rtol": 1e-5}} for name, (value, scale) in outputs.items()}


def write(name, what, cls, model_dir, inputs, outputs, tensors):
    case = golden / name
    case.mkdir(exist_ok=True)
    save_file({**tensors, **{k: v.contiguous() for k, (v, _) in outputs.items()}}, case / "io.safetensors")
    text = {"case": name, "kind": "pipeline", "what": what, "reference": {**REFERENCE, "class": cls}, "model_dir": model_dir,
            "inputs": inputs, "outputs": tolerances(outputs)}
    (case / "case.json").write_text(json.dumps(text, indent=1) + "\n")


def low_rank(model, prefix, modules, rank, seed, scale=0.35):
    """A LoRA in PEFT's names over every linear layer whose name ends so."""
    g = torch.Generator().manual_seed(seed)
    out = {}
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and name.endswith(modules):
            out[f"{prefix}.{name}.lora_A.weight"] = torch.randn(rank, module.in_features, generator=g) * scale
            out[f"{prefix}.{name}.lora_B.weight"] = torch.randn(module.out_features, rank, generator=g) * scale
    return out


def run_case(name, what, cls, model, runs, scheduler=None, parts=None, shown=None):
    inputs, outputs = {}, {}
    for i, run in enumerate(runs):
        pipe = getattr(diffusers, cls).from_pretrained(golden / model / "model", **(parts or {}))
        pipe.set_progress_bar_config(disable=True)
        adapters = run.pop("adapters", [])
        for j, adapter in enumerate(adapters):
            file = (golden / name / adapter["file"]).resolve() if (golden / name).is_dir() else (golden / "lora_sdxl" / pathlib.Path(adapter["file"]).name)
            pipe.load_lora_weights(str(file.parent), weight_name=file.name, adapter_name=f"a{j}")
        if adapters:
            pipe.set_adapters([f"a{j}" for j in range(len(adapters))], [a["scale"] for a in adapters])
        if scheduler:
            pipe.scheduler = scheduler(pipe.scheduler)
        steps = []
        n = "" if i == 0 else str(i)
        image = pipe(**{k: v for k, v in run.items() if k != "seeds"}, generator=torch.Generator().manual_seed(run["seeds"][0]), output_type="np",
                     callback_on_step_end=lambda p, k, t, v: steps.append(v["latents"].clone()) or v)[0]
        # Merged weights against adapters beside them: rounding of another order.
        outputs[f"out{n}.latents_per_step"] = (torch.stack(steps), 1e-4)
        outputs[f"out{n}.image"] = (torch.from_numpy(np.asarray(image)), 1e-4)
        kept = run if shown is None else {k: v for k, v in run.items() if k in shown}
        inputs[f"run{i}"] = {**kept, **({"adapters": adapters} if adapters else {})}
    write(name, what, cls, f"../{model}/model", inputs, outputs, {})


# SDXL with the files of lora_sdxl: one, two at once with a text encoder's part, none.
xl = {"prompt": "a lighthouse at dusk", "num_inference_steps": 3, "guidance_scale": 5.0, "height": 32, "width": 24, "seeds": [21]}
run_case("pipe_sdxl_lora", "Pictures with adapters in one pipeline, switched between runs.", "StableDiffusionXLPipeline", "pipe_sdxl", [
    {**xl, "adapters": [{"file": "../lora_sdxl/peft.safetensors", "scale": 0.7}]},
    {**xl, "negative_prompt": "text", "adapters": [{"file": "../lora_sdxl/kohya.safetensors", "scale": 1.2},
                                                   {"file": "../lora_sdxl/peft_metadata.safetensors", "scale": -0.4}]},
    dict(xl),
])

# An LCM adapter: the request names neither steps, nor guidance, nor scheduler.
lcm = golden / "pipe_sd15_lcm_lora"
lcm.mkdir(exist_ok=True)
unet = diffusers.UNet2DConditionModel.from_pretrained(golden / "pipe_sd15/model/unet")
save_file(low_rank(unet, "unet", ("to_q", "to_v", "to_out.0"), 2, 31), lcm / "lcm-lora-tiny.safetensors")
run_case("pipe_sd15_lcm_lora", "An LCM adapter with the defaults of its card: LCM scheduler from the model's, 4 steps, no guidance.",
         "StableDiffusionPipeline", "pipe_sd15",
         [{"prompt": "a red fox in snow", "num_inference_steps": 4, "guidance_scale": 1.0, "height": 24, "width": 32, "seeds": [12],
           "adapters": [{"file": "lcm-lora-tiny.safetensors", "scale": 1.0}]}],
         scheduler=lambda s: diffusers.LCMScheduler.from_config(s.config), shown=("prompt", "height", "width", "seeds"))

# A UNet of its own over SDXL, as SDXL-Lightning publishes it: Euler with trailing timesteps, 2 steps, no guidance.
light = golden / "pipe_sdxl_lightning_unet"
light.mkdir(exist_ok=True)
torch.manual_seed(3)
distilled = diffusers.UNet2DConditionModel.from_config(diffusers.UNet2DConditionModel.load_config(golden / "pipe_sdxl/model/unet"))
save_file(distilled.state_dict(), light / "sdxl_lightning_2step_unet.safetensors")
run_case("pipe_sdxl_lightning_unet", "The UNet of a few-step model over SDXL with the defaults of its card.", "StableDiffusionXLPipeline", "pipe_sdxl",
         [{"prompt": "a red fox in snow", "num_inference_steps": 2, "guidance_scale": 0.0, "height": 32, "width": 24, "seeds": [5]}],
         scheduler=lambda s: diffusers.EulerDiscreteScheduler.from_config(s.config, timestep_spacing="trailing"), parts={"unet": distilled},
         shown=("prompt", "height", "width", "seeds"))

# The safety checker, whole: pictures in, flags out.
model = golden / "safety_checker/model"
config = CLIPConfig(projection_dim=12, vision_config=dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
                                                          image_size=30, patch_size=10, projection_dim=12))
torch.manual_seed(9)
checker = StableDiffusionSafetyChecker(config)
g = torch.Generator().manual_seed(10)
processor = CLIPImageProcessor(size={"shortest_edge": 30}, crop_size={"height": 30, "width": 30})
rng = np.random.default_rng(4)
pictures = np.stack([np.clip(rng.normal(60 + 20 * k, 20 + 9 * k, (40, 52, 3)) + 90 * np.sin(np.arange(52) / (2.0 + k))[None, :, None], 0, 255).astype(np.uint8)
                     for k in range(6)])
pixels = processor(list(pictures), return_tensors="pt").pixel_values.half().float()
with torch.no_grad():
    embeds = checker.visual_projection(checker.vision_model(pixels)[1])
    mean = torch.nn.functional.normalize(embeds, dim=1)
    # Concepts near the pictures, thresholds in the midst of their similarities, so that some are flagged, some only by the adjustment.
    near = lambda n: torch.nn.functional.normalize(mean[torch.randint(0, 6, (n,), generator=g)] + 0.4 * torch.randn(n, 12, generator=g), dim=1)
    concepts, special = near(17), near(3)
    for parameter, value in ((checker.concept_embeds, concepts), (checker.special_care_embeds, special)):
        parameter.copy_(value)
    cosines = mean @ concepts.T
    checker.concept_embeds_weights.copy_(cosines.max(0).values + torch.linspace(-0.012, 0.03, 17))
    checker.special_care_embeds_weights.copy_((mean @ special.T).median(0).values)
    _, flags = checker(images=np.zeros((6, 4, 4, 3)), clip_input=pixels)
print("flags", flags)
checker.save_pretrained(model / "safety_checker")
processor.save_pretrained(model / "feature_extractor")
(model / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline", "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
                                                    "feature_extractor": ["transformers", "CLIPImageProcessor"]}) + "\n")
write("safety_checker", "Pictures through CLIPImageProcessor (pixels rounded to float16) and StableDiffusionSafetyChecker.", "StableDiffusionSafetyChecker",
      "model", {}, {"out.image_embeds": (embeds, 2e-5), "out.flags": (torch.tensor(flags).long(), 0)}, {"in.pictures_u8": torch.from_numpy(pictures)})

# Pictures from seeds for the functional test.
cases = []
for seed, adapters in ((3, [["peft", 0.7]]), (4, [["kohya", 1.0], ["peft_metadata", 0.5]]), (3, [])):
    pipe = diffusers.StableDiffusionXLPipeline.from_pretrained(golden / "pipe_sdxl/model")
    pipe.set_progress_bar_config(disable=True)
    for name, _ in adapters:
        pipe.load_lora_weights(str(golden / "lora_sdxl"), weight_name=name + ".safetensors", adapter_name=name)
    if adapters:
        pipe.set_adapters([a for a, _ in adapters], [s for _, s in adapters])
    run = {"prompt": "a cat and a dog in the garden", "height": 32, "width": 24, "num_inference_steps": 3, "guidance_scale": 5.0}
    file = "lora_" + ("_".join(a for a, _ in adapters) or "none") + f"_{seed}.png"
    pipe(**run, generator=torch.Generator().manual_seed(seed)).images[0].save(golden / "seeds" / file)
    cases.append({"seed": seed, **run, "adapters": adapters, "file": file})
(golden / "seeds/lora.json").write_text(json.dumps({"reference": REFERENCE, "what": "Pictures that diffusers with PEFT makes from a seed with adapters of lora_sdxl, on the tiny model of pipe_sdxl.", "cases": cases}, indent=1) + "\n")
