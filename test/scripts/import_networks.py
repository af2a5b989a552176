# SPDX-License-Identifier: Apache-2.0
"""Networks of torch that the tests of the import lower: each has what the others have not."""
import torch
import torch.nn.utils.prune
from torch import nn


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.embed = nn.Linear(6, 24)
        self.qkv, self.out, self.norm = nn.Linear(24, 72), nn.Linear(24, 24), nn.LayerNorm(24)
        self.up, self.down, self.head = nn.Linear(24, 40), nn.Linear(40, 24), nn.Linear(24, 5)
    def forward(self, x):
        x = self.embed(x)
        b, t, c = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(b, t, 3, 2, 12).permute(2, 0, 3, 1, 4)
        share = (q @ k.transpose(-2, -1) / 12 ** 0.5).softmax(-1)
        x = x + self.out((share @ v).transpose(1, 2).reshape(b, t, c))
        x = x + self.down(nn.functional.silu(self.up(x)))
        return self.head(x.mean(1))


class Encoder(nn.Module):
    def __init__(self, before=True):
        super().__init__()
        torch.manual_seed(4)
        layer = nn.TransformerEncoderLayer(24, 3, 32, batch_first=True, norm_first=before, activation="gelu")
        self.embed, self.encoder, self.head = nn.Linear(6, 24), nn.TransformerEncoder(layer, 1), nn.Linear(24, 5)
        self.position = nn.Parameter(torch.randn(1, 7, 24) * 0.2)
    def forward(self, x):
        return self.head(self.encoder(self.embed(x) + self.position).mean(1))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(5)
        self.a, self.b = nn.Conv2d(3, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8)
        self.c = nn.Conv2d(8, 8, 3, 2, 1)
        self.d, self.e = nn.Conv2d(8, 8, 1, 2), nn.BatchNorm2d(8)
        self.f = nn.Linear(8 * 4 * 4, 5)
        with torch.no_grad():
            self.b.running_var.uniform_(0.5, 2), self.b.running_mean.uniform_(-1, 1)
            self.e.running_var.uniform_(0.5, 2), self.e.weight.uniform_(-1, 1)
    def forward(self, x):
        x = nn.functional.relu6(self.b(self.a(x)))
        x = torch.relu(self.c(x) - self.e(self.d(x)))
        return self.f(x.flatten(1))


class Mixed(nn.Module):
    # Groups, depthwise, concatenation, repeated pixels, windows of averages, gating, a batch norm of its own.
    def __init__(self):
        super().__init__()
        torch.manual_seed(8)
        self.a, self.b = nn.Conv2d(3, 8, 3, 1, 1), nn.Conv2d(8, 8, 3, 2, 1, groups=8)
        self.c, self.d, self.g = nn.Conv2d(8, 16, 3, 1, 1, groups=4), nn.Conv2d(8, 32, 1), nn.Conv2d(24, 8, 1)
        self.n, self.e, self.f = nn.BatchNorm2d(32), nn.Conv2d(32, 12, 1), nn.Linear(12, 5)
        with torch.no_grad():
            self.n.running_var.uniform_(0.5, 2), self.n.running_mean.uniform_(-1, 1)
    def forward(self, x):
        x = torch.relu(self.a(x))
        y = torch.relu(self.b(x))
        y = torch.cat([torch.relu(self.c(y)), y], 1)
        y = torch.cat([nn.functional.max_pool2d(y, 3, 1, 1), self.g(y)], 1)     # without and with sign
        y = torch.cat([y], 1)
        z = nn.functional.interpolate(nn.functional.max_pool2d(torch.relu(self.d(x)), 3, 2, 1), scale_factor=2)
        z = nn.functional.avg_pool2d(z, 2, 2)
        x = torch.relu(self.n(y + z)) * torch.sigmoid(y)
        return self.f(torch.relu(self.e(x)).mean((2, 3)))


class Vit(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(9)
        self.patch, self.token = nn.Conv2d(3, 16, 4, 4), nn.Parameter(torch.randn(1, 1, 16))
        self.norm, self.mix, self.head = nn.LayerNorm(16), nn.MultiheadAttention(16, 2, batch_first=True), nn.Linear(16, 5)
    def forward(self, x):
        x = self.patch(x).reshape(x.shape[0], 16, 4).permute(0, 2, 1)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1)
        y = self.norm(x)
        x = x + self.mix(y, y, y, need_weights=False)[0]
        return self.head(x[:, 0])


class RmsNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(width) + 0.5)
    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))


def turned(x):
    half = x.shape[-1] // 2
    return torch.cat((-x[..., half:], x[..., :half]), dim=-1)


class Llama(nn.Module):
    # A block as Hugging Face writes it: RMS norm, rotary embedding, grouped-query attention, causal mask, SwiGLU; pruned.
    def __init__(self, theta=10000.0, bad=""):
        super().__init__()
        torch.manual_seed(11)
        self.embed, self.n1, self.n2, self.n3 = nn.Linear(6, 32), RmsNorm(32), RmsNorm(32), RmsNorm(32)
        self.q, self.k, self.v = nn.Linear(32, 32, False), nn.Linear(32, 16, False), nn.Linear(32, 16, False)
        self.o, self.gate, self.up = nn.Linear(32, 32, False), nn.Linear(32, 64, False), nn.Linear(32, 64, False)
        self.down, self.head, self.theta, self.bad = nn.Linear(64, 32, False), nn.Linear(32, 5, False), theta, bad
        for module in (self.q, self.k, self.v, self.o, self.gate, self.up, self.down):
            nn.utils.prune.l1_unstructured(module, "weight", 0.6)
            nn.utils.prune.remove(module, "weight")
    def forward(self, x):
        x = self.embed(x)
        b, t, c = x.shape
        frequency = 1.0 / self.theta ** (torch.arange(0, 8, 2).float() / 8)
        if self.bad == "angles":
            frequency = frequency * torch.tensor([1.0, 0.7, 1.0, 1.0])
        angles = torch.outer(torch.arange(t).float(), frequency)
        cos, sin = torch.cat((angles, angles), -1).cos()[None, None], torch.cat((angles, angles), -1).sin()[None, None]
        y = self.n1(x)
        q, k, v = (f(y).view(b, t, -1, 8).transpose(1, 2) for f in (self.q, self.k, self.v))
        q, k = q * cos + turned(q) * sin, k * cos + turned(k) * sin
        k, v = (z[:, :, None].expand(b, 2, 2, t, 8).reshape(b, 4, t, 8) for z in (k, v))
        scores = q @ k.transpose(2, 3) / 8 ** 0.5
        mask = torch.full((t, t), torch.finfo(torch.float32).min).triu(2 if self.bad == "mask" else 1)
        if self.bad == "unused":
            return (scores + mask)[:, 0, :, 0]
        share = (scores + mask).softmax(-1)
        x = x + self.o((share @ v).transpose(1, 2).reshape(b, t, 32))
        y = self.n2(x)
        x = x + self.down(nn.functional.silu(self.gate(y)) * self.up(y))
        if self.bad == "repeated":
            return k.mean((1, 3))
        return self.head(self.n3(x)[:, -1])


class Hidden(nn.Module):
    # A causal mask by masked_fill, and an RMS norm as a division without factors.
    def __init__(self):
        super().__init__()
        torch.manual_seed(12)
        self.embed, self.qkv, self.head = nn.Linear(6, 24), nn.Linear(24, 72), nn.Linear(24, 5)
    def forward(self, x):
        x = self.embed(x)
        b, t, c = x.shape
        x = x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-5)
        q, k, v = self.qkv(x).reshape(b, t, 3, 2, 12).permute(2, 0, 3, 1, 4)
        later = torch.ones(t, t).triu(1).bool()
        share = (q @ k.transpose(-2, -1) / 12 ** 0.5).masked_fill(later, float("-inf")).softmax(-1)
        return self.head((share @ v).transpose(1, 2).reshape(b, t, c)[:, -1])


class MaskInput(nn.Module):
    # As Hugging Face masks: the tokens that are there come as an input, joined with the causal mask.
    def __init__(self):
        super().__init__()
        torch.manual_seed(15)
        self.embed, self.qkv, self.head = nn.Linear(6, 24), nn.Linear(24, 72), nn.Linear(24, 5)
    def forward(self, x, there):
        x = self.embed(x)
        b, t, c = x.shape
        lowest = torch.finfo(torch.float32).min
        mask = torch.full((t, t), lowest).triu(1) + (1.0 - there[:, None, None, :]) * lowest
        q, k, v = self.qkv(x).reshape(b, t, 3, 2, 12).permute(2, 0, 3, 1, 4)
        share = (q @ k.transpose(-2, -1) / 12 ** 0.5 + mask).softmax(-1)
        return self.head((share @ v).transpose(1, 2).reshape(b, t, c)[:, -1])


class Squeezed(nn.Module):
    # Squeeze-and-excite as MobileNetV3 has it, and with linear layers; hard swish; pruned.
    def __init__(self, wrong=False):
        super().__init__()
        torch.manual_seed(13)
        self.a, self.b, self.head, self.wrong = nn.Conv2d(3, 16, 3, 1, 1), nn.Conv2d(16, 16, 3, 1, 1), nn.Linear(16, 5), wrong
        self.fc1, self.fc2 = nn.Conv2d(16, 8, 1), nn.Conv2d(8, 16, 1)
        self.fc3, self.fc4 = nn.Linear(16, 4), nn.Linear(4, 16)
        for module in (self.a, self.b, self.fc1, self.fc3):
            nn.utils.prune.random_unstructured(module, "weight", 0.5)
            nn.utils.prune.remove(module, "weight")
    def forward(self, x):
        x = nn.functional.hardswish(self.a(x))
        if self.wrong:                                       # a factor for each pixel
            return self.head((x * torch.sigmoid(x[:, :1])).mean((2, 3)))
        s = self.fc2(torch.relu(self.fc1(nn.functional.adaptive_avg_pool2d(x, 1))))
        x = nn.functional.hardswish(self.b(nn.functional.hardsigmoid(s) * x))
        s = torch.sigmoid(self.fc4(torch.relu(self.fc3(x.mean((2, 3))))))
        return self.head((x * s[:, :, None, None]).mean((2, 3)))


class Pixels(nn.Module):
    # A block of ConvNeXt: layer norms over the channels of each pixel, linear layers over them, a factor for each channel.
    def __init__(self):
        super().__init__()
        torch.manual_seed(16)
        self.stem, self.n1, self.deep = nn.Conv2d(3, 16, 2, 2), nn.LayerNorm(16), nn.Conv2d(16, 16, 3, 1, 1, groups=16)
        self.n2, self.up, self.down = nn.LayerNorm(16), nn.Linear(16, 40), nn.Linear(40, 16)
        self.scale, self.n3, self.last = nn.Parameter(torch.rand(16, 1, 1) + 0.5), nn.LayerNorm(16), nn.Conv2d(16, 24, 2, 2)
        self.n4, self.head = nn.LayerNorm(24), nn.Linear(24, 5)
        for module in (self.up, self.down):
            nn.utils.prune.l1_unstructured(module, "weight", 0.5)
            nn.utils.prune.remove(module, "weight")
    def forward(self, x):
        pixels = lambda norm, x: norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        x = pixels(self.n1, self.stem(x))
        y = self.n2(self.deep(x).permute(0, 2, 3, 1))
        y = self.down(nn.functional.gelu(self.up(y))).permute(0, 3, 1, 2)
        x = self.last(pixels(self.n3, x + self.scale * y))
        return self.head(pixels(self.n4, x.mean((2, 3), keepdim=True)).flatten(1))


class Shuffled(nn.Module):
    # Two blocks of ShuffleNetV2: halves of the channels, joined and shuffled.
    def __init__(self):
        super().__init__()
        torch.manual_seed(14)
        self.a, self.head = nn.Conv2d(3, 16, 3, 1, 1), nn.Linear(16, 5)
        self.blocks = nn.ModuleList(nn.Sequential(
            nn.Conv2d(8, 8, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.Conv2d(8, 8, 1), nn.ReLU()) for _ in range(2))
        for block in self.blocks:
            nn.utils.prune.l1_unstructured(block[0], "weight", 0.5)
            nn.utils.prune.remove(block[0], "weight")
    def forward(self, x):
        x = torch.relu(self.a(x))
        for block in self.blocks:
            one, two = x.chunk(2, dim=1)
            x = torch.cat((one, block(two)), dim=1)
            b, c, h, w = x.shape
            x = x.view(b, 2, c // 2, h, w).transpose(1, 2).reshape(b, c, h, w)
        return self.head(nn.functional.max_pool2d(x, 2).mean((2, 3)))


class Split(nn.Module):
    def forward(self, x):
        return torch.cumsum(x, 1)


def pruned(name, **arguments):
    import torchvision
    torch.manual_seed(6)
    net = getattr(torchvision.models, name)(num_classes=10, **arguments)
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            weight = module.weight.data
            weight *= (torch.rand(weight.shape) < 0.2) * 2.2
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1), module.running_var.uniform_(0.5, 2)
    return net
