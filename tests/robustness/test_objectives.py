"""Robust objectives equal manual computations and have the properties stated in their papers."""

import math

import numpy as np
import pytest
import torch

from automorph.errors import PolicyError, UsageError
from automorph.robustness.builtin import METHODS, load_method
from automorph.robustness.consistency import FORMS, consistency
from automorph.robustness.groups import Grouper
from automorph.robustness.objectives import (
    Camel,
    GroupDRO,
    InvariantRisk,
    Objective,
    group_means,
    scale_slopes,
)
from automorph.robustness.robust import repeated_rows
from automorph.testing import check_objective
from automorph.training import balanced_rows
from automorph.training.loss import log_mean

torch.set_num_threads(1)

GROUPER = Grouper(("even", "odd"), ("clean", "marked"))
COUNTS = np.array([100, 4, 25, 400])
BATCH = torch.tensor([0, 0, 1, 2, 2, 2, 3, 3])


def losses_of(batch=BATCH, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.rand(len(batch), generator=rng, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize("within", [False, True])
def test_group_weights_equal_a_computation_by_hand(within):
    dro = GroupDRO(GROUPER, COUNTS, adjustment=2.0, rate=0.3, class_conditional=within)
    losses = losses_of().float()
    u = [0.0] * 4
    for _ in range(3):
        value = dro(losses, BATCH)
        adjusted = [losses[g == BATCH].mean().item() + 2.0 / math.sqrt(COUNTS[g]) for g in range(4)]
        u = [a + 0.3 * b for a, b in zip(u, adjusted, strict=True)]
        exp = [math.exp(a) for a in u]
        if within:
            totals = [exp[0] + exp[1]] * 2 + [exp[2] + exp[3]] * 2
            q = [0.5 * a / b for a, b in zip(exp, totals, strict=True)]
        else:
            q = [a / sum(exp) for a in exp]

        assert dro.weights.tolist() == pytest.approx(q, rel=1e-5)
        assert value.item() == pytest.approx(sum(np.multiply(q, adjusted)), rel=1e-5)
    assert dro.weights.sum().item() == pytest.approx(1)


def test_weights_get_no_gradient():
    losses = losses_of().float().detach().requires_grad_()
    dro = GroupDRO(GROUPER, COUNTS, rate=1.0)
    dro(losses, BATCH).backward()

    sizes = torch.bincount(BATCH)
    assert torch.allclose(losses.grad, (dro.weights / sizes)[BATCH])


def test_limits_of_the_rate():
    losses = losses_of().float()
    means = group_means(losses, BATCH, 4)[0]

    assert GroupDRO(GROUPER, COUNTS, rate=0)(losses, BATCH).item() == pytest.approx(
        means.mean().item()
    )
    assert GroupDRO(GROUPER, COUNTS, rate=1e4)(losses, BATCH).item() == pytest.approx(
        means.max().item()
    )


def test_small_groups_weigh_more_with_an_adjustment():
    equal = torch.ones(len(BATCH))
    dro = GroupDRO(GROUPER, COUNTS, adjustment=1.0, rate=1.0)
    dro(equal, BATCH)

    assert dro.weights.argsort().tolist() == COUNTS.argsort()[::-1].tolist()


def test_absent_groups():
    dro = GroupDRO(
        GROUPER, np.array([100, 0, 25, 400]), adjustment=5.0, rate=1.0, class_conditional=True
    )
    before = dro.u.clone()
    value = dro(torch.tensor([1.0, 3.0]), torch.tensor([0, 3]))

    assert dro.u[2] == before[2]
    assert dro.weights[1] == 0
    assert dro.weights.sum().item() == pytest.approx(1)
    assert value.isfinite()


def test_one_class_or_one_group_a_class():
    losses, groups = torch.rand(8), torch.arange(8) % 4
    one_class = Grouper(("a",), ("w", "x", "y", "z"))
    pair = [
        GroupDRO(one_class, COUNTS, rate=0.5, class_conditional=within) for within in (False, True)
    ]
    alone = GroupDRO(
        Grouper(("a", "b", "c", "d"), ("x",)), COUNTS, rate=9.0, class_conditional=True
    )

    assert pair[0](losses, groups) == pair[1](losses, groups)
    means = group_means(losses, groups, 4)[0]
    assert alone(losses, groups).item() == pytest.approx(means.mean().item())


@pytest.mark.parametrize("title", METHODS)
def test_objectives_meet_their_contract(title):
    """Among it: an objective that is restored goes on, and absent groups are harmless."""
    check_objective(load_method(title))


@pytest.fixture
def log_p():
    rng = torch.Generator().manual_seed(1)
    return (3 * torch.randn(50, 4, 5, generator=rng, dtype=torch.float64)).log_softmax(dim=2)


def entropy(log_p):
    return -(log_p.exp() * log_p).sum(dim=-1)


def test_self_consistency_is_the_entropy_that_mixing_adds(log_p):
    views = log_p[:, 1:]
    found = consistency(log_p, "self")

    torch.testing.assert_close(found, entropy(log_mean(views)) - entropy(views).mean(dim=1))
    assert (found >= 0).all()
    assert (found <= math.log(3)).all()


def test_self_consistency_bounds_the_mutual_information(log_p):
    """I(prediction; subgroup | class) <= E L_s: the reason to minimise it."""
    means = log_p[:, 1:].exp().mean(dim=0)
    information = entropy(means.mean(dim=0).log()) - entropy(means.log()).mean()

    assert 0 < information < consistency(log_p, "self").mean()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_consistency(form, log_p):
    same = log_p[:, :1].expand(-1, 4, -1)
    assert consistency(same, form).abs().max() < 1e-9
    assert (consistency(log_p, form) > 0).all()
    swapped = log_p[:, [0, 3, 1, 2]]
    torch.testing.assert_close(consistency(log_p, form), consistency(swapped, form))
    certain = torch.full((2, 3, 4), -torch.inf)
    certain[torch.arange(2)[:, None], torch.arange(3), torch.tensor([[0, 1, 2], [3, 3, 3]])] = 0
    assert consistency(certain, form).isfinite().all()
    logits = log_p[:3].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda z: consistency(z.log_softmax(dim=2), form), logits)


def test_camel_is_the_sum_of_its_terms(log_p):
    both = consistency(log_p, "self") + consistency(log_p, "translation")
    torch.testing.assert_close(consistency(log_p, "camel"), both / 2)
    camel = Camel(GROUPER, COUNTS, rate=0.1, weight=7.0)
    plain = GroupDRO(GROUPER, COUNTS, rate=0.1, class_conditional=True)
    logits, losses = log_p.float()[:8], losses_of().float()

    assert camel(losses, BATCH) == plain(losses, BATCH)
    means = [both[:8][g == BATCH].mean().item() for g in range(4)]
    assert camel.penalty(logits, torch.zeros(8, 5), BATCH).item() == pytest.approx(
        3.5 * sum(means), rel=1e-5
    )


@pytest.mark.parametrize(("reduction", "expected"), [("sum", 2.5209), ("mean", 0.6302)])
def test_camel_sums_the_consistency_of_the_groups(reduction, expected):
    """The released code adds one batch mean per group; the mean over the batch is a fourth."""
    logits = torch.randn(8, 3, 2, generator=torch.Generator().manual_seed(0))
    method = load_method(f"camel(weight=5,reduction={reduction})")
    camel = method.objective(GROUPER, COUNTS)
    groups = torch.arange(8) % 4
    assert camel.penalty(logits, torch.zeros(8, 2), groups).item() == pytest.approx(
        expected, abs=1e-4
    )
    absent = camel.penalty(logits[:2], torch.zeros(2, 2), groups[:2])
    assert absent.isfinite()


def test_the_slope_of_irm_is_a_derivative():
    logits = torch.randn(6, 3, dtype=torch.float64)
    labels = torch.eye(3, dtype=torch.float64)[[0, 1, 2, 0, 1, 2]]

    def risk(s):
        return -(labels * (s * logits).log_softmax(dim=1)).sum(dim=1)

    numeric = (risk(1 + 1e-5) - risk(1 - 1e-5)) / 2e-5
    torch.testing.assert_close(scale_slopes(logits, labels), numeric, rtol=1e-6, atol=1e-8)


def test_irm_has_no_penalty_at_the_best_scale():
    logits = torch.randn(400, 2, dtype=torch.float64)
    labels = torch.eye(2, dtype=torch.float64)[logits.argmax(dim=1)]
    labels[::5] = labels[::5].flip(1)
    scale = torch.linspace(0.1, 5, 2000, dtype=torch.float64)
    risks = torch.stack(
        [-(labels * (s * logits).log_softmax(dim=1)).sum(dim=1).mean() for s in scale]
    )
    best = scale[risks.argmin()]

    assert abs(scale_slopes(best * logits, labels).mean()) < 1e-2
    irm = InvariantRisk(2, weight=100.0, anneal=1)
    groups = torch.arange(400) % 2
    irm.penalty(logits[:, None], labels, groups)
    assert irm.now == 100.0
    assert irm(torch.ones(400), groups).item() == pytest.approx(0.01)


@pytest.mark.parametrize("order", ["sorted", "alternating", "shuffled"])
def test_irm_penalises_a_classifier_that_uses_the_subgroup_alone(order):
    """Its logits are calibrated within each subgroup, but not within each group.

    By class and subgroup, the slope is log 99 times -0.01 or 0.99: squares of 0.0021 and 20.695.
    """
    groups = np.repeat(np.arange(4), [9900, 100, 100, 9900])
    if order == "alternating":
        groups = groups.reshape(2, -1).T.reshape(-1)
    elif order == "shuffled":
        groups = np.random.default_rng(0).permutation(groups)
    groups = torch.from_numpy(groups)
    marked = groups % 2 == 1
    logits = torch.zeros(len(groups), 1, 2)
    logits[:, 0, 1] = torch.where(marked, 1.0, -1.0) * math.log(99)
    irm = load_method("irm(weight=1,anneal=0)").objective(GROUPER, COUNTS)
    assert irm.penalty(logits, torch.eye(2)[groups // 2], groups).item() == pytest.approx(
        10.35, abs=0.005
    )


def test_irm_halves_every_environment():
    """The slopes of the odd and the even examples of each group are multiplied."""
    groups = torch.tensor([0, 3, 0, 3, 3, 0, 3, 1])
    logits = torch.randn(8, 1, 2, generator=torch.Generator().manual_seed(2))
    labels = torch.eye(2)[groups // 2]
    slopes = scale_slopes(logits[:, 0], labels)
    products = [slopes[groups == g][0::2].mean() * slopes[groups == g][1::2].mean() for g in (0, 3)]
    irm = InvariantRisk(4, weight=1.0, anneal=0)  # The single example of group 1 has no halves.
    found = irm.penalty(logits, labels, groups)
    assert found.item() == pytest.approx(sum(products).item() / 2, rel=1e-5)


def test_irm_draws_all_groups_equally_often():
    assert load_method("irm").sampling == "balanced"


@pytest.mark.parametrize("title", ["camel(weight=1)", "irm", "jtt", "dfr"])
def test_corrected_methods_are_not_taken_for_their_former_selves(title):
    method = load_method(title)
    assert method.recorded == f"{method.name}, edition 2"


def test_the_former_camel_has_a_name_and_its_records():
    method = load_method("camel(weight=1)")
    assert method.former == load_method("camel(weight=1,reduction=mean)")
    assert method.former.recorded == "camel(weight=1)"
    assert method.former.former is None
    assert load_method("gdro").recorded == "gdro"


def test_plain_risk():
    assert Objective()(torch.tensor([1.0, 3.0]), torch.tensor([0, 1])) == 2


def test_balanced_batches():
    groups = np.repeat(np.arange(4), [900, 10, 10, 80])
    batches = balanced_rows(groups, 32, seed=1, epoch=2)

    assert len(batches) == 32
    assert sum(map(len, batches)) == 1000
    for rows in batches:
        counts = np.bincount(groups[rows], minlength=4)
        assert counts.max() - counts.min() <= 1
    seen = np.bincount(np.concatenate(batches), minlength=1000)
    assert seen[:900].max() == 1
    assert np.ptp(seen[900:910]) <= 1
    other = balanced_rows(groups, 32, seed=1, epoch=3)
    assert any((a != b).any() for a, b in zip(batches, other, strict=True))


def test_mistakes_come_as_often_as_asked():
    copies = np.where(np.arange(500) < 50, 10, 1)
    seen = sum(
        np.bincount(np.concatenate(repeated_rows(copies, 50, seed=0, epoch=e)), minlength=500)
        for e in range(40)
    )

    assert seen.sum() == 40 * 500
    assert seen[:50].mean() / seen[50:].mean() == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize("title", METHODS)
def test_names_of_methods_read_back(title):
    method = load_method(title)
    assert method.name == title
    assert load_method(method.name) == method


@pytest.mark.parametrize(
    ("name", "other"),
    [("camel(weight=1)", "camel(weight=1.0)"), ("gdro(c=2,eta=1e-3)", "gdro(c=2.0,eta=0.001)"),
     ("irm(weight=1000000)", "irm(weight=1e6)")],
)  # fmt: skip
def test_equal_methods_have_one_name(name, other):
    assert load_method(name) == load_method(other)
    assert load_method(name).name == load_method(other).name
    assert load_method(load_method(name).name) == load_method(name)


def test_whole_numbers_of_methods_stay_whole():
    assert load_method("irm(anneal=1000000)").name == "irm(anneal=1000000)"


def test_options_of_methods():
    method = load_method("CAMEL(c=0, weight=2.5, form=self)")

    assert method.name == "camel(c=0,weight=2.5,form=self)"
    assert load_method(method.name) == method


@pytest.mark.parametrize(
    ("name", "message"),
    [("camle", "camel"), ("camel(weight=-1)", "weight"), ("camel(form=js)", "triplet-js"),
     ("camel(reduction=max)", "sum, mean"), ("gdro(k=2)", "eta"), ("gdro(", "cannot read"),
     ("jtt(weight=-1)", "0 to")],
)  # fmt: skip
def test_names_that_are_none(name, message):
    with pytest.raises((UsageError, PolicyError), match=message):
        load_method(name)


def test_a_linear_model_forgets_what_an_exact_translator_flips():
    """Two Gaussians: x1 gives the class, x2 the subgroup. More consistency means less use of x2."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 150)
    spurious = np.where(rng.random(300) < 0.95, labels, 1 - labels)
    x = rng.normal(size=(300, 2)) + 2 * np.stack([labels, 1.5 * spurious], axis=1) - [1, 1.5]
    # Translation to a subgroup moves x2 to that subgroup; to the own one, it changes nothing.
    to = [x + np.stack([np.zeros(300), 3.0 * (z - spurious)], axis=1) for z in (0, 1)]
    views = torch.tensor(np.stack([x, *to], axis=1))
    target = torch.tensor(labels)

    def slope(weight):
        w = torch.zeros(2, 2, dtype=torch.float64, requires_grad=True)
        b = torch.zeros(2, dtype=torch.float64, requires_grad=True)
        steps = torch.optim.LBFGS([w, b], max_iter=60, line_search_fn="strong_wolfe")

        def loss():
            steps.zero_grad()
            log_p = (views @ w + b).log_softmax(dim=2)
            own = torch.nn.functional.nll_loss(log_p[:, 0], target)
            total = own + weight * consistency(log_p).mean()
            total.backward()
            return total

        steps.step(loss)
        return abs((w[1, 1] - w[1, 0]).item())

    slopes = [slope(weight) for weight in (0, 1, 10, 100)]

    assert slopes == sorted(slopes, reverse=True)
    assert slopes[-1] < 0.05 * slopes[0]
