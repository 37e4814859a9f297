"""Realistic inputs for two public models, made without a network.

    python -m experiments.calibrate.inputs FOLDER [SAMPLES]

writes `text-lines.npz` for the model that tells upright text from text upside down (PaddleOCR's
`ch_ppocr_mobile_v2.0_cls`, in the package rapidocr), and `file-bytes.npz` for the one that tells
the types of files (`standard_v3_3`, in the package magika). Where these packages are installed,
the models are laid beside them, as `text-lines.onnx` and `file-bytes.onnx`.
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SAMPLES = {"text-lines": 256, "file-bytes": 1024}
"""Of each file, where nobody says how many."""

LINE = (48, 192)
"""Height and width of a picture of text, in pixels."""

ENDS = 1024
"""Bytes from the start of a file, and from its end."""

BLOCK = 4096
"""Bytes at a file's ends within which blanks are taken off."""

PADDING = 256
"""What stands where a file is too short."""

FOLDERS = ("matplotlib", "numpy", "rich")
"""Packages whose files are taken, beside Python's own."""

MODELS = {
    "text-lines": ("rapidocr", "models/ch_ppocr_mobile_v2.0_cls_mobile.onnx"),
    "file-bytes": ("magika", "models/standard_v3_3/model.onnx"),
}
"""Inputs -> package and file of the model that they are for."""


def model_file(name: str) -> Path:
    """The model that inputs are for, where its package is installed.

    Raises:
        ImportError: it is not.
    """
    package, file = MODELS[name]
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ImportError(f"{package} is not installed: pip install 'chipweave[models]'")
    return Path(spec.origin).parent / file


def text_lines(count: int = SAMPLES["text-lines"], seed: int = 0) -> NDArray[np.float32]:
    """Pictures of lines of text, every second one upside down [count, 3, 48, 192], -1 to 1.

    Words of Python's help in matplotlib's fonts, dark on light or light on dark, with noise.
    """
    from pydoc_data.topics import topics

    draw = np.random.default_rng(seed)
    words = sorted({word for text in topics.values() for word in text.split() if word.isalpha()})
    lines = np.stack([_text_line(draw, words) for _ in range(count)])
    lines[1::2] = lines[1::2, ::-1, ::-1]
    grey = (np.clip(lines, 0, 255) / 127.5 - 1).astype(np.float32)
    return np.repeat(grey[:, None], 3, axis=1)


def _text_line(draw: np.random.Generator, words: list[str]) -> NDArray[np.float64]:
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    height, width = LINE
    fonts = sorted(Path(matplotlib.get_data_path(), "fonts", "ttf").glob("DejaVu*.ttf"))
    readable = [font for font in fonts if "Display" not in font.name]
    font = ImageFont.truetype(
        str(readable[draw.integers(len(readable))]), int(draw.integers(22, 36))
    )
    paper, ink = (int(draw.integers(*bounds)) for bounds in ((160, 256), (0, 96)))
    if draw.random() < 0.3:
        paper, ink = ink, paper
    picture = Image.new("L", (width, height), paper)
    place = (int(draw.integers(2, 12)), int(draw.integers(0, 8)))
    text = " ".join(str(word) for word in draw.choice(words, 4))
    ImageDraw.Draw(picture).text(place, text, fill=ink, font=font)
    return np.asarray(picture, dtype=np.float64) + draw.normal(0, 6, LINE)


def file_bytes(count: int = SAMPLES["file-bytes"], seed: int = 0) -> NDArray[np.int32]:
    """Starts and ends of files of many types [count, 2048], as magika takes them.

    The files are some of Python's own and those of FOLDERS, suffix by suffix in turn.

    Raises:
        ValueError: there are fewer files than that.
    """
    draw = np.random.default_rng(seed)
    kinds = [sorted(files) for _, files in sorted(_files_by_suffix().items())]
    chosen: list[Path] = []
    orders = [list(draw.permutation(len(files))) for files in kinds]
    while len(chosen) < count and any(orders):
        for files, order in zip(kinds, orders, strict=True):
            if order:
                chosen.append(files[order.pop()])
    if len(chosen) < count:
        raise ValueError(f"{count} files are wanted, {len(chosen)} are here")
    return np.stack([_ends(path.read_bytes()) for path in chosen[:count]])


def _files_by_suffix() -> dict[str, list[Path]]:
    """All files of the folders that are long enough for the model to be asked."""
    folders = [
        Path(sysconfig.get_path("stdlib"), "json"),
        Path(sysconfig.get_path("stdlib"), "email"),
    ]
    for package in FOLDERS:
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            folders.append(Path(spec.origin).parent)
    found: dict[str, list[Path]] = defaultdict(list)
    for folder in folders:
        for path in folder.rglob("*.*"):
            if path.is_file() and "__pycache__" not in path.parts and path.stat().st_size >= 64:
                found[path.suffix].append(path)
    return found


def _ends(content: bytes) -> NDArray[np.int32]:
    start = content[:BLOCK].lstrip()[:ENDS]
    end = content[-BLOCK:].rstrip()[-ENDS:]
    both = np.full(2 * ENDS, PADDING, dtype=np.int32)
    both[: len(start)] = np.frombuffer(start, dtype=np.uint8)
    both[2 * ENDS - len(end) :] = np.frombuffer(end, dtype=np.uint8)
    return both


def main() -> None:
    """Write inputs and models into the folder that is named."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    counts = dict.fromkeys(SAMPLES, int(sys.argv[2])) if len(sys.argv) > 2 else SAMPLES
    np.savez_compressed(folder / "text-lines.npz", x=text_lines(counts["text-lines"]))
    np.savez_compressed(folder / "file-bytes.npz", bytes=file_bytes(counts["file-bytes"]))
    for name in MODELS:
        try:
            shutil.copyfile(model_file(name), folder / f"{name}.onnx")
        except ImportError as error:
            print(f"no {name}.onnx: {error}")


if __name__ == "__main__":
    main()
