"""Trains the phone model behind `speech.estimate` on speech that espeak-ng makes, and writes its weights.

A program for whoever changes the model; it needs torch (the `gpu` extra), users do not:

    python -m speech.train_estimate --english EN.txt --chinese ZH.txt --out speech/estimate.npz

where the files hold one text a line. Every voice speaks at its own rate and pitch; the sound is then
stretched, coloured, echoed and covered with noise, so that the model learns what all of them share. The
voices in `HELD_OUT` are kept for measuring. The same seed and texts give the same sounds.
The weights in the package come from the defaults, on 8,700 English texts (questions to a bank, comments,
encyclopedia) and 5,600 Chinese ones (dialogues): 2.8 hours of sound.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speech.audio import to_mono_16k
from speech.espeak import EspeakSynthesizer
from speech.phones import PHONES, SHAPE_OF_PHONE, SHAPES, phone_index
from speech.recognizer import RECOGNITION_RATE_HZ
from speech.spectrum import BANDS, HOP, HOP_S, log_mel, without_channel
from speech.timeline import Pcm, Phoneme

_VARIANTS = """
m1 m2 m4 m5 m6 m7 m8 f1 f3 f4 f5 klatt klatt2 klatt4 klatt5 klatt6 Alex Alicia Andrea Andy
Annie Denis Diogo Gene Henrique Hugo Jacky Lee Marco Mario Michael Mike Nguyen Reed Storm adam anika
antonio aunty belinda benjamin boris caleb david ed edward gustave ian iven john kaukovalta linda
marcelo max michel miguel norbert pablo paul pedro quincy rob robert sandro shelby steph travis victor
whisperf zac
"""

VARIANTS = tuple(_VARIANTS.split())
HELD_OUT = ("f2", "m3", "klatt3", "Gene2", "edward2", "iven3", "steph2")
"""Variants never trained on."""

ENGLISH = ("en-us", "en-us", "en-us", "en-us", "gmw/en", "en-gb-x-rp")
LAYERS = ((5, 1), (3, 2), (3, 3), (1, 1))
"""(taps, dilation) of the convolutions: 7 frames, 70 ms, on each side."""

WIDTH = 160
CHUNK = 400
"""Frames of one training example."""

SMOOTHING = 0.05
DROPOUT = 0.15

Example = tuple[NDArray[np.float16], NDArray[np.int8]]


def frame_labels(phonemes: Sequence[Phoneme], frames: int) -> NDArray[np.int8]:
    """Index in `PHONES` at the middle of each frame."""
    ends = np.array([phoneme.end_s for phoneme in phonemes])
    index = np.searchsorted(ends, np.arange(frames) * HOP_S, side="right")
    phones = np.array([phone_index(phoneme.symbol) for phoneme in phonemes], np.int8)
    return phones[np.minimum(index, len(phones) - 1)]


def weathered(pcm: Pcm, rng: np.random.Generator) -> Pcm:
    """Put a sound into a room, behind a cheap microphone, with noise; its timing stays."""
    sound: NDArray[np.floating] = pcm
    length = len(sound)
    if rng.random() < 0.5:
        decay_s = rng.uniform(0.05, 0.35)
        time_s = np.arange(int(decay_s * RECOGNITION_RATE_HZ)) / RECOGNITION_RATE_HZ
        echo = rng.normal(size=len(time_s)) * np.exp(-6.9 * time_s / decay_s)
        echo *= rng.uniform(0.1, 0.8) / np.sqrt((echo**2).sum())
        echo[0] += 1.0
        size = 1 << (length + len(echo)).bit_length()
        sound = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(echo, size), size)[:length]
    power = float(np.mean(sound**2)) + 1e-12
    if rng.random() < 0.8:
        slope = rng.uniform(0.0, 1.2)  # white to brown
        spectrum = np.fft.rfft(rng.normal(size=length))
        spectrum /= np.maximum(1.0, np.arange(len(spectrum)) * 8000.0 / len(spectrum) / 100.0) ** slope
        noise = np.fft.irfft(spectrum, length)
        noise *= np.sqrt(power / 10.0 ** (rng.uniform(3.0, 45.0) / 10.0) / (np.mean(noise**2) + 1e-12))
        sound = sound + noise
    if rng.random() < 0.15:
        spectrum = np.fft.rfft(sound)
        spectrum[int(len(spectrum) * rng.uniform(0.42, 0.6)) :] = 0.0  # the telephone
        sound = np.fft.irfft(spectrum, length)
    sound = np.clip(sound * rng.uniform(0.15, 3.0), -1.0, 1.0)
    return np.asarray(sound, np.float32)


def coloured(bands: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Bend the spectrum slowly, as microphones and throats do; in ln power, up to 9 dB or so."""
    position = np.linspace(0.0, np.pi, BANDS)
    curve = sum(rng.normal(0.0, 0.9 / order) * np.cos(order * position) for order in range(1, 6))
    return np.asarray(bands + curve, np.float32)


def make_examples(job: tuple[int, Sequence[str], Sequence[str], Sequence[str], int]) -> list[Example]:
    """Speak a share of the examples; runs in a process of its own."""
    seed, english, chinese, variants, count = job
    rng = np.random.default_rng(seed)
    examples: list[Example] = []
    while len(examples) < count:
        variant = str(rng.choice(list(variants)))
        voice = EspeakSynthesizer(
            f"{rng.choice(ENGLISH)}+{variant}",
            f"cmn+{variant}",
            rate=int(rng.integers(105, 240)),
            pitch=int(rng.integers(15, 90)),
        )
        for _ in range(8):
            in_chinese = rng.random() < 0.3
            text = str(rng.choice(chinese if in_chinese else english))[:160]
            speech = voice.speak(text, language="zh" if in_chinese else "en")
            # Faster and higher together: another throat length.
            factor = float(rng.uniform(0.84, 1.19))
            sound = to_mono_16k(speech.pcm, int(speech.sample_rate * factor))
            edge = int(rng.uniform(0.0, 0.4) * RECOGNITION_RATE_HZ)
            sound = np.pad(sound, (edge, edge))
            shift_s = edge / RECOGNITION_RATE_HZ
            timeline = [
                Phoneme(p.symbol, p.start_s / factor + shift_s, p.end_s / factor + shift_s)
                for p in speech.phonemes
            ]
            timeline = [Phoneme("", 0.0, shift_s), *timeline, Phoneme("", timeline[-1].end_s, 1e9)]
            bands = coloured(log_mel(weathered(sound, rng)), rng)
            labels = frame_labels(timeline, -(-len(sound) // HOP))
            examples.append((without_channel(bands).astype(np.float16), labels))
        voice.close()
    return examples


def network() -> Any:
    """The model, in torch: float32[batch, BANDS, frames] → [batch, phones, frames]."""
    from torch import nn

    stack: list[Any] = []
    width = BANDS
    for taps, dilation in LAYERS:
        stack += [
            nn.Conv1d(width, WIDTH, taps, dilation=dilation, padding=dilation * (taps // 2)),
            nn.BatchNorm1d(WIDTH),
            nn.ReLU(),
            nn.Dropout(DROPOUT),
        ]
        width = WIDTH
    return nn.Sequential(*stack, nn.Conv1d(width, len(PHONES), 1))


def batches(examples: Sequence[Example], rng: np.random.Generator, size: int) -> Iterator[tuple[Any, Any]]:
    """Cut the speech, end to end, into pieces of `CHUNK` frames, in random order."""
    import torch

    order = rng.permutation(len(examples))
    bands = np.concatenate([examples[k][0] for k in order])
    labels = np.concatenate([examples[k][1] for k in order])
    pieces = rng.permutation(len(bands) // CHUNK)
    for first in range(0, len(pieces), size):
        rows = [slice(k * CHUNK, (k + 1) * CHUNK) for k in pieces[first : first + size]]
        x = np.stack([bands[row] for row in rows]).astype(np.float32)
        y = np.stack([labels[row] for row in rows]).astype(np.int64)
        for piece in x:
            low = int(rng.integers(0, BANDS))  # a missing stretch of the spectrum
            piece[:, low : low + int(rng.integers(0, 7))] = 0.0
        yield torch.from_numpy(x.transpose(0, 2, 1).copy()), torch.from_numpy(y)


def statistics(examples: Sequence[Example]) -> dict[str, NDArray[np.float32]]:
    """How often phones occur, and which shapes follow each other; both with one made-up occurrence each."""
    phones = np.ones(len(PHONES))
    pairs = np.ones((len(SHAPES), len(SHAPES)))
    for _, labels in examples:
        phones += np.bincount(labels, minlength=len(PHONES))
        shapes = np.array(SHAPE_OF_PHONE)[labels]
        shapes = shapes[np.flatnonzero(np.diff(shapes, prepend=-1))]
        np.add.at(pairs, (shapes[:-1], shapes[1:]), 1.0)
    return {
        "log_prior": np.log(phones / phones.sum()).astype(np.float32),
        "shape_bigrams": np.log(pairs / pairs.sum(axis=1, keepdims=True)).astype(np.float32),
    }


def folded(model: Any) -> dict[str, NDArray[Any]]:
    """Merge the normalisation into the convolutions; float16 arrays as `speech.estimate` reads them."""
    modules = list(model)
    arrays: dict[str, NDArray[Any]] = {"dilations": np.array([dilation for _, dilation in LAYERS] + [1])}
    convolutions = [module for module in modules if hasattr(module, "dilation")]
    norms = [module for module in modules if hasattr(module, "running_var")]
    for index, convolution in enumerate(convolutions):
        weight = convolution.weight.detach().numpy().astype(np.float64)  # [out, in, taps]
        bias = convolution.bias.detach().numpy().astype(np.float64)
        if index < len(norms):
            norm = norms[index]
            scale = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach().numpy()
            weight = weight * scale[:, None, None]
            bias = (bias - norm.running_mean.numpy()) * scale + norm.bias.detach().numpy()
        arrays[f"weight{index}"] = weight.transpose(2, 1, 0).astype(np.float16)  # [taps, in, out]
        arrays[f"bias{index}"] = bias.astype(np.float32)
    return arrays


def train(
    examples: Sequence[Example], test: Sequence[Example], epochs: int, seed: int, keep: Callable[[Any], None]
) -> None:
    """Fit the network; after every epoch it is kept, and its accuracy reported to standard error."""
    import torch

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = network()
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.02)
    size = 32
    pieces = sum(len(bands) for bands, _ in examples) // CHUNK
    steps = epochs * -(-pieces // size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps + 1, pct_start=0.15)
    shapes = torch.tensor(SHAPE_OF_PHONE)
    for epoch in range(epochs):
        model.train()
        total, seen = 0.0, 0
        for x, y in batches(examples, rng, size):
            optimizer.zero_grad()
            loss = loss_of(model(x), y)
            loss.backward()
            optimizer.step()
            schedule.step()
            total, seen = total + float(loss.detach()), seen + 1
        model.eval()
        right, right_shape, frames = 0, 0, 0
        with torch.no_grad():
            for x, y in batches(test, np.random.default_rng(0), size):
                said = model(x).argmax(1)
                right += int((said == y).sum())
                right_shape += int((shapes[said] == shapes[y]).sum())
                frames += y.numel()
        report = {
            "epoch": epoch,
            "loss": round(total / max(1, seen), 4),
            "held_out_phone_accuracy": round(right / frames, 4),
            "held_out_shape_accuracy": round(right_shape / frames, 4),
        }
        sys.stderr.write(json.dumps(report) + "\n")
        keep(model)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the speech, train, write the weights."""
    parser = argparse.ArgumentParser(description="train the phone model of speech.estimate")
    parser.add_argument("--english", type=Path, required=True, help="texts, one a line")
    parser.add_argument("--chinese", type=Path, required=True, help="texts, one a line")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--utterances", type=int, default=1600)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    texts = [
        [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]
        for path in (options.english, options.chinese)
    ]
    share = 50
    jobs = [
        (options.seed * 100_000 + n, texts[0], texts[1], VARIANTS, share)
        for n in range(-(-options.utterances // share))
    ]
    held = list(HELD_OUT)
    with ProcessPoolExecutor(options.processes) as pool:
        examples = [example for part in pool.map(make_examples, jobs) for example in part]
        test_jobs = [(options.seed * 100_000 - 1 - n, texts[0], texts[1], held, share) for n in range(4)]
        test = [example for part in pool.map(make_examples, test_jobs) for example in part]
    frames = sum(len(bands) for bands, _ in examples)
    sys.stderr.write(f"{len(examples)} utterances, {frames * HOP_S / 3600.0:.1f} h\n")

    def keep(model: Any) -> None:
        arrays: dict[str, Any] = {**folded(model), **statistics(examples)}
        np.savez_compressed(options.out, **arrays)

    train(examples, test, options.epochs, options.seed, keep)


if __name__ == "__main__":
    main()
