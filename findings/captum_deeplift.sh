#!/bin/bash
# Captum 0.9.0 (torch 2.15.0): DeepLift and activations that it has no rule for.
#
# Good guess: DeepLift explains the difference to the baseline, whatever the activations; one that it has no rule for
# is an error, or a warning.
# Seen: for ReLU, ELU, Softplus and the like it does. GELU, SiLU, Hardswish, Mish, SELU and LayerNorm are passed over:
# the attributions are input times gradient (for a baseline of 0), and do not add up to the difference of
# the outputs. No message names them; only return_convergence_delta=True, which is off by default, shows it.
# So of a vision transformer, ConvNeXt, EfficientNet or MobileNetV3, "DeepLift" is another method under that name, and
# comparisons of methods compare a method with itself.
# Automorph does not use DeepLift.
#
# Exits with 0 while this holds, with 1 if it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
"$folder/env/bin/uv" pip install --quiet --python "$folder/env" \
    captum==0.9.0 torch==2.15.0 numpy==2.4.6
"$folder/env/bin/python" - <<'PYTHON'
import sys
import warnings

import captum
import torch
from captum.attr import DeepLift
from torch import nn

KNOWN = ("ReLU", "ELU", "LeakyReLU", "Softplus", "Sigmoid", "Tanh")
PASSED_OVER = ("GELU", "SiLU", "Hardswish", "Mish", "SELU", "LayerNorm")
print("captum", captum.__version__, "torch", torch.__version__)
as_seen = True
for name in KNOWN + PASSED_OVER:
    torch.manual_seed(0)
    layer = nn.LayerNorm(8) if name == "LayerNorm" else getattr(nn, name)()
    model = nn.Sequential(nn.Linear(6, 8), layer, nn.Linear(8, 3)).double().eval()
    inputs = (3 * torch.randn(4, 6).double()).requires_grad_()
    baseline = torch.zeros_like(inputs)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        given = DeepLift(model).attribute(inputs, baseline, target=0)
    (slope,) = torch.autograd.grad(model(inputs)[:, 0].sum(), inputs)
    wanted = (model(inputs) - model(baseline))[:, 0]
    missing = (wanted - given.sum(1)).abs().max().item()
    is_gradient = torch.allclose(given, slope * inputs, rtol=0, atol=1e-12)
    named = any(name in str(warning.message) for warning in said)
    print(f"{name:10} missing {missing:.4f}, input x gradient: {is_gradient}, a warning that names it: {named}")
    passed_over = name in PASSED_OVER
    as_seen &= is_gradient == passed_over and (missing > 0.01) == passed_over and not named
sys.exit(0 if as_seen else 1)
PYTHON
