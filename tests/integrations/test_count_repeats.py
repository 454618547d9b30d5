"""Samplers that repeat examples: counted in the main process, or named in a warning."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from loader_data import Labelled, Numbered, pixels
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    DistributedSampler,
    RandomSampler,
    Subset,
    WeightedRandomSampler,
)

import automorph
from automorph.errors import UsageError
from automorph.integrations import Augmented, Collate, OnDevice, count_repeats
from automorph.integrations.huggingface import transform
from automorph.integrations.repeats import CountedIndex
from automorph.operations import occurring
from automorph.policies import load_policy

POLICY = "flip-crop + randaugment(n=2,m=9) + cutout(4)"
N = 24


def weighted(draws=48):
    weights = torch.ones(N)
    weights[:2] = 10
    return WeightedRandomSampler(weights, draws, generator=torch.Generator().manual_seed(0))


class Told(Numbered):
    """Returns the index that it gets, as many data sets do."""

    def __getitem__(self, number):
        image, label = Labelled.__getitem__(self, number)
        return {"img": image, "label": label, "id": number}


def test_repeats_are_drawn_differently_and_first_occurrences_as_ever():
    assert automorph.count_repeats is count_repeats
    order = list(weighted())
    data = Augmented(Labelled(), POLICY, seed=3)
    shown = torch.cat([x for x, _ in DataLoader(data, 8, sampler=count_repeats(weighted()))])
    times = [order[:place].count(number) for place, number in enumerate(order)]
    assert max(times) > 5
    expected = load_policy(POLICY).augment(pixels(N)[order], seed=3, index=occurring(order, times))
    np.testing.assert_array_equal(shown.permute(0, 2, 3, 1), expected)
    first = np.array(times) == 0
    plain = load_policy(POLICY).augment(pixels(N), seed=3)[np.array(order)[first]]
    np.testing.assert_array_equal(expected[first], plain)
    rare = shown[torch.tensor(order) == 0].flatten(1)
    assert len(torch.unique(rare, dim=0)) == len(rare)


def test_copies_have_occurrences_of_their_own():
    data = Augmented(Labelled(4), POLICY, copies=2)
    sampler = count_repeats([0, 4, 0, 4, 0, 4])
    shown = torch.cat([x for x, _ in DataLoader(data, 3, sampler=sampler)]).flatten(1)
    assert len(torch.unique(shown, dim=0)) == 6


def test_passes_count_themselves_also_those_that_are_broken_off():
    data = Augmented(Labelled(), POLICY, seed=1)
    loader = DataLoader(data, 8, sampler=count_repeats(range(N)))
    shown = [next(iter(loader))[0] for _ in range(3)]
    for epoch, images in enumerate(shown):
        expected = load_policy(POLICY).augment(pixels(N)[:8], seed=1, epoch=epoch)
        np.testing.assert_array_equal(images.permute(0, 2, 3, 1), expected)


def test_the_epoch_of_the_sampler_or_of_the_data_counts():
    data, sampler = Augmented(Labelled(), POLICY), count_repeats(range(N))
    loader = DataLoader(data, N, sampler=sampler)

    def epoch_of(images):
        for epoch in range(10):
            expected = load_policy(POLICY).augment(pixels(N), epoch=epoch)
            if (images.permute(0, 2, 3, 1).numpy() == expected).all():
                return epoch
        return None

    sampler.set_epoch(5)
    assert [epoch_of(next(iter(loader))[0]) for _ in range(2)] == [5, 6]
    sampler.set_epoch(2)
    assert epoch_of(next(iter(loader))[0]) == 2
    # The same number twice, as accelerate sets it for passes that are broken off, is another pass.
    sampler.set_epoch(2)
    assert epoch_of(next(iter(loader))[0]) is None
    # A sampler that nobody told gives way to a data set that somebody did.
    data, sampler = Augmented(Labelled(), POLICY), count_repeats(range(N))
    data.set_epoch(7)
    assert epoch_of(next(iter(DataLoader(data, N, sampler=sampler)))[0]) == 7


def test_batch_samplers_and_what_loaders_ask_of_them():
    inner = BatchSampler(weighted(), 8, drop_last=True)
    sampler = count_repeats(inner)
    assert (len(sampler), sampler.batch_size, sampler.drop_last) == (6, 8, True)
    assert count_repeats(sampler) is sampler
    arrays = count_repeats([torch.tensor([3, 3]), np.array([3, 1])])
    assert [[one.occurrence for one in batch] for batch in arrays] == [[0, 1], [2, 0]]
    plain = count_repeats(weighted())
    flat = [number for batch in sampler for number in batch]
    assert [one.occurrence for one in flat] == [one.occurrence for one in plain]
    assert plain.generator is plain.inner.generator
    plain.generator = generator = torch.Generator()
    assert plain.inner.generator is generator
    assert not hasattr(plain, "state_dict")
    assert not hasattr(count_repeats([1]), "generator")
    assert len(copy.deepcopy(plain)) == len(pickle.loads(pickle.dumps(count_repeats([1, 2])))) + 46
    one = pickle.loads(pickle.dumps(CountedIndex(3, 2, 1, True)))
    assert (one, one.occurrence, one.epoch, one.epoch_set) == (3, 2, 1, True)


def test_processes_draw_differently():
    class Repeated(DistributedSampler):
        """Three of each example, dealt out to the processes (repeated augmentation)."""

        def __iter__(self):
            return iter([i for i in range(8) for _ in range(3)][self.rank :: self.num_replicas])

    seen = [
        (int(one), one.occurrence)
        for rank in range(3)
        for one in count_repeats(Repeated(range(8), 3, rank))
    ]
    assert len(set(seen)) == len(seen) == 24
    # Torch's own repeats only what fills the last round; all else is drawn as in one process.
    seen = [
        (int(one), one.occurrence)
        for rank in range(3)
        for one in count_repeats(DistributedSampler(range(7), 3, rank, seed=2))
    ]
    assert len(set(seen)) == len(seen) == 9
    assert sorted(times for _, times in seen) == [0] * 7 + [1] * 2


def test_data_sets_inside_go_by_the_same_count():
    inner = Augmented(Labelled(), "crop(pad=0.25)", seed=1)
    data = Augmented(inner, "cutout(4)", seed=2)
    shown = [x for x, _ in DataLoader(data, None, sampler=count_repeats([5] * 6))]
    assert len({image.numpy().tobytes() for image in shown}) == 6
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data.set_epoch(3)
        expected = load_policy("crop(pad=0.25)").augment(pixels(N)[5:6], seed=1, epoch=4, index=[5])
        sampler = count_repeats([5])
        sampler.set_epoch(4)
        [(image, _)] = DataLoader(data, 1, sampler=sampler)
    again = load_policy("cutout(4)").augment(expected, seed=2, epoch=4, index=[5])
    np.testing.assert_array_equal(image.permute(0, 2, 3, 1), again)


def test_a_foreign_sampler_that_repeats_is_named_once():
    data = Augmented(Labelled(), POLICY)
    loader = DataLoader(data, 8, sampler=weighted())
    with pytest.warns(UserWarning, match=r"sampler=automorph\.count_repeats\(sampler\)") as told:
        list(loader)
    assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(loader)
    # In batches of one, each repeat is alone.
    with pytest.warns(UserWarning, match=r"sampler=automorph\.count_repeats\(sampler\)"):
        list(DataLoader(Augmented(Labelled(), POLICY), 1, sampler=weighted()))


def test_a_subset_of_augmented_data_loses_the_count_and_warns():
    data = Subset(Augmented(Labelled(), POLICY), range(N))
    with pytest.warns(UserWarning, match="augmented twice in one batch"):
        list(DataLoader(data, 8, sampler=count_repeats(weighted())))
    inside = Augmented(Subset(Labelled(), range(N)), POLICY)
    list(DataLoader(inside, 8, sampler=count_repeats(weighted())))


def test_draws_by_batch_differ_between_batches():
    order = torch.stack([torch.tensor([0, 1, 2, 3]), torch.tensor([0, 4, 0, 5])]).tolist()
    data = Augmented(Labelled(), POLICY, repeats=True)
    shown = [x for batch in order for x, _ in data.__getitems__(batch)]
    first = [shown[place].numpy().tobytes() for place in (0, 4, 6)]
    assert len(set(first)) == 3
    again = [x for batch in order for x, _ in data.__getitems__(batch)]
    assert all(torch.equal(*pair) for pair in zip(shown, again, strict=True))


def test_collate_counts_within_a_batch_and_over_batches_where_it_can():
    row = Labelled()[0]
    images, _ = Collate(POLICY)([row] * 8)
    assert len(torch.unique(images.flatten(1), dim=0)) == 8
    expected = load_policy(POLICY).augment(
        pixels(N)[:1], index=Collate(POLICY)._numbers([row], pixels(N)[:1])[1]
    )
    np.testing.assert_array_equal(images[:1].permute(0, 2, 3, 1), expected)

    def rare(**options):
        loader = DataLoader(
            Told(), 8, sampler=options.pop("sampler"), collate_fn=Collate(POLICY, **options)
        )
        batches = list(loader)
        images = torch.cat([batch["img"] for batch in batches]).flatten(1)
        numbers = torch.cat([batch["id"] for batch in batches])
        return len(torch.unique(images[numbers == 0], dim=0)), int((numbers == 0).sum())

    different, all_of_them = rare(index="id", sampler=count_repeats(weighted()))
    assert different == all_of_them
    different, all_of_them = rare(repeats=True, sampler=weighted())
    assert different == all_of_them
    with pytest.warns(UserWarning, match="pass repeats=True, or let the data set return"):
        different, all_of_them = rare(sampler=weighted())
    assert different < all_of_them


def test_collate_and_augmented_draw_alike():
    sampler = count_repeats(weighted())
    collate = Collate(POLICY, seed=4, index="id")
    images = torch.cat(
        [b["img"] for b in DataLoader(Told(), 8, sampler=sampler, collate_fn=collate)]
    )
    data = Augmented(Labelled(), POLICY, seed=4)
    shown = torch.cat([x for x, _ in DataLoader(data, 8, sampler=count_repeats(weighted()))])
    assert torch.equal(images, shown)


def test_a_transform_counts_within_a_batch_or_by_batch():
    image = pixels(1)[0]
    augment = transform(POLICY)
    batch = augment({"image": [image] * 6})["image"]
    assert len({one.tobytes() for one in batch}) == 6
    others = [pixels(3)[1], pixels(3)[2]]
    by_batch = transform(POLICY, repeats=True)
    shown = [by_batch({"image": [image, other]})["image"][0].tobytes() for other in others]
    assert shown[0] != shown[1]


def test_a_layer_counts_all_or_those_of_a_batch():
    image = torch.from_numpy(pixels(1)).permute(0, 3, 1, 2)
    layer = OnDevice(POLICY)
    counted = torch.cat([layer(image) for _ in range(6)]).flatten(1)
    assert len(torch.unique(counted, dim=0)) == 6
    batch = layer(image.expand(6, -1, -1, -1), index=[3] * 6).flatten(1)
    assert len(torch.unique(batch, dim=0)) == 6
    layer(image, index=[3])
    with pytest.warns(UserWarning, match="leave index out"):
        layer(image, index=[3])


def test_texts_are_augmented_as_images_are():
    texts = ["the film was funny and long", "a dull evening with nobody around"] * 2
    rows = [{"text": text, "label": 0} for text in texts]
    data = Augmented(rows, "typos(p=0.5)", image="text", seed=1)
    shown = [row["text"] for row in data.__getitems__(range(4))]
    assert shown == load_policy("typos(p=0.5)").augment(texts, seed=1).tolist()
    counted = DataLoader(data, 4, sampler=count_repeats([1] * 8), collate_fn=list)
    assert len({row["text"] for batch in counted for row in batch}) > 4


def test_what_is_no_sampler_is_refused():
    with pytest.raises(UsageError, match="got int as a sampler; expected one that yields"):
        count_repeats(3)
    with pytest.raises(UsageError, match="got 'a' from the sampler; expected whole numbers"):
        list(count_repeats(["a"]))
    with pytest.raises(UsageError, match="got epoch=-1"):
        count_repeats([1]).set_epoch(-1)
    assert repr(count_repeats([1])) == "count_repeats([1])"
    assert isinstance(next(iter(count_repeats(RandomSampler(range(3))))), int)
