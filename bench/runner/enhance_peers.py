"""Enhancement from file to file against the pattern of the scripts that people use (ffmpeg writes a PNG file for each picture, Python torch reads them
one after the other, runs the network and writes PNG files, ffmpeg encodes those), in one run, taking turns; prints the table of docs/enhancement.md.

    KINORA_BIN=build/release/bin PYTHON bench/runner/enhance_peers.py upscale|interpolate [CLIP] [SECONDS] [ROUNDS]

PYTHON has torch, safetensors and Pillow. Weights, threads, codec settings and the network's number format (upscaling in bfloat16, which Kinora chooses here, interpolation in
float32; channels last) are the same on both sides; IFNet 4.25 has random weights. PNG files are compressed at level 1, as the scripts of RIFE do."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/functional"), str(ROOT / "bench/models")]
from enhancement_networks import Rife, Srvgg  # noqa: E402
from harness import Process, probe, psnr_y  # noqa: E402

CODEC = ["-c:v", "libx264", "-preset", "superfast", "-crf", "18", "-pix_fmt", "yuv420p"]


class Upscale:
    task, settings = "video-upscale", ["--model", "kinora-sr2x", "--set", "scale=2"]

    def __init__(self, models):
        folder = ROOT / "weights/kinora-sr2x"
        config = json.loads((folder / "config.json").read_text())
        self.net = Srvgg(config["num_feat"], config["num_conv"], config["upscale"])
        self.net.load_state_dict(load_file(folder / "model.safetensors"))
        self.net = self.net.to(torch.bfloat16).to(memory_format=torch.channels_last)

    def run(self, small, large):
        for path in sorted(small.iterdir()):
            write(large / path.name, self.net(read(path).to(torch.bfloat16)).float())
        return 1


class Interpolate:
    task, settings = "frame-interpolation", ["--model", "rife-4.25", "--set", "factor=2"]

    def __init__(self, models):
        torch.manual_seed(0)
        self.net = Rife().to(memory_format=torch.channels_last)
        with torch.no_grad():
            for name, weight in self.net.named_parameters():
                if name.endswith("beta"):
                    continue
                weight.normal_(0, 0.5 / max(1, weight[0].numel()) ** 0.5) if weight.dim() > 1 else weight.zero_()
        (models / "rife-4.25").mkdir()
        torch.save(self.net.state_dict(), models / "rife-4.25/flownet.pkl")  # as it is published

    def run(self, small, large):
        paths = sorted(small.iterdir())
        before = features = None
        for i, path in enumerate(paths):
            picture = read(path)
            height, width = picture.shape[2:]
            padded = F.pad(picture, (0, -width % Rife.MULTIPLE, 0, -height % Rife.MULTIPLE)).contiguous(memory_format=torch.channels_last)
            if i == 0:
                grid, size = Rife.grid(padded.shape[3], padded.shape[2])
            made = self.net.encode(padded)
            if before is not None:
                write(large / f"{2 * i:05d}.png", self.net(before, padded, features, made, grid, size)[:, :, :height, :width])
            write(large / f"{2 * i + 1:05d}.png", picture)
            before, features = padded, made
        write(large / f"{2 * len(paths):05d}.png", picture)  # the last picture is held
        return 2


def read(path):
    with Image.open(path) as image:
        pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).view(1, image.height, image.width, 3)
    return pixels.permute(0, 3, 1, 2).float().div(255)


def write(path, picture):
    Image.fromarray(picture[0].clamp(0, 1).mul(255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()).save(path, compress_level=1)


def scripts(work, clip, scratch, out):
    """PNG in, PNG out. The files' MiB."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        small, large = pathlib.Path(folder, "small"), pathlib.Path(folder, "large")
        small.mkdir()
        large.mkdir()
        run(["ffmpeg", "-v", "error", "-i", clip, "-compression_level", "1", small / "%05d.png"])
        with torch.inference_mode():
            factor = work.run(small, large)
        num, den = probe_video(clip)["avg_frame_rate"].split("/")
        run(["ffmpeg", "-v", "error", "-y", "-framerate", f"{factor * int(num)}/{den}", "-i", large / "%05d.png", "-i", clip, "-map", "0:v", "-map", "1:a?",
             "-c:a", "copy", *CODEC, out])
        return sum(file.stat().st_size for file in pathlib.Path(folder).rglob("*.png")) / 2**20


def run(words):
    subprocess.run([str(word) for word in words], check=True)


def probe_video(path):
    return probe(path)["video"][0]


def timed(work):
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def main():
    kind = {"upscale": Upscale, "interpolate": Interpolate}[sys.argv[1]]
    source = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ROOT / "tests/media/london_roofs_360p_5s.mp4")
    seconds, rounds = (sys.argv[3] if len(sys.argv) > 3 else "2"), int(sys.argv[4]) if len(sys.argv) > 4 else 3
    torch.set_num_threads(os.cpu_count())
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        clip, mine, theirs = (scratch / name for name in ("clip.mp4", "kinora.mp4", "scripts.mp4"))
        run(["ffmpeg", "-v", "error", "-i", source, "-t", seconds, "-r", "30", "-c:v", "libx264", "-crf", "16", "-c:a", "copy", clip])
        (scratch / "models").mkdir()
        work = kind(scratch / "models")
        node = Process(scratch, "node", "up", "--listen", "127.0.0.1:0", "--models", scratch / "models", "--json").start()
        try:
            def ours():
                node.kinora("run", work.task, clip, "-o", mine, *work.settings, "--json")
            ours()  # loads the model
            frames = int(probe_video(mine)["nb_read_frames"])
            for number in range(1, rounds + 1):
                own, _ = timed(ours)
                peer, mib = timed(lambda: scripts(work, clip, scratch, theirs))
                print(f"| {work.task}, round {number} | {frames / own:.2f} | {frames / peer:.2f} | {peer / own:.2f} | {mib:.0f} MiB |", flush=True)
        finally:
            node.kill()
        shapes = {tuple(probe_video(file)[key] for key in ("width", "height", "nb_read_frames", "r_frame_rate")) for file in (mine, theirs)}
        assert len(shapes) == 1, shapes
        alike = psnr_y(mine, theirs)
    print(f"the two files against each other: PSNR-Y {alike:.1f} dB; {torch.get_num_threads()} threads, torch {torch.__version__}")


if __name__ == "__main__":
    main()
