"""The starter text-to-video model through the whole network: nothing is pulled, and the clip shows what the prompt says.

What it shows is read from the decoded file by the checker of kinora-train, which knows nothing of the prompt.
"""
import json
import os
import subprocess
import unittest

from golden_models import weights_digest
from harness import BIN, ROOT, NetworkTest, probe


class StarterVideo(NetworkTest):
    def test_a_fresh_machine_makes_a_clip_of_what_the_prompt_says(self):
        home = self.scratch / "home"
        self.launch("up", "up", "--listen", "127.0.0.1:0", home=home)
        ball = self.scratch / "ball.mp4"
        done = subprocess.run([BIN / "kinora", "run", "text-to-video", "a red ball moves left over a blue sky", "-o", ball, "--set", "seed=1", "--json"],
                              env={**os.environ, "KINORA_HOME": str(home)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

        seen = subprocess.run([BIN / "kinora-train", "see-clip", ball], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertEqual(seen, "red ball, left, sky\n")

        # What is rounded is told, and the recipe has what it became.
        short = self.scratch / "short.mp4"
        done = subprocess.run([BIN / "kinora", "run", "text-to-video", "a blue star", "-o", short, "--set", "frames=10", "--set", "width=100"],
                              env={**os.environ, "KINORA_HOME": str(home)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("note: width 100 became 96", done.stderr)
        self.assertIn("note: frames 10 became 9", done.stderr)
        rounded = json.loads(probe(short)["format"]["tags"]["comment"])["params"]
        self.assertEqual((rounded["width"], rounded["height"], rounded["frames"]), (96, 128, 9))

        video = probe(ball)
        stream = video["video"][0]
        self.assertEqual((stream["width"], stream["height"], stream["r_frame_rate"], stream["nb_read_frames"]), (128, 128, "16/1", "17"))
        recipe = json.loads(video["format"]["tags"]["comment"])
        self.assertEqual((recipe["model"], recipe["params"]["seed"], recipe["params"]["prompt"]), ("kinora-t2v", 1, "a red ball moves left over a blue sky"))
        self.assertEqual({key: recipe["params"][key] for key in ("width", "height", "frames", "fps", "steps", "guidance_scale")},
                         {"width": 128, "height": 128, "frames": 17, "fps": 16, "steps": 24, "guidance_scale": 1})
        self.assertEqual(recipe["weights"], weights_digest(ROOT / "weights/kinora-t2v"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
