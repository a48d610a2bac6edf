"""The tiny models of tests/golden, laid out as a hub cache."""
import json
import hashlib
import pathlib
import shutil
import struct

from harness import ROOT

GOLDEN = ROOT / "tests/golden"


def place(models, owner_name, golden):
    """The golden model as `kinora models pull` would have left it."""
    folder = pathlib.Path(models) / ("models--" + owner_name.replace("/", "--"))
    (folder / "snapshots").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs/main").write_text("c0ffee")
    (folder / "snapshots/c0ffee").symlink_to(GOLDEN / golden / "model")


def place_file(models, owner_name, file):
    """A repository of one file."""
    folder = pathlib.Path(models) / ("models--" + owner_name.replace("/", "--"))
    (folder / "snapshots/c0ffee").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs/main").write_text("c0ffee")
    (folder / "snapshots/c0ffee" / file[1]).symlink_to(GOLDEN / file[0])


def place_lora(models, owner_name, name):
    """A LoRA of the golden case."""
    place_file(models, owner_name, (f"lora_sdxl/{name}.safetensors", "pytorch_lora_weights.safetensors"))


def floats(file, name):
    """Values of a float32 tensor of a safetensors file."""
    data = file.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    begin, end = json.loads(data[8 : 8 + length])[name]["data_offsets"]
    return struct.unpack_from(f"<{(end - begin) // 4}f", data, 8 + length + begin)


def place_refiner(models, owner_name):
    """The refiner of the golden case, with the parts that it shares with its base."""
    folder = pathlib.Path(models) / ("models--" + owner_name.replace("/", "--")) / "snapshots/c0ffee"
    folder.mkdir(parents=True)
    for part in (GOLDEN / "pipe_sdxl/model").iterdir():
        own = GOLDEN / "pipe_sdxl_refiner" / part.name
        (folder / part.name).symlink_to(own if own.exists() else part)


def place_changed(models, name, golden, file, change):
    """A golden model as a folder of that name, one of its weight files changed: change(header, data) -> (header, data)."""
    shutil.copytree(GOLDEN / golden / "model", pathlib.Path(models) / name)
    path = pathlib.Path(models) / name / file
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header, values = change(json.loads(data[8 : 8 + length]), bytearray(data[8 + length :]))
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + values)


def place_safety_checker(models, bar):
    """The safety checker of the golden case; a picture is flagged when it is nearer to a concept than `bar`, a cosine."""
    folder = pathlib.Path(models) / "safety"
    folder.mkdir()
    for part in ("safety_checker/config.json", "feature_extractor/preprocessor_config.json"):
        shutil.copy(GOLDEN / "safety_checker/model" / part, folder)
    data = bytearray((GOLDEN / "safety_checker/model/safety_checker/model.safetensors").read_bytes())
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    for name in ("concept_embeds_weights", "special_care_embeds_weights"):
        begin, end = header[name]["data_offsets"]
        struct.pack_into(f"<{(end - begin) // 4}f", data, 8 + length + begin, *[bar] * ((end - begin) // 4))
    (folder / "model.safetensors").write_bytes(data)


def weights_digest(folder):
    """What a recipe says of a model's weights: the SHA-256 of what sha256sum prints of its weight files."""
    lines = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(folder)}\n" for file in sorted(folder.glob("*/*.safetensors")))
    return "sha256:" + hashlib.sha256(lines.encode()).hexdigest()
