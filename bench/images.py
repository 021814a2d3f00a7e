"""How long a derived picture takes and how much memory, against node's `sharp` in the same run.

`python bench/images.py [FOLDER]`; FOLDER (default `var/bench`) keeps sharp between runs. Without npm, or without a
registry to install sharp from, only our own figures are printed. See bench/README.md.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageFilter

from assets.images.limits import Limits
from assets.images.process import Process
from assets.images.variants import Fit, Format, Variant

RUNS = 15
ROUNDS = 5
WINDOW = 8
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
MB = 1e6
SHARP = "sharp@0.35"
NODE = """
const sharp = require('sharp'), fs = require('fs');
const [, , path, runs, threads, result] = process.argv;
sharp.cache(false);
if (+threads) sharp.concurrency(+threads);
(async () => {
  const times = [];
  let cpu = null;
  for (let n = 0; n < +runs + 2; n++) {
    if (n === 2) cpu = process.cpuUsage();
    const began = process.hrtime.bigint();
    const data = await sharp(path).resize(256, 256, { fit: 'cover' }).webp({ quality: 80 }).toBuffer();
    if (n >= 2) times.push(Number(process.hrtime.bigint() - began) / 1e6);
    else fs.writeFileSync(result, data);
  }
  const used = process.cpuUsage(cpu);
  const peak = process.resourceUsage().maxRSS * 1024;
  console.log(JSON.stringify({ times, peak, cpu: (used.user + used.system) / 1000 / +runs }));
})();
"""


def photograph(width: int, height: int) -> Image.Image:
    """Return something with the slopes, edges and grain of a photograph, so that codecs have work to do."""
    coarse = [
        Image.effect_noise((width // 64, height // 64), 120).resize((width, height), Image.Resampling.BICUBIC)
    ] * 3
    shapes = Image.effect_mandelbrot((width // 4, height // 4), (-2, -1.2, 1, 1.2), 60).resize((width, height))
    grain = Image.effect_noise((width, height), 18)
    bands = [ImageChops.blend(ImageChops.offset(part, 97 * n, 31 * n), shapes, 0.3) for n, part in enumerate(coarse)]
    colours = Image.merge("RGB", [ImageChops.blend(band, grain, 0.25) for band in bands])
    return colours.filter(ImageFilter.SMOOTH)


@dataclass(frozen=True)
class Round:
    """What one process took for a number of runs.

    Attributes:
        times: milliseconds of each run.
        cpu: milliseconds of processor time a run.
        peak: bytes of memory, the most the process had.
        made: the result.
    """

    times: list[float]
    cpu: float
    peak: int
    made: bytes


def processor_ms(pid: int) -> float:
    """Return the processor time a process has taken so far, from Linux's page about it."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def ours(path: Path, runs: int) -> Round:
    """Measure a decoding process, with the way there and back."""
    variant = Variant(256, 256, Fit.COVER)
    media_type = "image/jpeg" if path.suffix == ".jpg" else "image/png"
    job = {"do": "derive", "mediaType": media_type, "width": variant.width, "height": variant.height}
    job |= {"fit": variant.fit.value, "format": Format.WEBP.value, "still": False}
    process = Process(Limits())
    times, made, peak, before = [], b"", 0, 0.0
    try:
        for number in range(runs + 2):
            if number == 2:  # noqa: PLR2004 - the first two warm up, here and there
                before = processor_ms(process.pid)
            with path.open("rb") as source, tempfile.TemporaryFile() as sink:
                began = time.perf_counter()
                answer = process.ask(job, [source.fileno(), sink.fileno()])
                times.append((time.perf_counter() - began) * 1000)
                made, peak = os.pread(sink.fileno(), int(str(answer.done["size"])), 0), answer.peak_bytes
        return Round(times[2:], (processor_ms(process.pid) - before) / runs, peak, made)
    finally:
        process.end()


def sharp_folder(place: Path) -> Path | None:
    """Return a folder in which node finds sharp, or None where it cannot be had."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return None
    if not (place / "node_modules" / "sharp").is_dir():
        place.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--silent", "--no-save", "--prefix", str(place), SHARP]
        if subprocess.run(command, capture_output=True, check=False, timeout=300).returncode != 0:
            return None
    return place


def theirs(folder: Path, path: Path, runs: int, threads: int) -> Round:
    """Measure sharp with so many threads, 0 for as many as it likes."""
    program, result = folder / "bench.js", folder / "result.webp"
    program.write_text(NODE)
    command = ["node", str(program), str(path), str(runs), str(threads), str(result)]
    told = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return Round(**told, made=result.read_bytes())


def reference(path: Path) -> list[Image.Image]:
    """Return the bands of the best there is: all of the original in floating point, resampled in one step."""
    with Image.open(path) as image:
        side = min(image.size)
        left, top = (image.width - side) / 2, (image.height - side) / 2
        box = (left, top, left + side, top + side)
        bands = [band.convert("F") for band in image.convert("RGB").split()]
    return [band.resize((256, 256), Image.Resampling.LANCZOS, box=box) for band in bands]


def likeness(made: bytes, bands: list[Image.Image]) -> float:
    """Return the structural similarity (Wang and others, 2004) to the reference: 1 is the same; windows of 8 x 8 px."""
    with Image.open(io.BytesIO(made)) as image:
        found = [band.convert("F") for band in image.convert("RGB").split()]
    return statistics.fmean(_likeness(one, other) for one, other in zip(found, bands, strict=True))


def _likeness(one: Image.Image, other: Image.Image) -> float:
    pixels = [(float(left), float(right)) for left, right in zip(_numbers(one), _numbers(other), strict=True)]
    width, height = one.size
    scores = []
    for top in range(0, height - WINDOW + 1, WINDOW):
        for left in range(0, width - WINDOW + 1, WINDOW):
            rows = [pixels[y * width + left : y * width + left + WINDOW] for y in range(top, top + WINDOW)]
            scores.append(_of_window([pair for row in rows for pair in row]))
    return statistics.fmean(scores)


def _numbers(image: Image.Image) -> array[float]:
    return array("f", image.tobytes())


def _of_window(pairs: list[tuple[float, float]]) -> float:
    count = len(pairs)
    a, b = (sum(pair[band] for pair in pairs) / count for band in (0, 1))
    aa, bb = (sum(pair[band] ** 2 for pair in pairs) / count for band in (0, 1))
    ab = sum(left * right for left, right in pairs) / count
    alike = (2 * a * b + C1) * (2 * (ab - a * b) + C2)
    return alike / ((a * a + b * b + C1) * (aa - a * a + bb - b * b + C2))


def report(name: str, rounds: list[Round], bands: list[Image.Image]) -> None:
    """Print one line."""
    times = [time for each in rounds for time in each.times]
    cpu = min(each.cpu for each in rounds)
    peak = max(each.peak for each in rounds) / MB
    made = rounds[-1].made
    figures = f"{statistics.median(times):9.1f} {min(times):9.1f} {cpu:9.1f} {len(made):10,} {peak:8.0f}"
    print(f"  {name:22} {figures} {likeness(made, bands):8.4f}")


def compare(name: str, mine: list[float], others: list[float]) -> None:
    """Print the ratios to another's times, round by round: their median, least and most."""
    ratios = sorted(one / other for one, other in zip(mine, others, strict=True))
    print(f"  {name}, calotype / sharp: {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


def main() -> None:
    """Measure and print."""
    folder = sharp_folder(Path(sys.argv[1] if len(sys.argv) > 1 else "var/bench").resolve())
    if folder is None:
        print("sharp is left out: there is no npm here, or no registry that has it.")
    print(f"{os.cpu_count()} processors, {os.getloadavg()[0]:.1f} waiting for them")
    with tempfile.TemporaryDirectory() as name:
        for title, kind, size in (("12-megapixel JPEG", "jpg", (4000, 3000)), ("1024 px PNG", "png", (1024, 1024))):
            path = Path(name) / f"original.{kind}"
            out = io.BytesIO()
            photograph(*size).save(out, {"jpg": "JPEG"}.get(kind, "PNG"), **({"quality": 90} if kind == "jpg" else {}))
            path.write_bytes(out.getvalue())
            print(f"{title}, {path.stat().st_size / MB:.1f} MB, to a WebP of 256 x 256 px")
            print(f"  {'':22} {'median ms':>9} {'best ms':>9} {'cpu ms':>9} {'bytes':>10} {'peak MB':>8} {'ssim':>8}")
            bands = reference(path)
            mine, one, many = [], [], []
            for _ in range(ROUNDS):  # by turns, so that a busy moment hits all alike
                mine.append(ours(path, RUNS))
                if folder is not None:
                    one.append(theirs(folder, path, RUNS, 1))
                    many.append(theirs(folder, path, RUNS, 0))
            report("calotype, one decoder", mine, bands)
            if folder is not None:
                report("sharp, one thread", one, bands)
                report("sharp, as it comes", many, bands)
                by_clock = [[statistics.median(each.times) for each in rounds] for rounds in (mine, one)]
                compare("time", *by_clock)
                compare("cpu", [each.cpu for each in mine], [each.cpu for each in one])


if __name__ == "__main__":
    main()
