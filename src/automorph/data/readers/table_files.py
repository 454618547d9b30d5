"""Files of a table: which ones are read, and which part each of them is."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from glob import glob, has_magic
from pathlib import Path

from automorph.data.notes import Notes, shortened
from automorph.data.readers.hidden import passed_over
from automorph.data.readers.layout import names_a_part
from automorph.data.readers.raw import part_of
from automorph.errors import DataError

# Endings that hold rows; pictures beside a table are no rows left out.
_ROWS = frozenset(
    (".arrow", ".bz2", ".csv", ".feather", ".gz", ".json", ".jsonl", ".ndjson", ".orc", ".parquet",
     ".tsv", ".txt", ".xls", ".xlsx", ".xz", ".zip", ".zst")
)  # fmt: skip

_SHARD = re.compile(r"(.*?)[-_.]?(\d+)-of-(\d+)")


def find_files(kind: str, path: Path, endings: tuple[str, ...], notes: Notes) -> list[Path]:
    """Return a file, the files that match a pattern, or those of a folder with these endings."""
    if path.is_file():
        return [path]
    if path.is_dir():
        files, others = [], Counter[str]()
        for file in sorted(path.rglob("*")):
            if any(map(passed_over, file.relative_to(path).parts)) or not file.is_file():
                continue
            if file.suffix.lower() in endings:
                files.append(file)
            elif file.suffix.lower() in _ROWS:
                others[file.suffix] += 1
        if others and files:
            kinds = ", ".join(f"{n:,} {ending}" for ending, n in others.most_common())
            notes.ignored("files of rows with another ending", [kinds])
        expected = f"files ending in {' or '.join(endings)} in this folder"
    else:
        files = [Path(file) for file in sorted(glob(str(path), recursive=True))]
        expected = "a file, a folder or a pattern such as 'data/*.parquet'"
    if not files:
        raise DataError(f"{kind}:{path}: nothing found. Expected {expected}.")
    return files


def parts_of_files(
    source: str, path: Path, files: Sequence[Path], notes: Notes
) -> Mapping[str, list[Path]]:
    """Return the files of each part, by the words of their names and of the folders below ``path``.

    A single file is the train part, whatever its name. Files that name no part are the train part
    only if no other file is.
    """
    base = _base(path)
    _note_missing_shards(files, notes)
    _note_columns_of_folders(files, base, notes)
    if len(files) == 1:
        return {"train": list(files)}
    parts: dict[str, list[Path]] = {}
    nameless = []
    for file in files:
        found = _part(source, file, base)
        parts.setdefault(found, []).append(file) if found else nameless.append(file)
    shown = [file.relative_to(base).as_posix() for file in nameless]
    if nameless and "train" in parts:
        notes.ignored("files that name no part", shown)
    elif nameless:
        if parts:
            notes.add(f"files that name no part are the train part: {shortened(shown)}")
        parts["train"] = nameless
    if "train" not in parts:
        raise DataError(
            f"{source}: found the parts {', '.join(sorted(parts))} but no train part. "
            "Expected a file with 'train' in its name."
        )
    return {part: sorted(found) for part, found in parts.items()}


def _note_missing_shards(files: Sequence[Path], notes: Notes) -> None:
    """Note files such as ``train-00000-of-00003`` whose siblings are not there."""
    shards: dict[tuple[Path, str, int], set[int]] = defaultdict(set)
    for file in files:
        if found := _SHARD.fullmatch(file.stem):
            shards[file.parent, found[1], int(found[3])].add(int(found[2]))
    for (_, stem, total), numbers in shards.items():
        if len(numbers) < total:
            missing = [f"{n:05}" for n in sorted(set(range(total)) - numbers)]
            notes.add(
                f"files missing: {stem} has {len(numbers)} of {total} files, without "
                f"{shortened(missing)}"
            )


def _note_columns_of_folders(files: Sequence[Path], base: Path, notes: Notes) -> None:
    """Note columns that partitioned tables hold in names of folders, such as ``year=2024``."""
    columns = {
        name
        for file in files
        for name, equals, value in (one.partition("=") for one in file.relative_to(base).parts[:-1])
        if equals and not names_a_part(value)
    }
    if columns:
        notes.ignored(
            "columns that only the names of folders state", sorted(columns),
            advice="; to use them, write them into the files",
        )  # fmt: skip


def _part(source: str, file: Path, base: Path) -> str | None:
    inside = file.relative_to(base)
    found = {
        word: part
        for word, part in (
            (file.stem, part_of(file.stem)),
            # Also split=test, as partitioned tables are written.
            *((one, names_a_part(one.rpartition("=")[2])) for one in inside.parts[:-1]),
        )
        if part
    }
    if len(set(found.values())) > 1:
        named = " but ".join(f"{word!r} names {part}" for word, part in found.items())
        raise DataError(
            f"{source}: {inside.as_posix()} can be read as two parts: {named}. Expected names of "
            "one part: rename the file or its folder."
        )
    return next(iter(found.values()), None)


def _base(path: Path) -> Path:
    """Return the folder below which names count: the path, or what a pattern starts with."""
    if path.is_dir():
        return path
    fixed = Path(path.anchor)
    for part in path.parts[bool(path.anchor) : -1]:
        if has_magic(part):
            break
        fixed /= part
    return fixed
