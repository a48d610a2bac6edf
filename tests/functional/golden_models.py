"""The tiny models of tests/golden, laid out as a hub cache."""
import pathlib

from harness import ROOT

GOLDEN = ROOT / "tests/golden"


def place(models, owner_name, golden):
    """The golden model as `kinora models pull` would have left it."""
    folder = pathlib.Path(models) / ("models--" + owner_name.replace("/", "--"))
    (folder / "snapshots").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs/main").write_text("c0ffee")
    (folder / "snapshots/c0ffee").symlink_to(GOLDEN / golden / "model")
