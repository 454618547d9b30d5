"""An ensemble answers with the mean of its members' probabilities, or values."""

import pytest
import torch
from torch import nn

from automorph.models import Ensemble


def networks(outputs: int = 3) -> list[nn.Module]:
    torch.manual_seed(0)
    return [nn.Linear(4, outputs).eval() for _ in range(3)]


@pytest.mark.parametrize(
    ("target", "probability"),
    [
        ("classes", lambda logits: logits.softmax(1)),
        ("labels", torch.sigmoid),
        ("values", lambda values: values),
    ],
)
def test_probabilities_are_averaged(target, probability):
    members, inputs = networks(), torch.randn(5, 4)
    wanted = torch.stack([probability(member(inputs)) for member in members]).mean(0)
    found = probability(Ensemble(members, target)(inputs))
    assert torch.allclose(found, wanted, atol=1e-6)


def test_probabilities_of_pixels_are_averaged():
    torch.manual_seed(0)
    members = [nn.Conv2d(1, 3, 1) for _ in range(2)]
    inputs = torch.randn(2, 1, 4, 4)
    wanted = torch.stack([member(inputs).softmax(1) for member in members]).mean(0)
    assert torch.allclose(Ensemble(members, "masks")(inputs).softmax(1), wanted, atol=1e-6)


def test_one_member_answers_for_itself():
    [member, *_] = networks()
    inputs = torch.randn(5, 4)
    assert torch.allclose(
        Ensemble([member])(inputs).softmax(1), member(inputs).softmax(1), atol=1e-6
    )
