"""Inner loops, compiled. Imported where a knowledge is large or learns topics, and nowhere else."""

from __future__ import annotations

import numpy as np
from numba import njit

_SPARSE = "void(i8[::1], i8[::1], f4[::1], f4[:,::1], f4[:,::1])"
_CACHED = 4096
"""Units whose bits are compared at once, so that their counts stay in the processor's cache."""


@njit("void(u8[:,::1], u8[::1], u2[::1], i8[::1])", cache=True, nogil=True)
def apart(signs: np.ndarray, asked: np.ndarray, out: np.ndarray, times: np.ndarray) -> None:
    """Compare columns of bits, signs[w, n], with asked[w].

    Writes to out[n] how many bits of each differ, and adds to times[d] how many columns differ in d bits.
    """
    words, count = signs.shape
    for begin in range(0, count, _CACHED):
        end = min(count, begin + _CACHED)
        out[begin:end] = 0
        for word in range(words):
            wanted = asked[word]
            for at in range(begin, end):
                # The classical count of bits, which the compiler knows and has an instruction for.
                bits = signs[word, at] ^ wanted
                bits = bits - ((bits >> np.uint64(1)) & np.uint64(0x5555555555555555))
                pairs = bits & np.uint64(0x3333333333333333)
                bits = pairs + ((bits >> np.uint64(2)) & np.uint64(0x3333333333333333))
                bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
                out[at] += np.uint16((bits * np.uint64(0x0101010101010101)) >> np.uint64(56))
        for at in range(begin, end):
            times[out[at]] += 1


@njit(_SPARSE, cache=True, nogil=True)
def sums(
    pointers: np.ndarray, columns: np.ndarray, values: np.ndarray, dense: np.ndarray, out: np.ndarray
) -> None:
    """Write sparse[n, f] @ dense[f, k] to out[n, k]."""
    for row in range(len(pointers) - 1):
        out[row, :] = 0.0
        for at in range(pointers[row], pointers[row + 1]):
            value = values[at]
            column = columns[at]
            for topic in range(dense.shape[1]):
                out[row, topic] += value * dense[column, topic]


@njit(_SPARSE, cache=True, nogil=True)
def spread(
    pointers: np.ndarray, columns: np.ndarray, values: np.ndarray, dense: np.ndarray, out: np.ndarray
) -> None:
    """Write sparse[n, f] transposed @ dense[n, k] to out[f, k]."""
    out[:, :] = 0.0
    for row in range(len(pointers) - 1):
        for at in range(pointers[row], pointers[row + 1]):
            value = values[at]
            column = columns[at]
            for topic in range(dense.shape[1]):
                out[column, topic] += value * dense[row, topic]
