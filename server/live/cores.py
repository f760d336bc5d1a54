"""How libraries share the processor's cores with each other."""

from __future__ import annotations


def one_thread_each() -> None:
    """Keep libraries from spreading every small step over all cores; call when all are loaded.

    Sessions are what runs side by side here. OpenCV took 1.3 ms of processor time for a picture that one of
    its threads converts in 0.8 ms, and the features of a voice cost 10 ms instead of 3.
    """
    import cv2
    from threadpoolctl import threadpool_limits

    cv2.setNumThreads(1)
    threadpool_limits(limits=1)
