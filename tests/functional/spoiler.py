"""A worker whose kinora-media lies: it does what the real one does, then spoils the file and tells of it as if nothing had been."""
import os
import shutil

from harness import BIN, Process

# Called as kinora-media is.
SPOILER = '''#!/usr/bin/env python3
import json, os, signal, subprocess, sys
real, way = {real!r}, {way!r}
asked = sys.stdin.buffer.read()
if way == "preparing" and sys.argv[1:] == ["transcode"]:
    print(json.dumps(dict(type="progress", fraction=0, stage="prepare", units_done=0, units_total=0, unit="frame")), flush=True)
    signal.pause()  # until it is ended
done = subprocess.run([real, *sys.argv[1:]], input=asked, stdout=subprocess.PIPE)
lines = done.stdout.decode().splitlines()
if sys.argv[1:] == ["transcode"] and done.returncode == 0:
    result = json.loads(lines[-1])
    for file in result["files"]:
        path = os.path.join(json.loads(asked)["output_dir"], file["path"])
        if way == "truncated":
            with open(path, "r+b") as whole:
                whole.truncate(file["bytes"] * 2 // 3)
        else:
            chain = "scale=iw/2:ih/2" if way == "smaller" else "drawbox=color=black:t=fill"
            subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", path, "-vf", chain, "-c:a", "copy", path + ".new.mp4"], check=True)
            os.replace(path + ".new.mp4", path)
        file["bytes"] = os.path.getsize(path)
    lines[-1] = json.dumps(result)
sys.stdout.write("\\n".join(lines) + "\\n")
sys.exit(done.returncode)
'''


def spoiling_worker(scratch, name, way, orchestrator, env):
    """Not started yet. `way` of its transcodes: smaller, black or truncated; or preparing: they never begin."""
    folder = scratch / f"bin-{name}"
    folder.mkdir()
    try:
        os.link(BIN / "kinora", folder / "kinora")
    except OSError:  # another file system
        shutil.copy(BIN / "kinora", folder / "kinora")
    (folder / "kinora-runner").symlink_to(BIN / "kinora-runner")
    (folder / "kinora-media").write_text(SPOILER.format(real=str(BIN / "kinora-media"), way=way))
    (folder / "kinora-media").chmod(0o755)
    worker = Process(scratch, name, "worker", "--name", "bad", "--orchestrator", orchestrator, "--json", env=env)
    worker.words[0] = str(folder / "kinora")
    return worker
