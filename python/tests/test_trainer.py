"""Nets, objectives and the trainer."""

import pickle

import numpy as np
import pytest

import dasvdd
from conftest import rows


def net():
    return dasvdd.dense_autoencoder(8, [6, 2])


def encoder():
    return dasvdd.autoencoder([dasvdd.dense(8, 4, False), dasvdd.relu(), dasvdd.dense(4, 2, bias=False)])


def test_a_net_of_layers_is_the_ready_made_one(X):
    layers = dasvdd.autoencoder(
        [dasvdd.dense(8, 6), dasvdd.leaky_relu(), dasvdd.dense(6, 2), dasvdd.leaky_relu()],
        [dasvdd.dense(2, 6), dasvdd.leaky_relu(), dasvdd.dense(6, 8)],
    )
    results = []
    for made in (layers, net()):
        trainer = dasvdd.Trainer(made, epochs=2)
        trainer.fit(X)
        results.append(trainer.detector().score(X))
    assert np.array_equal(*results)
    assert (layers.inputs, layers.code, layers.has_decoder) == (8, 2, True)
    assert repr(pickle.loads(pickle.dumps(layers))) == repr(layers)


def test_images_nets(X):
    conv = dasvdd.conv2d((1, 8, 8), 3, 3, padding=1)
    pool = dasvdd.max_pool2d(conv.output_shape)
    assert conv.output_shape == (3, 8, 8) and pool.output_shape == (3, 4, 4)
    up = dasvdd.upsample_nearest2d((3, 4, 4))
    made = dasvdd.autoencoder(
        [conv, dasvdd.batch_norm(conv.output_shape), dasvdd.relu(), pool, dasvdd.dense(48, 4)],
        [dasvdd.dense(4, 48), up, dasvdd.conv_transpose2d(up.output_shape, 1, 3, padding=1), dasvdd.sigmoid()],
    )
    images = np.random.default_rng(0).random((50, 64), dtype=np.float32)
    trainer = dasvdd.Trainer(made, epochs=2, batch_size=16)
    trainer.fit(images)
    assert trainer.detector().reconstruct(images).shape == images.shape
    ready = dasvdd.conv_autoencoder((1, 8, 8), [3], 4)
    assert (ready.inputs, ready.code) == (64, 4)


def test_nets_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="takes 5 inputs, the layer before it gives 4"):
        dasvdd.autoencoder([dasvdd.dense(8, 4), dasvdd.dense(5, 2)])
    with pytest.raises(ValueError, match="the decoder gives 7"):
        dasvdd.autoencoder([dasvdd.dense(8, 2)], [dasvdd.dense(2, 7)])
    with pytest.raises(ValueError, match="expected one of|is 'swish'|swish"):
        dasvdd.activation("swish")
    with pytest.raises(ValueError, match="a layer is 3, expected"):
        dasvdd.autoencoder([3])
    with pytest.raises(ValueError, match="needs a net without biases"):
        dasvdd.Trainer(dasvdd.autoencoder([dasvdd.dense(8, 2)]), "deep_svdd")
    with pytest.raises(ValueError, match="expected dasvdd, reconstruction, deep_svdd or soft_boundary"):
        dasvdd.Trainer(net(), "best")
    with pytest.raises(ValueError, match="expected mnist"):
        dasvdd.paper_preset("letters")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("objective", ["dasvdd", "reconstruction", "deep_svdd", "soft_boundary_deep_svdd"])
def test_every_objective_trains_and_its_checkpoint_goes_on_to_the_same_bits(objective, dtype, X, tmp_path):
    def trainer():
        made = net() if objective in ("dasvdd", "reconstruction") else encoder()
        return dasvdd.Trainer(made, objective, dtype=dtype, epochs=6, warm_up=2, batch_size=50, standardize=True)

    whole = trainer()
    report = whole.fit(X)
    assert len(report.epochs) == 6 and report.epochs[-1].loss < report.epochs[0].loss and not report.stopped
    assert whole.detector().dtype == dtype

    half = trainer()
    half.fit(X, progress=lambda epoch: epoch.epoch < 3)
    half.save_checkpoint(tmp_path / "checkpoint.npz")
    others = [trainer(), trainer(), pickle.loads(pickle.dumps(half))]
    others[0].load_checkpoint(tmp_path / "checkpoint.npz")
    others[1].set_state(half.state())
    for other in others:
        other.partial_fit(X, 3)
        assert np.array_equal(other.detector().score(X), whole.detector().score(X))


def test_step_by_step(X):
    trainer = dasvdd.Trainer(net(), gamma=0.1)
    losses = [trainer.step(X).loss for _ in range(30)]
    assert losses[-1] < losses[0]
    assert trainer.detector(X).score(X).shape == (300,)
    with pytest.raises(ValueError, match="no detector before fit"):
        trainer.detector()


def test_parameters_go_out_and_in(X):
    a, b = dasvdd.Trainer(net(), epochs=2, gamma=0), dasvdd.Trainer(net(), seed=5, gamma=0)
    a.fit(X)
    parameters = a.parameters()
    assert parameters["encoder.0.weight"].shape == (6, 8) and len(parameters) == 8
    b.set_parameters(parameters)
    assert np.array_equal(b.detector(X).reconstruct(X), a.detector().reconstruct(X))
    with pytest.raises(ValueError, match="encoder.0.weight is of another shape"):
        b.set_parameters({"encoder.0.weight": np.zeros((8, 6))})
    with pytest.raises(ValueError, match="2 tensors, of which the net has 1"):
        b.set_parameters({"encoder.0.bias": np.zeros(6), "encoder.7.bias": np.zeros(6)})
    with pytest.raises(ValueError, match="belongs to another net"):
        dasvdd.Trainer(dasvdd.dense_autoencoder(8, [3])).set_state(a.state())


def test_validation_reports_and_presets():
    made, options = dasvdd.paper_preset("pima")
    assert options["epochs"] == 300 and (made.inputs, made.code) == (8, 4)
    trainer = dasvdd.Trainer(made, **{**options, "epochs": 40}, validation=0.2, patience=3, standardize=True)
    report = trainer.fit(rows(200))
    assert report.best_epoch >= 1 and report.epochs[0].validation_loss > 0
    assert report.center.shape == (4,) and report.gamma > 0 and report.threads >= 1
    assert report.healthy == (report.warnings == [])


def test_mixed_precision_runs_or_falls_back(X):
    trainer = dasvdd.Trainer(net(), epochs=2, precision="mixed")
    trainer.fit(X)
    assert trainer.detector().facts["precision"] in ("own", "amx", "avx512_bf16")


def test_gamma_rules():
    rule = dasvdd.GammaRule.mean_of_ratios(3).times(0.5)
    assert pickle.loads(pickle.dumps(rule)) == rule != dasvdd.GammaRule.value(2)
    assert repr(rule) == "GammaRule.mean_of_ratios(3).times(0.5)"
    assert hash(rule) == hash(pickle.loads(pickle.dumps(rule)))
