"""The project's one small causal transformer, and greedy decoding with a cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from unteach.core import BadInput

from .forward import answered

Cache = list[tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Transformer:
    """A factory of causal transformers: about 100 thousand parameters as it stands.

    Parameters
    ----------
    vocabulary : number of tokens
    end : the token that ends a sequence, or None; decoding stops there
    width : of the residual stream · layers : blocks of attention and feed-forward · heads : of
    attention, a divisor of width · length : the longest sequence
    positions : "absolute" adds a learned vector a position; "rotary" turns queries and keys, so
        that only distances count and a call looks alike wherever it stands

    Examples
    --------
    >>> module = Transformer(19, end=8)()
    >>> sum(p.numel() for p in module.parameters()), module(torch.zeros(2, 5).long()).shape
    (107648, torch.Size([2, 5, 19]))

    Source      Vaswani et al. 2017, with the normalization before each part (Xiong et al. 2020);
                Su et al. 2021 for rotary positions, with base 100 since sequences are short.
    """

    vocabulary: int
    end: int | None = None
    width: int = 64
    layers: int = 2
    heads: int = 4
    length: int = 80
    positions: Literal["absolute", "rotary"] = "absolute"

    def __post_init__(self) -> None:
        for name in ("vocabulary", "width", "layers", "heads", "length"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} is a whole number of at least 1")
        if self.width % (2 * self.heads):
            raise BadInput(f"width {self.width} must be a multiple of twice the {self.heads} heads")
        if self.positions not in ("absolute", "rotary"):
            raise BadInput(f"positions are absolute or rotary, got {self.positions!r}")
        if self.end is not None and not 0 <= self.end < self.vocabulary:
            raise BadInput(f"end is a token below {self.vocabulary} or None, got {self.end}")

    def __call__(self) -> nn.Module:
        """Return a fresh module."""
        return CausalTransformer(self)


class CausalTransformer(nn.Module):
    """Tokens (b, t) to logits of the next token (b, t, v)."""

    def __init__(self, shape: Transformer) -> None:
        super().__init__()
        self.shape = shape
        self.tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.places = nn.Embedding(shape.length, shape.width)
        self.blocks = nn.ModuleList(Block(shape.width, shape.heads) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width)
        self.head = nn.Linear(shape.width, shape.vocabulary, bias=False)
        for part in self.modules():
            if isinstance(part, nn.Embedding):
                nn.init.normal_(part.weight, std=0.1)
            if isinstance(part, nn.Linear):
                nn.init.normal_(part.weight, std=0.02)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)
        if shape.positions == "rotary":
            self.places.weight.requires_grad_(False)  # kept, unused, so that sizes are comparable

    def forward(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """Return logits; with a cache only the tokens after those that it has seen are given."""
        start = cache[0][0].shape[2] if cache else 0
        h = self.tokens(tokens)  # (b, t, d)
        turn = None
        if self.shape.positions == "rotary":
            turn = self._turns(start, tokens.shape[1])
        else:
            at = torch.arange(start, start + tokens.shape[1], device=tokens.device)
            h = h + self.places(at)
        fresh: Cache = []
        for k, block in enumerate(self.blocks):
            h, seen = cast(Block, block)(h, turn, cache[k] if cache else None)
            fresh.append(seen)
        if cache is not None:
            cache[:] = fresh
        logits: Tensor = self.head(self.norm(h))
        return logits

    def _turns(self, start: int, n: int) -> tuple[Tensor, Tensor]:
        half = self.shape.width // self.shape.heads // 2
        weight = self.tokens.weight
        at = torch.arange(start, start + n, device=weight.device, dtype=weight.dtype)
        step = torch.arange(half, device=weight.device, dtype=weight.dtype) / half
        angle = at[:, None] * 100.0**-step  # (t, half)
        return angle.cos()[:, None, None], angle.sin()[:, None, None]  # (t, 1, 1, half)


class Block(nn.Module):
    """Attention and feed-forward, each on what the normalization before it gives."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(
        self, h: Tensor, turn: tuple[Tensor, Tensor] | None, seen: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return (b, t, d), and the keys and values (b, heads, all t, d / heads)."""
        b, t, d = h.shape
        parts = self.qkv(self.norm1(h)).view(b, t, 3, self.heads, d // self.heads)
        if turn is not None:
            parts = torch.cat([_turned(parts[:, :, :2], turn), parts[:, :, 2:]], dim=2)
        q, k, v = parts.permute(2, 0, 3, 1, 4)  # each (b, heads, t, d / heads)
        if seen is not None:
            k, v = torch.cat([seen[0], k], dim=2), torch.cat([seen[1], v], dim=2)
        if seen is not None and t > 1:
            raise BadInput("with a cache, one token is given at a time")
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=seen is None and t > 1)
        h = h + self.out(mixed.transpose(1, 2).reshape(b, t, d))
        return h + self.down(functional.gelu(self.up(self.norm2(h)))), (k, v)


def _turned(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    cos, sin = turn
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


@torch.no_grad()
def decode(module: nn.Module, prompts: Tensor, longest: int, end: int | None = None) -> Tensor:
    """Return the likeliest continuations of prompts of one length: (b, l) to (b, longest - l).

    One token at a time; with `end`, a sequence that has said it is over, -1 follows, and decoding
    stops when all are. A module that takes no cache reads the whole sequence at each step.
    """
    cached = isinstance(module, CausalTransformer)
    cache: Cache = []
    said = prompts
    over = torch.zeros(len(prompts), dtype=torch.bool, device=prompts.device)
    made: list[Tensor] = []
    given = prompts
    for _ in range(longest - prompts.shape[1]):
        logits = module(given, cache) if cached else answered(module, said)
        token = logits[:, -1].argmax(dim=-1)  # (b,)
        made.append(torch.where(over, torch.full_like(token, -1), token))
        if end is not None:
            over = over | (token == end)
            if bool(over.all()):
                break
        given = token[:, None]
        if not cached:
            said = torch.cat([said, given], dim=1)
    whole = prompts.new_full((len(prompts), longest - prompts.shape[1]), -1)
    if made:
        whole[:, : len(made)] = torch.stack(made, dim=1)
    return whole
