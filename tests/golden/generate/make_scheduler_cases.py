#!/usr/bin/env python3
"""Makes the scheduler cases sched_more_* with the reference library: members of scheduler_config.json that the other cases leave at
their defaults. Same layout as the other golden cases. Needs torch, diffusers, safetensors, scipy; usage: make_scheduler_cases.py OUT"""
import json
import pathlib
import sys

import diffusers
import torch
from safetensors.torch import save_file

A, B, C = 0.7, -0.4, 0.1
SD = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
CASES = {
    "euler_exponential": ("EulerDiscreteScheduler", dict(SD, use_exponential_sigmas=True), [5]),
    "euler_beta": ("EulerDiscreteScheduler", dict(SD, use_beta_sigmas=True), [6]),
    "euler_log_linear": ("EulerDiscreteScheduler", dict(SD, interpolation_type="log_linear"), [5]),
    "euler_sigma_min_last": ("EulerDiscreteScheduler", dict(SD, final_sigmas_type="sigma_min", timestep_spacing="trailing"), [5]),
    "euler_cosine_betas": ("EulerDiscreteScheduler", dict(beta_schedule="squaredcos_cap_v2", timestep_spacing="leading", num_train_timesteps=500), [5]),
    "euler_ancestral_vpred": ("EulerAncestralDiscreteScheduler", dict(SD, prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="leading", steps_offset=1), [4]),
    "ddim_threshold": ("DDIMScheduler", dict(SD, thresholding=True, sample_max_value=2.0, dynamic_thresholding_ratio=0.9, timestep_spacing="linspace"), [4]),
    "ddim_sample": ("DDIMScheduler", dict(SD, prediction_type="sample", clip_sample=False), [4]),
    "pndm_runge_kutta": ("PNDMScheduler", dict(SD, skip_prk_steps=False, set_alpha_to_one=True), [5, 9]),
    "pndm_vpred_linspace": ("PNDMScheduler", dict(SD, skip_prk_steps=True, prediction_type="v_prediction", timestep_spacing="linspace"), [6]),
    "lcm_vpred_clip": ("LCMScheduler", dict(prediction_type="v_prediction", clip_sample=True, clip_sample_range=1.5, original_inference_steps=25, timestep_scaling=5.0), [3]),
    "tcd_sample": ("TCDScheduler", dict(prediction_type="sample", original_inference_steps=100), [3]),
    "dpm_order3_heun": ("DPMSolverMultistepScheduler", dict(SD, solver_order=3, solver_type="heun"), [6, 20]),
    "dpm_order2_heun": ("DPMSolverMultistepScheduler", dict(SD, solver_type="heun", euler_at_final=True, timestep_spacing="leading", steps_offset=1), [6]),
    "dpm_sde": ("DPMSolverMultistepScheduler", dict(SD, algorithm_type="sde-dpmsolver++", use_karras_sigmas=True), [6]),
    "dpm_sde_order3": ("DPMSolverMultistepScheduler", dict(SD, algorithm_type="sde-dpmsolver++", solver_order=3, solver_type="heun"), [6]),
    "dpm_noise_midpoint": ("DPMSolverMultistepScheduler", dict(SD, algorithm_type="dpmsolver", final_sigmas_type="sigma_min"), [6]),
    "dpm_noise_order3": ("DPMSolverMultistepScheduler", dict(SD, algorithm_type="dpmsolver", solver_order=3, solver_type="heun", final_sigmas_type="sigma_min", prediction_type="v_prediction"), [6]),
    "dpm_noise_sde": ("DPMSolverMultistepScheduler", dict(SD, algorithm_type="sde-dpmsolver", final_sigmas_type="sigma_min", prediction_type="sample"), [6]),
    "dpm_noise_sde_heun": ("DPMSolverMultistepScheduler", dict(SD, algorithm_type="sde-dpmsolver", solver_type="heun", final_sigmas_type="sigma_min"), [6]),
    "dpm_lu": ("DPMSolverMultistepScheduler", dict(SD, use_lu_lambdas=True), [6]),
    "dpm_beta": ("DPMSolverMultistepScheduler", dict(SD, use_beta_sigmas=True), [6]),
    "dpm_clipped_lambda": ("DPMSolverMultistepScheduler", dict(beta_schedule="squaredcos_cap_v2", lambda_min_clipped=-5.1, timestep_spacing="trailing"), [6]),
    "dpm_threshold": ("DPMSolverMultistepScheduler", dict(SD, thresholding=True, sample_max_value=1.5), [6]),
    "unipc_order3_bh1": ("UniPCMultistepScheduler", dict(SD, solver_order=3, solver_type="bh1", final_sigmas_type="sigma_min", timestep_spacing="leading", steps_offset=1), [7]),
    "unipc_noise": ("UniPCMultistepScheduler", dict(SD, predict_x0=False, final_sigmas_type="sigma_min"), [6]),
    "unipc_uncorrected": ("UniPCMultistepScheduler", dict(SD, disable_corrector=[0, 2], prediction_type="v_prediction"), [6]),
    "unipc_karras_flow": ("UniPCMultistepScheduler", dict(prediction_type="flow_prediction", use_flow_sigmas=True, use_karras_sigmas=True, sigma_min=0.02, sigma_max=50.0), [6]),
    "unipc_exponential": ("UniPCMultistepScheduler", dict(SD, use_exponential_sigmas=True), [6]),
    "unipc_dynamic": ("UniPCMultistepScheduler", dict(prediction_type="flow_prediction", use_flow_sigmas=True, use_dynamic_shifting=True, shift_terminal=0.1), [6]),
    "fm_euler_linear_shift": ("FlowMatchEulerDiscreteScheduler", dict(use_dynamic_shifting=True, time_shift_type="linear"), [5]),
    "fm_euler_karras": ("FlowMatchEulerDiscreteScheduler", dict(shift=3.0, use_karras_sigmas=True), [5]),
    "fm_euler_beta": ("FlowMatchEulerDiscreteScheduler", dict(use_beta_sigmas=True), [5]),
    "fm_euler_stochastic": ("FlowMatchEulerDiscreteScheduler", dict(shift=2.0, stochastic_sampling=True), [5]),
    "fm_euler_inverted": ("FlowMatchEulerDiscreteScheduler", dict(invert_sigmas=True), [5]),
}
MU = 1.7


class Draws:
    """Stands in for the noise function of the scheduler's module and keeps what it gave."""

    def __init__(self, seed):
        self.generator, self.kept = torch.Generator().manual_seed(seed), []

    def __call__(self, shape, generator=None, device=None, dtype=None, layout=None):
        self.kept.append(torch.randn(tuple(shape), generator=self.generator, dtype=dtype))
        return self.kept[-1]


def run(scheduler, x0, steps, draws, dynamic):
    scheduler.set_timesteps(steps, **({"mu": MU} if dynamic else {}))
    x = x0 * scheduler.init_noise_sigma
    path, inputs = [x], []
    for t in scheduler.timesteps:
        u = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
        inputs.append(u)
        x = scheduler.step(torch.tanh(A * u + B * (t.float() / 1000) + C), t, x, return_dict=False)[0]
        path.append(x)
    out = {"timesteps": scheduler.timesteps.clone(), "traj": torch.stack(path), "model_in": torch.stack(inputs)}
    out["init_noise_sigma"] = torch.tensor(float(scheduler.init_noise_sigma))
    if hasattr(scheduler, "sigmas"):
        out["sigmas"] = scheduler.sigmas.clone().float()
    if draws.kept:
        out["noise"] = torch.stack(draws.kept)
    return out


def make(folder, name, cls, config, steps):
    scheduler = getattr(diffusers, cls)(**config)
    module = sys.modules[type(scheduler).__module__]
    if not hasattr(scheduler, "init_noise_sigma"):
        type(scheduler).init_noise_sigma = 1.0
    case = folder / f"sched_more_{name}"
    scheduler.save_pretrained(case / "model/scheduler")
    x0 = torch.randn((1, 2, 4, 5), generator=torch.Generator().manual_seed(7))
    tensors, described = {"in.x0": x0}, {}
    for n in steps:
        draws = Draws(100 + n)
        module.randn_tensor = draws
        dynamic = config.get("use_dynamic_shifting", False)
        for key, value in run(getattr(diffusers, cls).from_pretrained(case / "model/scheduler"), x0, n, draws, dynamic).items():
            if key in ("traj", "model_in"):
                tolerance = {"atol": 1e-5 * float(value.abs().max().clamp(min=1.0)), "rtol": 1e-5}
            else:
                tolerance = {"atol": 0.0, "rtol": 0.0 if value.dtype == torch.int64 else 2e-6}
            tensors[f"n{n}.{key}"] = value.contiguous()
            described[f"n{n}.{key}"] = {"shape": list(value.shape), "dtype": str(value.dtype)[6:], "tolerance": tolerance}
    save_file(tensors, case / "io.safetensors")
    text = {"case": case.name, "kind": "scheduler", "what": f"{cls}: {config}",
            "reference": {"library": "diffusers", "version": diffusers.__version__, "class": cls, "torch": torch.__version__.split("+")[0]},
            "model_dir": "model/scheduler", "a": A, "b": B, "c": C, "steps": steps, "tensors": described,
            "set_timesteps": f"set_timesteps(n, mu={MU})" if config.get("use_dynamic_shifting") else "set_timesteps(n)", "step_args": {}}
    (case / "case.json").write_text(json.dumps(text, indent=1) + "\n")


torch.set_num_threads(1)
for name, (cls, config, steps) in CASES.items():
    make(pathlib.Path(sys.argv[1]), name, cls, config, steps)
