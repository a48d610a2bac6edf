"""The commands of README.md do what they say, typed as they stand there."""
import os
import re
import subprocess
import unittest

from harness import BIN, ROOT, NetworkTest, decodes, make_clip


class Readme(NetworkTest):
    def shell(self, script, home):
        env = {**os.environ, "HOME": str(home), "PATH": f"{BIN}:{os.environ['PATH']}"}
        env.pop("KINORA_HOME", None)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=self.scratch, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, script + "\n" + done.stdout)
        return done.stdout

    def test_every_command_of_the_tour(self):
        blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
        tour = next(b for b in blocks if "kinora up &" in b)
        http = next(b for b in blocks if "curl" in b)
        home = self.scratch / "user"
        home.mkdir()
        make_clip(self.scratch / "clip.mp4", seconds=2)
        self.launch("up", "up", "--listen", "127.0.0.1:0", home=home / ".kinora")
        for line in tour.splitlines():
            command = line.split("#")[0].strip()
            if command.startswith("kinora ") and not command.endswith("&"):
                self.shell(command, home)
        self.assertTrue(decodes(self.scratch / "big.mp4"))
        self.assertTrue(decodes(self.scratch / "smooth.mp4"))
        self.assertTrue(decodes(self.scratch / "ball.mp4"))
        self.assertTrue((self.scratch / "frame.png").exists())
        self.assertTrue(list((self.scratch / "ladder").rglob("master.m3u8")))
        answer = self.shell(http, home)
        self.assertIn('"task":"video-upscale"', answer.replace(" ", ""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
