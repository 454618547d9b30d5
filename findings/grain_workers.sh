#!/bin/bash
# grain 0.2.18: the batches of a seeded DataLoader, and the number of its workers.
#
# Good guess: with one seed the loader gives the same batches for any worker_count, or at least the same examples in
# each batch; its random transforms are seeded by example, after all.
# Seen: every example is augmented alike for any number of workers, but each worker takes every n-th example and
# builds batches of its own from them. With 0, 2 and 3 workers, no batch has the same four examples. MapDataset with
# mp_prefetch, of the same library, gives the same batches for any number.
# So a training depends on the number of cores: batch statistics, Mixup partners, contrastive pairs and gradient steps
# differ, with the same seed. Automorph's loaders give the same batches for any number of workers.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check grain==0.2.18 numpy==2.4.6
cat >"$folder/batches.py" <<'PYTHON'
import sys

import grain.python as grain


class Numbers:
    def __len__(self):
        return 24

    def __getitem__(self, index):
        return index


class Draw(grain.RandomMapTransform):
    def random_map(self, number, rng):
        return number, int(rng.integers(1000))


def drawn(number, rng):
    return Draw().random_map(number, rng)


def of_loader(workers):
    sampler = grain.IndexSampler(24, grain.NoSharding(), shuffle=True, num_epochs=1, seed=1)
    steps = [Draw(), grain.Batch(4)]
    return grain.DataLoader(
        data_source=Numbers(), sampler=sampler, operations=steps, worker_count=workers
    )


def of_data_set(workers):
    shuffled = grain.MapDataset.source(Numbers()).seed(1).shuffle()
    batches = shuffled.random_map(drawn).batch(4).to_iter_dataset()
    options = grain.MultiprocessingOptions(num_workers=workers)
    return batches.mp_prefetch(options) if workers else batches


def plain(batches):
    return [list(zip(*map(list, batch), strict=True)) for batch in batches]


if __name__ == "__main__":
    loader = [plain(of_loader(workers)) for workers in (0, 2, 3)]
    data_set = [plain(of_data_set(workers)) for workers in (0, 2, 3)]
    for workers, batches in zip((0, 2, 3), loader, strict=True):
        print(f"DataLoader, {workers} workers:", [[int(n) for n, _ in batch] for batch in batches[:3]], "...")
    same_draws = all(sorted(sum(run, [])) == sorted(sum(loader[0], [])) for run in loader)
    members = [{frozenset(batch) for batch in run} for run in loader]
    shared = [len(members[0] & members[1]), len(members[0] & members[2]), len(members[1] & members[2])]
    same_batches = all(run == data_set[0] for run in data_set)
    print("the same draws for each example:", same_draws)
    print("batches in common, 0 and 2, 0 and 3, 2 and 3 workers:", shared)
    print("MapDataset, the same batches:", same_batches)
    sys.exit(0 if same_draws and shared == [0, 0, 0] and same_batches else 1)
PYTHON
"$folder/env/bin/python" "$folder/batches.py" 2>/dev/null
