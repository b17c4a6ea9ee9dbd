"""Detectors as PyTorch modules, and PyTorch's autoencoders as detectors."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn

import dasvdd
import dasvdd.torch
from conftest import rows


def agree(detector, X):
    """The module's scores are the detector's to 1e-5, and so are its decisions away from the threshold."""
    X = np.asarray(X, dtype=detector.dtype)
    module = dasvdd.torch.from_detector(detector)
    with torch.no_grad():
        scores = module(torch.tensor(X)).numpy()
        labels = module.predict(torch.tensor(X)).numpy()
    expected = detector.score(X)
    assert scores.dtype == expected.dtype
    np.testing.assert_allclose(scores, expected, rtol=1e-5)
    clear = np.abs(expected - detector.threshold) > 1e-5 * detector.threshold
    assert np.array_equal(labels[clear], detector.predict(X)[clear])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ensembles_of_tables(dtype):
    X = rows(400, 12, dtype=dtype)
    agree(dasvdd.fit(X, steps=300, ensemble_size=3), X)


@pytest.mark.parametrize("kind", ["objects", "photographs"])
def test_ensembles_of_images(kind):
    X = np.random.default_rng(0).random((200, 3 * 64), dtype=np.float32)
    agree(dasvdd.fit_images(X, epochs=1, ensemble_size=2, kind=kind), X)


@pytest.mark.parametrize("score", ["published", "balanced", "whitened", "latent_whitened"])
def test_convolutional_nets(score):
    X = np.random.default_rng(0).random((200, 64), dtype=np.float32)
    trainer = dasvdd.Trainer(dasvdd.conv_autoencoder((1, 8, 8), [4, 2], 6), epochs=3, batch_size=32, score=score)
    trainer.fit(X)
    agree(trainer.detector(), X)


@pytest.mark.parametrize("name", ["relu", "elu", "selu", "gelu", "silu", "softplus", "tanh", "sigmoid", "leaky_relu"])
def test_every_activation(name):
    X = rows(100)
    trainer = dasvdd.Trainer(dasvdd.dense_autoencoder(8, [6, 3], None, name, name), epochs=2, standardize=True)
    trainer.fit(X)
    agree(trainer.detector(), X)


def test_nets_without_a_decoder():
    X = rows(100)
    encoder = dasvdd.autoencoder([dasvdd.dense(8, 6, False), dasvdd.relu(), dasvdd.dense(6, 2, False)])
    trainer = dasvdd.Trainer(encoder, "deep_svdd", epochs=3)
    trainer.fit(X)
    agree(trainer.detector(), X)


def test_a_file_is_loaded_and_gradients_flow(tmp_path):
    X = rows(100)
    detector = dasvdd.fit(X, steps=50, ensemble_size=2)
    detector.save(tmp_path / "model")
    module = dasvdd.torch.load(tmp_path / "model")
    x = torch.tensor(X[:3], requires_grad=True)
    module(x).sum().backward()
    assert x.grad.abs().sum() > 0
    assert not module.training and len(module.calibration) == len(detector.calibration)


def sequential():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3), nn.ReLU(), nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 8)
    ).eval()


class Halves(nn.Module):
    """Convolutions, batch norm and shapes, with an encoder and a decoder."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.LeakyReLU(0.2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 5)
        )
        self.decoder = nn.Sequential(
            nn.Linear(5, 64),
            nn.BatchNorm1d(64),
            nn.Dropout(),
            nn.Unflatten(1, (4, 4, 4)),
            nn.Upsample(scale_factor=2),
            nn.ConvTranspose2d(4, 1, 3, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        code = self.encoder(x)
        return code, self.decoder(code)


def squared_residuals(output, X):
    return ((output.detach().numpy().reshape(X.shape) - X) ** 2).mean(axis=1)


@pytest.mark.parametrize("as_state_dict", [False, True])
def test_a_sequential_becomes_a_detector(as_state_dict):
    net, X = sequential(), rows(200)
    given, options = (net.state_dict(), dict(activation="relu")) if as_state_dict else (net, {})
    detector = dasvdd.from_torch(given, X, **options)
    np.testing.assert_allclose(detector.score(X), squared_residuals(net(torch.tensor(X)), X), rtol=1e-5)
    np.testing.assert_allclose(detector.encode(X), net[:4](torch.tensor(X)).detach().numpy(), rtol=1e-4, atol=1e-6)
    assert detector.threshold == pytest.approx(np.quantile(detector.score(X), 0.99), rel=0.05)
    two = {f"{'encoder' if int(k[0]) < 4 else 'decoder'}.{int(k[0]) % 4}.{k[2:]}": v for k, v in net.state_dict().items()}
    assert np.array_equal(dasvdd.from_torch(two, X, activation="relu").score(X), detector.score(X))


def test_center_gamma_and_scale_are_taken():
    net, X = sequential().double(), rows(200, dtype=np.float64)
    mean, scale = X.mean(axis=0), X.std(axis=0)
    detector = dasvdd.from_torch(net, X, gamma=0.5, mean=mean, scale=scale, center=[1.0, 2.0, 3.0])
    scaled = (X - mean) / scale
    code = net[:4](torch.tensor(scaled)).detach().numpy()
    expected = squared_residuals(net(torch.tensor(scaled)), scaled) + 0.5 * ((code - [1, 2, 3]) ** 2).sum(axis=1)
    assert detector.dtype == np.float64
    np.testing.assert_allclose(detector.score(X), expected, rtol=1e-9)


def test_images_with_batch_norm_become_a_detector():
    net = Halves()
    images = np.random.default_rng(0).random((100, 64), dtype=np.float32)
    net(torch.tensor(images).reshape(-1, 1, 8, 8))  # batch norm's running statistics
    net.eval()
    code, output = net(torch.tensor(images).reshape(-1, 1, 8, 8))
    detector = dasvdd.from_torch(net, images, gamma=0.3, input_shape=(1, 8, 8))
    z = code.detach().numpy()
    expected = squared_residuals(output, images) + 0.3 * ((z - z.mean(axis=0)) ** 2).sum(axis=1)
    np.testing.assert_allclose(detector.score(images), expected, rtol=1e-5)
    agree(detector, images)


def test_without_rows_there_is_a_trainer_that_goes_on():
    X = rows(200)
    trainer = dasvdd.from_torch(sequential())
    before = trainer.detector(X).score(X).mean()
    trainer.partial_fit(X, 30)
    assert trainer.detector().score(X).mean() < before


def test_what_cannot_be_taken_is_said():
    X = rows(50)
    with pytest.raises(ValueError, match="a layer is LSTM"):
        dasvdd.from_torch(nn.Sequential(nn.Linear(8, 3), nn.LSTM(3, 8)), X, code=1)
    with pytest.raises(ValueError, match="name the activation"):
        dasvdd.from_torch(sequential().state_dict(), X)
    with pytest.raises(ValueError, match="expected input_shape"):
        dasvdd.from_torch(Halves(), X)
    with pytest.raises(ValueError, match="expected Sequential's names"):
        dasvdd.from_torch({"fc1.weight": torch.zeros(3, 8)}, X)
    with pytest.raises(ValueError, match="approximate"):
        dasvdd.from_torch(nn.Sequential(nn.Linear(8, 3), nn.GELU("tanh"), nn.Linear(3, 8)), X)


def test_batch_norm_without_weights_is_taken_from_a_state_dict():
    torch.manual_seed(0)
    norm, X = nn.BatchNorm1d(6, affine=False), rows(200)
    net = nn.Sequential(nn.Linear(8, 6), norm, nn.ReLU(), nn.Linear(6, 3), nn.Linear(3, 8))
    net(torch.tensor(X))  # running statistics
    net.eval()
    detector = dasvdd.from_torch(net.state_dict(), X, activation="relu")
    np.testing.assert_allclose(detector.score(X), squared_residuals(net(torch.tensor(X)), X), rtol=1e-5)


@pytest.mark.parametrize("as_state_dict", [False, True])
def test_of_several_narrowest_layers_none_is_chosen(as_state_dict):
    def given(*widths):
        layers = [layer for pair in zip(widths, widths[1:]) for layer in (nn.Linear(*pair), nn.ReLU())]
        net = nn.Sequential(*layers[:-1])
        return net.state_dict() if as_state_dict else net

    with pytest.raises(ValueError, match="has 3 layers that are the narrowest, expected one, the code: say by code="):
        dasvdd.from_torch(given(8, 10, 4, 4, 4, 10, 8), activation="relu")
    trainer = dasvdd.from_torch(given(8, 10, 4, 4, 4, 10, 8), activation="relu", code=6)
    assert trainer.net.code == 4 and "encoder.4.weight" in trainer.parameters() and "decoder.4.weight" in trainer.parameters()
    # The output is no code, however narrow.
    assert dasvdd.from_torch(given(4, 6, 4, 6, 4), activation="relu").net.code == 4
    assert dasvdd.from_torch(given(2, 6, 3, 6, 2), activation="relu").net.code == 3
    with pytest.raises(ValueError, match="no Linear layer to make the code"):
        dasvdd.from_torch(given(8, 8), activation="relu")
