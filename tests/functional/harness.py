"""Real processes on loopback, as a person would start them, for the tests in this folder.

Every port is chosen by the system, every home is a fresh folder, every process ends with its test. Expectations come from
ffprobe and ffmpeg, which are not ours.
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("KINORA_BIN", ROOT / "build/release/bin"))
CLIP = ROOT / "examples/media/meadow_720p_5s.mp4"


def wait_for(what, condition, seconds=60.0):
    """Polls until condition() is truthy; the wait is bounded by an event of the system under test, not by a sleep's length."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        pause.wait(0.05)


def make_clip(path, *, seconds=3, size="320x180", rate=24, audio=True, codec=("-c:v", "libx264", "-preset", "veryfast", "-g", "24"), extra=()):
    """A moving picture with sound, by ffmpeg."""
    words = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}"]
    if audio:
        words += ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}"]
    words += [*codec, "-pix_fmt", "yuv420p", *(["-c:a", "aac"] if audio else []), *extra, str(path)]
    subprocess.run(words, check=True)
    return path


def probe(path):
    out = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", str(path)],
                         stdout=subprocess.PIPE, text=True, check=True).stdout
    found = json.loads(out)
    found["video"] = [s for s in found["streams"] if s["codec_type"] == "video" and not s.get("disposition", {}).get("attached_pic")]
    found["audio"] = [s for s in found["streams"] if s["codec_type"] == "audio"]
    return found


def decodes(path, streams="0"):
    done = subprocess.run(["ffmpeg", "-v", "error", "-xerror", "-i", str(path), "-map", streams, "-f", "null", "-"], stderr=subprocess.PIPE)
    return done.returncode == 0


def psnr(a, b, what):
    """A figure of ffmpeg's comparison of two videos or pictures, as 4:2:0, in dB: "y" (mean of luma), "min" (worst picture)."""
    done = subprocess.run(["ffmpeg", "-v", "info", "-i", str(a), "-i", str(b), "-lavfi", "[0:v]format=yuv420p[a];[1:v]format=yuv420p[b];[a][b]psnr", "-f", "null", "-"],
                          stderr=subprocess.PIPE, text=True, check=True)
    word = [w for line in done.stderr.splitlines() if "PSNR y:" in line for w in line.split() if w.startswith(what + ":")][-1]
    return float(word[len(what) + 1:])


def psnr_y(a, b):
    return psnr(a, b, "y")


class Process:
    """A kinora process in a home of its own (or a shared one)."""

    def __init__(self, scratch, name, *words, home=None, env=None):
        self.name = name
        self.home = pathlib.Path(home or scratch / f"home-{name}")
        self.env = {**os.environ, "KINORA_HOME": str(self.home), **(env or {})}
        if words[0] == "worker":
            self.env.setdefault("KINORA_WORKER_PRIVATE_TARGETS", "true")  # the gateway of a test is on loopback
        self.log = scratch / f"{name}.log"
        self.words = [str(BIN / "kinora"), *map(str, words)]
        self.child = None

    def start(self):
        self.lines = []
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(self.words, env=self.env, stdout=subprocess.PIPE, stderr=log)
        try:
            line = self.child.stdout.readline()  # printed when everything is up
            self.hello = json.loads(line) if line else None
        except ValueError:
            self.hello = None
        if self.hello is None or "error" in self.hello:
            raise AssertionError(f"{self.name} did not start: {line!r}\n{self.log.read_text()[-2000:]}")
        return self

    @property
    def api(self):
        return self.hello["api"]

    def address(self):
        """Of the orchestrator in this process, with its key."""
        for line in self.hello["started"]:
            if line.startswith("orchestrator"):
                return line.split()[1]
        raise AssertionError("no orchestrator here")

    def kill(self):
        if self.child and self.child.poll() is None:
            self.child.kill()
        if self.child:
            self.child.wait()
            self.child.stdout.close()

    def stop(self):
        """SIGTERM; the exit status."""
        self.child.send_signal(signal.SIGTERM)
        status = self.child.wait(60)
        self.child.stdout.close()
        return status

    def kinora(self, *words, check=True, env=None):
        done = subprocess.run([BIN / "kinora", *map(str, words)], env={**self.env, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if check and done.returncode != 0:
            raise AssertionError(f"kinora {' '.join(map(str, words))}: status {done.returncode}\n{done.stderr}\n--- {self.name}\n{self.log.read_text()[-3000:]}")
        return done

    def key(self):
        return (self.home / "secrets/api-key").read_text().strip()

    def call(self, method, path, body=None, headers=None, raw=None):
        """One HTTP call: (status, headers, JSON or bytes)."""
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.api + path if path.startswith("/") else path, data=data, method=method)
        request.add_header("Authorization", "Bearer " + self.key())
        if data is not None:
            request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            answer = urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            content = answer.read()
            kind = answer.headers.get("Content-Type", "")
            return answer.status, answer.headers, json.loads(content) if "json" in kind and content else content

    def upload(self, path):
        """By the public API; the artifact's id."""
        status, _, made = self.call("POST", "/v1/media/uploads", {"filename": path.name, "mime": "video/mp4", "bytes": path.stat().st_size, "purpose": "input", "method": "single"})
        assert status == 201, (status, made)
        status, _, stored = self.call("PUT", made["single"]["url"], raw=path.read_bytes(), headers={"Content-Type": "video/mp4"})
        assert status in (200, 201, 204), (status, stored)
        status, _, done = self.call("POST", f"/v1/media/uploads/{made['id']}/complete", {})
        assert done.get("artifact"), (status, done)
        return done["artifact"]

    def submit(self, task, inputs, **params):
        status, _, job = self.call("POST", "/v1/jobs", {"task": task, "input": {**inputs, **params}})
        assert status in (200, 201, 202), (status, job)
        return job["id"]

    def job(self, job_id):
        status, _, job = self.call("GET", f"/v1/jobs/{job_id}")
        assert status == 200, (status, job)
        return job

    def wait_job(self, job_id, seconds=240):
        def ended():
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                job = self.job(job_id)
                return job if job["status"] in ("succeeded", "failed", "canceled", "expired") else None
        return wait_for(f"job {job_id}", ended, seconds)


class NetworkTest(unittest.TestCase):
    """Gives a scratch folder and ends every process that the test started."""

    def setUp(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="kinora-test-"))
        self.processes = []
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        self.addCleanup(lambda: [p.kill() for p in reversed(self.processes)])

    def launch(self, name, *words, **options):
        process = Process(self.scratch, name, *words, "--json", **options)
        self.processes.append(process)
        return process.start()

    def up(self, *words, **options):
        return self.launch("up", "up", "--listen", "127.0.0.1:0", *words, **options)

    def network(self, orchestrators=2, workers=2, gateway=()):
        """Orchestrators, each with its workers, and a gateway over all of them, every one a process of its own."""
        self.orchestrators, self.workers = [], []
        for o in range(orchestrators):
            secret = {"KINORA_ORCHESTRATOR_SECRET": f"secret-of-{o}"}
            orchestrator = self.launch(f"orchestrator{o}", "orchestrator", "--listen", "127.0.0.1:0", env=secret)
            self.orchestrators.append(orchestrator)
            for w in range(workers):
                self.workers.append(self.launch(f"worker{o}{w}", "worker", "--name", f"w{o}{w}", "--orchestrator", orchestrator.address(), env=secret))
        addresses = [word for o in self.orchestrators for word in ("--orchestrator", o.address())]
        self.gateway = self.launch("gateway", "gateway", "--listen", "127.0.0.1:0", *addresses, *gateway)
        return self.gateway


def descendants(pid, name):
    """Process ids below pid whose program is called name."""
    children = {}
    names = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            stat = (entry / "stat").read_text()
            head, tail = stat.rsplit(")", 1)
            names[int(entry.name)] = head.split("(", 1)[1]
            children.setdefault(int(tail.split()[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        for child in children.get(waiting.pop(), []):
            waiting.append(child)
            if names[child].startswith(name[:15]):
                found.append(child)
    return found
