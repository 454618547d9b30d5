"""Rewrites by a language model: budget, cache, filters, and what goes wrong on the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_server import Scripted

from automorph import load_policy
from automorph.cli import main
from automorph.errors import DataError, PolicyError, UsageError
from automorph.rewriting import Budget, Client, cost_of, rewrite
from automorph.text import Wording

WORDING = Wording("tiny", "In other words: {text}")
TEXTS = [f"the film {'abcdefghij'[i]} was rather good" for i in range(10)]


def other(prompt, seed):
    """A rewrite that differs by text and seed."""
    return prompt.removeprefix("In other words: ").replace("was rather", f"is in way {seed}")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOMORPH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    return tmp_path


@pytest.fixture
def server(place, monkeypatch):
    one = Scripted(other)
    with one.running() as address:
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        yield one


def client(*limits, **options):
    return Client(Budget(*limits), wait=lambda seconds: None, **options)


def test_every_text_is_asked_once_and_the_table_replays(server, monkeypatch):
    wording = Wording("tiny", WORDING.prompt, n=2)
    assert cost_of(TEXTS, wording)[0].requests == 20
    found = rewrite([*TEXTS, TEXTS[0], " "], wording, client())
    assert (found.texts, found.rewrites, found.spent.requests) == (10, 20, 20)
    assert (found.spent.prompt, found.spent.completion) == (140, 100)
    assert cost_of(TEXTS, wording)[1] == 20
    assert rewrite(TEXTS, wording, client()).spent.requests == 0
    monkeypatch.delenv("OPENAI_BASE_URL")
    prompt = "In other words: {text}"
    policy = load_policy(f"llm(model=tiny,prompt={prompt},n=2,p=1)")
    out = policy.augment(TEXTS * 5, seed=0).tolist()
    assert all(
        new in (other(old, 0), other(old, 1)) for old, new in zip(TEXTS * 5, out, strict=True)
    )
    assert load_policy(policy.name) == policy


def test_spoiled_answers_are_asked_for_again(server):
    server.each = 3
    found = rewrite(TEXTS, WORDING, client(), concurrency=3)
    assert (found.rewrites, found.failed) == (10, {})
    assert set(server.good.values()) == {1}
    assert found.spent.requests == len(server.requests) > 10


def test_the_budget_is_kept_and_the_next_call_goes_on(server):
    found = rewrite(TEXTS, WORDING, client(4), concurrency=2)
    assert (found.spent.requests, found.missing, found.rewrites) == (4, 6, 4)
    most = cost_of(TEXTS, WORDING)[0].tokens // 6
    # What a request can cost is reserved, although it then costs less.
    found = rewrite(TEXTS, WORDING, client(None, most + 5), concurrency=1)
    assert (found.spent.tokens, found.missing) == (12, 5)
    assert rewrite(TEXTS, WORDING, client()).rewrites == 10
    assert len(server.requests) == 10


def test_half_a_line_of_a_killed_process_is_no_answer(server):
    rewrite(TEXTS[:5], WORDING, client())
    [file] = WORDING.table.with_suffix("").glob("*.jsonl")
    file.write_bytes(file.read_bytes()[:-20])
    assert rewrite(TEXTS[:6], WORDING, client()).spent.requests == 2
    assert rewrite(TEXTS, WORDING, client()).rewrites == 10


def test_a_refused_key_stops_at_once(server):
    server.status = 401
    with pytest.raises(DataError, match=r"status 401.*no such key.*OPENAI_API_KEY"):
        rewrite(TEXTS, WORDING, client(), concurrency=1)
    assert len(server.requests) == 1


def test_a_text_that_the_server_refuses_is_not_asked_again(server):
    server.status = 400
    found = rewrite(TEXTS, WORDING, client())
    assert sum(found.failed.values()) == found.spent.requests == 10
    assert not found.rewrites


def test_a_server_that_is_out_of_order_ends_the_call(server):
    server.status = 503
    with pytest.raises(DataError, match="requests in a row failed"):
        rewrite(TEXTS, WORDING, client(), concurrency=1)
    assert len(server.requests) == 20


WALK = "it took us 5 km of walks there"
ODD = {
    "the film was rather good": ('"The film was rather fine"', "The film was rather fine", ""),
    "a film of which I say no more": ("too short", None, "length"),
    "see <b>it</b> at example.org now": ("look at it at example.org now!", None, "protected"),
    "it took 5 km of walking there": (WALK, WALK, ""),
    "it is a very good film": ("it is a very good film", None, "repeated"),
    "nothing comes of this one": ("  ", None, "empty"),
    "this one does not end well": ("this one does not end wel…", None, "cut off"),
}  # fmt: skip


def test_what_is_no_rewrite_is_rejected_with_the_reason(place, monkeypatch):
    with Scripted(lambda text, seed: ODD[text][0]).running() as address:
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        found = rewrite(ODD, Wording("tiny", "Rewrite this"), client())
        checked = rewrite(
            ODD, Wording("tiny", "Rewrite this"), client(),
            check=lambda texts, others: [text.startswith("it") for text in texts],
        )  # fmt: skip
    reasons = [why for _, _, why in ODD.values() if why]
    assert found.rejected == dict.fromkeys(reasons, 1)
    assert checked.rejected == {**found.rejected, "label": 1}
    lines = map(json.loads, checked.file.read_text("utf-8").splitlines())
    assert [line["paraphrases"] for line in lines] == [["it took us 5 km of walks there"]]


def test_neither_address_nor_key_is_refused_and_they_are_in_no_file(place, monkeypatch):
    with pytest.raises(UsageError, match=r"OPENAI_BASE_URL.*OPENAI_API_KEY"):
        Client(Budget())
    monkeypatch.setenv("OPENAI_API_KEY", "very-secret")
    with Scripted(other).running() as address:
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        rewrite(TEXTS, WORDING, client())
    files = [one for one in (place / "cache").rglob("*") if one.is_file()]
    assert len(files) == 2
    for one in files:
        content = one.read_text("utf-8")
        assert "very-secret" not in content
        assert address not in content


def test_a_policy_without_its_table_says_how_to_make_it(place):
    with pytest.raises(PolicyError, match=r"automorph rewrite DATA --model tiny.*--dry-run"):
        load_policy("llm(model=tiny,prompt=Rewrite this)")


@pytest.mark.parametrize("wrong", [{"n": 0}, {"temperature": 3.0}, {"model": " "}])
def test_what_cannot_be_asked_is_refused(wrong):
    with pytest.raises(UsageError, match="expected"):
        Wording(**{"model": "tiny", "prompt": "Rewrite", **wrong})


def test_the_command_says_what_it_costs_and_then_costs_that(server, place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    rows = [f"{text},{'good' if i % 2 else 'bad'}" for i, text in enumerate(TEXTS * 4)]
    (place / "films.csv").write_text("review,verdict\n" + "\n".join(
        f"{row.split(',')[0]} {i},{row.split(',')[1]}" for i, row in enumerate(rows)))  # fmt: skip
    words = ["rewrite", "csv:films.csv", "--text", "review", "--label", "verdict", "--json",
             "--model", "tiny", "--prompt", WORDING.prompt, "--price", "1,2",
             "--out", "table.jsonl"]  # fmt: skip
    main([*words, "--dry-run"])
    announced = json.loads(capsys.readouterr().out)
    assert not server.requests
    assert announced["result"] is None
    main(words)
    result = json.loads(capsys.readouterr().out)["result"]
    assert result["requests"] == result["rewrites"] == announced["requests"] < 40
    assert result["price"] <= announced["most_price"]
    # The test part is not sent anywhere.
    assert len(server.requests) == announced["requests"]
    policy = load_policy("paraphrases(file=table.jsonl,p=1)")
    line = json.loads((place / "table.jsonl").read_text().splitlines()[0])
    assert policy.augment([line["text"]], seed=0).tolist() == line["paraphrases"]
    main([*words, "--dry-run"])
    assert json.loads(capsys.readouterr().out)["requests"] == 0


@pytest.mark.slow
def test_rewrites_of_another_class_are_rejected(server, place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    words = {"good": "great", "bad": "awful"}
    rows = [f"the {a} film {i} is {b} in the end,{a}" for i in range(40) for a, b in words.items()]
    (place / "films.csv").write_text("\n".join(["review,verdict", *rows]))
    data = ["csv:films.csv", "--text", "review", "--label", "verdict"]
    main(["train", *data, "--model", "bag-of-words", "--policy", "none", "--epochs", "30",
          "--out", "run", "--quiet"])  # fmt: skip
    # Every good film becomes a bad one.
    server.answer = lambda text, seed: text.replace("in the end", "after all").replace(
        "good", "bad").replace("great", "awful")  # fmt: skip
    capsys.readouterr()
    main(["rewrite", *data, "--model", "tiny", "--prompt", "Rewrite", "--check", "run", "--json"])
    result = json.loads(capsys.readouterr().out)["result"]
    lines = map(json.loads, Path(result["file"]).read_text("utf-8").splitlines())
    assert all(line["text"].startswith("the bad film") for line in lines)
    assert result["rejected"] == {"label": result["texts"] - result["rewrites"]}
    assert 0 < result["rewrites"] < result["texts"]
