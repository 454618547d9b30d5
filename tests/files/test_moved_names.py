"""Every public name of version 0.1 is still importable, with a warning if its package moved."""

import importlib
import json
import pickle
import warnings
from dataclasses import dataclass, replace
from inspect import signature
from pathlib import Path

import pytest

from automorph import _moved

NAMES = json.loads(Path(__file__).with_name("public_names_0_1.json").read_text())
MOVED = [room for room in NAMES if _moved.renamed(f"automorph.{room}")]


@pytest.mark.parametrize("room", NAMES)
def test_public_names_of_the_last_version_are_there(room):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old = importlib.import_module(f"automorph.{room}")
        missing = [name for name in NAMES[room] if not hasattr(old, name)]
    assert not missing


@pytest.mark.parametrize("room", MOVED)
def test_an_old_room_warns_and_gives_the_same_objects(room, monkeypatch):
    import sys

    monkeypatch.delitem(sys.modules, f"automorph.{room}", raising=False)
    with pytest.warns(DeprecationWarning, match=rf"automorph\.{room} is now automorph\."):
        old = importlib.import_module(f"automorph.{room}")
    new = importlib.import_module(_moved.renamed(f"automorph.{room}"))
    for name in set(NAMES[room]) & set(new.__all__):
        assert getattr(old, name) is getattr(new, name)


def test_a_module_of_an_old_room_follows_it(monkeypatch):
    import sys

    for name in ("automorph.adapters", "automorph.adapters.huggingface"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.warns(DeprecationWarning, match="is now automorph") as warned:
        from automorph.adapters.huggingface import transform
    from automorph.integrations import huggingface

    assert "integrations.huggingface" in str(warned[-1].message)
    assert transform is huggingface.transform


def test_a_name_that_moved_between_rooms_warns():
    from automorph import diagnostics, theory

    with pytest.warns(DeprecationWarning, match=r"automorph\.diagnostics\.explain"):
        assert theory.explain is diagnostics.explain


def test_old_names_of_tanda_warn():
    from automorph.policies import load_policy
    from automorph.searchers import tanda

    with pytest.warns(DeprecationWarning, match=r"tanda\.held_space is now .*discretized_space"):
        assert tanda.held_space is tanda.discretized_space
    with pytest.warns(DeprecationWarning, match="AdversarialJob"):
        job = tanda.AdversarialJob(space=None, settings=None, tail=load_policy("flip"))
    with pytest.warns(DeprecationWarning, match=r"AdversarialJob\.tail is now"):
        assert job.tail is job.post_policy
    with pytest.raises(AttributeError, match="no_such"):
        tanda.no_such  # noqa: B018


def test_what_never_existed_is_an_import_error():
    with pytest.raises(ModuleNotFoundError, match="no_such"):
        importlib.import_module("automorph.adapters.no_such")


@_moved.renamed_arguments(tail="post_policy")
def searched(*, post_policy="none", seed=0):
    return post_policy, seed


@_moved.renamed_attributes(tail="post_policy", story="history")
@_moved.renamed_arguments(tail="post_policy")
@dataclass(frozen=True, kw_only=True)
class Searched:
    post_policy: str = "none"

    def history(self):
        return {"post_policy": self.post_policy}


def test_an_old_keyword_of_a_function_warns_and_is_passed_on():
    with pytest.warns(
        DeprecationWarning, match=r"searched\(tail=\) is now .*change the call"
    ) as seen:
        assert searched(tail="crop", seed=1) == ("crop", 1)
    assert seen[0].filename == __file__
    with pytest.raises(TypeError, match="both tail= and post_policy=; pass post_policy="):
        searched(tail="crop", post_policy="flip")
    with pytest.raises(TypeError, match="other"):
        searched(other=1)


def test_new_keywords_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert searched(post_policy="crop") == ("crop", 0)
        assert Searched(post_policy="crop").history() == {"post_policy": "crop"}
    assert list(signature(searched).parameters) == ["post_policy", "seed"]
    assert list(signature(Searched).parameters) == ["post_policy"]


def test_old_fields_of_a_frozen_dataclass_warn():
    with pytest.warns(DeprecationWarning, match=r"Searched\(tail=\) is now") as seen:
        made = Searched(tail="crop")
    assert seen[0].filename == __file__
    assert made == Searched(post_policy="crop")
    assert pickle.loads(pickle.dumps(made)) == made
    with pytest.warns(DeprecationWarning, match=r"Searched\.tail is now Searched\.post_policy"):
        assert made.tail == "crop"
    with pytest.warns(DeprecationWarning, match=r"Searched\.story is now Searched\.history"):
        assert made.story() == {"post_policy": "crop"}
    with pytest.warns(DeprecationWarning, match="is now"):
        assert replace(made, tail="flip").post_policy == "flip"


def test_a_searcher_with_the_old_method_name_keeps_its_history():
    from automorph.searchers import Searcher

    with pytest.warns(DeprecationWarning, match=r"Old\.story is now .*Old\.history"):

        class Old(Searcher):
            ask = tell = result = None

            def story(self):
                return {"steps": 3}

    assert Old().history() == {"steps": 3}
