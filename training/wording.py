"""Other words for what the UNet knows: ``python -m training.wording --out engine/embedded/text_projection``.

A UNet of this size learns what its captions' commonest words mean; what people type instead lies near them in the
sentence encoder's space, but not near enough. Words are cheap where pictures are not: this learns, from captions alone,
to turn the pooled text of any wording into that of the plainest caption with the same meaning. A hidden layer names the
concept, whose place in the space is remembered (attention over learned memories: Sukhbaatar et al. 2015), and says the
rest, colour, style and composition, beside it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from clavilux.engine.diffusion.projection import Projection
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from .pictures import CONCEPTS
from .pictures.captions import COMPOSED, PLAIN, STYLED, coloured
from .pictures.colour import SYNONYMS, draw_colour
from .pictures.style import STYLES, say_style
from .pictures.words import WORDS
from .run import brief, seeded
from .text import TextEncoder

NAMES = list(CONCEPTS)
NOTHING = len(NAMES)
"""The class of texts that name no concept."""
HIDDEN = 1024


def pair(rng: np.random.Generator, nouns: dict[str, tuple[str, ...]]) -> tuple[str, str, int]:
    """A caption, the plainest one with the same meaning, and the concept's number."""
    concept = int(rng.integers(len(NAMES)))
    name = NAMES[concept]
    noun = name if rng.random() < 0.15 else str(rng.choice(nouns[name]))
    colour = draw_colour(rng)[0]
    said, plain = noun, name
    if colour:
        said = coloured(rng, noun, colour)
        plain = f"{' and '.join(SYNONYMS.get(part, [part])[0] for part in colour.split(' and '))} {name}"
    if rng.random() < 0.3:
        forms = COMPOSED[str(rng.choice(list(COMPOSED)))]
        said, plain = str(rng.choice(forms)).format(x=said), forms[0].format(x=plain)
    elif rng.random() < 0.4:
        said = str(rng.choice(PLAIN)).format(x=said)
    if rng.random() < 0.3:
        style = str(rng.choice(list(STYLES)))
        said = str(rng.choice(STYLED)).format(x=said, s=say_style(rng, style))
        plain = f"{plain}, {STYLES[style][1][0]}"
    return said, plain, concept


def vocabulary(left_out: float, seed: int = 0) -> tuple[dict[str, tuple[str, ...]], list[tuple[str, int]]]:
    """The words of each concept; and a share of them that is left out, each with its concept's number."""
    rng = np.random.default_rng(seed)
    kept, out = {}, []
    for k, name in enumerate(NAMES):
        words = (*CONCEPTS[name].nouns[1:], *WORDS.get(name, ()))
        away = rng.random(len(words)) < left_out
        kept[name] = tuple(word for word, gone in zip(words, away, strict=True) if not gone)
        out += [(word, k) for word, gone in zip(words, away, strict=True) if gone]
    return kept, out


def read(text: TextEncoder, captions: list[str]) -> Tensor:
    """Pooled text Nx384."""
    found = []
    with brief():
        for start in range(0, len(captions), 256):
            found.append(text(captions[start : start + 256])[1].float())
    return torch.cat(found)


def lessons(text: TextEncoder, nouns: dict[str, tuple[str, ...]], count: int, seed: int) -> tuple[Tensor, ...]:
    """Pooled text of ``count`` captions and of their plainest forms, and their concepts."""
    rng = np.random.default_rng(seed)
    rows = [pair(rng, nouns) for _ in range(count)]
    rows += [("", "", NOTHING)] * (count // 200)
    said, plain, concepts = zip(*rows, strict=True)
    distinct = {caption: k for k, caption in enumerate(dict.fromkeys(plain))}
    plainest = read(text, list(distinct))
    places = torch.tensor([distinct[caption] for caption in plain])
    return read(text, list(said)), plainest[places], torch.tensor(concepts)


def learn(said: Tensor, plain: Tensor, concepts: Tensor, epochs: int, generator: torch.Generator) -> Projection:
    """The projection that says ``plain`` for ``said``."""
    projection = Projection(said.shape[1], HIDDEN, NOTHING + 1)
    named = concepts < NOTHING
    with torch.no_grad():
        for k in set(concepts[named].tolist()):
            projection.memory[k] = plain[concepts == k].mean(0)
    optimizer = torch.optim.AdamW(projection.parameters(), 1e-3, weight_decay=0.5)
    total = epochs * -(-len(said) // 512)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=total)
    size = plain.square().mean().sqrt()
    for _ in range(epochs):
        for rows in torch.randperm(len(said), generator=generator).split(512):
            heard = said[rows]
            reach = torch.rand(len(rows), 1, generator=generator) * heard.square().mean(1, keepdim=True).sqrt()
            heard = heard + reach * torch.randn(heard.shape, generator=generator)
            hidden = F.dropout(projection.hidden(heard), 0.5)
            logits, rest = projection.name(hidden), projection.rest(hidden)
            error = (projection.remembered(logits, 1.0) + rest - plain[rows]) / size
            loss = error.square().mean() + 0.3 * F.cross_entropy(logits, concepts[rows], label_smoothing=0.1)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            plan.step()
    return projection.eval()


def report(projection: Projection, text: TextEncoder, words: list[tuple[str, int]]) -> float:
    """How many of these words are given their concept's name."""
    with torch.no_grad():
        guess = projection.name(projection.hidden(read(text, [word for word, _ in words]))).argmax(1)
    return float((guess == torch.tensor([concept for _, concept in words])).float().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("engine/embedded/text_projection"))
    parser.add_argument("--count", type=int, default=60_000, help="captions")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--held-out", type=float, default=0.0, help="share of the words to leave out and to mark it by")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    text = TextEncoder(projected=False)
    nouns, left_out = vocabulary(args.held_out)
    projection = learn(*lessons(text, nouns, args.count, 1), args.epochs, seeded(2))
    if left_out:
        print(f"{100 * report(projection, text, left_out):.1f}% of {len(left_out)} words that it never saw", flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "config.json").write_text(json.dumps(projection.config, indent=2) + "\n")
    weights = {key: value.half().contiguous() for key, value in projection.state_dict().items()}
    save_file(weights, args.out / "model.safetensors", {"format": "pt"})


if __name__ == "__main__":
    main()
