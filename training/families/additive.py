"""Neural additive network (torch): one small ReLU network for each predictor, added up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from training.export import ExplainedGraph, additive_graph, relu_network_to_shape
from training.families import Sample

FILE_NAME = "additive.json"
WIDTH = 16
STEPS = 1000
BATCH = 2048
LEARNING_RATE = 3e-3
DECAY = 1e-3
SEED = 7


class Network(nn.Module):
    """
    Predictor i → w3_i · relu(w2_i · relu(w1_i · z_i + b1_i) + b2_i), its own constant if unknown.

    All predictors' layers are stacked, so that a batch is three matrix products. z is the
    standardised input, clipped to ±`REACH` standard deviations.
    """

    REACH = 4.0

    def __init__(self, mean: np.ndarray, scale: np.ndarray) -> None:
        super().__init__()
        k = len(mean)
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float32))
        # Kinks spread evenly over the input's range: every unit starts with something to say.
        kinks = torch.linspace(-2.5, 2.5, WIDTH).repeat(k, 1)
        signs = torch.tensor([1.0, -1.0]).repeat(WIDTH // 2).repeat(k, 1)
        self.w1 = nn.Parameter(signs.clone())
        self.b1 = nn.Parameter(-signs * kinks)
        self.w2 = nn.Parameter(torch.randn(k, WIDTH, WIDTH) * (1 / WIDTH) ** 0.5)
        self.b2 = nn.Parameter(torch.zeros(k, WIDTH))
        self.w3 = nn.Parameter(torch.randn(k, WIDTH) * 0.05)
        self.missing = nn.Parameter(torch.zeros(k))
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """X [n, k] with NaN → log-odds [n]."""
        unknown = torch.isnan(x)
        z = torch.where(unknown, self.mean, x)
        z = ((z - self.mean) / self.scale).clip(-self.REACH, self.REACH)
        hidden = torch.relu(z[:, :, None] * self.w1 + self.b1)
        hidden = torch.relu(torch.einsum("nki,kio->nko", hidden, self.w2) + self.b2)
        shapes = (hidden * self.w3).sum(dim=2)
        return torch.where(unknown, self.missing, shapes).sum(dim=1) + self.bias


class Additive:
    """A fitted additive network."""

    file_name = FILE_NAME

    def __init__(self, network: Network) -> None:
        self.network = network.double().eval()
        self.parameters = {
            "width": WIDTH,
            "steps": STEPS,
            "batch": BATCH,
            "learning_rate": LEARNING_RATE,
            "weight_decay": DECAY,
            "seed": SEED,
        }

    def log_odds(self, x: pd.DataFrame) -> np.ndarray:
        """Log-odds [n], computed by torch in float64."""
        rows = torch.tensor(x.to_numpy(np.float32), dtype=torch.float64)
        with torch.no_grad():
            return torch.cat([self.network(part) for part in rows.split(8192)]).numpy()

    def graph(self, background: np.ndarray, intercept: float, slope: float) -> ExplainedGraph:
        """Exact: a ReLU network of one input is a broken line."""
        net = {name: value.numpy() for name, value in self.network.state_dict().items()}
        shapes = []
        for i in range(background.shape[1]):
            mean, scale, reach = net["mean"][i], net["scale"][i], Network.REACH
            # First layer: clip((x - mean) / scale) = relu(z + reach) - relu(z - reach) - reach.
            slope_in = np.full((2, 1), 1 / scale)
            bias_in = np.array([reach, -reach]) - mean / scale
            w1, b1 = net["w1"][i], net["b1"][i]
            shapes.append(
                relu_network_to_shape(
                    [slope_in, np.column_stack([w1, -w1]), net["w2"][i].T, net["w3"][i][None]],
                    [bias_in, b1 - w1 * reach, net["b2"][i], np.zeros(1)],
                    missing=float(net["missing"][i]),
                )
            )
        return additive_graph(
            shapes,
            constant=float(net["bias"]),
            background=background,
            intercept=intercept,
            slope=slope,
        )

    def save(self, folder: Path) -> None:
        """Write all numbers as JSON."""
        state = {name: value.tolist() for name, value in self.network.state_dict().items()}
        (folder / FILE_NAME).write_text(json.dumps(state))


def fit(sample: Sample, monotone: Mapping[str, int]) -> Additive:
    """
    Fit a neural additive network.

    Parameters
    ----------
    sample : Sample
        What to learn from.
    monotone : mapping of str to int
        Not used: this family does not constrain directions.

    Returns
    -------
    Additive
        The fitted network.
    """
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # the layers are small: threads would mostly wait for each other
    used = sample.weight > 0
    x = sample.x.to_numpy(np.float32)[used]
    network = Network(np.nan_to_num(np.nanmean(x, axis=0)), _scale(x))
    prevalence = np.average(sample.y, weights=sample.weight)
    nn.init.constant_(network.bias, float(np.log(prevalence / (1 - prevalence))))
    rows, y, weight, offset = (
        torch.from_numpy(np.asarray(a, np.float32))
        for a in (x, sample.y[used], sample.weight[used], sample.offset[used])
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=STEPS)
    for _ in range(STEPS):
        batch = torch.randint(len(rows), (BATCH,))
        optimiser.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(
            network(rows[batch]) + offset[batch], y[batch], weight=weight[batch]
        )
        loss.backward()
        optimiser.step()
        schedule.step()
    return Additive(network)


def load(folder: Path) -> Additive:
    """Read what `Additive.save` wrote."""
    state = json.loads((folder / FILE_NAME).read_text())
    network = Network(np.array(state["mean"]), np.array(state["scale"])).double()
    network.load_state_dict({k: torch.tensor(v, dtype=torch.float64) for k, v in state.items()})
    return Additive(network)


def _scale(x: np.ndarray) -> np.ndarray:
    """Standard deviations; 1 where a column is constant or unknown for everybody."""
    scale = np.nan_to_num(np.nanstd(x, axis=0))
    return np.where(scale > 0, scale, 1.0)
