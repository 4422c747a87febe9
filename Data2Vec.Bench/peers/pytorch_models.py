"""A whole update of each modality as straightforward PyTorch, of the architecture and the work that the engine's has:
teacher forward, student forward and backward, gradient norm, AdamW, moving average. For pytorch_peer.py."""
import contextlib
import copy

import torch
import torch.nn.functional as F
from torch import nn


def attend(q, k, v, bias):
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    s = torch.matmul(q, k.transpose(-1, -2)) * q.shape[-1] ** -0.5
    return torch.matmul(torch.softmax(s if bias is None else s + bias, -1), v)


class Layer(nn.Module):
    def __init__(self, o, before):
        super().__init__()
        d, self.heads, self.before = o["hidden"], o["heads"], before
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.inner, self.outer = nn.Linear(d, o["feed_forward"]), nn.Linear(o["feed_forward"], d)
        self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        if before:
            self.scale1, self.scale2 = (nn.Parameter(torch.full((d,), 1e-4)) for _ in range(2))

    def attention(self, x, bias):
        b, t, d = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        return self.out(attend(q, k, v, bias).transpose(1, 2).reshape(b, t, d))

    def forward(self, x, bias=None):
        """Output, and what becomes a target."""
        if self.before:
            x = x + self.scale1 * self.attention(self.norm1(x), bias)
            x = x + self.scale2 * self.outer(F.gelu(self.inner(self.norm2(x))))
            return x, x
        x = self.norm1(x + self.attention(x, bias))
        f = self.outer(F.gelu(self.inner(x)))
        return self.norm2(x + f), f


class Encoder(nn.Module):
    def __init__(self, o, before=False):
        super().__init__()
        self.layers = nn.ModuleList(Layer(o, before) for _ in range(o["layers"]))

    def forward(self, x, bias=None):
        taps = []
        for layer in self.layers:
            x, tap = layer(x, bias)
            taps.append(tap)
        return x, taps


class Text(nn.Module):
    def __init__(self, o):
        super().__init__()
        d = o["hidden"]
        self.words, self.places = nn.Embedding(o["vocabulary"], d), nn.Embedding(o["time"] + 2, d)
        self.norm, self.encoder = nn.LayerNorm(d), Encoder(o)

    def forward(self, ids):
        places = torch.arange(2, ids.shape[1] + 2, device=ids.device)
        return self.encoder(self.norm(self.words(ids) + self.places(places)))


class Vision(nn.Module):
    def __init__(self, o):
        super().__init__()
        d, self.grid = o["hidden"], o["grid"]
        self.patches = nn.Conv2d(3, d, o["patch"], o["patch"])
        self.token, self.hidden = (nn.Parameter(torch.randn(d) * 0.02) for _ in range(2))
        self.encoder = Encoder(o, before=True)
        n = 2 * self.grid - 1
        self.table = nn.Parameter(torch.zeros(n * n + 3, o["heads"]))
        y, x = (torch.arange(self.grid ** 2) // self.grid, torch.arange(self.grid ** 2) % self.grid)
        index = torch.empty(self.grid ** 2 + 1, self.grid ** 2 + 1, dtype=torch.long)
        index[1:, 1:] = (y[:, None] - y + self.grid - 1) * n + x[:, None] - x + self.grid - 1
        index[0, 1:], index[1:, 0], index[0, 0] = n * n, n * n + 1, n * n + 2
        self.register_buffer("index", index)

    def forward(self, pictures, masked=None):
        x = self.patches(pictures).flatten(2).transpose(1, 2)
        if masked is not None:
            x = torch.where(masked[..., None], self.hidden.to(x.dtype), x)
        x = torch.cat([self.token.to(x.dtype).expand(x.shape[0], 1, -1), x], 1)
        bias = self.table[self.index].permute(2, 0, 1)[None].to(x.dtype)
        x, taps = self.encoder(x, bias)
        return x[:, 1:], [t[:, 1:] for t in taps]


class Front(nn.Module):
    """Waveform to projected frames; shared with the teacher."""

    def __init__(self, o):
        super().__init__()
        channels = [1] + [c for c, _, _ in o["features"]]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(channels[i], c, k, s, bias=False) for i, (c, k, s) in enumerate(o["features"]))
        self.norms = nn.ModuleList(nn.LayerNorm(c) for c, _, _ in o["features"])
        self.norm, self.project = nn.LayerNorm(channels[-1]), nn.Linear(channels[-1], o["hidden"])

    def forward(self, x):
        x = x[:, None]
        for convolution, norm in zip(self.convolutions, self.norms):
            x = F.gelu(norm(convolution(x).transpose(1, 2))).transpose(1, 2)
        return self.project(self.norm(x.transpose(1, 2)))


class Positions(nn.Module):
    def __init__(self, o):
        super().__init__()
        d, k = o["hidden"], o["position_kernel"]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(d, d, k, padding=k // 2, groups=o["position_groups"]) for _ in range(o["position_layers"]))

    def forward(self, x):
        y = x.transpose(1, 2)
        for convolution in self.convolutions:
            y = convolution(y)[..., :x.shape[1]].transpose(1, 2)
            y = F.gelu(F.layer_norm(y, y.shape[-1:])).transpose(1, 2)
        return y.transpose(1, 2)


class Audio(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.front, self.positions = Front(o), Positions(o)
        self.hidden, self.norm = nn.Parameter(torch.rand(o["hidden"])), nn.LayerNorm(o["hidden"])
        self.encoder = Encoder(o)

    def student(self, front, masked):
        x = torch.where(masked[..., None], self.hidden.to(front.dtype), front)
        return self.encoder(self.norm(x + self.positions(x)))


def head_of(o):
    d, n = o["hidden"], o["head_layers"]
    parts = []
    for i in range(n):
        parts += [nn.Linear(d if i == 0 else 2 * d, d if i == n - 1 else 2 * d)] + ([nn.GELU()] if i < n - 1 else [])
    return nn.Sequential(*parts)


def targets_of(taps, o):
    """Mean over the top layers, each normalised."""
    top = [t.float() for t in taps[-o["top_layers"]:]]
    if o["target_norm"] == "instance":
        top = [F.instance_norm(t.transpose(1, 2)).transpose(1, 2) for t in top]
    elif o["target_norm"] == "layer":
        top = [F.layer_norm(t, t.shape[-1:]) for t in top]
    y = torch.stack(top).mean(0)
    return F.layer_norm(y, y.shape[-1:]) if o["final_norm"] else y


def update_of(o, device, half):
    """A function that runs one update on one batch of random data."""
    batch, time = o["batch"], o["time"]
    model = {"text": Text, "vision": Vision, "audio": Audio}[o["modality"]](o).to(device)
    averaged = model.encoder if o["modality"] == "audio" else model
    teacher = copy.deepcopy(averaged).requires_grad_(False)
    norm = copy.deepcopy(model.norm).requires_grad_(False) if o["modality"] == "audio" else None
    head = head_of(o).to(device)
    parameters = list(model.parameters()) + list(head.parameters())
    pairs = list(zip(teacher.parameters(), averaged.parameters()))
    if norm is not None:
        pairs += list(zip(norm.parameters(), model.norm.parameters()))
    if o["modality"] == "text":  # word and position tables are shared
        pairs = [(t, s) for t, s in pairs if s is not model.words.weight and s is not model.places.weight]
        teacher.words, teacher.places = model.words, model.places
    how = {"fused": True} if device.type == "cuda" else {}
    optimizer = torch.optim.AdamW(parameters, 1e-4, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.01, **how)

    masked = torch.zeros(batch, time, dtype=torch.bool, device=device)
    for row in masked:
        row[torch.randperm(time, device=device)[:o["masked"]]] = True
    rows = masked.flatten().nonzero()[:, 0]
    if o["modality"] == "text":
        clean = torch.randint(4, o["vocabulary"] - 1, (batch, time), device=device)
        source = torch.where(masked, torch.full_like(clean, o["vocabulary"] - 1), clean)
    elif o["modality"] == "vision":
        side = o["grid"] * o["patch"]
        clean = torch.randn(batch, 3, side, side, device=device)
    else:
        clean = torch.randn(batch, o["samples"], device=device)

    def views():
        """Student's output and teacher's taps."""
        if o["modality"] == "audio":
            front = model.front(clean)
            with torch.no_grad():
                taps = teacher(norm(front + model.positions(front)))[1]
            return model.student(front, masked)[0], taps
        with torch.no_grad():
            taps = teacher(clean)[1]
        return (model(source) if o["modality"] == "text" else model(clean, masked))[0], taps

    def update():
        optimizer.zero_grad(set_to_none=True)
        mixed = torch.autocast(device.type, dtype=torch.bfloat16) if half else contextlib.nullcontext()
        with mixed:
            x, taps = views()
            prediction = head(x.flatten(0, 1).index_select(0, rows)).float()
            with torch.no_grad():
                wanted = targets_of(taps, o).flatten(0, 1).index_select(0, rows)
            if o["beta"] > 0:
                loss = F.smooth_l1_loss(prediction, wanted, beta=o["beta"])
            else:
                loss = F.mse_loss(prediction, wanted)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        with torch.no_grad():
            mine, theirs = [t for t, _ in pairs], [s for _, s in pairs]
            torch._foreach_mul_(mine, 0.999)
            torch._foreach_add_(mine, theirs, alpha=0.001)

    return update
