"""from_torch() of tensors alone, which NumPy's arrays are, too; long/test_torch.py has modules."""

import numpy as np
import pytest

import dasvdd


@pytest.mark.parametrize("prefix", ["", "encoder."])
def test_a_module_of_a_state_dict_that_is_no_known_layer_is_named(prefix):
    numbers = {"0.weight": (3, 8), "1.weight": (8, 3)}
    tensors = {f"{prefix}{name}": np.zeros(shape, np.float32) for name, shape in numbers.items()}
    if prefix:
        tensors["decoder.0.weight"] = np.zeros((8, 8), np.float32)
    for extra, words in [
        ({"2.bias": 8}, "2 has bias alone"),
        ({"2.weight": 8, "2.bias": 8}, "2 has bias and weight alone"),  # LayerNorm
        ({"2.running_mean": 8}, "2 has running_mean alone"),
        ({"2.weight": (1, 1, 3, 3)}, "2 is a convolution"),
    ]:
        more = {f"{prefix}{name}": np.zeros(shape, np.float32) for name, shape in extra.items()}
        with pytest.raises(ValueError, match=f"from_torch: module {prefix}{words}"):
            dasvdd.from_torch(tensors | more, activation="relu")


def test_of_several_narrowest_layers_none_is_chosen():
    widths = [8, 10, 4, 4, 4, 10, 8]
    tensors = {f"{2 * i}.weight": np.zeros((n, d), np.float32) for i, (d, n) in enumerate(zip(widths, widths[1:]))}
    with pytest.raises(ValueError, match="has 3 layers that are the narrowest, expected one, the code: say by code="):
        dasvdd.from_torch(tensors, activation="relu")
    assert dasvdd.from_torch(tensors, activation="relu", code=6).net.code == 4
