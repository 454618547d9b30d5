"""Decoded images that stay in the user's cache for the next command."""

import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from automorph import files
from automorph.data import decoded_cache, decoding, load_data


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOMORPH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(decoded_cache, "LEAST", 1000)
    rng = np.random.default_rng(0)
    for number in range(12):
        home = tmp_path / "photos" / ("cats", "dogs")[number % 2]
        home.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (20, 16, 3 if number else 1), dtype=np.uint8)
        Image.fromarray(pixels.squeeze()).save(home / f"{number}.png")
    (tmp_path / "photos" / "cats" / "bad.png").write_bytes(b"no picture")
    return tmp_path


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images each call decodes."""
    counts: list[int] = []
    stack = decoding._stack

    def counted(sources, *arguments):
        counts.append(len(sources))
        return stack(sources, *arguments)

    monkeypatch.setattr(decoding, "_stack", counted)
    return counts


def read(place: Path, size: int = 8, **options):
    return load_data(f"folder:{place / 'photos'}", size=size, skip_bad=True, **options)


def kept(place: Path) -> list[Path]:
    return sorted((place / "cache" / "images").glob("*"))


def test_a_second_command_decodes_nothing(place, decoded):
    first, second = read(place), read(place)
    assert len(decoded) == 1
    assert len(kept(place)) == 1
    np.testing.assert_array_equal(first.train.data, second.train.data)
    assert type(second.train.data) is np.ndarray
    assert (first.notes, first.skipped, first.hash) == (second.notes, second.skipped, second.hash)
    if os.name == "posix":
        assert (place / "cache" / "images").stat().st_mode & 0o077 == 0


def test_content_decides_and_not_names_or_times(place, decoded):
    read(place)
    os.utime(place / "photos" / "cats" / "2.png", (1, 1))
    (place / "photos").rename(place / "other")
    (place / "other").rename(place / "photos")
    read(place)
    assert len(decoded) == 1
    # Another picture in a file of the same length.
    path = place / "photos" / "cats" / "2.png"
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    assert len(read(place).skipped) == 2
    assert len(decoded) == 2


def test_what_is_read_otherwise_is_kept_apart(place, decoded):
    for options in ({}, {"mode": "grey"}, {"size": 9}, {"decode": "exact"}):
        read(place, **options)
    assert len(decoded) == len(kept(place)) == 4
    assert read(place, mode="grey").train.data.shape[3] == 1
    assert len(decoded) == 4


def test_none_keeps_none(place):
    read(place, cache="none")
    read(place, cache=place / "own")
    assert not kept(place)


def test_few_bytes_and_arrays_are_not_kept(place, monkeypatch):
    monkeypatch.setattr(decoded_cache, "LEAST", 4 << 20)
    read(place)
    assert not kept(place)
    assert decoded_cache.Kept.of([np.zeros((3, 3), np.uint8)] * 1000, ()) is None


def test_damaged_files_are_made_again(place, decoded):
    data = read(place).train.data
    (path,) = kept(place)
    whole = path.read_bytes()
    step = max(1, len(whole) // 50)
    damages = [whole[:cut] for cut in range(0, len(whole), 5 * step)]
    for at in range(0, len(whole), step):
        damages.append(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
    for content in damages:
        path.write_bytes(content)
        np.testing.assert_array_equal(read(place).train.data, data)
    assert len(decoded) > 40  # Most damage is noticed; the rest is in bytes that say nothing.


def test_a_full_disk_keeps_nothing(place, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert len(read(place).train) == 12
    assert not kept(place)


def test_interrupted_writing_leaves_nothing(place, monkeypatch):
    def interrupted(file, **_):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read(place)
    assert not kept(place)


def test_the_least_recent_are_deleted(place, monkeypatch, decoded):
    read(place)
    (one,) = kept(place)
    monkeypatch.setattr(decoded_cache, "MOST", 3 * one.stat().st_size)
    os.utime(one, (1, 1))
    read(place, mode="grey")
    read(place, mode="rgb")
    read(place, size=9)
    assert one not in kept(place)
    assert sum(path.stat().st_size for path in kept(place)) <= decoded_cache.MOST
    monkeypatch.setattr(decoded_cache, "MOST", 100)
    before = kept(place)
    read(place, size=10)
    assert kept(place) == before, "too large to be kept"


def test_what_killed_processes_left_is_deleted(tmp_path):
    old, new = tmp_path / ".a.npz.1.tmp", tmp_path / ".b.npz.2.tmp"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    files.keep_recent(tmp_path, 0)
    assert not old.exists()
    assert new.exists()


def _reads(place: str) -> str:
    os.environ["AUTOMORPH_CACHE"] = str(Path(place) / "cache")
    decoded_cache.LEAST = 1000
    return read(Path(place)).hash


def test_several_processes_at_once(place):
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        hashes = pool.map(_reads, [str(place)] * 6)
    assert len({*hashes, read(place).hash}) == 1
    assert len(kept(place)) == 1
