"""Parameters of other libraries are understood or rejected, never silently dropped."""

from __future__ import annotations

import inspect

import pytest
from peer_images import apart, photos, run

from automorph.interop import (
    DifferenceWarning,
    albumentations_reader,
    convert_policy,
    import_policy,
    kornia_reader,
    other_readers,
    timm_reader,
    torchvision_reader,
)
from automorph.interop.ir import NotExpressibleError, terms_of
from automorph.interop.nearest import NEAR
from automorph.operations import KERNELS
from automorph.policies import load_policy

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
A = pytest.importorskip("albumentations", reason="automorph[albumentations] is not installed")
K = pytest.importorskip("kornia.augmentation", reason="automorph[kornia] is not installed")

import cv2  # noqa: E402
import torch  # noqa: E402
from torchvision import transforms as v1  # noqa: E402
from torchvision import tv_tensors  # noqa: E402
from torchvision.transforms import v2  # noqa: E402

SPIN = (20.0, 20.0)
EDGE = {"border_mode": cv2.BORDER_REPLICATE}


def turn(fill):
    return v2.RandomRotation(9, fill=fill)


REFUSED = [
    # library, transform, text of the message
    ("albumentations", A.Affine(scale=(0.8, 1.2), keep_ratio=True, balanced_scale=True, **EDGE),
     "balanced_scale=True"),
    ("albumentations", A.Affine(rotate=SPIN, fit_output=True), "fit_output=True"),
    ("albumentations", A.Affine(rotate=SPIN, fill=0.5), "fill=0.5"),
    ("albumentations", A.Rotate(SPIN, crop_border=True), "crop_border=True"),
    ("albumentations", A.Morphological(scale=(3, 7)), r"scale=\(3, 7\)"),
    ("albumentations", A.Morphological(scale=3), r"scale=\(1, 3\)"),
    ("albumentations", A.Morphological(scale=(4, 4)), r"scale=\(4, 4\)"),
    ("albumentations", A.GaussNoise(mean_range=(0.1, 0.2)), "mean_range"),
    ("albumentations", A.GaussNoise(per_channel=False), "per_channel=False"),
    ("albumentations", A.GaussNoise(noise_scale_factor=0.5), "noise_scale_factor=0.5"),
    ("albumentations", A.AutoContrast(method="pil", cutoff=5), "cutoff=5"),
    ("albumentations", A.AutoContrast(method="cdf", cutoff=5), "method='cdf'"),
    ("albumentations", A.AutoContrast(method="pil", ignore=0), "ignore=0"),
    ("albumentations", A.Equalize(by_channels=False), "by_channels=False"),
    ("albumentations", A.Equalize(mask=torch.zeros(4, 4).numpy()), "mask="),
    ("albumentations", A.Sharpen(method="gaussian", lightness=(1, 1)), "method='gaussian'"),
    ("albumentations", A.Sharpen(), "lightness"),
    ("albumentations", A.Posterize([(1, 3), (2, 4), (3, 5)]), "num_bits"),
    ("albumentations", A.OneOf([A.Rotate(SPIN, fill=0), A.Affine(rotate=SPIN, fill=9)]),
     "several fills"),
    ("kornia", K.RandomResizedCrop((32, 32), p=0.5), "p_batch=0.5"),
    ("kornia", K.RandomHorizontalFlip(p_batch=0.5), "p_batch=0.5"),
    ("kornia", K.ImageSequential(K.RandomInvert(), K.RandomEqualize(), random_apply=True),
     "random_apply"),
    ("kornia", K.RandomInvert(max_val=0.5), "max_val=0.5"),
    ("kornia", K.RandomGamma((0.5, 2.0), (0.5, 1.0)), "gain"),
    ("kornia", K.RandomGaussianNoise(mean=0.3), "mean=0.3"),
    ("kornia", K.RandomTranslate((-0.1, 0.1), padding_mode="reflection"), "padding_mode='refl"),
    ("kornia", K.RandomShear(10.0, padding_mode="border"), "padding_mode='border"),
    ("kornia", K.RandomAffine(10.0, fill_value=0.5), "fill_value=0.5"),
    ("kornia", K.RandomSolarize(additions=0.1), "additions"),
    ("kornia", K.RandomGaussianBlur((13, 3), (2.0, 2.0)), r"kernel_size=\(13, 3\)"),
    ("kornia", K.RandomGaussianBlur(13, (2.0, 2.0), border_type="constant"), "border_type='const"),
    ("albumentations", A.ToGray(method="pca"), "method='weighted_average'"),
    ("kornia", K.auto.RandAugment(2, 9), "randaugment.n=2,m=9.', which is close"),
    ("kornia", K.auto.AutoAugment(), "'autoaugment:imagenet', which is close"),
    ("torchvision", v2.AugMix(), r"'augmix\(severity=3,width=3,depth=0\)', which is close"),
    ("torchvision", v2.RandomCrop(32, padding=4, fill=0.5), "fill=0.5"),
    ("torchvision", v2.RandomRotation(9, expand=True), "expand=True"),
    ("torchvision", v2.RandomRotation(9, center=[0, 0]), "center="),
    ("torchvision", v2.RandomAffine(9, center=[0, 0]), "center="),
    ("torchvision", v2.RandomChoice([turn(0), turn(128)]), "several fills"),
    ("torchvision", v2.RandomApply([turn(0), turn(128)]), "several fills"),
]  # fmt: skip


def names(rows, place):
    return [f"{number}-{type(row[place]).__name__}" for number, row in enumerate(rows)]


@pytest.mark.parametrize(("library", "transform", "reason"), REFUSED, ids=names(REFUSED, 1))
def test_what_a_policy_cannot_say_is_refused(library, transform, reason):
    assert library in type(transform).__module__
    with pytest.raises(NotExpressibleError, match=reason) as caught:
        import_policy(transform)
    assert "got " in str(caught.value)


READ = [
    # transform, operation, its only range, its probability
    (A.Affine(scale=(1.2, 1.2), p=1, **EDGE), "Zoom", (1.2, 1.2), 1),
    (A.Affine(scale=(0.8, 1.2), keep_ratio=True, p=0.3, **EDGE), "Zoom", (0.8, 1.2), 0.3),
    (A.Morphological((5, 5), "erosion", p=1), "Erosion", (2, 2), 1),
    (A.GaussianBlur((13, 15), (1, 2), p=1), "Blur", (1, 2), 1),
    (K.RandomSharpness(0.5, p=1.0), "Sharpness", (0, 0.5), 1),
    (K.RandomSolarize(0.1, 0.0, p=1.0), "Solarize", (102, 153), 1),
    (K.RandomPosterize(3, p=1.0), "Posterize", (3, 8), 1),
    (K.RandomRotation((10.0, 20.0), p=1.0), "Rotate", (10, 20), 1),
    (K.RandomRotation(torch.tensor(15.0), p=1.0), "Rotate", (-15, 15), 1),
    (K.RandomAffine((10.0, 20.0), p=1.0), "Rotate", (-20, -10), 1),
    (K.RandomAffine(torch.tensor([10.0, 20.0]), p=1.0), "Rotate", (-20, -10), 1),
    (K.RandomShear(45.0, p=1.0), "ShearX", (-1, 1), 1),
    (K.RandomShear(torch.tensor([[0.0, 0.0], [45.0, 45.0]]), p=1.0), "ShearY", (1, 1), 1),
    (K.RandomTranslate(None, (-0.1, 0.2), p=1.0), "TranslateY", (-0.1, 0.2), 1),
    (K.RandomTranslate((0.0, 0.0), (-0.1, 0.2), p=1.0), "TranslateY", (-0.1, 0.2), 1),
    (K.ColorJitter(torch.tensor(0.2)), "Brightness", (0.8, 1.2), 1),
    (K.ColorJitter(contrast=1.5), "Contrast", (0, 2.5), 1),
    (K.ColorJitter(hue=0.1, p=0.4), "Hue", (-0.1, 0.1), 0.4),
    (K.ColorJitter(0.2, hue=0.1, order=[3]), "Hue", (-0.1, 0.1), 1),
    (K.RandomGaussianBlur(13, (1.0, 2.0), p=1.0), "Blur", (1, 2), 1),
    (K.RandomErasing((0.04, 0.04), (1.0, 1.0), 0.5, p=1.0), "Cutout", (0.2, 0.2), 1),
    (v2.RandomAffine((10, 20)), "Rotate", (-20, -10), 1),
    (v1.RandomAffine((10, 20)), "Rotate", (-20, -10), 1),
    (v2.RandomRotation((10, 20), interpolation=2), "Rotate", (10, 20), 1),
    (v2.GaussianBlur(9, (0.1, 2.0)), "Blur", (0.1, 2), 1),
    (v2.RandomCrop(32, padding=4), "PadCrop", (0.125, 0.125), 1),
    (K.RandomCrop((32, 32), padding=4), "PadCrop", (0.125, 0.125), 1),
    (v2.RandomGrayscale(0.2), "Color", (0, 0), 0.2),
    (A.ToGray(p=0.3), "Color", (0, 0), 0.3),
    (K.RandomGrayscale(p=0.4), "Color", (0, 0), 0.4),
    (A.RandomBrightnessContrast(0, 0.2, p=0.5), "Brightness", (0.8, 1.2), 0.5),
    (v2.RandomApply([v2.GaussianBlur(23, (0.1, 2.0))], 0.5), "Blur", (0.1, 2), 0.5),
    (v1.RandomChoice([v1.RandomRotation((10, 20))]), "Rotate", (10, 20), 1),
]  # fmt: skip


@pytest.mark.parametrize(("transform", "kernel", "stretch", "p"), READ, ids=names(READ, 0))
def test_what_a_policy_can_say_is_read(transform, kernel, stretch, p):
    (draw,) = terms_of(import_policy(transform))
    ((act,),) = draw.options
    assert (act.kernel, act.probability) == (kernel, p)
    assert act.stretches == (pytest.approx(stretch, abs=1e-4),)


# Operations drawn as a library draws them: the settings that were read.
SET = [
    (A.Affine(shear={"x": (5, 5)}, scale=(1.2, 1.2), p=1, **EDGE), "Affine",
     {"order": "albumentations", "shear_x": (5, 5), "scale_x": (1.2, 1.2), "unit": "px"}),
    (A.Affine(scale={"x": (1.2, 1.2), "y": (1, 1)}, p=1, **EDGE), "Affine",
     {"scale_x": (1.2, 1.2), "scale_y": (1, 1)}),
    (K.RandomAffine(10.0, translate=(0.1, 0.1), p=1.0), "Affine",
     {"order": "kornia", "rotate": (-10, 10)}),
    (v2.RandomAffine(9, scale=(0.5, 1), shear=3), "Affine",
     {"rotate": (-9, 9), "scale_x": (0.5, 1), "shear_x": (-3, 3), "shear_y": (0, 0)}),
    (v2.RandomResizedCrop(32, (0.2, 1), antialias=False), "RandomResizedCrop", {"scale": (0.2, 1)}),
    (A.RandomResizedCrop((32, 32), ratio=(1, 1)), "RandomResizedCrop", {"ratio": (1, 1)}),
    (K.RandomResizedCrop((32, 32), scale=(0.2, 0.4)), "RandomResizedCrop", {"scale": (0.2, 0.4)}),
    (v2.RandomErasing(p=1), "Erasing", {"draws": "torchvision"}),
    (A.Erasing(fill="random", p=1), "Erasing", {"content": "noise", "draws": "albumentations"}),
    (K.RandomErasing((0.0, 0.3), value=1.0, p=1.0), "Erasing", {"fill": (255,), "draws": "kornia"}),
    (A.CoarseDropout((1, 1), (3, 3), (5, 5), fill=128, p=1), "CoarseDropout",
     {"height": (3, 3), "width": (5, 5), "unit": "px", "fill": (128,)}),
    (A.RandomBrightnessContrast(p=1), "BrightnessContrast", {"brightness": (-0.2, 0.2)}),
    (A.RandomCrop(32, 32), "RandomCrop", {"height": 32, "unit": "px"}),
    (v2.GaussianBlur(3, sigma=(0.1, 2.0)), "GaussianBlur", {"side": (3, 3), "sigma": (0.1, 2)}),
    (K.RandomGaussianBlur(3, (2.0, 2.0), p=1.0), "GaussianBlur", {"side": (3, 3), "sigma": (2, 2)}),
]  # fmt: skip


@pytest.mark.parametrize(("transform", "kernel", "settings"), SET, ids=names(SET, 0))
def test_the_ranges_of_a_library_are_read(transform, kernel, settings):
    (draw,) = terms_of(import_policy(transform))
    ((act,),) = draw.options
    assert (act.kernel, act.probability) == (kernel, 1)
    found = {**KERNELS[kernel].constants, **dict(act.operation.settings)}
    assert {key: found[key] for key in settings} == settings


SAME = [
    ("torchvision", v2.RandomRotation(SPIN)),
    ("torchvision", v2.RandomGrayscale(1)),
    ("albumentations", A.ToGray(p=1)),
    ("albumentations", A.RandomBrightnessContrast(0, (0.3, 0.3), p=1)),
    ("kornia", K.RandomGrayscale(p=1.0)),
    ("torchvision", v2.RandomAffine(SPIN)),
    ("torchvision", v2.RandomSolarize(100, p=1)),
    ("torchvision", v2.RandomPosterize(3, p=1)),
    ("torchvision", v2.RandomAdjustSharpness(1.7, p=1)),
    ("torchvision", v2.GaussianBlur(9, (2.0, 2.0))),
    ("torchvision", v2.ColorJitter(hue=(0.2, 0.2))),
    ("albumentations", A.Rotate(SPIN, interpolation=cv2.INTER_NEAREST, p=1)),
    ("albumentations", A.Affine(scale=(1.3, 1.3), p=1, **EDGE)),
    ("albumentations", A.AutoContrast(method="pil", p=1)),
    ("albumentations", A.GaussianBlur((3, 3), (3, 3), p=1)),
    ("albumentations", A.GaussianBlur((9, 9), (2, 2), p=1)),
    ("albumentations", A.Morphological((3, 3), p=1)),
    ("kornia", K.RandomRotation(SPIN, resample="nearest", p=1.0)),
    ("kornia", K.RandomAffine(SPIN, resample="nearest", p=1.0)),
    ("kornia", K.RandomAffine(0.0, scale=(1.3, 1.3), padding_mode="border", p=1.0)),
    ("kornia", K.RandomGaussianBlur(9, (2.0, 2.0), p=1.0)),
    ("kornia", K.ColorJitter(hue=(0.2, 0.2))),
]


@pytest.mark.parametrize(("library", "transform"), SAME, ids=names(SAME, 1))
def test_what_is_read_does_the_same(library, transform):
    theirs, ours = run(library, transform, photos()), import_policy(transform).augment(photos())
    assert apart(theirs, ours) < 1.5 < apart(theirs, photos())


def test_the_fill_of_images_is_read_from_among_others():
    spin = {tv_tensors.Mask: 0, tv_tensors.Image: 9}
    assert terms_of(import_policy(turn(spin)))[0].fill == 9
    assert terms_of(import_policy(turn({tv_tensors.Mask: 3})))[0].fill == 0
    assert terms_of(import_policy(turn({"others": 7})))[0].fill == 7
    later = import_policy(
        v2.RandomApply([v2.ColorJitter((1.2, 1.2)), v2.RandomRotation((9, 9), fill=9)])
    )
    assert terms_of(later)[0].fill == 9


def test_two_strengths_are_two_options_and_two_sides_are_one_act():
    strengths = A.OneOf([A.Posterize((3, 3), p=1), A.Posterize((4, 4), p=1)], p=1)
    assert len(terms_of(import_policy(strengths))[0].options) == 2
    sides = v2.RandomChoice([v2.RandomRotation((-20, -20)), v2.RandomRotation((20, 20))])
    (((act,),),) = (draw.options for draw in terms_of(import_policy(sides)))
    assert act.stretches == ((-20, -20), (20, 20))


def test_a_fixed_order_of_colours_is_kept():
    module = K.ColorJitter(0.2, 0.2, 0.2, 0.1, order=[3, 1, 0])
    kernels = [draw.options[0][0].kernel for draw in terms_of(import_policy(module))]
    assert kernels == ["Hue", "Contrast", "Brightness"]


# Parameters that the readers use of every transform.
READ_PARAMETERS = {
    "albumentations": {
        "ShiftScaleRotate": "shift_limit scale_limit rotate_limit interpolation border_mode "
                            "shift_limit_x shift_limit_y fill",
        "RandomBrightnessContrast": "brightness_limit contrast_limit brightness_by_max",
        "Affine": "scale translate_percent translate_px rotate shear interpolation keep_ratio "
                  "border_mode fill",
        "Rotate": "limit interpolation border_mode fill",
        "ColorJitter": "brightness contrast saturation hue",
        "Sharpen": "alpha",
        "Blur": "blur_limit",
        "MedianBlur": "blur_limit",
        "MotionBlur": "blur_limit angle_range direction_range allow_shifted",
        "GaussianBlur": "blur_limit sigma_limit",
        "CoarseDropout": "num_holes_range hole_height_range hole_width_range fill",
        "Posterize": "num_bits",
        "Morphological": "scale operation",
        "Erasing": "scale ratio fill",
        "RandomCrop": "height width pad_if_needed border_mode fill",
        "RandomResizedCrop": "scale ratio interpolation",
        "HueSaturationValue": "hue_shift_limit sat_shift_limit val_shift_limit",
        "RGBShift": "r_shift_limit g_shift_limit b_shift_limit",
        "CLAHE": "clip_limit tile_grid_size",
        "ElasticTransform": "alpha sigma interpolation approximate same_dxdy noise_distribution "
                            "border_mode fill",
        "GridDistortion": "num_steps distort_limit interpolation normalized border_mode fill",
        "OpticalDistortion": "distort_limit interpolation mode border_mode fill",
    },
    "kornia": {
        "RandomCrop": "size padding resample pad_if_needed fill padding_mode",
        "RandomAffine": "degrees translate scale shear resample padding_mode",
        "RandomRotation": "degrees resample",
        "RandomRotation90": "times resample",
        "RandomShear": "shear resample",
        "RandomTranslate": "translate_x translate_y resample",
        "RandomPerspective": "distortion_scale resample",
        "ColorJitter": "brightness contrast saturation hue order",
        "ColorJiggle": "brightness contrast saturation hue order",
        "RandomPosterize": "bits",
        "RandomSolarize": "thresholds additions",
        "RandomErasing": "scale ratio value",
        "RandomGaussianBlur": "kernel_size sigma",
        "RandomBoxBlur": "kernel_size",
        "RandomMedianBlur": "kernel_size",
        "RandomGaussianNoise": "std",
        "RandomResizedCrop": "scale ratio resample",
        "RandomClahe": "clip_limit grid_size",
        "RandomRGBShift": "r_shift_limit g_shift_limit b_shift_limit",
    },
    "torchvision": {
        "RandomRotation": "degrees interpolation fill",
        "RandomAffine": "degrees translate scale shear interpolation fill",
        "ColorJitter": "brightness contrast saturation hue",
        "RandomCrop": "size padding fill pad_if_needed padding_mode",
        "RandomResizedCrop": "scale ratio interpolation",
        "RandomSolarize": "threshold",
        "RandomPosterize": "bits",
        "RandomAdjustSharpness": "sharpness_factor",
        "GaussianBlur": "kernel_size sigma",
        "GaussianNoise": "mean sigma",
        "RandomErasing": "scale ratio value",
        "RandomPerspective": "distortion_scale interpolation fill",
        "RandomPhotometricDistort": "brightness contrast saturation hue",
        "ElasticTransform": "alpha sigma interpolation",
        "RandAugment": "num_ops magnitude num_magnitude_bins interpolation fill",
        "TrivialAugmentWide": "num_magnitude_bins interpolation fill",
        "AutoAugment": "policy interpolation fill",
    },
}  # fmt: skip
# Parameters that change no pixel, or no more than the fidelity table states.
HARMLESS = {
    "albumentations": "mask_interpolation fill_mask rotate_method area_for_downscale mask_params "
                      "size mode kernel_size sigma keypoint_remapping_method pad_position p",
    "kornia": "keepdim align_corners clip_output separable cropping_mode size p",
    "torchvision": "antialias size clip inplace p",
}  # fmt: skip


@pytest.mark.parametrize(("library", "reader", "module"), [
    ("albumentations", albumentations_reader, A), ("kornia", kornia_reader, K),
    ("torchvision", torchvision_reader, v2),
])  # fmt: skip
def test_every_parameter_is_read_or_refused_or_harmless(library, reader, module):
    """A new parameter of a library must be reviewed before it is ignored."""
    for kind in set(reader.READERS) - {"Drawn"}:
        given = set(inspect.signature(getattr(module, kind).__init__).parameters) - {"self"}
        known = {*READ_PARAMETERS[library].get(kind, "").split(), *HARMLESS[library].split()}
        known |= {*reader.USUAL.get(kind, {}), "same_on_batch", "p_batch"}
        known |= {
            row.parameter
            for row in getattr(reader, "RANGED", {}).values()
            if row.transform.partition(".")[2] == kind
        }
        assert given <= known, (kind, given - known)


@pytest.mark.parametrize("library", NEAR)
def test_what_comes_near_is_a_policy(library):
    read = {"albumentations": albumentations_reader, "kornia": kornia_reader,
            "torchvision": torchvision_reader, "timm": timm_reader}  # fmt: skip
    readers = read[library].READERS if library in read else other_readers.TABLES[library]
    for kind, near in NEAR[library].items():
        load_policy(near.policy)
        assert kind not in readers


def test_the_pipelines_of_contrastive_learning_are_read():
    colours = v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8)
    simclr = v2.Compose([
        v2.RandomResizedCrop(32), v2.RandomHorizontalFlip(), colours, v2.RandomGrayscale(0.2),
        v2.RandomApply([v2.GaussianBlur(23, (0.1, 2.0))], p=0.5), v2.ToImage(),
    ])  # fmt: skip
    with pytest.warns(DifferenceWarning) as caught:
        policy = import_policy(simclr)
    acts = [act for draw in terms_of(policy) for (act,) in draw.options]
    assert [(act.kernel, act.probability) for act in acts] == [
        ("RandomResizedCrop", 1), ("HorizontalFlip", 0.5), ("Brightness", 0.8), ("Contrast", 0.8),
        ("Color", 0.8), ("Hue", 0.8), ("Color", 0.2), ("Blur", 0.5),
    ]  # fmt: skip
    (warning,) = [each.message for each in caught if each.category is DifferenceWarning]
    assert any("are each applied with probability 0.8" in note for note in warning.notes)
    assert (policy.augment(photos()) != photos()).any()
    # Single values need no note: a policy stores one probability for all of them.
    held = v2.RandomApply([v2.ColorJitter((1.2, 1.2), (0.8, 0.8))], p=0.8)
    assert terms_of(import_policy(held))[0].weights == pytest.approx((0.8, 0.2))


@pytest.mark.parametrize(
    "name",
    ["randaugment(n=2,m=9)", "autoaugment:svhn", "trivialaugment-wide", "flip + randaugment(n=1)"],
)
def test_named_policies_keep_their_names(name):
    again = import_policy(convert_policy(name, "torchvision"))
    assert again.name.endswith(load_policy(name).name.split(" + ")[-1])
    named = v2.RandAugment(3, 7, interpolation=v2.InterpolationMode.BILINEAR, fill=[9, 9, 9])
    assert import_policy(named) == load_policy("randaugment(n=3,m=7,interpolation=bilinear,fill=9)")


def test_shifts_scales_and_turns_are_read_one_at_a_time():
    spin = A.ShiftScaleRotate(0, 0, SPIN, interpolation=0, p=1)
    theirs, ours = run("albumentations", spin, photos()), import_policy(spin).augment(photos())
    assert apart(theirs, ours) < 1.5 < apart(theirs, photos())
    ((act,),) = terms_of(import_policy(A.ShiftScaleRotate()))[0].options
    assert act.kernel == "Affine"
