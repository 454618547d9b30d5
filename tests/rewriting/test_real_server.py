"""Rewrites from a real server that speaks the protocol, of which every tenth answer is spoiled."""

from __future__ import annotations

import json

import pytest
from tiny_server import SENTENCE, SpoilingProxy, build_tiny_model, serving

from automorph import load_policy
from automorph.rewriting import Budget, Client, cost_of, rewrite
from automorph.text import Wording

pytestmark = pytest.mark.slow
TEXTS = [f"film {chr(97 + i % 26)}{i} was rather good in the end" for i in range(500)]


def test_500_texts_with_a_tenth_of_the_answers_spoiled(tmp_path, monkeypatch):
    pytest.importorskip("uvicorn")
    pytest.importorskip("fastapi")
    model = tmp_path / "model"
    build_tiny_model(model)
    monkeypatch.setenv("AUTOMORPH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    wording = Wording(str(model), "Rewrite this review in other words.")
    with serving(model, tmp_path / "server.log") as address:
        proxy = SpoilingProxy(address)
        with proxy.running() as spoiled:
            monkeypatch.setenv("OPENAI_BASE_URL", spoiled)
            announced, cached = cost_of(TEXTS, wording)
            assert (announced.requests, cached) == (500, 0)
            client = Client(Budget(), wait=lambda seconds: None)
            found = rewrite(TEXTS, wording, client, concurrency=4)
            again = rewrite(TEXTS, wording, Client(Budget()), concurrency=4)
            asked = len(proxy.requests)
    # None is lost, none is doubled.
    assert (found.texts, found.rewrites, found.failed, found.missing) == (500, 500, {}, 0)
    assert proxy.good == dict.fromkeys(TEXTS, 1)
    lines = [json.loads(line) for line in found.file.read_text("utf-8").splitlines()]
    assert [line["text"] for line in lines] == TEXTS
    assert all(line["paraphrases"] == [SENTENCE] for line in lines)
    # It costs what was announced, and a request more for each spoiled answer.
    spoiled_ones = asked - 500
    assert 50 <= spoiled_ones <= 60
    assert found.spent.requests == asked
    assert 0 < found.spent.completion <= announced.completion * asked / 500
    assert 0 < found.spent.prompt <= announced.prompt * asked / 500
    # The second call makes no request, and the table is used without the network.
    assert (again.spent.requests, again.cached, again.rewrites) == (0, 500, 500)
    monkeypatch.delenv("OPENAI_BASE_URL")
    policy = load_policy(f"llm(model={model},prompt={wording.prompt},p=1)")
    out = policy.augment(TEXTS[:8], seed=0).tolist()
    assert set(out) == {SENTENCE}
