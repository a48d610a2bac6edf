"""Pictures and videos from prompts: through the whole network, and from kinora-runner alone as a Livepeer orchestrator would ask it.

The models are the tiny ones of tests/golden, laid out as a hub cache; expected pictures are those that diffusers makes from the same seed.
"""
import base64
import hashlib
import json
import os
import shutil
import struct
import subprocess
import unittest
import urllib.error
import urllib.request
import uuid

from golden_models import GOLDEN, floats, place, place_changed, place_file, place_lora, place_refiner, place_safety_checker, weights_digest
from harness import BIN, NetworkTest, probe, wait_for

SEEDS = json.loads((GOLDEN / "seeds/seeds.json").read_text())["cases"]
LORA = json.loads((GOLDEN / "seeds/lora.json").read_text())["cases"]


def pixels(picture):
    """RGB bytes of a PNG, by ffmpeg."""
    return subprocess.run(["ffmpeg", "-v", "error", "-i", "pipe:0" if isinstance(picture, bytes) else str(picture), "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"],
                          input=picture if isinstance(picture, bytes) else None, stdout=subprocess.PIPE, check=True).stdout


class Generation(NetworkTest):
    def same_picture(self, ours, theirs):
        a, b = pixels(ours), pixels(theirs)
        self.assertEqual(len(a), len(b))
        self.assertLessEqual(max(abs(x - y) for x, y in zip(a, b)), 1)  # one level: rounding of equal floats

    def runner(self, model_id, **env):
        work = self.scratch / f"work-{uuid.uuid4()}"
        work.mkdir()
        child = subprocess.Popen([BIN / "kinora-runner", "--work-dir", work], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                 env={**os.environ, "MODEL_DIR": str(self.scratch / "models"), "MODEL_ID": model_id, "PIPELINE": "text-to-image", "OMP_WAIT_POLICY": "passive", **env})
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.terminate)
        return json.loads(child.stdout.readline())["url"]

    def post(self, url, body, content_type="application/json", headers=()):
        request = urllib.request.Request(url, body, {"Content-Type": content_type, **dict(headers)})
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            self.assertIn("json", error.headers["content-type"])
            return error.code, json.loads(error.read())

    def form(self, fields, picture):
        lines = []
        if picture is not None:
            lines.append(b'--b\r\nContent-Disposition: form-data; name="image"; filename="image"\r\nContent-Type: application/octet-stream\r\n\r\n' + picture + b"\r\n")
        for name, value in fields.items():
            lines.append(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
        return b"".join(lines) + b"--b--\r\n"

    def data_url(self, media):
        head, _, text = media["url"].partition(",")
        self.assertEqual(head, "data:image/png;base64")
        self.assertIs(media["nsfw"], False)
        return base64.b64decode(text)

    def test_a_stock_client_gets_pictures_of_the_reference_from_the_runner_alone(self):
        place(self.scratch / "models", "tiny/sd15", "pipe_sd15")
        url = self.runner("tiny/sd15", AUTH_TOKEN="secret")
        token = [("Authorization", "Bearer secret")]
        first = SEEDS[0]
        body = {k: first[k] for k in ("prompt", "height", "width", "num_inference_steps", "guidance_scale", "seed")}
        status, answer = self.post(url + "/text-to-image/", json.dumps({**body, "model_id": "tiny/sd15", "num_images_per_prompt": 2}).encode(), headers=token)
        self.assertEqual(status, 200, answer)
        self.assertEqual([media["seed"] for media in answer["images"]], [7, 8])
        for media, case in zip(answer["images"], SEEDS):
            self.same_picture(self.data_url(media), GOLDEN / "seeds" / case["file"])

        self.assertEqual(self.post(url + "/text-to-image", json.dumps(body).encode()), (401, {"detail": {"msg": "Invalid bearer token."}}))
        self.assertEqual(self.post(url + "/text-to-image", b'{"prompt": ""}'), (400, {"detail": {"msg": "Prompt must be provided."}}))
        status, answer = self.post(url + "/text-to-image", json.dumps({**body, "model_id": "other"}).encode(), headers=token)
        self.assertEqual((status, answer["detail"]["msg"]), (400, "pipeline configured with tiny/sd15 but called with other."))
        status, answer = self.post(url + "/text-to-image", b'{"prompt": "x", "width": "wide"}', headers=token)
        self.assertEqual((status, answer["detail"][0]["loc"], answer["detail"][0]["type"]), (422, ["body", "width"], "int_parsing"))
        status, answer = self.post(url + "/text-to-image", json.dumps({**body, "width": 25}).encode(), headers=token)
        self.assertEqual(status, 400, answer)

        picture = (GOLDEN / "seeds/sd15_123456789.png").read_bytes()
        status, answer = self.post(url + "/image-to-image", self.form({"prompt": "a dog", "strength": "0.500000", "num_inference_steps": 4, "seed": 3, "safety_check": "false"}, picture),
                                   "multipart/form-data; boundary=b", token)
        self.assertEqual(status, 200, answer)
        self.assertEqual(len(pixels(self.data_url(answer["images"][0]))), 40 * 48 * 3)
        status, answer = self.post(url + "/image-to-image", self.form({"prompt": "a dog"}, b"no picture"), "multipart/form-data; boundary=b", token)
        self.assertEqual(status, 400, answer)

    def test_loras_of_a_request_give_the_pictures_of_the_reference_from_the_runner_alone(self):
        models = self.scratch / "models"
        place(models, "tiny/sdxl", "pipe_sdxl")
        for name in ("peft", "kohya", "peft_metadata"):
            place_lora(models, f"style/{name}", name)
        url = self.runner("tiny/sdxl")
        fields = ("prompt", "height", "width", "num_inference_steps", "guidance_scale", "seed")
        for case in LORA:  # one, two at once, none: switched between jobs
            loras = json.dumps({f"style/{name}": scale for name, scale in case["adapters"]})
            status, answer = self.post(url + "/text-to-image", json.dumps({**{k: case[k] for k in fields}, "loras": loras}).encode())
            self.assertEqual(status, 200, answer)
            self.same_picture(self.data_url(answer["images"][0]), GOLDEN / "seeds" / case["file"])
        body = {k: LORA[0][k] for k in fields}
        for loras, message in ((json.dumps({"style/none": 1}), "LoRa repository 'style/none' not found."),
                               ("{", "Unable to parse '{' as JSON."),
                               (json.dumps({"style/peft": -1}), "All strengths must be numbers greater than or equal to 0.0.")):
            self.assertEqual(self.post(url + "/text-to-image", json.dumps({**body, "loras": loras}).encode()), (400, {"detail": {"msg": message}}))

    def test_a_lora_of_another_model_is_refused_with_the_models_name(self):
        models = self.scratch / "models"
        place(models, "tiny/sd15", "pipe_sd15")
        place_lora(models, "style/peft", "peft")
        url = self.runner("tiny/sd15")
        status, answer = self.post(url + "/text-to-image", json.dumps({"prompt": "x", "width": 24, "height": 24, "num_inference_steps": 1, "loras": '{"style/peft": 1}'}).encode())
        self.assertEqual((status, answer["detail"]["msg"]), (400, "LoRa incompatible with base model: 'tiny/sd15'."))

    def test_an_id_of_sdxl_lightning_is_its_unet_file_over_sdxl(self):
        models = self.scratch / "models"
        place(models, "tiny/sdxl", "pipe_sdxl")
        unet = "sdxl_lightning_2step_unet.safetensors"
        place_file(models, "ByteDance/SDXL-Lightning", (f"pipe_sdxl_lightning_unet/{unet}", unet))
        url = self.runner("ByteDance/SDXL-Lightning-2step")
        run = json.loads((GOLDEN / "pipe_sdxl_lightning_unet/case.json").read_text())["inputs"]["run0"]
        # Steps and guidance of the request count for nothing.
        body = {"prompt": run["prompt"], "height": run["height"], "width": run["width"], "seed": run["seeds"][0], "num_inference_steps": 30, "guidance_scale": 7.5}
        status, answer = self.post(url + "/text-to-image", json.dumps(body).encode())
        self.assertEqual(status, 200, answer)
        ours = pixels(self.data_url(answer["images"][0]))
        theirs = [round(255 * x) for x in floats(GOLDEN / "pipe_sdxl_lightning_unet/io.safetensors", "out.image")]
        self.assertEqual(len(ours), len(theirs))
        self.assertLessEqual(max(abs(x - y) for x, y in zip(ours, theirs)), 1)

    def test_a_safety_checker_beside_the_models_tells_in_nsfw(self):
        models = self.scratch / "models"
        place(models, "tiny/sd15", "pipe_sd15")
        place_safety_checker(models, -1.5)  # below every cosine
        url = self.runner("tiny/sd15")
        body = {"prompt": "x", "width": 24, "height": 24, "num_inference_steps": 1, "num_images_per_prompt": 2}
        for wanted, flags in ((True, [True, True]), (False, [False, False])):
            status, answer = self.post(url + "/text-to-image", json.dumps({**body, "safety_check": wanted}).encode())
            self.assertEqual(status, 200, answer)
            self.assertEqual([media["nsfw"] for media in answer["images"]], flags)

    def test_a_stock_client_gets_frames_from_the_runner_alone(self):
        place(self.scratch / "models", "tiny/svd", "pipe_svd")
        url = self.runner("tiny/svd")
        picture = (GOLDEN / "seeds/sd15_7.png").read_bytes()
        fields = {"width": 24, "height": 16, "num_inference_steps": 2, "fps": 7, "noise_aug_strength": "0.020000", "safety_check": "false", "seed": 11}
        status, answer = self.post(url + "/image-to-video", self.form(fields, picture), "multipart/form-data; boundary=b")
        self.assertEqual(status, 200, answer)
        self.assertEqual(len(answer["frames"]), 1)
        frames = answer["frames"][0]
        self.assertGreater(len(frames), 1)
        self.assertEqual({frame["seed"] for frame in frames}, {11})
        self.assertEqual({len(pixels(self.data_url(frame))) for frame in frames}, {24 * 16 * 3})
        status, answer = self.post(url + "/image-to-video", self.form({**fields, "height": 18}, picture), "multipart/form-data; boundary=b")
        self.assertEqual((status, answer["detail"]["msg"]), (400, "`height` and `width` have to be divisible by 8 but are 18 and 24."))
        with urllib.request.urlopen(url + "/hardware/stats") as stats:
            resident = json.loads(stats.read())["models"]["resident"]
        self.assertEqual([(row["id"], row["on_device"]) for row in resident], [("tiny/svd", True)])
        self.assertGreater(resident[0]["bytes"], 1_000_000)

    def test_the_network_makes_pictures_and_videos_from_the_shell(self):
        home = self.scratch / "home"
        for name, golden in (("tiny/sd15", "pipe_sd15"), ("tiny/sdxl", "pipe_sdxl"), ("tiny/svd", "pipe_svd")):
            place(home / "models", name, golden)
        for name in ("kohya", "peft_metadata", "peft"):
            place_lora(home / "models", f"style/{name}", name)
        place_refiner(home / "models", "tiny/refiner")
        self.launch("up", "up", "--listen", "127.0.0.1:0", home=home)
        env = {**os.environ, "KINORA_HOME": str(home)}

        def run(*words):
            done = subprocess.run([BIN / "kinora", *map(str, words)], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            return done.stdout

        case = SEEDS[2]
        sets = [w for k, v in {"negative_prompt": case["negative_prompt"], "seed": case["seed"], "width": case["width"], "height": case["height"],
                               "steps": case["num_inference_steps"], "guidance_scale": case["guidance_scale"]}.items() for w in ("--set", f"{k}={v}")]
        job = json.loads(run("run", "text-to-image", case["prompt"], "--model", "tiny/sd15", "-o", self.scratch / "moon.png", *sets, "--json").splitlines()[-1])
        self.same_picture(self.scratch / "moon.png", GOLDEN / "seeds" / case["file"])
        self.assertEqual(job["resolved_model"]["id"], "tiny/sd15")

        lora = LORA[1]
        sets = [w for k, v in {"seed": lora["seed"], "width": lora["width"], "height": lora["height"], "steps": lora["num_inference_steps"],
                               "guidance_scale": lora["guidance_scale"]}.items() for w in ("--set", f"{k}={v}")]
        words = [w for name, scale in lora["adapters"] for w in ("--lora", f"style/{name}:{scale}")]
        run("run", "text-to-image", lora["prompt"], "--model", "tiny/sdxl", "-o", self.scratch / "style.png", *sets, *words)
        self.same_picture(self.scratch / "style.png", GOLDEN / "seeds" / lora["file"])

        # Many steps: a preview that is still being written when its job ends is dropped.
        sets = [w for k, v in {"width": 24, "height": 24, "steps": 60, "preview_every": 1}.items() for w in ("--set", f"{k}={v}")]
        job = json.loads(run("run", "text-to-image", "a fox", "--model", "tiny/sdxl", "--preview", self.scratch / "now.jpg", *sets, "--json").splitlines()[-1])
        self.assertGreaterEqual(len(job["previews"]), 1)
        self.assertEqual((self.scratch / "now.jpg").read_bytes()[:3], b"\xff\xd8\xff")
        self.assertIn("style/peft", run("models", "list"))

        refined = json.loads((GOLDEN / "pipe_sdxl_refiner/case.json").read_text())["inputs"]["run0"]
        sets = [w for k, v in {"seed": refined["seeds"][0], "width": 24, "height": 32, "steps": refined["num_inference_steps"], "guidance_scale": refined["guidance_scale"],
                               "refiner": "tiny/refiner", "refiner_start": refined["denoising_start"]}.items() for w in ("--set", f"{k}={v}")]
        run("run", "text-to-image", refined["prompt"], "--model", "tiny/sdxl", "-o", self.scratch / "refined.png", *sets)
        theirs = [round(255 * x) for x in floats(GOLDEN / "pipe_sdxl_refiner/io.safetensors", "out.image")]
        self.assertLessEqual(max(abs(x - y) for x, y in zip(pixels(self.scratch / "refined.png"), theirs, strict=True)), 1)
        shown = json.loads(run("models", "show", "tiny/sdxl", "--json"))
        self.assertEqual(shown["model"]["id"], "tiny/sdxl")

        run("run", "image-to-video", self.scratch / "moon.png", "-o", self.scratch / "moon.mp4", "--set", "width=24", "--set", "height=16", "--set", "steps=2", "--set", "fps=7", "--set", "seed=5")
        video = probe(self.scratch / "moon.mp4")
        stream = video["video"][0]
        self.assertEqual((stream["width"], stream["height"], stream["r_frame_rate"]), (24, 16, "7/1"))
        recipe = json.loads(video["format"]["tags"]["comment"])
        self.assertEqual((recipe["model"], recipe["params"]["seed"], recipe["params"]["steps"]), ("tiny/svd", 5, 2))
        self.assertEqual(recipe["weights"], weights_digest(GOLDEN / "pipe_svd/model"))
        self.assertEqual(recipe["inputs"], {"image": "sha256:" + hashlib.sha256((self.scratch / "moon.png").read_bytes()).hexdigest()})

        loaded = json.loads(run("models", "ps", "--json"))["devices"][0]["models"]["resident"]
        self.assertEqual({row["id"] for row in loaded}, {"tiny/sd15", "tiny/sdxl", "tiny/refiner", "tiny/svd"})

    def test_a_run_uses_what_a_model_made_again_until_its_weights_are_others(self):
        home = self.scratch / "home"
        (home / "models").mkdir(parents=True)
        shutil.copytree(GOLDEN / "pipe_sd15/model", home / "models/tiny")
        node = self.launch("up", "up", "--listen", "127.0.0.1:0", home=home)
        workflow = {"steps": [{"id": "t", "task": "text-to-image", "model": "tiny", "input": {"prompt": "a fox", "seed": 7, "width": 24, "height": 24, "steps": 2}}],
                    "outputs": {"picture": {"$ref": "steps.t.output.images[0]"}}}

        def digest():
            return node.call("GET", "/v1/models/tiny")[2].get("digest")

        def make():
            _, _, run = node.call("POST", "/v1/runs", workflow)
            ended = wait_for("the run has ended", lambda: (r := node.call("GET", f"/v1/runs/{run['id']}")[2])["status"] == "succeeded" and r, 120)
            return ended["steps"]["t"], ended["outputs"]["picture"]["sha256"]
        wait_for("the digest is known to the gateway", lambda: digest() == weights_digest(GOLDEN / "pipe_sd15/model"))
        first, picture = make()
        self.assertEqual(first["status"], "succeeded")
        self.assertEqual(node.job(first["job"])["resolved_model"], {"id": "tiny", "digest": weights_digest(GOLDEN / "pipe_sd15/model")})
        again, same = make()
        self.assertEqual((again["status"], again["reused_from"], same), ("reused", first["job"], picture))

        def changed(header, data):
            begin = header["conv_in.bias"]["data_offsets"][0]
            return header, data[:begin] + struct.pack("<f", 0.5) + data[begin + 4 :]
        shutil.rmtree(home / "models/tiny")
        place_changed(home / "models", "tiny", "pipe_sd15", "unet/diffusion_pytorch_model.safetensors", changed)
        wait_for("the new digest is known", lambda: digest() == weights_digest(home / "models/tiny"), 120)
        other, new_picture = make()
        self.assertEqual(other["status"], "succeeded")
        self.assertNotEqual(new_picture, picture)
        self.assertEqual(make()[0]["status"], "reused")

    def test_a_model_that_cannot_compute_fails_a_job_once_and_one_that_lacks_weights_is_not_offered(self):
        home = self.scratch / "home"
        (home / "models").mkdir(parents=True)
        unet = "unet/diffusion_pytorch_model.safetensors"

        def nan(header, data):
            begin = header["conv_in.bias"]["data_offsets"][0]
            return header, data[:begin] + struct.pack("<f", float("nan")) + data[begin + 4 :]

        def lost(header, data):
            return {("conv_in.bais" if name == "conv_in.bias" else name): entry for name, entry in header.items()}, data

        place_changed(home / "models", "nan", "pipe_sd15", unet, nan)
        place_changed(home / "models", "lost", "pipe_sd15", unet, lost)
        node = self.launch("up", "up", "--listen", "127.0.0.1:0", home=home)

        def run(*words):
            return subprocess.run([BIN / "kinora", *words], env={**os.environ, "KINORA_HOME": str(home)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)

        done = run("run", "text-to-image", "x", "--model", "nan", "--set", "width=24", "--set", "height=24", "--set", "steps=2", "--json")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        job = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual((job["status"], job["error"]["code"]), ("failed", "not_finite"))
        self.assertEqual(len(node.call("GET", f"/v1/jobs/{job['id']}/attempts")[2]["data"]), 1)
        self.assertIn("after step 1 of 3", job["error"]["detail"])
        listed = json.loads(run("models", "list", "--json").stdout)
        self.assertEqual([model["id"] for model in listed["models"] if "text-to-image" in model["tasks"]], ["nan"])
        self.assertEqual([model["id"] for model in listed["unusable"]], ["lost"])
        self.assertIn("missing conv_in.bias", listed["unusable"][0]["reason"])
        # Whoever names it is told why, and not where it lies.
        for words in (("models", "show", "lost"), ("run", "text-to-image", "x", "--model", "lost")):
            done = run(*words)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn('the model "lost" cannot be used: unet/diffusion_pytorch_model.safetensors: ', done.stderr)
            self.assertIn("missing conv_in.bias", done.stderr)
            self.assertNotIn(str(home), done.stderr)
        # Parameters that do not go together are not the media's fault; what has no use is told.
        clip = ("run", "text-to-video", "a red ball moves left over a blue sky", "--model", "kinora-t2v", "--set", "frames=5", "--set", "steps=1", "--set", "width=64", "--set", "height=64")
        done = run(*clip, "--set", "guidance_start=0.8", "--set", "guidance_end=0.2", "--json")
        self.assertEqual(json.loads(done.stdout.splitlines()[-1])["error"]["code"], "schema_invalid", done.stdout)
        done = run(*clip, "--set", "guidance_scale_2=3", "--set", "guidance_rescale=0.5", "-o", self.scratch / "ball.mp4")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("note: guidance_scale_2 is not used: the model has one expert", done.stderr)
        self.assertIn("note: guidance_rescale is not used: it is for Stable Diffusion, SDXL and LTX-Video", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
