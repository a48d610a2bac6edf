"""The examples of docs/api.md do what they say, typed as they stand there."""
import os
import re
import subprocess
import sys
import unittest

from harness import ROOT, NetworkTest, make_clip, probe

RUN = {"sh": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"], "js": ["node", "--input-type=module", "-e"]}


class ApiExamples(NetworkTest):
    def test_every_example_of_the_quick_start(self):
        text = (ROOT / "docs/api.md").read_text().split("## Quick start")[1].split("\n## ")[0]
        blocks = re.findall(r"```(\w+)\n(.*?)```", text, re.S)
        self.assertEqual([language for language, _ in blocks], ["sh", "python", "js"] * 2)
        make_clip(self.scratch / "clip.mp4", seconds=2)
        node = self.up()
        env = {**os.environ, "KINORA_URL": node.api, "KINORA_KEY": node.key()}
        for number, (language, code) in enumerate(blocks):
            with self.subTest(language, number=number):
                picture = self.scratch / "thumbnail.jpg"
                picture.unlink(missing_ok=True)
                done = subprocess.run([*RUN[language], code], cwd=self.scratch, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      text=True, timeout=120)
                self.assertEqual(done.returncode, 0, done.stdout)
                self.assertEqual(probe(picture)["video"][0]["width"], 320)
                if language != "python":  # they follow the events
                    self.assertIn("event: job.succeeded" if number < 3 else "event: run.succeeded", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
