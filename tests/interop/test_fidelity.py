"""Every line of the fidelity table is checked against the library."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from peer_images import LIBRARIES, apart, held, ours, photos, run, theirs, values_of
from PIL import Image

from automorph import engine
from automorph.interop import FIDELITY, convert_policy, export_policy, torchvision_runtime
from automorph.interop.fidelity import OWN_PLACES
from automorph.interop.ir import NotExpressibleError
from automorph.operations import CATALOGUE, OPERATIONS, SearchSpace, Sequences, Stream
from automorph.policies import Mixture, Step, load_policy
from automorph.policies.timm_spaces import increasing, plain

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
pytest.importorskip("albumentations", reason="automorph[albumentations] is not installed")
pytest.importorskip("kornia", reason="automorph[kornia] is not installed")

RANDOM = [operation.name for operation in CATALOGUE if operation.random]
LINES = [(library, operation) for library in LIBRARIES for operation in CATALOGUE]
NAMES = [f"{library}-{operation.name}" for library, operation in LINES]


def test_every_library_speaks_of_every_operation():
    for library, entries in FIDELITY.items():
        assert set(entries) == set(OPERATIONS), library
        assert all(entry.note for entry in entries.values() if entry.level in ("alike", "none"))


@pytest.mark.parametrize(("library", "operation"), LINES, ids=NAMES)
def test_the_line(library, operation):
    declared, images = FIDELITY[library][operation.name], photos()
    torch.manual_seed(0)
    if declared.level == "none":
        with pytest.raises(NotExpressibleError, match=operation.name):
            convert_policy(held(operation.name, operation.high), library)
        return
    for value in values_of(operation):
        result = theirs(library, operation.name, value, images)
        assert result.shape == images.shape
        assert (result != images).any() or operation.name == "Identity"
        if operation.name in RANDOM:
            continue
        difference = apart(result, ours(operation.name, value, images))
        if declared.level == "equal":
            assert difference == 0, value
        if declared.level == "close":
            assert difference <= declared.tolerance, value


@pytest.mark.parametrize("operation", CATALOGUE, ids=lambda o: o.name)
def test_the_line_of_python(operation):
    """Positions and noise are equal, too."""
    if FIDELITY["python"][operation.name].level == "none":
        with pytest.raises(NotExpressibleError, match=operation.name):
            export_policy(held(operation.name, 0.3), "python")
        return
    assert FIDELITY["python"][operation.name].level == "equal"
    images = photos(4)
    for value in values_of(operation):
        policy = held(operation.name, value)
        augment = convert_policy(policy, "python")
        result = np.stack([augment(image, i, 3, 5) for i, image in enumerate(images)])
        np.testing.assert_array_equal(result, policy.augment(images, seed=5, epoch=3))


@pytest.mark.parametrize(("library", "operation"), LINES, ids=NAMES)
def test_tolerances_are_no_wider_than_needed(library, operation):
    declared = FIDELITY[library][operation.name]
    if declared.level == "close":
        worst = max(
            apart(
                theirs(library, operation.name, value, photos()),
                ours(operation.name, value, photos()),
            )
            for value in values_of(operation)
        )
        assert declared.tolerance <= 4 * worst + 0.5


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("kernel", ["Rotate", "TranslateX", "TranslateY"])
def test_bilinear_and_fill(library, kernel):
    images = photos()
    value = {"Rotate": 20.0}.get(kernel, 0.25)
    policy = held(kernel, value, interpolation="bilinear", fill=0 if library == "kornia" else 77)
    difference = apart(
        run(library, convert_policy(policy, library), images), policy.augment(images)
    )
    assert difference <= (0 if library == "torchvision" or kernel != "Rotate" else 2)


@pytest.mark.parametrize("library", ["albumentations", "kornia"])
@pytest.mark.parametrize(("kernel", "move", "value"), [("ShearX", "TranslateX", 0.25),
                                                       ("ShearX", "TranslateX", -0.25),
                                                       ("ShearY", "TranslateY", 0.2)])  # fmt: skip
def test_shears_about_the_centre_go_the_same_way(library, kernel, move, value):
    """Our result, shifted back by the motion of the centre, equals theirs except at the rim."""
    images = photos()
    height, width = images.shape[1:3]
    back = value * (height if kernel == "ShearX" else width) / 2
    shear, shift = OPERATIONS[kernel].at(value), OPERATIONS[move].between(-99, 99)
    shift = type(shift)(**{**vars(shift), "unit": "px"}).at(back)
    about_centre = Mixture(
        label="about the centre", operations=SearchSpace("two", (shear, shift)),
        subpolicies=((Step(shear.name, 1, 1), Step(shift.name, 1, 1)),),
    ).augment(images)  # fmt: skip
    inside = np.s_[:, 9:-9, 9:-9]
    right = apart(theirs(library, kernel, value, images)[inside], about_centre[inside])
    wrong = apart(theirs(library, kernel, -value, images)[inside], about_centre[inside])
    assert right < wrong / 5


@pytest.mark.parametrize("kernel", ["PadCrop", "ResizedCrop", "Cutout", "RandomErasing"])
def test_torchvision_gives_the_same_pixels_for_the_same_places(kernel):
    assert FIDELITY["torchvision"][kernel] in (OWN_PLACES, FIDELITY["torchvision"]["RandomErasing"])
    images, value = photos(), {"ResizedCrop": 0.3}.get(kernel, 0.2)
    stream = Stream(seed=4, index=np.arange(len(images)))
    expected = ours(kernel, value, images, stream)
    transform = convert_policy(held(kernel, value), "torchvision")
    chances = (stream.bits("op", 4, start=1) >> 8).astype(np.float64) * 2.0**-24
    for image, result, chance in zip(images, expected, chances, strict=True):
        params = {"value": value, "chance": chance.tolist()}
        out = np.asarray(transform.transform(Image.fromarray(image), params))
        if kernel == "RandomErasing":
            # The noise differs, but its position is the same.
            assert ((out != image).mean() - (result != image).mean()) < 0.05
            np.testing.assert_array_equal(out[result == image][:50], image[result == image][:50])
        else:
            np.testing.assert_array_equal(out, result)


@pytest.mark.parametrize("library", ["albumentations", "torchvision"])
def test_padded_crops_are_moves_by_whole_pixels(library):
    images = photos(6)
    transform = convert_policy(load_policy("crop(pad=0.1)"), library)
    pads = [round(0.1 * side) for side in images.shape[1:3]]
    torch.manual_seed(1)
    for _ in range(4):
        for image, result in zip(images, run(library, transform, images), strict=True):
            padded = np.pad(image, ((pads[0],) * 2, (pads[1],) * 2, (0, 0)))
            windows = np.lib.stride_tricks.sliding_window_view(padded, image.shape)
            assert (windows[:, :, 0] == result).all((2, 3, 4)).any()


def test_exports_of_torchvision_draw_every_value_equally_often():
    transform = convert_policy("composition(n=1,p=1,levels=3)", "torchvision")
    operations = [t for t in transform.transforms if isinstance(t, torchvision_runtime.Drawn)]
    rotate = next(t for t in operations if t.operation.__name__ == "rotate")
    torch.manual_seed(0)
    values = [rotate.make_params([])["value"] for _ in range(600)]
    assert sorted({round(value) for value in values}) == [-30, -15, 0, 15, 30]
    assert 170 < sum(value > 1 for value in values) < 230


TIMM_NAMES = {"TranslateX": "TranslateXRel", "TranslateY": "TranslateYRel"}
STRONGER = ("Posterize", "Solarize", "Color", "Contrast", "Brightness", "Sharpness")


@pytest.mark.parametrize("operation", CATALOGUE, ids=lambda o: o.name)
def test_timm_strings(operation):
    """timm's own functions, at its magnitudes 1 to 9, on PIL images."""
    from timm.data import auto_augment as timm

    declared = FIDELITY["timm"][operation.name]
    if declared.level == "none":
        assert operation.name not in (*increasing().names, *plain().names)
        return
    images, space = photos(6), increasing()
    ranged = space[operation.name]
    name = operation.name + "Increasing" * (operation.name in STRONGER)
    for level in (1, 5, 9):
        hparams = {"translate_pct": 0.45, "img_mean": (128,) * 3, "interpolation": Image.BILINEAR}
        op = timm.AugmentOp(TIMM_NAMES.get(name, name), prob=1.0, magnitude=level, hparams=hparams)
        possible = {
            sign: engine.apply(
                images, Sequences.of(np.zeros((len(images), 1)), level / 10),
                SearchSpace("one", (ranged.at(float(ranged.values(level / 10, sign))),))
                if not ranged.magnitude_free else SearchSpace("one", (ranged,)),
                Stream(index=np.arange(len(images))), fill=128, interpolation="bilinear",
            )
            for sign in (1.0, -1.0)
        }  # fmt: skip
        for i, image in enumerate(images):
            result = np.asarray(op(Image.fromarray(image)))
            near, far = sorted(apart(result, ours_[i]) for ours_ in possible.values())
            assert near < far or ranged.magnitude_free or not ranged.signed
            if declared.level != "alike":
                assert near <= declared.tolerance, level


def test_strict_exports_refuse_what_is_only_alike():
    assert "Drawn" in export_policy("crop", "torchvision", strict=True)
    with pytest.raises(NotExpressibleError, match="ShearX"):
        export_policy("randaugment(n=1,m=5)", "kornia", strict=True)


COLOURS = ("Brightness", "Color", "Contrast", "Sharpness", "Hue", "Gamma", "Posterize", "Solarize",
           "Blur")  # fmt: skip


@pytest.mark.parametrize("name", COLOURS)
def test_torchvision_exports_keep_alpha(name):
    """torchvision itself drops alpha (hue, gamma), changes it or raises."""
    value = values_of(OPERATIONS[name])[0]
    images = np.concatenate([photos(2), np.zeros_like(photos(2)[..., :1])], axis=3)
    images[..., 3] = np.arange(images.shape[2])
    transform, expected = (
        convert_policy(held(name, value), "torchvision"),
        ours(name, value, images),
    )
    for image, result in zip(images, expected, strict=True):
        pictures = Image.fromarray(image), torch.from_numpy(image).permute(2, 0, 1)
        out = np.asarray(transform(pictures[0]))
        assert apart(out, result) <= (0.5 if name == "Blur" else 0)
        tensor = transform(pictures[1]).permute(1, 2, 0).numpy()
        np.testing.assert_array_equal(tensor[..., 3], image[..., 3])
