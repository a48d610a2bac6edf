"""The example workflows, typed as their README shows them, and the command line of runs."""
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import unittest

from golden_models import GOLDEN, place
from harness import BIN, ROOT, NetworkTest, decodes, make_clip, probe, wait_for

EXAMPLES = ROOT / "examples/workflows"


def sizes(path):
    return [(s["width"], s["height"]) for s in probe(path)["video"]]


class Workflows(NetworkTest):
    def setUp(self):
        super().setUp()
        self.home = self.scratch / "home"
        self.env = {**os.environ, "KINORA_HOME": str(self.home), "PATH": f"{BIN}:{os.environ['PATH']}"}
        for example in EXAMPLES.glob("*.json"):
            (self.scratch / example.name).write_text(example.read_text())
        make_clip(self.scratch / "clip.mp4", seconds=3)
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=red:size=64x32", "-frames:v", "1", str(self.scratch / "logo.png")], check=True)

    def kinora(self, *words, status=0):
        done = subprocess.run([BIN / "kinora", *map(str, words)], cwd=self.scratch, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def line(self, workflow):
        """The command of the README that runs this workflow."""
        text = (EXAMPLES / "README.md").read_text()
        return next(line.split("#")[0].strip() for line in re.search(r"```sh\n(.*?)```", text, re.S).group(1).splitlines() if f" {workflow} " in line)

    def type(self, workflow, more=""):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", self.line(workflow) + more], cwd=self.scratch, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_every_example_stands_in_the_readme_and_is_run_here(self):
        for example in EXAMPLES.glob("*.json"):
            self.assertIn(example.name, self.line(example.name))
            self.assertTrue(hasattr(self, f"test_{example.stem}"), example)

    def test_publish(self):
        told = self.type("publish.json")  # no node runs: it starts one
        out = self.scratch / "published"
        self.assertEqual(sizes(out / "video.mp4"), [(640, 360)])
        self.assertTrue(decodes(out / "video.mp4"))
        self.assertEqual(len(probe(out / "video.mp4")["audio"]), 1)
        self.assertTrue(list((out / "hls").rglob("master.m3u8")))
        self.assertTrue(decodes(next((out / "hls").rglob("master.m3u8"))))
        pictures = sorted((out / "pictures").iterdir())
        self.assertEqual([p.name for p in pictures], ["pictures-1.jpg", "pictures-2.jpg", "pictures-3.jpg"])
        self.assertEqual({size for p in pictures for size in sizes(p)}, {(640, 360)})
        self.assertNotIn("\033", told)
        for words in ("up", "ladder", "pictures", "3/3", "succeeded"):
            self.assertIn(words, told)

    def test_highlights(self):
        self.type("highlights.json")
        found = probe(self.scratch / "reel.mp4")
        self.assertAlmostEqual(float(found["format"]["duration"]), 1.75, delta=0.15)  # two parts of 1 s, 0.25 s of them together
        self.assertEqual(len(found["audio"]), 1)
        pixel = subprocess.run(["ffmpeg", "-v", "error", "-i", str(self.scratch / "reel.mp4"), "-frames:v", "1", "-vf", "crop=2:2:300:10", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"],
                               stdout=subprocess.PIPE, check=True).stdout
        self.assertGreater(pixel[0], pixel[1] + 60, "the red logo is at the top right")
        make_clip(self.scratch / "song.mp4", seconds=1, extra=("-metadata", "title=song"))
        done = self.kinora("run", "--workflow", "highlights.json", "clip.mp4", "logo.png", "--arg", "music_from=song.mp4", "-o", "song-reel.mp4", "--json")
        events = [json.loads(line) for line in done.stdout.splitlines()]
        run = events.pop()
        self.assertEqual((run["object"], run["steps"]["final"]["status"]), ("run", "succeeded"))
        self.assertEqual([e["seq"] for e in events], list(range(1, len(events) + 1)))
        self.assertEqual((events[0]["type"], events[-1]["type"]), ("run.created", "run.succeeded"))
        self.assertTrue(decodes(self.scratch / "song-reel.mp4"))

    def test_batch(self):
        make_clip(self.scratch / "one.mp4", seconds=1)
        make_clip(self.scratch / "two.mp4", seconds=2, size="640x360")
        self.type("batch.json")
        self.assertEqual(sizes(self.scratch / "all.mp4"), [(256, 144)])
        self.assertAlmostEqual(float(probe(self.scratch / "all.mp4")["format"]["duration"]), 3, delta=0.2)
        self.assertEqual(len(json.loads((self.scratch / "known.json").read_text())), 2)

    def test_approval(self):
        self.up(home=self.home)
        waiting = subprocess.Popen(["bash", "-c", "exec " + self.line("approval.json")], cwd=self.scratch, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(waiting.stderr.close)
        self.addCleanup(waiting.kill)

        def newest():
            data = json.loads(self.kinora("runs", "list", "--json").stdout)["data"]
            return data and json.loads(self.kinora("runs", "show", data[0]["id"], "--json").stdout)
        run = wait_for("the gate is open", lambda: (r := newest()) and r["steps"]["pick"]["status"] == "waiting" and r)
        self.assertIn("waits for an answer", self.kinora("runs", "show", run["id"]).stdout)
        self.assertEqual(run["steps"]["whole"]["status"], "pending")
        self.assertIsNotNone(run["outputs"]["preview"]["url"])
        self.kinora("runs", "approve", run["id"], "pick", "--comment", "fine")
        self.assertEqual(waiting.wait(120), 0, waiting.stderr.read())
        self.assertEqual(sizes(self.scratch / "whole.mp4"), [(640, 360)])
        self.assertEqual(self.kinora("runs", "approve", run["id"], "pick", status=1).stdout, "")

    def test_clip(self):
        place(self.home / "models", "tiny/wan", "pipe_wan21_t2v")
        (self.home / "models/rife-4.25").mkdir()
        shutil.copy(GOLDEN / "rife_425/model/flownet.pkl", self.home / "models/rife-4.25")
        self.type("clip.json", " --arg width=48 --arg height=32 --arg frames=9 --arg steps=2 --arg fps=8")
        found = probe(self.scratch / "clip.mp4")
        self.assertEqual([(s["width"], s["height"], s["r_frame_rate"]) for s in found["video"]], [(96, 64, "16/1")])
        self.assertTrue(decodes(self.scratch / "clip.mp4"))

    def test_picture_clip(self):
        for name, golden in (("tiny/sd15", "pipe_sd15"), ("tiny/svd", "pipe_svd")):
            place(self.home / "models", name, golden)
        self.type("picture_clip.json", " --arg width=32 --arg height=24 --arg steps=2 --arg fps=7")
        found = probe(self.scratch / "clip.mp4")
        self.assertEqual([(s["width"], s["height"], s["r_frame_rate"]) for s in found["video"]], [(64, 48, "7/1")])
        self.assertTrue(decodes(self.scratch / "clip.mp4"))

    def write(self, name, body):
        (self.scratch / name).write_text(json.dumps(body))
        return name

    def test_a_run_that_fails_says_why_and_goes_on_after_a_retry(self):
        self.up(home=self.home)
        late = self.write("late.json", {"args": {"clip": None}, "steps": [
            {"id": "part", "task": "clip", "input": {"video": {"$ref": "args.clip"}, "start_s": 1, "duration_s": 1}},
            {"id": "frame", "task": "clip", "input": {"video": {"$ref": "steps.part.output.video"}, "start_s": 500}}],
            "outputs": {"video": {"$ref": "steps.frame.output.video"}}})
        done = self.kinora("run", "--workflow", late, "clip.mp4", "-o", "x.mp4", status=1)
        self.assertRegex(done.stderr, r"run_\w+ partially_succeeded: .*\n  frame: ")
        self.assertFalse((self.scratch / "x.mp4").exists())
        run = json.loads(self.kinora("runs", "list", "--json").stdout)["data"][0]["id"]
        self.kinora("runs", "retry", run, "--from", "part")
        watched = self.kinora("runs", "watch", run, "--json", status=1)
        last = json.loads(watched.stdout.splitlines()[-1])
        self.assertEqual((last["generation"], last["status"]), (2, "partially_succeeded"))
        seqs = [json.loads(line)["seq"] for line in watched.stdout.splitlines()[:-1]]
        self.assertEqual(seqs, list(range(1, len(seqs) + 1)))

    def test_pause_resume_signal_and_cancel(self):
        self.up(home=self.home)
        waits = self.write("waits.json", {"steps": [
            {"id": "go", "gate": {"type": "event", "name": "go"}},
            {"id": "ping", "task": "ping", "needs": ["go"]},
            {"id": "on", "gate": {"type": "event", "name": "on"}, "needs": ["ping"]}]})
        child = subprocess.Popen([BIN / "kinora", "run", "--workflow", waits, "--json"], cwd=self.scratch, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for stream in (child.stdout, child.stderr):
            self.addCleanup(stream.close)
        self.addCleanup(child.kill)
        run = json.loads(child.stdout.readline())["data"]["id"]

        def status():
            return json.loads(self.kinora("runs", "show", run, "--json").stdout)["status"]
        self.kinora("runs", "pause", run)
        wait_for("it is paused", lambda: status() == "paused")
        self.kinora("runs", "signal", run, "go", '{"take": 3}')
        self.kinora("runs", "resume", run)
        wait_for("the second gate is open", lambda: json.loads(self.kinora("runs", "show", run, "--json").stdout)["steps"]["on"]["status"] == "waiting")
        child.send_signal(signal.SIGINT)  # Ctrl-C cancels
        out, err = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 130, err)
        last = json.loads(out.splitlines()[-1])
        self.assertEqual((last["object"], last["status"], last["status_reason"]), ("run", "canceled", "interrupted"))
        self.assertEqual(last["steps"]["go"]["output"]["payload"], {"take": 3})
        self.assertIn("canceled", self.kinora("runs", "list", "--status", "canceled").stdout)

    def test_wrong_use_is_refused_before_anything_runs(self):
        self.up(home=self.home)
        for words, status, told in [
                (("publish.json",), 2, "needs --arg clip=<file>"),
                (("publish.json", "clip.mp4", "--arg", "scal=2"), 2, 'did you mean "scale"?'),
                (("publish.json", "clip.mp4", "-o", "x.mp4"), 2, "several outputs"),
                (("publish.json", "clip.mp4", "-o", "vidoe=x.mp4"), 2, 'did you mean "video"?'),
                (("publish.json", "nothing.mp4"), 2, "there is no file nothing.mp4"),
                (("nothing.json",), 2, "cannot read the workflow"),
                (("publish.json", "--set", "scale=2"), 2, "--workflow"),
                (("publish.json", "clip.mp4", "--arg", "scale=9.5"), 1, "/steps/0/input/scale")]:
            self.assertIn(told, self.kinora("run", "--workflow", *words, status=status).stderr)
        self.kinora("run", status=2)
        self.assertEqual(json.loads(self.kinora("runs", "list", "--json").stdout)["data"], [])
        self.assertIn("not_found", self.kinora("runs", "show", "run_01KE0000000000000000000001", status=1).stderr)

    def test_a_terminal_shows_a_tree_with_bars(self):
        self.up(home=self.home)
        front, back = pty.openpty()
        child = subprocess.Popen([BIN / "kinora", "run", "--workflow", "publish.json", "clip.mp4"], cwd=self.scratch, env=self.env, stdout=subprocess.DEVNULL, stderr=back)
        os.close(back)
        self.addCleanup(child.kill)
        drawn = b""
        while True:
            select.select([front], [], [], 60)
            try:
                piece = os.read(front, 65536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            drawn += piece
        os.close(front)
        self.assertEqual(child.wait(60), 0, drawn)
        self.assertIn(b"|- up        video-upscale  ", drawn)
        self.assertIn(b"`- pictures  thumbnail      succeeded  3/3", drawn)
        self.assertRegex(drawn, rb"\033\[\d+A")  # drawn in place
        self.assertRegex(drawn, rb"\[=* *\] +\d+%")


if __name__ == "__main__":
    unittest.main(verbosity=2)
