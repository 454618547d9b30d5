"""Fast AutoAugment: density matching per example, the folds, and the merge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bandit import conduct, setting
from small_task import small_task

from automorph.errors import AutomorphError
from automorph.experiments import JobResult
from automorph.operations import named_space
from automorph.policies import load_policy
from automorph.searchers.child_training import TrainJob
from automorph.searchers.fast_autoaugment import Density, FastAutoAugment, density

NONE = load_policy("none")
TASK = small_task(epochs=4, n=200)
NETWORK = TrainJob(policy=NONE, fold=0, keep=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("search")


@pytest.fixture(scope="module")
def trained(folder):
    return NETWORK.run(TASK, folder)


def score(folder, policy="none", **options) -> JobResult:
    return Density(policy=load_policy(policy), post_policy=NONE, network=NETWORK, **options).run(
        TASK, folder
    )


def test_passes_are_reduced_example_by_example():
    rng = np.random.default_rng(0)
    losses, right = rng.random((3, 7)).astype(np.float32), rng.random((3, 7)) < 0.3
    found = density(losses, right)
    any_right = [any(right[p, i] for p in range(3)) for i in range(7)]
    assert found["any"] == pytest.approx(np.mean(any_right))
    assert found["loss"] == pytest.approx(-losses.astype(float).mean())


def test_a_policy_that_does_nothing_scores_the_clean_accuracy(folder, trained):
    found = score(folder)
    assert found.score == found.facts["any"] == found.facts["accuracy"] == trained.score
    assert -found.facts["loss"] == pytest.approx(trained.facts["loss"], rel=1e-5)
    held_out = NETWORK.task(TASK).data.parts["validation"]
    assert found.units.forward == 5 * len(held_out)
    assert found.units.backward == 0


def test_more_passes_find_more_right(folder, trained):
    scores = [score(folder, "randaugment(n=2,m=20)", passes=p).score for p in (1, 2, 5, 9)]
    assert scores == sorted(scores)
    assert scores[0] < scores[-1] <= 1


def test_destruction_scores_less(folder, trained):
    for kind in ("any", "loss"):
        gentle, harsh = (
            score(folder, policy, score=kind, passes=2).score
            for policy in ("composition(n=1,p=0.2)", "composition(n=4,p=1,low=1,high=1)")
        )
        assert gentle > harsh


def test_the_tail_is_done_after_the_policy(folder, trained):
    post_policy = load_policy("cutout(4)")
    alone = Density(policy=NONE, post_policy=post_policy, network=NETWORK).run(TASK, folder)
    assert alone.facts["accuracy"] == score(folder, "cutout(4)").facts["accuracy"]
    assert alone.facts["accuracy"] < score(folder).facts["accuracy"]


def test_weights_that_are_not_here_are_trained_here(folder, trained, tmp_path):
    there, here = (score(place, "randaugment(n=1,m=9)").facts for place in (folder, tmp_path))
    assert there == here


def fast(trials=20, **options) -> FastAutoAugment:
    space = named_space("randaugment")
    options = {"subpolicies": 2, "length": 1, **options}
    return FastAutoAugment(setting(TASK, trials, space=space), **options)


def test_a_fold_is_trained_once_and_then_asked_of_in_turn():
    search = fast(23, folds=2)
    networks = search.ask()
    assert len({job.key for job in networks}) == 2
    assert all(job.keep and job.policy == NONE for job in networks)
    search.tell([JobResult(0.9)] * 2)
    counts = [0, 0]
    while jobs := search.ask():
        for job in jobs:
            counts[[n.key for n in networks].index(job.network.key)] += 1
        search.tell([JobResult(0.1)] * len(jobs))
    assert sorted(counts) == [11, 12]
    assert search.share() == 1


def test_few_trials_mean_few_folds():
    assert [len(fast(trials).ask()) for trials in (4, 20, 49, 50, 500)] == [1, 2, 4, 5, 5]


def test_the_best_of_every_fold_are_joined_without_repeats():
    search = fast(24, folds=2, top=2, subpolicies=3)
    search.ask()
    search.tell([JobResult(0.9)] * 2)
    tried = [[], []]
    for trial in range(12):
        jobs = search.ask()
        for fold in (0, 1):
            tried[fold].append(jobs[fold].policy)
        search.tell([JobResult(float(trial)), JobResult(-float(trial))])
    wanted = []
    for policy in (tried[0][11], tried[0][10], tried[1][0], tried[1][1]):
        seen = set()
        for subpolicy in policy.subpolicies:
            names = tuple(step.operation for step in subpolicy)
            wanted += [subpolicy] * (names not in seen)
            seen.add(names)
    assert search.result().subpolicies == tuple(wanted)


def test_a_fold_that_failed_is_left_out():
    search = fast(20, folds=2)
    search.ask()
    search.tell([JobResult(float("-inf"), error="out of luck"), JobResult(0.5)])
    (job,) = search.ask()
    assert job.network.key == search.network(1).key
    search.tell([JobResult(0.5)])
    assert len(search.result().subpolicies) >= 1
    hopeless = fast(20, folds=1)
    hopeless.ask()
    hopeless.tell([JobResult(float("-inf"))])
    assert hopeless.ask() == []
    assert hopeless.result().subpolicies == ()


def test_options_that_make_no_sense_are_refused():
    for options in ({"score": "luck"}, {"folds": 0}, {"passes": 0}):
        with pytest.raises(AutomorphError, match="fast-autoaugment got"):
            fast(**options)
    mixing = replace(setting(TASK, 20), post_policy=load_policy("flip + mixup"))
    with pytest.raises(AutomorphError, match="mixes labels"):
        FastAutoAugment(mixing)


def test_from_end_to_end_it_prefers_what_the_networks_know(tmp_path):
    search = fast(12, folds=1, score="loss")
    assert conduct(search, TASK, tmp_path) == 13
    best = search.tried[0][int(np.argmax(search.scores[0]))]
    assert set(best.subpolicies) <= set(search.result().subpolicies)
