# SPDX-License-Identifier: Apache-2.0
"""The two float networks, and training with masks. Each module names its tensors as the workload's layers
are named, and `forward(x, record)` stores the real value of every layer's output under that name."""
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import data


class TokenLinear(nn.Linear):
    """nn.Linear over [samples, tokens, channels] as a 1x1 convolution on channel-last data, which oneDNN
    runs some 15 times as fast as the reference BLAS that Debian's torch is linked with."""

    def forward(self, x):
        samples, tokens, channels = x.shape
        x = x.reshape(samples, tokens, 1, channels).permute(0, 3, 1, 2)
        y = functional.conv2d(x, self.weight[:, :, None, None], self.bias)
        return y.permute(0, 2, 3, 1).reshape(samples, tokens, -1)


class Cnn(nn.Module):
    """5 convolutions with one residual sum, stride 2 once, 0.4 M weights; conv5 has K = 1152, N = 256."""
    name = "digits-cnn"
    title = "convolutional network (5 conv3x3 of 32, 32, 64, 128, 256 channels, 1 residual sum, 1 linear)"
    dense_layers = ("conv1",)                       # K = 9: stays dense
    dense_epochs, tune_epochs, rate = 24, 9, 2e-3

    def __init__(self):
        super().__init__()
        shapes = {"conv1": (1, 32, 1), "conv2": (32, 32, 1), "conv3": (32, 64, 2), "conv4": (64, 128, 1),
                  "conv5": (128, 256, 1)}
        self.engine = nn.ModuleDict({name: nn.Conv2d(c, n, 3, stride, 1)
                                     for name, (c, n, stride) in shapes.items()})
        self.engine["classify"] = nn.Linear(256, 10)

    @staticmethod
    def codes(images):
        return data.as_map(images)

    @staticmethod
    def real(codes):
        """Codes [n, 8, 8, 1] -> network input [n, 1, 8, 8]."""
        return torch.from_numpy(codes).permute(0, 3, 1, 2).float() * data.INPUT_SCALE

    def forward(self, x, record=None):
        keep = record if record is not None else {}
        e = self.engine
        keep["conv1"] = x = torch.relu(e["conv1"](x))
        keep["conv2"] = y = e["conv2"](x)
        keep["residual"] = x = torch.relu(x + y)
        keep["conv3"] = x = torch.relu(e["conv3"](x))
        keep["conv4"] = x = torch.relu(e["conv4"](x))
        keep["conv5"] = x = torch.relu(e["conv5"](x))
        keep["pool"] = x = functional.max_pool2d(x, 2)
        keep["average"] = x = x.mean(dim=(2, 3))
        keep["logits"] = x = e["classify"](x)
        return x


class Transformer(nn.Module):
    """Pre-norm encoder: 16 tokens of 2x2 pixels, width 64, 4 heads, feed-forward 256 with GELU."""
    name = "digits-transformer"
    title = "transformer encoder (16 tokens, width 64, 4 heads, 2 layers, feed-forward 256 with GELU)"
    dense_layers = ("embed",)                       # K = 4: stays dense
    dense_epochs, tune_epochs, rate = 90, 18, 1e-3
    tokens, width, heads, hidden, blocks = 16, 64, 4, 256, 2

    def __init__(self):
        super().__init__()
        self.engine = nn.ModuleDict({"embed": TokenLinear(4, self.width)})
        self.norm = nn.ModuleDict()
        for b in range(self.blocks):
            for part in ("query", "key", "value", "project"):
                self.engine[f"block{b}_{part}"] = TokenLinear(self.width, self.width)
            self.engine[f"block{b}_expand"] = TokenLinear(self.width, self.hidden)
            self.engine[f"block{b}_reduce"] = TokenLinear(self.hidden, self.width)
            self.norm[f"block{b}_norm1"] = nn.LayerNorm(self.width)
            self.norm[f"block{b}_norm2"] = nn.LayerNorm(self.width)
        self.norm["norm"] = nn.LayerNorm(self.width)
        self.engine["classify"] = nn.Linear(self.width, 10)
        self.position = nn.Parameter(torch.randn(self.tokens, self.width) * 0.1)

    @staticmethod
    def codes(images):
        return data.as_patches(images)

    @staticmethod
    def real(codes):
        return torch.from_numpy(codes).float() * data.INPUT_SCALE

    def split(self, x):
        return x.reshape(x.shape[0], self.tokens, self.heads, -1).transpose(1, 2)

    def merge(self, x):
        return x.transpose(1, 2).reshape(x.shape[0], self.tokens, -1)

    def forward(self, x, record=None):
        keep = record if record is not None else {}
        e, norm = self.engine, self.norm
        keep["embed"] = x = e["embed"](x)
        keep["position"] = x = x + self.position
        for b in range(self.blocks):
            n = f"block{b}_"
            keep[n + "norm1"] = y = norm[n + "norm1"](x)
            keep[n + "query"] = q = e[n + "query"](y)
            keep[n + "key"] = k = e[n + "key"](y)
            keep[n + "value"] = v = e[n + "value"](y)
            scores = self.split(q) @ self.split(k).transpose(2, 3) / math.sqrt(self.width / self.heads)
            keep[n + "scores"] = self.merge(scores)
            share = torch.softmax(scores, dim=-1)
            keep[n + "softmax"] = self.merge(share)
            keep[n + "attend"] = y = self.merge(share @ self.split(v))
            keep[n + "project"] = y = e[n + "project"](y)
            keep[n + "sum1"] = x = x + y
            keep[n + "norm2"] = y = norm[n + "norm2"](x)
            keep[n + "expand"] = y = e[n + "expand"](y)
            keep[n + "gelu"] = y = functional.gelu(y)
            keep[n + "reduce"] = y = e[n + "reduce"](y)
            keep[n + "sum2"] = x = x + y
        keep["norm"] = x = norm["norm"](x)
        keep["average"] = x = x.mean(dim=1)
        keep["logits"] = x = e["classify"](x)
        return x


MODELS = {cls.name: cls for cls in (Cnn, Transformer)}


def matrix(weight):
    """Weight as [N, K] with K in the order of the engine: (r, s, c)."""
    if weight.dim() == 4:
        weight = weight.permute(0, 2, 3, 1)
    return weight.reshape(weight.shape[0], -1)


def like(mask, weight):
    """Inverse of matrix() for a mask."""
    mask = torch.from_numpy(mask)
    if weight.dim() == 4:
        n, c, r, s = weight.shape
        return mask.reshape(n, r, s, c).permute(0, 3, 1, 2)
    return mask.reshape(weight.shape)


def prunable(model):
    """name -> float [N, K] of the layers that are pruned."""
    return {name: matrix(m.weight.detach()).double().numpy() for name, m in model.engine.items()
            if name not in model.dense_layers}


def apply_masks(model, masks):
    with torch.no_grad():
        for name, mask in masks.items():
            weight = model.engine[name].weight
            weight.mul_(like(mask, weight))


def train(model, images, labels, epochs, rate, seed, masks=None, batch=64):
    """Adam with a rate that falls as a cosine to zero, on images perturbed at random; masked weights are
    zero after every step."""
    y, generator = torch.from_numpy(labels), np.random.default_rng(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    steps_per_epoch = (len(y) + batch - 1) // batch
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * steps_per_epoch)
    masks = masks or {}
    apply_masks(model, masks)
    model.train()
    for _ in range(epochs):
        x = model.real(model.codes(data.perturbed(images, generator)))
        order = torch.from_numpy(generator.permutation(len(y)))
        for begin in range(0, len(y), batch):
            pick = order[begin:begin + batch]
            optimizer.zero_grad()
            functional.cross_entropy(model(x[pick]), y[pick], label_smoothing=0.05).backward()
            optimizer.step()
            schedule.step()
            apply_masks(model, masks)
    model.eval()


def float_accuracy(model, codes, labels):
    with torch.no_grad():
        return float((model(model.real(codes)).argmax(dim=1).numpy() == labels).mean())


def recorded(model, codes):
    """Layer name -> real output over `codes`, numpy float64."""
    record = {}
    with torch.no_grad():
        model(model.real(codes), record)
    return {name: value.double().numpy() for name, value in record.items()}
