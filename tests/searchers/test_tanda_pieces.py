"""TANDA piece by piece: generators, discounts, gradients, costs, discriminators."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from small_task import small_task

from automorph import engine
from automorph.augmenters import Regularised, as_treatment, transformation_regularisation
from automorph.errors import PolicyError, UsageError
from automorph.operations import (
    SearchSpace,
    Sequences,
    Stream,
    find_operation,
    named_space,
    operation,
)
from automorph.policies import load_policy
from automorph.policies.generated import noise
from automorph.policies.numpy_rnn import NETWORKS
from automorph.searchers.tanda import (
    Diversity,
    ImageDiscriminator,
    Settings,
    TextDiscriminator,
    VectorDiscriminator,
    discretized_space,
    rewards,
)
from automorph.searchers.tanda.adversary import Adversary
from automorph.searchers.tanda.generators import build_generator
from automorph.training import RawBatch

torch.set_num_threads(1)
SPACE = named_space("tanda-mnist")
STREAM = Stream(seed=4, index=np.arange(300))


def trained_somehow(network: str, operations: int = len(SPACE), length: int = 5):
    """A generator with weights other than the initial ones."""
    torch.manual_seed(0)
    generator = build_generator(network, operations, length)
    with torch.no_grad():
        for p in generator.parameters():
            p += 0.7 * torch.randn_like(p)
    return generator


@pytest.mark.parametrize("network", NETWORKS)
def test_torch_and_numpy_draw_the_same(network):
    generator = trained_somehow(network)
    policy = generator.policy(SPACE, "mine")
    generator.take(policy)  # Policies keep float32.
    written = generator.write(torch.from_numpy(noise(STREAM, SPACE.names, 5)))
    drawn = policy.sample(STREAM)
    assert (written.op.numpy() == drawn.op).all()
    log_prob = written.log_prob.detach().numpy()
    np.testing.assert_allclose(log_prob, policy.log_prob(drawn), atol=1e-12)
    np.testing.assert_allclose(written.entropy.detach().numpy(), policy.entropy(drawn), atol=1e-12)


@pytest.mark.parametrize("network", NETWORKS)
def test_reading_gives_the_log_probabilities_of_writing_bit_for_bit(network):
    generator = trained_somehow(network)
    written = generator.write(torch.from_numpy(noise(STREAM, SPACE.names, 5)))
    assert torch.equal(generator.read(written.op).log_prob, written.log_prob)


@pytest.mark.parametrize("network", NETWORKS)
def test_generators_begin_uniform_and_recurrent_logits_are_bounded(network):
    torch.manual_seed(0)
    generator = build_generator(network, 7, 4)
    op = torch.randint(7, (50, 4))
    tolerance = 1e-12 if "-" in network else 0.01
    assert generator.read(op).entropy.detach() == pytest.approx(math.log(7), abs=tolerance)
    if "-" not in network:
        with torch.no_grad():
            for p in generator.parameters():
                p.mul_(1000)
        log_p = generator.read(op).log_p
        assert (log_p.max(2).values - log_p.min(2).values).max() <= 4 + 1e-9


def test_discounted_costs_against_a_loop_and_their_baseline():
    r = torch.randn(20, 6, dtype=torch.float64)
    for discount in (0.0, 0.5, 1.0):
        matrix = rewards.discount_matrix(6, discount).double()
        for t in range(6):
            looped = sum(discount ** (i - t) * r[:, i] for i in range(t, 6))
            assert torch.allclose((r @ matrix)[:, t], looped)
    assert rewards.baseline(r).shape == (6,)
    assert rewards.advantages(r, 0.5).mean(0) == pytest.approx(0, abs=1e-12)
    assert torch.allclose(rewards.advantages(r + 3.0, 0.5), rewards.advantages(r, 0.5))


def test_increments_telescope():
    cost = torch.randn(20, 7, dtype=torch.float64)
    to_come = rewards.increments(cost) @ rewards.discount_matrix(6, 1.0).double()
    assert torch.allclose(to_come[:, 0], cost[:, -1] - cost[:, 0])


@pytest.mark.parametrize("network", NETWORKS)
def test_the_gradient_is_that_of_the_expected_cost(network):
    """REINFORCE, averaged over many draws, against all 9 sequences of 3 operations."""
    generator = trained_somehow(network, operations=3, length=2)
    parameters = list(generator.parameters())
    every = torch.tensor(list(product(range(3), repeat=2)))
    price = torch.tensor([[0.0, 1.0, -1.0], [2.0, 0.5, 0.0], [0.3, 0.0, 1.0]])

    def final(op):
        """A cost of the whole sequence; with discount 1 the returns are its increments' sums."""
        middle = price[op[:, 0], op[:, 0]]
        return torch.stack([torch.zeros(len(op)), middle, price[op[:, 0], op[:, 1]]], 1).double()

    p = generator.read(every).log_prob.sum(1).exp()
    exact = torch.autograd.grad((p * final(every)[:, -1]).sum(), parameters)
    n, names = 20_000, ("a", "b", "c")
    written = generator.write(torch.from_numpy(noise(Stream(index=np.arange(n)), names, 2)))
    advantage = rewards.advantages(rewards.increments(final(written.op)), 1.0)
    assert not advantage.requires_grad
    # Gradients of parts of the batch show the error of the mean.
    losses = (written.log_prob * advantage).sum(1).reshape(20, -1).mean(1)
    parts = [torch.autograd.grad(loss, parameters, retain_graph=True) for loss in losses]
    whole = rewards.reinforce_loss(written.log_prob, advantage)
    assert whole.item() / n == pytest.approx(losses.mean().item())
    for number, wanted in enumerate(exact):
        found = torch.stack([part[number] for part in parts])
        error = found.std(0) / math.sqrt(len(found))
        assert ((found.mean(0) - wanted).abs() <= 4.5 * error + 1e-9).all()


def test_an_operation_that_changes_nothing_costs_nothing_more():
    logits, features = torch.zeros(5, 4), torch.ones(5, 4, 3)
    for diversity, extra in ((Diversity(), 0.1), (Diversity("published", 1e-4), 100.0)):
        cost = rewards.costs(logits, features, diversity)
        assert cost == pytest.approx(math.log(2) + extra, rel=1e-5)
        assert (rewards.increments(cost) == 0).all()
    assert rewards.costs(logits, features, Diversity("none")) == pytest.approx(math.log(2))


def test_with_a_constant_discriminator_only_diversity_is_left():
    moved = torch.tensor([[[0.0], [3.0]], [[1.0], [1.5]]])
    diversity = Diversity(weight=2.0, scale=1.0)
    cost = rewards.costs(torch.zeros(2, 2), moved, diversity)
    assert rewards.typical_distance(moved[:, 0]) == pytest.approx(0.5)
    wanted = [2 * math.exp(-9 / 0.5) - 2, 2 * math.exp(-0.25 / 0.5) - 2]
    assert rewards.increments(cost)[:, 0].tolist() == pytest.approx(wanted, abs=1e-5)


def test_prefixes_begin_with_the_example_and_end_with_the_result():
    images = np.random.default_rng(0).integers(0, 255, (6, 16, 16, 1), np.uint8)
    sequences, stream = Sequences.of(np.arange(18).reshape(6, 3), 1.0), Stream(index=np.arange(6))
    steps = engine.apply(images, sequences, SPACE, stream, prefixes=True)
    assert steps.shape == (6, 4, 16, 16, 1)
    assert (steps[:, 0] == images).all()
    assert (steps[:, -1] == engine.apply(images, sequences, SPACE, stream)).all()


def test_rewards_leave_the_discriminator_as_it_is():
    """The discriminator judges in evaluation mode: its running statistics do not change."""
    images = np.random.default_rng(0).integers(0, 255, (8, 12, 12, 1), np.uint8)
    judge = ImageDiscriminator(1, (12, 12), width=4)
    adversary = Adversary(images, SPACE, Settings(length=2, samples=2), judge, seed=0)
    before = {name: value.clone() for name, value in judge.state_dict().items()}
    start = adversary.generator.state_dict()["start"].clone()
    adversary._learn(np.arange(8))
    assert all(torch.equal(value, before[name]) for name, value in judge.state_dict().items())
    assert not torch.equal(start, adversary.generator.state_dict()["start"])
    assert adversary.units.forward == 8 * 2 * 3
    adversary._teach(np.arange(8))
    assert not torch.equal(judge.state_dict()["blocks.1.1.running_mean"],
                           before["blocks.1.1.running_mean"])  # fmt: skip


def test_discriminators_of_three_domains_learn_what_is_real():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    real, made = rng.integers(1, 50, (40, 9)), rng.integers(40, 99, (40, 9))
    texts = [[" ".join(f"w{i}" for i in row) for row in rows] for rows in (real, made)]
    images = [
        np.repeat(rows[:, :, None, None], 9, axis=2).astype(np.uint8) for rows in (real, made)
    ]
    vectors = [rows.astype(np.float64) for rows in (real, made)]
    for judge, examples in (
        (ImageDiscriminator(1, (9, 9), width=4), images),
        (VectorDiscriminator(vectors[0]), vectors),
        (TextDiscriminator(vocabulary=100, width=16), [real, made]),
        (TextDiscriminator(), [np.array(t, np.dtypes.StringDType()) for t in texts]),
    ):
        weights = list(judge.parameters())
        for _ in range(40):
            logits, features = judge(judge.encode(np.concatenate(examples)))
            assert features.shape[0] == 80
            assert features.ndim == 2
            target = torch.arange(80) < 40
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, target.float())
            slopes = torch.autograd.grad(loss, weights)
            with torch.no_grad():
                for weight, slope in zip(weights, slopes, strict=True):
                    weight -= 0.1 * slope
        assert ((logits > 0) == target).float().mean() > 0.9


def test_held_operations_come_once_for_each_value_and_side():
    @operation(range=(0, 8), identity=0)
    def lift(image, value):
        return image

    space = discretized_space(
        SearchSpace("mine", (find_operation("Posterize"), lift)), (0.5, 0.55, 1.0)
    )
    assert space.names == ("Posterize[5]", "Posterize[2]", "lift[4]", "lift[4.4]", "lift[8]")
    assert all(operation.magnitude_free for operation in space)


def test_settings_say_what_is_wrong():
    for wrong in ({"generator": "rnn"}, {"length": 0}, {"discount": 2}, {"batch_size": 1}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            Settings(**wrong)
    with pytest.raises(UsageError, match="bounded, published or none"):
        Diversity("some")


def test_transformation_regularisation_is_the_sum_over_pairs():
    logits = torch.randn(6 * 4, 3)
    parts = logits.reshape(6, 4, 3)
    pairs = [(parts[:, i] - parts[:, j]).square().sum(1) for i in range(4) for j in range(i)]
    assert torch.allclose(transformation_regularisation(logits, 4), sum(pairs) / 4, atol=1e-5)


def some_batch(n: int) -> RawBatch:
    task = small_task(n=100)
    part, index = task.data.train, np.arange(n)
    labels = np.eye(task.classes, dtype=np.float32)[part.labels[:n]]
    return RawBatch(part.data[:n], labels, index, seed=0, epoch=0, step=0, encoder=task.encoder)


def test_regularised_training_is_plain_training_where_nothing_changes():
    """The null policy's copies agree, so the loss is cross-entropy, whatever the weight."""
    raw = some_batch(10)
    augmenter = Regularised(draws=load_policy("none"), weight=5.0, passes=2).build()
    batch = augmenter(raw)
    # The draw to learn from, the basic view, and two passes.
    assert batch.views == 4
    assert torch.equal(batch.inputs[::4], raw.batch().inputs)
    assert torch.equal(batch.inputs[2::4], raw.batch().inputs)
    logits = torch.randn(10, raw.labels.shape[1]).repeat_interleave(4, dim=0)
    plain = -(batch.labels * logits.log_softmax(1)).sum(1)
    assert torch.allclose(augmenter.loss(logits, batch), plain, atol=1e-5)


def test_the_basic_view_is_compared_and_the_learned_draw_is_not():
    """Views: the draw for cross-entropy, the example after the other steps, a further draw."""
    raw = some_batch(12)
    strong = load_policy("randaugment(n=2,m=20)")
    method = Regularised(draws=strong, weight=2.0).surrounded(
        before=(load_policy("flip(p=1)"),), after=()
    )
    batch = method.build()(raw)
    flipped = load_policy("flip(p=1)").augment(raw.examples, seed=0)
    assert batch.views == 3
    assert torch.equal(batch.inputs[1::3], raw.encode(flipped))
    assert not torch.equal(batch.inputs[0::3], batch.inputs[2::3])
    logits = torch.zeros(36, 10)
    logits[0::3] = 9 * batch.labels[0::3]  # Far from the other views, which agree.
    assert method.build().loss(logits, batch).max() < 0.01
    logits = torch.zeros(36, 10)
    logits[1::3, 0] = 1.0
    expected = torch.tensor(10.0).log() + 2.0 * 0.5
    assert torch.allclose(method.build().loss(logits, batch), expected.expand(36))


def test_the_term_is_the_mean_over_labelled_and_unlabelled_examples():
    """TR = 1 / (B_u N_p) sum_b sum_{i>j} |A_bi - A_bj|^2 over B_u = 6 + 4 examples, on logits."""
    raw = some_batch(6)
    rest = replace(some_batch(10).rows(slice(6, 10)), labels=np.zeros((4, 10), np.float32))
    raw = replace(raw, unlabelled=rest)
    augmenter = Regularised(draws=load_policy("flip"), weight=0.5, passes=3, unlabelled=4).build()
    assert augmenter.unlabelled_rows(64) == 4
    batch = augmenter(raw)
    assert (batch.views, batch.unlabelled.views) == (5, 4)
    assert not batch.unlabelled.labels.any()
    labelled, others = torch.randn(30, 10), torch.randn(16, 10)
    all_views = torch.cat([labelled.view(6, 5, 10)[:, 1:], others.view(4, 4, 10)])
    pairs = [
        (all_views[:, i] - all_views[:, j]).square().sum(1) for i in range(4) for j in range(i)
    ]
    term = sum(pairs).sum() / (10 * 4)
    learned = -(batch.labels[::5] * labelled[::5].log_softmax(1)).sum(1).mean()
    total = augmenter.loss(labelled, batch).mean() + augmenter.unlabelled_loss(others, batch).mean()
    assert total.item() == pytest.approx((learned + 0.5 * term).item(), rel=1e-5)


def test_the_end_of_the_training_is_plain_but_still_regularised():
    """Released: no transformation for cross-entropy in the last 9 of 150 epochs."""
    strong = load_policy("randaugment(n=3,m=20)")
    augmenter = Regularised(draws=strong).build()
    for progress, plain in ((0.93, False), (0.95, True)):
        raw = replace(some_batch(20), progress=progress)
        batch = augmenter(raw)
        assert torch.equal(batch.inputs[::3], raw.encode()) == plain
        assert not torch.equal(batch.inputs[2::3], raw.encode())


def test_regularisation_loads_from_its_own_name():
    method = Regularised(
        draws=load_policy("flip-crop"), weight=0.5, passes=3, share=0.5, unlabelled=4, plain=0
    )
    assert as_treatment(method.name) == method
    assert as_treatment("tanda-tr(policy=flip-crop)").name == (
        "tanda-tr(weight=0.1,passes=1,unlabelled=10,plain=0.06,policy=flip-crop)"
    )
    with pytest.raises(PolicyError, match="mixes labels"):
        as_treatment("tanda-tr(policy=flip) + mixup")


def test_the_share_of_transformed_examples():
    raw = some_batch(100)
    strong = load_policy("randaugment(n=3,m=20)")
    first = Regularised(draws=strong, share=0.3).build()(raw).inputs[::3]
    changed = (first != raw.batch().inputs).flatten(1).any(1).float().mean()
    assert 0.15 < changed < 0.4
    batch = Regularised(draws=strong, share=0.0).build()(raw)
    assert torch.equal(batch.inputs[::3], raw.batch().inputs)
    assert not torch.equal(batch.inputs[2::3], raw.batch().inputs)
