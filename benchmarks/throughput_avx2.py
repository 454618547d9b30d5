"""How fast is augmentation on processors without AVX-512? As throughput.py, with AVX2 alone.

RandAugment(2, 9) in batches against the libraries of throughput.py, and single images against timm.
Where the processor has AVX-512, Automorph runs its AVX2 code all the same; the other libraries may
use AVX-512.

Expected before the run, after eight pixels at a time were resampled in registers of AVX2 too:
- batches, nearest, to the faster of timm and albumentations: at least 45x at 32 px;
- batches, ratio to albumentations: bilinear at least 4x at 224 px and at 1024 px; nearest at least
  half of the 12x and 8x that throughput.py asks for at these sizes;
- single arrays: at least 12x timm at 32 px and 8x at 224 px and 512 px, as with AVX-512, since the
  price is that of the call.

n: 9 interleaved rounds per cell; medians of ratios, with the smallest and largest. One thread per
library. The hardware and the other load on the processor are recorded with the result.
Rerun: .venv/bin/python benchmarks/throughput_avx2.py (about 3 minutes)
Finished cells are lines of results/throughput_avx2.jsonl; remove that file to measure again.
Needs: pip install 'automorph[albumentations,kornia]'
"""

from __future__ import annotations

from automorph import native
from cells import Cells
from record import claim, write_result
from throughput import BATCH, ROUNDS, compare_peers, compare_single, measured

POLICY = "RandAugment(2, 9)"
SINGLE = (32, 224, 512)
TO_ALBUMENTATIONS = {(224, "nearest"): 6, (1024, "nearest"): 4}
TO_ALBUMENTATIONS |= {(224, "bilinear"): 4, (1024, "bilinear"): 4}


def main() -> None:
    """Measure the missing cells, and judge the expectations."""
    cells, rows = Cells("throughput_avx2"), {}
    with native.using("avx2"):
        for size in BATCH:
            for mode in ("nearest", "bilinear"):
                name = f"{size}-{mode}"
                rows[name] = cells.kept(
                    name, measured, name, lambda s=size, m=mode: compare_peers(s, POLICY, m)
                )
        for size in SINGLE:
            name = f"one-{size}-array"
            rows[name] = cells.kept(name, measured, name, lambda s=size: compare_single(s, "array"))
    wanted = [("32-nearest", peer, 45) for peer in ("timm", "albumentations")]
    wanted += [
        (f"{size}-{mode}", "albumentations", least)
        for (size, mode), least in TO_ALBUMENTATIONS.items()
    ]
    wanted += [(f"one-{size}-array", "timm", 12 if size == 32 else 8) for size in SINGLE]
    claims = []
    for name, peer, least in wanted:
        ratio = rows[name]["ratio"][peer]
        claims.append(
            claim(
                f"AVX2, {name.replace('-', ', ')}: at least {least}x {peer}", ratio["median"],
                [ratio["low"], ratio["high"]], ratio["median"] >= least,
            )
        )  # fmt: skip
        print("holds " if claims[-1]["holds"] else "FAILS ", claims[-1])
    write_result("throughput_avx2", rows=list(rows.values()), claims=claims, rounds=ROUNDS)


if __name__ == "__main__":
    main()
