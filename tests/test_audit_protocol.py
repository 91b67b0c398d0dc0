"""The audit as a protocol: models that exist already, stored arms, own learners, costs, cards."""

from __future__ import annotations

import numpy as np
import pytest

from unteach.audit import Arms, audit_arms
from unteach.core import BadInput, Corrupt, Rows, Untrusted, stream
from unteach.models import Logistic, NaiveBayes

# ---- arms from files


Y, PART = np.array([0, 1, 2, 0]), np.array(["forget", "forget", "retain", "holdout"])


def some(n, seed=0, k=3):
    return stream(seed, "logits").normal(size=(n, len(Y), k)).astype(np.float32)


def written(folder, arm, said, suffix="npy"):
    for k, one in enumerate(said):
        np.save(folder / f"{arm}-{k}.{suffix}", one)
    return folder / f"{arm}-*"


def test_logits_in_files_come_in_the_order_of_their_numbers(tmp_path):
    original, never, after = some(12), some(12, 1), some(12, 2)
    np.save(tmp_path / "whole.npy", after)
    np.savez(tmp_path / "many.npz", *never)
    arms = Arms.load(
        written(tmp_path, "original", original), tmp_path / "many.npz",
        unlearned=str(tmp_path / "whole.npy"), y=Y, part=PART,
    )  # fmt: skip
    assert np.array_equal(arms.original, original) and np.array_equal(arms.unlearned, after)
    assert np.array_equal(arms.retrained, never[::2]) and np.array_equal(arms.twin, never[1::2])
    folder = tmp_path / "own"
    folder.mkdir()
    written(folder, "m", never)
    assert np.array_equal(Arms.load(original, folder, y=Y, part=PART).twin, never[1::2])


def test_labels_become_codes_of_the_outputs():
    words = np.array(["b", "a", "c", "b"])
    arms = Arms.load(some(4), some(4, 1), y=words, part=PART)
    assert arms.y.tolist() == [1, 0, 2, 1]
    turned = Arms.load(some(4), some(4, 1), y=words, part=PART, classes=["c", "b", "a"])
    assert turned.y.tolist() == [1, 2, 0, 1]
    with pytest.raises(BadInput, match="no model answers for class"):
        Arms.load(some(4), some(4, 1), y=words, part=PART, classes=["c", "b", "z"])
    with pytest.raises(BadInput, match="give classes"):
        Arms.load(some(4), some(4, 1), y=np.array(["a", "a", "b", "a"]), part=PART)


def test_what_does_not_fit_is_said(tmp_path):
    first, more = written(tmp_path, "original", some(5)), written(tmp_path, "after", some(4))
    for given, said in (
        ({"retrained": tmp_path / "nothing-*"}, "no file matches"),
        ({"unlearned": more}, "4 unlearned models for 5 originals"),
        ({"retrained": some(5, k=4)}, "answer for 4 classes"),
        ({"retrained": np.full((5, 4, 3), np.nan)}, "not finite"),
        ({"retrained": some(5)[:, :2]}, "of 4 examples"),
        ({"y": None}, "say what the models are asked"),
        ({"retrained": []}, "is empty"),
    ):
        how = {"retrained": some(5, 1), "y": Y, "part": PART, **given}
        with pytest.raises(BadInput, match=said):
            Arms.load(first, **how)
    (tmp_path / "after-0.npy").rename(tmp_path / "after-7.npy")
    np.save(tmp_path / "after-8.npy", some(1)[0])
    with pytest.raises(BadInput, match="number the files of both arms alike"):
        Arms.load(first, some(5, 1), unlearned=more, y=Y, part=PART)
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY of another kind")
    with pytest.raises(Corrupt, match="broken"):
        Arms.load(tmp_path / "broken.npy", some(5), y=Y, part=PART)


def blobs(n=60, seed=0):
    rng = stream(seed, "blobs")
    y = np.arange(n) % 3
    x = rng.normal(size=(n, 2)) + np.array([[0, 0], [3, 0], [0, 3]])[y]
    return Rows(np.arange(n), {"x": x, "y": np.array(["no", "so", "yes"])[y]})


def test_saved_models_and_models_in_memory(tmp_path):
    records, held = blobs(), blobs(20, 1)
    held = Rows(held.ids + 100, dict(held.columns))
    models = {"a": [], "b": []}
    for k in range(5):
        for arm, start in (("a", 0), ("b", 6)):
            at = np.sort(np.r_[start:6, 6 + stream(k, "draw").permutation(54)[:40]])
            model = Logistic(C=10.0).fit(records.x[at], records.y[at])
            model.save(tmp_path / f"{arm}{k}.unteach")
            models[arm].append(model)
    how = {"records": records, "forget": records.ids[:6], "holdout": held}
    arms = Arms.load(tmp_path / "a*", tmp_path / "b*", **how)
    assert arms.original.shape == (5, 80, 3)
    assert (arms.part == "forget").sum() == 6 and (arms.part == "holdout").sum() == 20
    assert np.array_equal(Arms.load(models["a"], models["b"], **how).twin, arms.twin)
    assert arms.ids[-1] == 119
    two = NaiveBayes().fit(records.x[np.asarray(records.y) != "so"],
                           records.y[np.asarray(records.y) != "so"])  # fmt: skip
    with pytest.raises(BadInput, match=r"knows classes .* give classes"):
        Arms.load(models["a"], [two] * 4, **how)
    same = Arms.load(models["a"], [two] * 4, classes=["no", "so", "yes"], **how)
    assert same.retrained.shape[2] == 3
    with pytest.raises(BadInput, match="must be asked something"):
        Arms.load(models["a"], models["b"], y=Y, part=PART)


def test_pickles_need_a_word_of_their_own(tmp_path):
    import pickle

    from sklearn.linear_model import LogisticRegression

    from unteach.models import save

    records = blobs()
    plain = LogisticRegression().fit(records.x, records.y)
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(plain))
    how = {"records": records, "forget": [0, 1]}
    with pytest.raises(Untrusted):
        Arms.load(tmp_path / "m.pkl", [plain] * 4, **how)
    assert len(Arms.load(tmp_path / "m.pkl", [plain] * 4, allow_pickle=True, **how).original) == 1
    save(plain, tmp_path / "m.skops")
    assert len(Arms.load(tmp_path / "m.skops", [plain] * 4, **how).original) == 1


def test_checkpoints_of_a_network_of_ones_own(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    records = blobs()

    def net():
        return torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.ReLU(), torch.nn.Linear(4, 3))

    nets = []
    for k in range(6):
        torch.manual_seed(k)
        nets.append(net())
        save_file(nets[-1].state_dict(), tmp_path / f"n{k}.safetensors")
        torch.save(nets[-1].state_dict(), tmp_path / f"n{k}.pt")
    how = {"records": records, "forget": [0, 1], "module": net}
    arms = Arms.load(tmp_path / "*.safetensors", tmp_path / "*.safetensors", **how)
    with torch.no_grad():
        by_hand = nets[3](torch.tensor(records.x.tolist())).numpy()
    assert np.allclose(arms.original[3], by_hand)
    with pytest.raises(Untrusted, match="allow_pickle"):
        Arms.load(tmp_path / "*.pt", tmp_path / "*.safetensors", **how)
    pickled = Arms.load(tmp_path / "*.pt", tmp_path / "*.safetensors", allow_pickle=True, **how)
    assert np.array_equal(pickled.original, arms.original)
    with pytest.raises(BadInput, match="give module"):
        Arms.load(tmp_path / "*.safetensors", some(4), records=records, forget=[0])
    with pytest.raises(BadInput, match="does not fit"):
        Arms.load(tmp_path / "*.safetensors", tmp_path / "*.safetensors", records=records,
                  forget=[0], module=lambda: torch.nn.Linear(2, 3))  # fmt: skip


def test_a_checkpoint_of_a_training_of_ours_gives_its_parameters(tmp_path):
    torch = pytest.importorskip("torch")
    from unteach.models.checkpoint import Snapshot, write_snapshot

    net = torch.nn.Linear(2, 3)
    state = {k: v.detach().clone() for k, v in net.state_dict().items()}
    kept = Snapshot(state, {"step": torch.zeros(1)}, (1.0,), (), 3, "")
    write_snapshot(tmp_path / "t.safetensors", {"seed": 0}, kept)
    records = blobs()
    arms = Arms.load(tmp_path / "t.safetensors", some(1)[:, :1].repeat(60, 1), records=records,
                     forget=[0], module=lambda: torch.nn.Linear(2, 3))  # fmt: skip
    with torch.no_grad():
        said = net(torch.tensor(records.x.tolist())).numpy()
    assert np.allclose(arms.original[0], said)


def test_loaded_arms_are_audited_like_any(tmp_path):
    rng = stream(0, "arms")
    y, part = np.zeros(40, int), ["forget"] * 20 + ["holdout"] * 20

    def arm(shift, n):
        z = rng.normal(size=(n, 40, 2))
        z[:, :20, 0] += shift
        return z

    for name, said in (("original", arm(6, 16)), ("retrained", arm(0, 32)), ("done", arm(0, 16))):
        for k, one in enumerate(said):
            np.save(tmp_path / f"{name}{k}.npy", one)
    arms = Arms.load(tmp_path / "original*", tmp_path / "retrained*",
                     unlearned=tmp_path / "done*", y=y, part=part)  # fmt: skip
    report = audit_arms(arms, {"done": arms.unlearned, "nothing": arms.original}, permutations=99)
    assert report.valid and report["nothing"].judgement.kind == "distinguishable"
    assert report["done"].judgement.kind in ("inconclusive", "equivalent")
