"""DICOM files: those that pydicom ships, and small ones written here."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deep_files import dicom
from PIL import Image

from automorph.data import dicom as module
from automorph.data import load_data, read_image, split
from automorph.data.deep_pixels import DeepImage, Window
from automorph.data.dicom import is_dicom, own_window, read_dicom
from automorph.data.image_opening import BadImageError
from automorph.errors import DataError, MissingExtraError

pydicom = pytest.importorskip("pydicom")


def shipped(name: str) -> Path:
    """A file that comes with pydicom; nothing is downloaded."""
    return Path(pydicom.__file__).parent / "data" / "test_files" / name


def test_ct_values_are_hounsfield_units() -> None:
    found = read_dicom(shipped("CT_small.dcm"))
    assert isinstance(found, DeepImage)
    stored = pydicom.dcmread(shipped("CT_small.dcm")).pixel_array
    np.testing.assert_array_equal(found.values, stored.astype(float) - 1024)
    assert (found.values.min(), found.values.max()) == (-896, 1167)
    levels = read_image(shipped("CT_small.dcm"), window=Window(-160, 240))
    assert levels.shape == (128, 128, 1)
    assert levels[found.values <= -160].max() == 0
    assert levels[found.values >= 240].min() == 255


@pytest.mark.parametrize(
    "name",
    ["MR_small_RLE", "MR_small_bigendian", "MR_small_expb", "MR_small_implicit",
     "MR_small_jp2klossless", "MR_small_padded"],
)  # fmt: skip
def test_one_image_stored_in_many_ways(name: str) -> None:
    plain, other = read_dicom(shipped("MR_small.dcm")), read_dicom(shipped(f"{name}.dcm"))
    np.testing.assert_array_equal(other.values, plain.values)
    assert other.own == plain.own == Window(-200, 1399)


def test_colour_and_palette_files_are_levels() -> None:
    for name in ("examples_rgb_color", "examples_palette", "SC_ybr_full_422_uncompressed"):
        assert read_image(shipped(f"{name}.dcm")).shape[2] == 3
    rgb = read_image(shipped("SC_rgb_rle.dcm"))
    # The tag of the second file says YBR_FULL; decoded, both show the same bars.
    ybr = read_image(shipped("SC_rgb_dcmtk_+eb+cy+n1.dcm"))
    assert np.abs(rgb.astype(int) - ybr).mean() < 4


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("SC_rgb_rle_2frame.dcm", r"multi-frame DICOM file \(2 frames\)"),
        ("reportsi.dcm", r"without an image \(modality SR\)"),
        ("rtplan.dcm", r"without an image \(modality RTPLAN\)"),
        ("MR_truncated.dcm", "less than expected"),
        ("SC_rgb_jpeg_gdcm.dcm", "JPEG Lossless.*install a decoder"),
        ("badVR.dcm", "1A"),
    ],
)
def test_files_without_one_image_say_why(name: str, reason: str) -> None:
    with pytest.raises(BadImageError, match=reason):
        read_image(shipped(name), window=Window(0, 1))


def test_every_shipped_file_is_read_or_refused() -> None:
    read = 0
    for file in sorted(shipped("").glob("*.dcm")):
        try:
            read += read_image(file, window=Window(0, 1000)).dtype == np.uint8
        except BadImageError:
            continue
    assert read > 40


def test_monochrome1_is_inverted_after_the_window() -> None:
    values = np.arange(64).reshape(8, 8) * 60
    light = read_image(dicom(values), window=Window(100, 3000))
    dark = read_image(dicom(values, photometric="MONOCHROME1"), window=Window(100, 3000))
    np.testing.assert_array_equal(light, 255 - dark)


def test_both_photometrics_in_one_set_are_noted(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    for k in range(20):
        kind = "MONOCHROME1" if k % 4 else "MONOCHROME2"
        (tmp_path / f"c{k % 2}").mkdir(exist_ok=True)
        content = dicom(draw.integers(0, 4096, (8, 8)), photometric=kind)
        (tmp_path / f"c{k % 2}" / f"{k}.dcm").write_bytes(content)
    data = load_data(f"folder:{tmp_path}")
    assert "are MONOCHROME1 and inverted after the window" in data.notes[0]


def test_rescaling_and_padding(tmp_path: Path) -> None:
    values = np.full((8, 8), 500)
    values[0] = 4000
    data = dicom(values, RescaleSlope=2, RescaleIntercept=-1000, PixelPaddingValue=4000)
    found = read_dicom(data)
    assert (found.values.min(), found.values.max(), found.padding) == (0, 7000, (7000, 7000))


def test_a_range_of_padding_does_not_count(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    for name in ("healthy", "ill"):
        (tmp_path / name).mkdir()
        for i in range(6):
            values = draw.integers(1000, 1200, (8, 8))
            values[:4] = draw.integers(10, 60, (4, 8))
            content = dicom(values, PixelPaddingValue=60, PixelPaddingRangeLimit=10)
            (tmp_path / name / f"{i}.dcm").write_bytes(content)
    window = load_data(f"folder:{tmp_path}").window
    assert window is not None
    assert window.low is not None
    assert window.low >= 1000


def test_stated_windows() -> None:
    header = pydicom.dcmread(shipped("examples_overlay.dcm"))
    assert own_window(header) == Window(55, 844)  # the first of two
    header.VOILUTFunction = "LINEAR_EXACT"
    assert own_window(header) == Window(55, 845)
    header.VOILUTFunction = "SIGMOID"
    assert own_window(header) is None


@pytest.mark.parametrize("window", [None, "voi"])
def test_the_first_of_several_stated_windows_is_noted(tmp_path: Path, window: Any) -> None:
    draw = np.random.default_rng(0)
    tags = {"WindowCenter": [100, 600], "WindowWidth": [400, 1500]}
    for name in ("healthy", "ill"):
        (tmp_path / name).mkdir()
        for i in range(6):
            content = dicom(draw.integers(0, 1200, (8, 8)), **tags)
            (tmp_path / name / f"{i}.dcm").write_bytes(content)
    notes = "\n".join(load_data(f"folder:{tmp_path}", window=window).notes)
    assert "the first one: 12 files state several" in notes


def study(root: Path, *, window: bool = True, other: float | None = None) -> str:
    """Two classes of ten patients with three images each, in files without an ending."""
    draw = np.random.default_rng(0)
    for name, level in (("healthy", 1000), ("ill", 1200)):
        (root / name).mkdir(parents=True)
        for patient in range(10):
            for k in range(3):
                values = draw.normal(level, 20, (8, 8)).clip(0, 4095)
                tags = {"RescaleSlope": 1, "RescaleIntercept": -1024}
                if window:
                    tags |= {"WindowCenter": other if other and k else 100.5, "WindowWidth": 401}
                content = dicom(values, patient=f"{name}-{patient}", **tags)
                (root / name / f"IM{patient:03}{k}").write_bytes(content)
    return f"folder:{root}"


def test_a_folder_of_files_without_endings(tmp_path: Path) -> None:
    data = load_data(study(tmp_path))
    assert len(data.train) == 60
    assert (data.window.low, data.window.high) == (-100, 300)
    assert "the window that all DICOM files state" in "".join(data.notes)
    assert any("60 images are of 20 patients (PatientID)" in note for note in data.notes)
    assert data.train.metadata == {}  # numbers of patients are kept only if asked for


def test_windows_that_differ_are_not_used_unless_asked_for(tmp_path: Path) -> None:
    source = study(tmp_path, other=150)
    data = load_data(source)
    assert "percentiles" in data.window.how
    assert "the 2 different windows that files state are not used" in data.window.how
    own = load_data(source, window="voi")
    assert (own.window.low, own.hash != data.hash) == (None, True)
    assert any("the window that each DICOM file states" in note for note in own.notes)


def test_patients_are_kept_together(tmp_path: Path) -> None:
    source = study(tmp_path, window=False)
    data = split(load_data(source, keep_together="PatientID"))
    seen = [set(part.metadata["PatientID"].tolist()) for part in data.parts.values()]
    assert [len(found) for found in seen] == [12, 4, 4]
    assert len(set.union(*seen)) == 20
    assert not any("a split may put" in note for note in data.notes)
    files = split(load_data(source, keep_together="PatientID", on_demand=True, size=8, mode="grey"))
    assert files.train.names == data.train.names
    assert files.window == data.window
    np.testing.assert_array_equal(files.train.data[:], data.train.data)
    table = tmp_path / "scans.csv"
    rows = [f"{name},{name.split('/')[0]}" for part in data.parts.values() for name in part.names]
    table.write_text("\n".join(["image,label", *rows]) + "\n")
    listed = load_data(f"csv:{table}", keep_together="StudyInstanceUID")
    assert set(listed.train.metadata) == {"StudyInstanceUID"}


def test_patients_in_two_published_parts_are_noted(tmp_path: Path) -> None:
    study(tmp_path / "train")
    study(tmp_path / "test")
    found = load_data(f"folder:{tmp_path}", leakage="keep")
    assert any("20 patients (PatientID) have images in the train part" in n for n in found.notes)
    for file in (tmp_path / "test").rglob("IM*"):
        data = pydicom.dcmread(file)
        data.PixelData = bytes(len(data.PixelData) - 2) + file.name.encode()[-2:]
        data.save_as(file)
    with pytest.raises(DataError, match="same PatientID are in more than one part"):
        load_data(f"folder:{tmp_path}", keep_together="PatientID", skip_bad=True)


def test_other_files_are_not_dicom(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("x" * 200)
    (tmp_path / "a.123").write_bytes(dicom(np.zeros((8, 8))))
    assert not is_dicom(tmp_path / "notes")
    assert is_dicom(tmp_path / "a.123")
    assert not is_dicom(Image.new("L", (2, 2)))
    (tmp_path / "b.dcm").write_bytes(b"")
    with pytest.raises(BadImageError, match="zero bytes"):
        read_image(tmp_path / "b.dcm")
    (tmp_path / "b.dcm").write_bytes(b"x" * 500)
    with pytest.raises(BadImageError):
        read_image(tmp_path / "b.dcm")


@pytest.mark.parametrize("installed", [None, "2.4.4", "3.0.0"])
def test_without_pydicom_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, installed: str | None
) -> None:
    def found(name: str) -> str:
        if installed is None:
            raise PackageNotFoundError(name)
        return installed

    module._pydicom.cache_clear()
    monkeypatch.setattr(module, "version", found)
    with pytest.raises(
        MissingExtraError, match=r"3\.0\.1 or later.*pip install 'automorph\[dicom\]'"
    ):
        read_image(shipped("CT_small.dcm"), window=Window(0, 1))
    module._pydicom.cache_clear()
