"""Augmentations against numpy, scipy, Pillow and kornia; by what they draw, and by what they leave alone."""

from __future__ import annotations

import colorsys
import math

import kornia
import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps
from scipy import ndimage
from torch.nn import functional

from striate.data import ImageBatch
from striate.plugin import ArgumentError
from striate_plugins.augmentations import AUGMENTATIONS, affine, colour, draws, erasing, mixing, moves, noise, policies
from striate_plugins.augmentations.ranges import Bits, RealRange


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def images(count=6, channels=3, height=10, width=12, seed=5):
    return torch.rand(count, channels, height, width, generator=chance(seed))


def batch(**sizes):
    made = images(**sizes)
    return ImageBatch(made, ((1.0, torch.arange(len(made))),))


def with_maps(**sizes):
    """A batch whose maps say of every pixel which of ten brightnesses it has."""
    made = (images(channels=1, **sizes) * 9).round() / 9
    return ImageBatch(made, ((1.0, (made[:, 0] * 9).round().long()),))


def made_by(record, **arguments):
    settled = {item.name: item.kind.convert(arguments.get(item.name, item.default)) for item in record.arguments}
    return record.factory(**settled)


ALL = [pytest.param(record, id=record.name) for record in AUGMENTATIONS]
MIXING = {"mixup", "cutmix"}


@pytest.mark.parametrize("record", ALL)
def test_size_type_range_and_repeatability(record):
    given, augment = batch(count=8, height=16, width=20), made_by(record)
    before = given.images.clone()
    made = [augment(given, chance(seed)) for seed in (1, 1, 2, 3, 4, 5, 6)]
    assert torch.equal(given.images, before), "the batch that went in stays"
    assert all(item.images.shape == before.shape and item.images.dtype == torch.float32 for item in made)
    assert all(float(item.images.min()) >= 0 and float(item.images.max()) <= 1 for item in made)
    assert torch.equal(made[0].images, made[1].images)
    assert len({item.images.numpy().tobytes() for item in made[1:]}) > 1, "chance has a say"
    for item in made:
        assert sum(share for share, _ in item.targets) == pytest.approx(1)
        assert torch.equal(item.targets[0][1], torch.arange(8))
        assert (len(item.targets) > 1) <= (record.name in MIXING)


@pytest.mark.parametrize("record", ALL)
def test_it_draws_from_nothing_but_its_generator(record):
    augment, given = made_by(record), batch(count=8, height=16, width=20)
    torch.manual_seed(1)
    np.random.seed(1)
    state = torch.get_rng_state()
    first = augment(given, chance()).images
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    np.random.seed(2)
    assert torch.equal(augment(given, chance()).images, first)


@pytest.mark.parametrize("record", [pytest.param(item, id=item.name) for item in AUGMENTATIONS if item.name != "mixup"])
def test_maps_go_with_their_pixels_and_get_no_new_classes(record):
    colours = {"color_jitter", "lighting", "grey"}
    given = batch(count=6, height=16, width=16) if record.name in colours else with_maps(count=6, height=16, width=16)
    if record.name in colours:
        given = ImageBatch(given.images, ((1.0, torch.randint(3, (6, 16, 16), generator=chance())),))
    made = made_by(record)(given, chance(3))
    ((share, maps),) = made.targets
    assert share == 1
    assert maps.dtype == torch.int64
    assert set(maps.unique().tolist()) <= set(given.targets[0][1].unique().tolist())
    if record.name in {"hflip", "vflip", "crop", "cutmix"}:  # no interpolation: the map still says the brightness
        assert torch.equal((made.images[:, 0] * 9).round().long(), maps)
    if record.name in {"rotation", "affine", "resized_crop"}:
        assert not torch.equal(maps, given.targets[0][1])


# ------------------------------------------------------------------------------------------ moves


def test_flips():
    given = batch(count=40)
    for augment, axis in ((moves.hflip(0.3), 3), (moves.vflip(0.3), 2)):
        made = augment(given, chance(1)).images
        flipped = [torch.equal(new, old.flip(axis - 1)) for new, old in zip(made, given.images, strict=True)]
        kept = [torch.equal(new, old) for new, old in zip(made, given.images, strict=True)]
        assert all(one != other for one, other in zip(flipped, kept, strict=True))
        assert 3 <= sum(flipped) <= 22
    last = torch.arange(5.0).expand(1, 1, 2, 5) / 5
    mirrored = moves.hflip(1.0)(ImageBatch(last, ((1.0, torch.zeros(1)),)), chance()).images
    assert mirrored[0, 0, 0].tolist() == pytest.approx([0.8, 0.6, 0.4, 0.2, 0.0]), "x(W - 1 - j), none is lost"


@pytest.mark.parametrize(("fill", "mode"), [("replicate", "edge"), ("reflect", "reflect"), ("zeros", "constant")])
def test_crops(fill, mode):
    given = batch(count=30, height=7, width=9)
    made = moves.crop(2, fill)(given, chance()).images.numpy()
    wide = np.pad(given.images.numpy(), ((0, 0), (0, 0), (2, 2), (2, 2)), mode=mode)
    places = []
    for row, image in enumerate(made):
        found = [
            (top, left)
            for top in range(5)
            for left in range(5)
            if np.array_equal(wide[row, :, top : top + 7, left : left + 9], image)
        ]
        assert len(found) == 1
        places += found
    assert {top for top, _ in places} == {left for _, left in places} == set(range(5))


def test_a_border_that_cannot_be_filled():
    with pytest.raises(ValueError, match="no class"):
        moves.crop(2, "zeros")(with_maps(), chance())
    with pytest.raises(ValueError, match="too much"):
        moves.crop(20, "reflect")(batch(), chance())


@pytest.mark.parametrize(("fill", "mode"), [("replicate", "nearest"), ("zeros", "grid-constant")])
def test_resampling_is_that_of_scipy(fill, mode):
    given = batch(count=4, channels=1, height=11, width=15)
    angles, ones = torch.tensor([0.3, -1.2, 2.0, 0.0]), torch.ones(4)
    theta = affine.place_map(angles, 2 * ones, -1 * ones, 1.3 * ones, 0.2 * ones, (11, 15), 0.1 * ones)
    made = moves.resampled(given, theta, fill).images
    for row in range(4):
        angle = float(angles[row])
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        forward = 1.3 * turn @ np.array([[1, 0.2], [0.1, 1]])  # of (x, y) about the middle
        back = np.linalg.inv(forward)[::-1, ::-1]  # of (row, column)
        middle, shift = np.array([5.0, 7.0]), np.array([-1.0, 2.0])
        expected = ndimage.affine_transform(
            given.images[row, 0].double().numpy(), back, middle - back @ (middle + shift), order=1, mode=mode
        )
        np.testing.assert_allclose(made[row, 0].numpy(), expected, atol=2e-5)


def test_the_matrix_is_kornias():
    size, values = (20, 24), {name: torch.rand(5, generator=chance(place)) for place, name in enumerate("abcde")}
    angle, right, down, scale, slope = (
        values["a"] - 0.5,
        values["b"] * 3,
        values["c"] * 3,
        values["d"] + 0.7,
        values["e"] / 3,
    )
    given = images(count=5, height=20, width=24)
    ours = moves.resampled(
        ImageBatch(given, ((1.0, torch.zeros(5)),)), affine.place_map(angle, right, down, scale, slope, size), "zeros"
    ).images
    matrix = kornia.geometry.get_affine_matrix2d(
        torch.stack([right, down], 1),
        torch.tensor([[11.5, 9.5]]).expand(5, 2),
        scale[:, None].expand(5, 2),
        torch.rad2deg(angle),
        -torch.atan(slope),  # kornia's shear has the other sign
        torch.zeros(5),
    )
    theirs = kornia.geometry.warp_affine(given, matrix[:, :2], size)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_a_quarter_turn_is_exact_and_clockwise():
    given = with_maps(count=2, height=8, width=8)
    theta = affine.place_map(
        torch.full((2,), math.pi / 2), *[torch.zeros(2)] * 2, torch.ones(2), torch.zeros(2), (8, 8)
    )
    made = moves.resampled(given, theta, "replicate")
    torch.testing.assert_close(made.images, given.images.rot90(-1, (2, 3)), atol=1e-5, rtol=0)
    assert torch.equal(made.targets[0][1], given.targets[0][1].rot90(-1, (1, 2)))


def test_nothing_to_do_is_the_identity():
    given = batch()
    for augment in (
        affine.affine(0, 0, (1, 1), 0, "replicate"),
        moves.resized_crop((1, 1), (12 / 10, 12 / 10)),
        colour.sharpness(0),
    ):
        torch.testing.assert_close(augment(given, chance()).images, given.images, atol=1e-5, rtol=0)


def test_resized_crops_are_parts_of_the_image():
    ramp = torch.linspace(0, 1, 64).expand(200, 1, 64, 64).clone()
    made = moves.resized_crop((0.25, 0.25), (1, 1))(ImageBatch(ramp, ((1.0, torch.zeros(200)),)), chance()).images
    spans = made[:, 0, 32, -1] - made[:, 0, 32, 0]
    assert spans.numpy() == pytest.approx(0.5, abs=0.02), "a quarter of the area is half of each side"
    lefts = made[:, 0, 32, 0]
    assert float(lefts.min()) < 0.05 and float(lefts.max()) > 0.45


def test_bounds_of_the_affine_map():
    seen = []
    for seed in range(30):
        state = chance(seed)
        seen.append(draws.evenly(state, 10, -15, 15))
    drawn = torch.cat(seen)
    assert -15 <= float(drawn.min()) < -14 and 14 < float(drawn.max()) <= 15


# ------------------------------------------------------------------------------------------ hidden and mixed


def test_erased_rectangles():
    given = batch(count=200, height=32, width=32)
    made = erasing.erasing(0.5, (0.1, 0.3), (0.5, 2.0), "zeros")(given, chance()).images
    hidden = (made != given.images).any(1)
    hit = [mask for mask in hidden if mask.any()]
    assert 75 < len(hit) < 125
    for mask in hit:
        rows, columns = (mask.any(axis).nonzero()[:, 0] for axis in (1, 0))
        assert bool(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()), "one rectangle"
        area, ratio = mask.float().mean(), len(rows) / len(columns)
        assert 0.08 <= area <= 0.34 and 0.4 <= ratio <= 2.4
    assert (made[hidden[:, None].expand_as(made)] == 0).all()


def test_what_is_put_there():
    given = batch(count=20, height=16, width=16)
    mean = erasing.erasing(1.0, (0.2, 0.2), (1, 1), "mean")(given, chance()).images
    noisy = erasing.erasing(1.0, (0.2, 0.2), (1, 1), "noise")(given, chance()).images
    hidden = mean != given.images
    expected = given.images.mean((2, 3), keepdim=True).expand_as(mean)
    torch.testing.assert_close(mean[hidden], expected[hidden])
    assert len(noisy[hidden].unique()) > 100


def test_cutout():
    given = ImageBatch(torch.ones(300, 1, 12, 12), ((1.0, torch.zeros(300)),))
    made = erasing.cutout(4, 1, "zeros")(given, chance()).images
    areas = (made == 0).sum((1, 2, 3))
    assert int(areas.max()) == 16, "whole where it fits"
    assert 4 <= int(areas.min()) < 16, "cut where it does not"
    assert (made == 0).any(0).all(), "every pixel can be hidden"
    assert (erasing.cutout(4, 3, "zeros")(given, chance()).images == 0).sum() > 2 * areas.sum()


def loss(scores, mixed):
    return sum(share * functional.cross_entropy(scores, target) for share, target in mixed.targets)


def test_mixup():
    given, shares = batch(count=5), []
    for seed in range(40):
        made = mixing.mixup(1.0, 1.0)(given, chance(seed))
        (share, own), (rest, other) = made.targets
        assert share + rest == pytest.approx(1)
        torch.testing.assert_close(made.images, share * given.images[own] + rest * given.images[other])
        scores = torch.randn(5, 5, generator=chance(seed))
        soft = share * functional.one_hot(own, 5) + rest * functional.one_hot(other, 5)
        assert float(loss(scores, made)) == pytest.approx(float(functional.cross_entropy(scores, soft)), rel=1e-5)
        shares.append(share)
    assert 0.35 < np.mean(shares) < 0.65 and np.std(shares) > 0.2, "Beta(1, 1) is even"


def test_cutmix_counts_the_area_that_is_left():
    given = ImageBatch(torch.arange(6.0)[:, None, None, None].expand(6, 1, 9, 11) / 6, ((1.0, torch.arange(6)),))
    for seed in range(40):
        made = mixing.cutmix(1.0, 1.0)(given, chance(seed))
        own_pixels = (made.images == given.images).all(1)
        if len(made.targets) == 1:
            assert own_pixels.all()
            continue
        (share, own), (rest, other) = made.targets
        assert share + rest == pytest.approx(1)
        for row in range(6):
            if other[row] == own[row]:
                continue
            assert float(own_pixels[row].float().mean()) == pytest.approx(share, abs=1e-6)
            foreign = made.images[row, 0][~own_pixels[row]]
            assert (foreign == given.images[other[row], 0, 0, 0]).all()


def test_mixing_twice_and_never():
    given = batch(count=6)
    twice = mixing.mixup(1.0, 1.0)(mixing.mixup(1.0, 1.0)(given, chance(1)), chance(2))
    assert len(twice.targets) == 4
    assert sum(share for share, _ in twice.targets) == pytest.approx(1)
    expected = sum(share * given.images[target] for share, target in twice.targets)
    torch.testing.assert_close(twice.images, expected)
    assert mixing.cutmix(1.0, 0.0)(given, chance()) is given


# ------------------------------------------------------------------------------------------ colours and noise

GOLDEN = torch.tensor([[10.0, 20.0], [30.0, 40.0]]).expand(1, 1, 2, 2) / 100


def test_brightness_and_contrast_of_the_texts():
    assert colour.brighter(GOLDEN, torch.tensor([1.5])).flatten().tolist() == pytest.approx([0.15, 0.3, 0.45, 0.6])
    assert colour.contrasted(GOLDEN, torch.tensor([0.5])).flatten().tolist() == pytest.approx(
        [0.175, 0.225, 0.275, 0.325]
    )
    assert colour.brighter(GOLDEN, torch.tensor([9.0])).max() == 1


def test_colours_by_definition():
    given = images(count=1, height=3, width=4)
    pixels = given[0].double().numpy()
    grey = np.tensordot([0.299, 0.587, 0.114], pixels, 1)
    found = colour.contrasted(given, torch.tensor([1.4]))[0].numpy()
    np.testing.assert_allclose(found, np.clip(1.4 * pixels - 0.4 * grey.mean(), 0, 1), atol=1e-5)
    found = colour.saturated(given, torch.tensor([0.3]))[0].numpy()
    np.testing.assert_allclose(found, 0.3 * pixels + 0.7 * grey, atol=1e-5)
    np.testing.assert_allclose(colour.without_colour(given)[0].numpy(), np.stack([grey] * 3), atol=1e-5)
    grey_images = images(count=2, channels=1)
    assert colour.saturated(grey_images, torch.tensor([0.3, 2.0])) is grey_images


def test_hue_turns_on_the_circle():
    given = batch(count=12, height=3, width=3)
    made = colour.color_jitter(0, 0, 0, 0.5)(given, chance()).images
    shifts = []
    for old, new in zip(given.images, made, strict=True):
        turned = []
        for place in range(9):
            before = colorsys.rgb_to_hsv(*old.flatten(1)[:, place].tolist())
            after = colorsys.rgb_to_hsv(*new.flatten(1)[:, place].tolist())
            assert after[1:] == pytest.approx(before[1:], abs=1e-3)
            turned.append((after[0] - before[0]) % 1)
        assert np.ptp(np.exp(2j * np.pi * np.array(turned)).round(2)) < 0.1, "all pixels by the same angle"
        shifts.append(turned[0])
    assert np.std(shifts) > 0.1


def test_color_jitter_within_its_bounds():
    flat = ImageBatch(torch.full((500, 3, 4, 4), 0.5), ((1.0, torch.zeros(500)),))
    made = colour.color_jitter(0.4, 0, 0, 0)(flat, chance()).images[:, 0, 0, 0]
    assert 0.3 <= float(made.min()) < 0.31 and 0.69 < float(made.max()) <= 0.7


@pytest.mark.parametrize("augment", [colour.color_jitter(0, 0, 0.1, 0), colour.grey(1.0), noise.lighting(0.1)])
def test_grey_images_have_no_colour_to_change(augment):
    with pytest.raises(ValueError, match="colour"):
        augment(batch(channels=1), chance())


def as_bytes(given):
    return (given * 255).round().byte()


PILLOW = [
    (colour.equalized, ImageOps.equalize, 2),
    (colour.stretched, ImageOps.autocontrast, 1),
    (lambda given: colour.solarized(given, torch.tensor([128 / 255])), lambda image: ImageOps.solarize(image, 128), 0),
    (lambda given: colour.posterized(given, torch.tensor([3])), lambda image: ImageOps.posterize(image, 3), 0),
    (
        lambda given: colour.sharpened(given, torch.tensor([1.7])),
        lambda image: ImageEnhance.Sharpness(image).enhance(1.7),
        2,
    ),
    (
        lambda given: colour.brighter(given, torch.tensor([1.3])),
        lambda image: ImageEnhance.Brightness(image).enhance(1.3),
        1,
    ),
    (
        lambda given: colour.contrasted(given, torch.tensor([0.6])),
        lambda image: ImageEnhance.Contrast(image).enhance(0.6),
        1,
    ),
    (
        lambda given: colour.saturated(given, torch.tensor([1.6])),
        lambda image: ImageEnhance.Color(image).enhance(1.6),
        2,
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "off"), PILLOW)
def test_operations_are_pillows(ours, theirs, off):
    pixels = as_bytes(images(count=1, height=20, width=24) * 0.7 + 0.1)
    made = as_bytes(ours(pixels.float() / 255))[0].permute(1, 2, 0).int().numpy()
    expected = np.asarray(theirs(Image.fromarray(pixels[0].permute(1, 2, 0).numpy()))).astype(int)
    assert abs(made - expected).max() <= off


def test_gamma_and_negatives():
    given = batch(count=100, height=2, width=2)
    powers = (colour.gamma((0.5, 2.0))(given, chance()).images.log() / given.images.log()).mean((1, 2, 3))
    assert 0.49 <= float(powers.min()) < 0.6 and 1.7 < float(powers.max()) <= 2.01
    torch.testing.assert_close(colour.invert(1.0)(given, chance()).images, 1 - given.images)
    half = colour.invert(0.5)(given, chance()).images
    changed = [not torch.equal(new, old) for new, old in zip(half, given.images, strict=True)]
    assert 30 < sum(changed) < 70


def test_blur_is_scipys():
    given = batch(count=3, height=15, width=17)
    made = colour.blur((1.1, 1.1), 1.0)(given, chance()).images
    expected = ndimage.gaussian_filter(
        given.images.double().numpy(), (0, 0, 1.1, 1.1), mode="mirror", radius=(0, 0, 4, 4)
    )
    np.testing.assert_allclose(made.numpy(), expected, atol=1e-5)
    with pytest.raises(ValueError, match="larger than"):
        colour.blur((0.1, 9.0), 1.0)(given, chance())


def test_noise():
    given = ImageBatch(torch.full((20, 1, 30, 30), 0.5), ((1.0, torch.zeros(20)),))
    added = noise.noise(0.05)(given, chance()).images - 0.5
    assert float(added.std()) == pytest.approx(0.05, rel=0.03) and abs(float(added.mean())) < 0.002
    made = noise.salt_pepper(0.2, 0.25)(given, chance()).images
    white, black = (float((made == value).float().mean()) for value in (1, 0))
    assert (white, black) == (pytest.approx(0.05, abs=0.006), pytest.approx(0.15, abs=0.01)), "salt is white"
    coloured = noise.salt_pepper(0.2, 0.5)(batch(count=4), chance()).images
    hit = (coloured == 0) | (coloured == 1)
    assert torch.equal(hit.all(1), hit.any(1)), "all channels of a pixel alike"


def test_lighting_moves_along_the_components():
    given = ImageBatch(torch.full((400, 3, 2, 2), 0.5), ((1.0, torch.zeros(400)),))
    shift = (noise.lighting(0.1)(given, chance()).images - 0.5)[:, :, 0, 0].double().numpy()
    values = np.sqrt(np.linalg.eigvalsh(np.cov(shift.T))[::-1])
    assert values == pytest.approx([0.02175, 0.00188, 0.00045], rel=0.12)


# ------------------------------------------------------------------------------------------ policies


@pytest.mark.parametrize("table", [policies._table(policies._RAND), policies._table(policies._TRIVIAL, 0.5)])
def test_operations_of_policies(table):
    assert len(table) == 14
    given = with_maps(count=3, height=16, width=16)
    given = given.with_images(0.2 + 0.6 * given.images)
    zero, full = torch.zeros(3), torch.full((3,), 0.9)
    for name, operation in table.items():
        weak, strong = operation(given, zero, "replicate"), operation(given, full, "replicate")
        if name not in {"autocontrast", "equalize", "posterize", "solarize"}:
            torch.testing.assert_close(weak.images, given.images, atol=1e-5, rtol=0)
        if name not in {"identity", "saturation", "equalize"}:  # equalize leaves so few pixels alone, as Pillow does
            assert not torch.allclose(strong.images, given.images, atol=1e-3), name
        moves_pixels = name in {"rotate", "shear_x", "shear_y", "translate_x", "translate_y"}
        assert torch.equal(strong.targets[0][1], given.targets[0][1]) != moves_pixels, name


def test_signs_and_sizes_of_shifts():
    given = with_maps(count=2, height=8, width=8)
    table = policies._table(policies._RAND, 0.25)
    made = table["translate_x"](given, torch.tensor([1.0, -1.0]), "replicate").images
    torch.testing.assert_close(made[0, :, :, 2:], given.images[0, :, :, :-2], atol=1e-5, rtol=0)
    torch.testing.assert_close(made[1, :, :, :-2], given.images[1, :, :, 2:], atol=1e-5, rtol=0)


def test_each_image_has_operations_of_its_own():
    same = ImageBatch(images(count=1, height=16, width=16).expand(40, -1, -1, -1), ((1.0, torch.arange(40)),))
    made = policies.trivial_augment("replicate")(same, chance())
    assert len({image.numpy().tobytes() for image in made.images}) > 10
    assert torch.equal(made.targets[0][1], torch.arange(40))


@pytest.mark.parametrize("value", [3, (1,), (2, 1), (0.5, 9), "a", (1, 2, 3)])
def test_what_is_no_range(value):
    with pytest.raises(ArgumentError, match=r"a pair \(low, high\)|a number from"):
        RealRange(0, 3).convert(value)


def test_bits():
    assert Bits().convert(8) == 8
    for value in (0, 9, 1.5):
        with pytest.raises(ArgumentError):
            Bits().convert(value)
