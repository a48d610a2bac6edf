"""kinora models pull|rm against a hub that behaves and misbehaves as the real one does."""
import hashlib
import json
import os
import pathlib
import random
import signal
import subprocess
import tempfile
import unittest

from fake_hub import COMMIT, FakeHub
from harness import BIN, wait_for

BIG = random.Random(1).randbytes(70_000_000)  # three parts
MODEL = {
    "model_index.json": b'{"_class_name": "StableDiffusionPipeline"}',
    "README.md": b"about",
    "unet/config.json": b"{}",
    "unet/diffusion_pytorch_model.safetensors": BIG,
    "unet/model.onnx": bytes(5000),
    "text encoder/we ird+name.json": b"[]",
    "vae/diffusion_pytorch_model.safetensors": random.Random(2).randbytes(300_000),
    "vae/empty.txt": b"",
}
LOADABLE = set(MODEL) - {"unet/model.onnx"}


class ModelsPull(unittest.TestCase):
    def setUp(self):
        self.scratch = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.hub = FakeHub({"org/tiny": dict(MODEL), "org/other": {"model.safetensors": BIG, "config.json": b"{}"}})
        self.addCleanup(self.hub.close)

    def environment(self, token=None):
        clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and k != "HF_TOKEN"}
        return {**clean, "KINORA_HOME": str(self.scratch / "home"), "HF_ENDPOINT": self.hub.url, **({"HF_TOKEN": token} if token else {})}

    def kinora(self, *words, status=0, token=None):
        done = subprocess.run([BIN / "kinora", *words, "--json"], env=self.environment(token), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else {}, done.stderr

    def files(self, pulled):
        root = pathlib.Path(pulled["path"])
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}

    def test_a_model_arrives_whole_in_the_layout_of_a_hub_cache(self):
        pulled, _ = self.kinora("models", "pull", "org/tiny")
        self.assertEqual(pulled["commit"], COMMIT)
        self.assertEqual(self.files(pulled), {name: MODEL[name] for name in LOADABLE})
        root = self.scratch / "home/models/models--org--tiny"
        self.assertEqual((root / "refs/main").read_text(), COMMIT)
        self.assertTrue((root / "blobs" / hashlib.sha256(BIG).hexdigest()).is_file())
        self.assertEqual([p.name for p in (root / "blobs").iterdir() if "incomplete" in p.name], [])

    def test_a_second_pull_fetches_nothing_and_a_wider_one_only_what_is_new(self):
        self.kinora("models", "pull", "org/tiny")
        before = len(self.hub.requests)
        pulled, _ = self.kinora("models", "pull", "org/tiny")
        self.assertEqual(pulled["bytes_fetched"], 0)
        self.assertEqual(len(self.hub.requests), before)
        pulled, _ = self.kinora("models", "pull", "org/tiny", "--all")
        self.assertEqual(self.files(pulled), MODEL)
        self.assertEqual(pulled["bytes_fetched"], 5000)

    def test_patterns_choose(self):
        pulled, _ = self.kinora("models", "pull", "org/tiny", "--include", "unet/*", "--exclude", "*.onnx", "--revision", "main")
        self.assertEqual(set(self.files(pulled)), {"unet/config.json", "unet/diffusion_pytorch_model.safetensors"})

    def test_large_files_come_in_parallel_parts_and_the_token_stays_with_the_hub(self):
        self.hub.token = "hf_secret"
        pulled, talk = self.kinora("models", "pull", "org/tiny", token="hf_secret")
        self.assertEqual(self.files(pulled)["unet/diffusion_pytorch_model.safetensors"], BIG)
        parts = [r for p, r in self.hub.requests if p == "unet/diffusion_pytorch_model.safetensors"]
        self.assertEqual(len(parts), 3)
        self.assertEqual(set(self.hub.cdn_tokens), {None})
        self.assertNotIn("hf_secret", talk)

    def test_cut_connections_and_429_are_gone_on_from_where_they_were(self):
        self.hub.cuts = {"unet/diffusion_pytorch_model.safetensors": 8, "vae/diffusion_pytorch_model.safetensors": 1}
        self.hub.busy = {"vae/diffusion_pytorch_model.safetensors": 2, "unet/config.json": 1}
        pulled, _ = self.kinora("models", "pull", "org/tiny")
        self.assertEqual(self.files(pulled), {name: MODEL[name] for name in LOADABLE})
        begins = [int(r.split("=")[1].split("-")[0]) for p, r in self.hub.requests if p == "vae/diffusion_pytorch_model.safetensors"]
        self.assertEqual(sorted(begins), [0, 100_000])
        self.assertEqual(pulled["bytes_fetched"], sum(len(MODEL[name]) for name in LOADABLE))

    def test_a_wrong_hash_is_fetched_once_more_and_then_refused(self):
        self.hub.corrupt = {"vae/diffusion_pytorch_model.safetensors": 1}
        pulled, _ = self.kinora("models", "pull", "org/tiny")
        self.assertEqual(self.files(pulled)["vae/diffusion_pytorch_model.safetensors"], MODEL["vae/diffusion_pytorch_model.safetensors"])
        self.hub.corrupt = {"config.json": 99}
        _, talk = self.kinora("models", "pull", "org/other", status=1)
        self.assertIn("config.json", talk)
        self.assertIn("hash", talk)
        self.assertFalse((self.scratch / "home/models/models--org--other/snapshots").exists())

    def test_a_server_without_ranges_serves_too(self):
        self.hub.no_ranges = True
        pulled, _ = self.kinora("models", "pull", "org/tiny", "--connections", "2")
        self.assertEqual(self.files(pulled), {name: MODEL[name] for name in LOADABLE})

    def test_an_interrupted_pull_leaves_no_half_model_and_goes_on(self):
        self.hub.cuts = {"unet/diffusion_pytorch_model.safetensors": 10 ** 6}
        child = subprocess.Popen([BIN / "kinora", "models", "pull", "org/tiny", "--connections", "1"], env=self.environment(), stderr=subprocess.DEVNULL)
        self.addCleanup(child.kill)
        wait_for("the large file", lambda: sum(p.startswith("unet/diff") for p, _ in list(self.hub.requests)) > 3)
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(timeout=20), 130)
        self.assertFalse((self.scratch / "home/models/models--org--tiny/snapshots").exists())
        done = {p for p in MODEL if p != "unet/diffusion_pytorch_model.safetensors"} & {p for p, _ in self.hub.requests}
        self.hub.cuts = {}
        self.hub.requests.clear()
        pulled, _ = self.kinora("models", "pull", "org/tiny")
        self.assertEqual(self.files(pulled), {name: MODEL[name] for name in LOADABLE})
        self.assertEqual(done & {p for p, _ in self.hub.requests}, set())

    def test_content_that_another_model_has_is_linked(self):
        self.kinora("models", "pull", "org/tiny")
        pulled, _ = self.kinora("models", "pull", "org/other")
        self.assertEqual(pulled["bytes_fetched"], 2)
        self.assertEqual(self.files(pulled)["model.safetensors"], BIG)
        freed, _ = self.kinora("models", "rm", "org/other")
        self.assertEqual(freed["bytes_freed"], 2)
        self.assertTrue((self.scratch / "home/models/models--org--tiny/blobs" / hashlib.sha256(BIG).hexdigest()).is_file())

    def test_what_cannot_be_pulled_says_what_to_do(self):
        self.assertIn("check the name", self.kinora("models", "pull", "org/absent", status=1)[1])
        self.assertIn("OWNER/NAME", self.kinora("models", "pull", "../../etc", status=2)[1])
        self.hub.token = "hf_secret"
        self.assertIn("HF_TOKEN", self.kinora("models", "pull", "org/tiny", status=1)[1])
        self.assertIn("kinora models list", self.kinora("models", "rm", "org/absent", status=1)[1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
