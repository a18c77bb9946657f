"""poolkit's pools inside a torch.nn.Sequential, trained for one step.

`spec.layer("torch")` is a torch.nn.Module like any other; it has no parameters.
"""

import numpy as np
import torch
from torch import nn

import poolkit as pk
from poolkit.tools.demo import photograph


def build() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 8, kernel_size=1, bias=False),
        nn.ReLU(),
        # The padding of TensorFlow and Keras, which torch.nn.MaxPool2d doesn't have.
        pk.MaxPool(3, 2, "same", layout="NCHW").layer("torch"),
        pk.AdaptiveAvgPool(6, layout="NCHW").layer("torch"),
        pk.GlobalAvgPool(layout="NCHW", keepdims=False).layer("torch"),  # no Flatten needed
        nn.Linear(8, 2, bias=False),
    )


def set_weights(model: nn.Sequential) -> None:
    """The same random weights in every example of this folder, so that their numbers can be compared."""
    random = np.random.default_rng(0)
    first, last = random.normal(size=(3, 8)), random.normal(size=(8, 2))
    with torch.no_grad():
        model[0].weight.copy_(torch.from_numpy(first.T[:, :, None, None]))
        model[-1].weight.copy_(torch.from_numpy(last.T))


def main() -> None:
    model = build()
    set_weights(model)
    photo = torch.from_numpy(photograph()).permute(0, 3, 1, 2)  # channels first
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    output = model(photo)
    loss = nn.functional.mse_loss(output, torch.ones(1, 2))
    loss.backward()
    optimizer.step()

    after = nn.functional.mse_loss(model(photo), torch.ones(1, 2))
    print(f"output {tuple(output.shape)}, loss {loss.item():.6f}, after one step {after.item():.6f}")


if __name__ == "__main__":
    main()
