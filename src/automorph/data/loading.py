"""The single entry point for every source: a ``DATA`` string, arrays, or a data set object."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from glob import glob
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from automorph.data.annotation import TargetKind
from automorph.data.build import assemble
from automorph.data.chosen import Sizing
from automorph.data.dataset import Dataset
from automorph.data.images import Mode
from automorph.data.lazy_images import read_large_folder
from automorph.data.lazy_texts import mapped_texts
from automorph.data.leakage import LeakageAction
from automorph.data.one_label import read_as
from automorph.data.readers.catalog import data_roots
from automorph.data.readers.columns import Columns
from automorph.data.readers.hub import raw_from_huggingface
from automorph.data.readers.in_memory import Pair, raw_from_arrays, with_groups
from automorph.data.readers.raw import RawData
from automorph.data.readers.torch_items import raw_from_torch
from automorph.data.resizing import DECODE, Decode, Resizing
from automorph.data.sources import SOURCES, Request, Source
from automorph.data.windows import WindowChoice
from automorph.errors import UsageError

StrPath = str | os.PathLike[str]


def load_data(
    source: str,
    *,
    image: str | None = None,
    text: str | None = None,
    label: str | None = None,
    subgroup: str | Sequence[str] | None = None,
    metadata: Sequence[str] | None = (),
    keep_together: str | None = None,
    window: WindowChoice = None,
    size: int | tuple[int, int] | None = None,
    mode: Mode | None = None,
    limit: int | None = None,
    equal_classes: bool = False,
    seed: int = 0,
    skip_bad: bool = False,
    leakage: LeakageAction = "refuse",
    root: StrPath | None = None,
    cache: StrPath | None = None,
    download: bool = False,
    on_demand: bool = False,
    crop: float | None = None,
    decoders: int = 0,
    resizing: Resizing | None = None,
    hold_out: bool = True,
    sizing: Sizing | None = None,
    target: TargetKind = "classes",
    label_of: str | None = None,
    decode: Decode | None = None,
) -> Dataset:
    """Load a source: ``digits``, ``mnist``, ``folder:PATH``, ... (``automorph list data``).

    - ``image`` or ``text``, ``label``, ``subgroup``: columns of a table; detected by type and
      common name when left out (except ``subgroup``). Several ``subgroup`` columns make a subgroup
      of each combination of their values. ``metadata`` names columns to keep in ``Split.metadata``
      (None: all columns of single values).
    - ``target``: what is predicted, see `automorph.data.Annotation`: ``classes``, ``labels``
      (``label`` is a list column, or several columns of 0 and 1: ``"open,short"``), ``values``
      (one or several columns of numbers) or ``masks`` (a column of images or of their paths).
    - ``label_of``: one of several labels, which becomes two classes: ``no NAME`` and ``NAME``.
    - ``keep_together``: a column whose equal values (a lesion, a person, a drive) stay in one part
      of every split; see :func:`split`. A value that lies in two published parts is a leak, treated
      as ``leakage`` says. DICOM images have the columns ``PatientID``, ``StudyInstanceUID`` and
      ``SeriesInstanceUID``.
    - ``window``: the values of 16-bit images and of DICOM files that become the levels 0 and 255,
      ``(low, high)``; ``"voi"``: each DICOM file's own window. Default: see
      :func:`automorph.data.windows.choose_window`.
    - ``size``, ``mode``: see :func:`automorph.data.images.read_image`. Without ``size``, all images
      must have one size.
    - ``limit``: keep this many training examples, chosen by hash (``seed``). The classes keep their
      shares, with at least one example each; with ``equal_classes``, or if their sizes differ by
      less than a tenth, all get the same number. The test part is chosen first and stays whole: the
      published one or, if there is none, a fifth of the rows by :func:`split` with ``seed``. A
      validation part made later is taken from the ``limit`` examples.
    - ``skip_bad``: skip rows that cannot be used and list them in ``Dataset.skipped``; otherwise a
      DataError counts and names them.
    - ``leakage``: ``refuse``, ``drop`` or ``keep`` examples that lie in two parts.
    - ``root``: the folder of known sets, also searched for relative paths; default
      ``$AUTOMORPH_DATA``, else ``./data``.
    - ``cache``: a folder for decoded images, which are then memory-mapped. Without it, images of a
      few megabytes of files or more stay in ``~/.cache/automorph/images`` (``AUTOMORPH_CACHE``), by
      the content of their files, for the next command; ``"none"`` keeps none.
    - ``decode``: ``reduced`` (default) decodes JPEG files at 1/2, 1/4 or 1/8 of their size where
      that still covers ``size``; ``exact`` decodes them in full.
    - ``download``: download a known set that is not on disk. ``hub:`` sources download by
      themselves.
    - ``on_demand``: for sets larger than memory. Images of a ``folder:`` stay in their files and
      are decoded on demand by ``decoders`` processes (0: threads of this one); ``size`` is then
      required. With ``crop``, training sees random crops of at least that share of an image (0.08
      is common for large sets), scaled to ``size``, before any policy. Texts are kept in an Arrow
      file in the folder ``cache``.
    - ``resizing``: how images are brought to ``size``: see `automorph.data.Resizing`. Tasks with a
      pretrained network choose it. ``sizing`` chooses a size, without ``size``, for image files of
      different or large sizes.
    - ``hold_out``: False sets no test part aside for a ``limit``, for cross-validation (see
      :func:`automorph.data.with_folds`).

    Raises UsageError for an invalid source or option, DataError for data that cannot be used.

    >>> load_data("digits", limit=500)
    Dataset('digits', 10 classes, train=Split(500 of 8x8x1), test=Split(361 of 8x8x1))
    """
    both = (size, size) if isinstance(size, int) else size
    kind = read_as(target, label_of)
    columns = Columns(image, text, label, subgroup, metadata, keep_together, target=kind)
    if on_demand and kind != "classes":
        raise UsageError(f"target={kind!r} needs decoded examples: leave out on_demand")
    if on_demand and source.startswith("folder:"):
        columns.refuse(source)
        return read_large_folder(
            _resolve(source.partition(":")[2], root), size=both, mode=mode, crop=crop,
            decoders=decoders, limit=limit, equal_classes=equal_classes, seed=seed,
            skip_bad=skip_bad, leakage=leakage, keep_together=keep_together, window=window,
            resizing=resizing, decode=decode or DECODE,
        )  # fmt: skip
    raw = read_source(source, columns, root, download)
    if on_demand and raw.domain == "image":
        raise UsageError(
            f"{source}: images can be read on demand only from folder:PATH; for other sources, "
            "use cache=FOLDER, which memory-maps them"
        )
    if crop is not None or decoders:
        raise UsageError("crop and decoders apply only to images decoded on demand; leave them out")
    dataset = assemble(
        raw,
        size=both,
        mode=mode,
        limit=limit,
        equal_classes=equal_classes,
        seed=seed,
        skip_bad=skip_bad,
        leakage=leakage,
        cache=Path(cache) if cache else None,
        decode=decode or DECODE,
        window=window,
        resizing=resizing,
        hold_out=hold_out,
        sizing=sizing,
        target=kind,
        label_of=label_of,
    )
    return mapped_texts(dataset, cache) if on_demand else dataset


def check_source(source: str, *, root: StrPath | None = None) -> None:
    """Refuse an unknown source, or one whose path does not exist, without reading it.

    >>> check_source("digits")
    """
    entry, path = _entry_of(source)
    if entry.endings is None:
        return
    resolved = Path(_resolve(path, root)).expanduser()
    if not resolved.exists() and not glob(str(resolved), recursive=True):
        read_source(source, Columns(), root, download=False)  # The reader states what it expects.


def from_arrays(
    images: Any,
    labels: ArrayLike,
    *,
    classes: Sequence[str] | None = None,
    subgroups: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    validation: Pair | None = None,
    test: Pair | None = None,
    name: str = "arrays",
    **options: Any,
) -> Dataset:
    """Make a data set of arrays: images uint8 (n, H, W[, C]) or a list of texts, and labels (n,).

    Labels are class names or numbers; with ``classes`` numbers index them. ``subgroups`` (n,)
    likewise; with subgroups, ``validation`` and ``test`` are ``(images, labels, subgroups)``, else
    ``(images, labels)``. ``groups`` (n,) are the values that stay in one part when the rows are
    split, such as the number of a person (scikit-learn's ``groups``). ``options`` are ``size``,
    ``mode``, ``limit``, ``equal_classes``, ``seed``, ``skip_bad``, ``leakage``, ``window``,
    ``resizing``, ``decode``, ``cache``, ``hold_out``, ``target`` and ``label_of`` of
    :func:`load_data`; for another target than classes, ``labels`` are (n, k), or masks (n, H, W).

    >>> import numpy as np
    >>> images = np.arange(4, dtype=np.uint8).repeat(64).reshape(4, 8, 8)
    >>> from_arrays(images, ["cat", "dog", "cat", "dog"]).classes
    ('cat', 'dog')
    """
    parts: dict[str, tuple[Any, ...]] = {
        "train": (images, labels) if subgroups is None else (images, labels, subgroups)
    }
    parts |= {k: v for k, v in (("validation", validation), ("test", test)) if v is not None}
    target = read_as(options.get("target", "classes"), options.get("label_of"))
    raw = raw_from_arrays(parts, name=name, classes=classes, target=target)
    return assemble(with_groups(raw, groups), **options)


def as_dataset(
    source: Any,
    *,
    validation: Any = None,
    test: Any = None,
    name: str | None = None,
    image: str | None = None,
    text: str | None = None,
    label: str | None = None,
    subgroup: str | Sequence[str] | None = None,
    metadata: Sequence[str] | None = (),
    keep_together: str | None = None,
    groups: ArrayLike | None = None,
    **options: Any,
) -> Dataset:
    """Make a data set of whatever the user passes.

    - a ``DATA`` string: :func:`load_data`; a :class:`Dataset`: itself;
    - ``(images, labels)`` or ``(images, labels, subgroups)``: :func:`from_arrays`;
    - a ``datasets.Dataset`` or ``DatasetDict``, with the columns of :func:`load_data`;
    - a map-style torch data set of ``(image, label)``.

    ``validation`` and ``test`` are further parts of the same kind as ``source``. ``keep_together``
    is a column of a table, ``groups`` (n,) are its values for arrays and torch data sets: rows with
    equal values stay in one part of every split.
    """
    target = read_as(options.get("target", "classes"), options.get("label_of"))
    columns = Columns(image, text, label, subgroup, metadata, keep_together, target=target)
    if groups is not None and (isinstance(source, str | Dataset) or _is_huggingface(source)):
        raise UsageError(
            "groups are for arrays and torch data sets; expected the name of a column of the "
            "source: keep_together=COLUMN (a Dataset has its own)"
        )
    if isinstance(source, Dataset | str) and not (validation is None and test is None):
        raise UsageError(f"{source!r} has predefined splits; leave out validation and test.")
    if isinstance(source, Dataset):
        columns.refuse("a Dataset")
        options |= {"keep_together": keep_together}
        if options.get("target") == source.target:
            options.pop("target")
        if asked := [option for option, value in options.items() if value is not None]:
            raise UsageError(
                f"a Dataset is already loaded: {', '.join(asked)} cannot be used with it."
            )
        return source
    if isinstance(source, str):
        return load_data(
            source, image=image, text=text, label=label, subgroup=subgroup, metadata=metadata,
            keep_together=keep_together, **options,
        )  # fmt: skip
    given = {"train": source, "validation": validation, "test": test}
    parts = {part: value for part, value in given.items() if value is not None}
    if isinstance(source, tuple):
        columns.refuse("a tuple of arrays")
        raw = raw_from_arrays(parts, name=name or "arrays", target=target)
        return assemble(with_groups(raw, groups, keep_together), **options)
    if _is_huggingface(source):
        whole = source if isinstance(source, Mapping) else parts
        raw = raw_from_huggingface(whole, name=name or "huggingface", columns=columns)
        return assemble(replace(raw, keep_together=keep_together), **options)
    if hasattr(source, "columns"):
        raise UsageError(
            f"data of type {type(source).__name__}: expected columns, not a table; pass "
            "(table['text'], table['label']), or datasets.Dataset.from_pandas(table)"
        )
    items = hasattr(source, "__getitem__") and hasattr(source, "__len__")
    if items and not isinstance(source, Mapping):
        columns.refuse("a torch data set")
        raw = raw_from_torch(parts, name=name or type(source).__name__)
        return assemble(with_groups(raw, groups, keep_together), **options)
    raise UsageError(
        f"data of type {type(source).__name__}: expected a DATA string, (images, labels), or a "
        "torch or Hugging Face data set with a length."
    )


def _is_huggingface(source: Any) -> bool:
    return type(source).__module__.partition(".")[0] == "datasets"


def read_source(source: str, columns: Columns, root: StrPath | None, download: bool) -> RawData:
    """Return the raw rows of a ``DATA`` string; see `load_data`."""
    entry, path = _entry_of(source)
    if not entry.tabular:
        columns.refuse(source)
    resolved = path if entry.endings is None else _resolve(path, root)
    raw = entry(Request(source, resolved, columns, root, download))
    return replace(raw, keep_together=columns.keep_together)


def _entry_of(source: str) -> tuple[Source, str]:
    """Return the entry of a source and its path; a known set has no path."""
    entry = SOURCES.get(source)
    if entry is not None and not entry.takes_path:
        return entry, ""
    kind, _, path = source.partition(":")
    for entry in SOURCES.values():
        if path and entry.takes_path and entry.stem == kind:
            return entry, path
    raise SOURCES.unknown(source, hint=_hint_for_path(source))


def _resolve(path: str, root: StrPath | None) -> str:
    """Return a path unchanged or, if it does not exist, below the folder of data sets."""
    given = Path(path).expanduser()
    if given.is_absolute() or given.exists():
        return path
    return next((str(top / path) for top in data_roots(root) if (top / path).exists()), path)


def _hint_for_path(source: str) -> str | None:
    """Return the full source of a path that was given alone; None if there is no such path."""
    given = Path(source).expanduser()
    for entry in SOURCES.values():
        fits = given.suffix in entry.endings if entry.endings else given.is_dir()
        if entry.endings is not None and fits and given.exists():
            return f" For this path write {entry.stem}:{source}."
    return None
