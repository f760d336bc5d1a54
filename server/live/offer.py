"""A browser's offer, read and judged before anything is opened for it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address

from aiortc import sdp as wire
from aiortc.codecs import CODECS
from aiortc.rtcpeerconnection import find_common_codecs
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from server.live.encoder import Codec
from server.live.errors import LiveError

MOST_BYTES = 64 * 1024
"""Chromium's offers have 5 to 8 KB; a parser should not be fed more than it needs."""
MOST_CANDIDATES = 64
"""Browsers name fewer than twenty."""
LOOKED_AT = 16
"""Addresses that are probed: each costs packets to whoever is named."""

BROADCAST = IPv4Address("255.255.255.255")
_HEARING = ("recvonly", "sendrecv")
_SPEAKING = ("sendonly", "sendrecv")


@dataclass(frozen=True, slots=True)
class Offer:
    """What a client wants.

    Attributes:
        sdp: the offer's text, less the addresses that are not to be probed.
        identity: ICE user fragment and certificate: another one means another way or another client.
        has_video: there is a video section; it may be a camera that nobody here wants.
        codecs: video codecs that both know, the client's favourite first; () for no video.
        hears: the client wants our sound.
        speaks: the client sends its own.
    """

    sdp: str
    identity: tuple[str, ...]
    has_video: bool
    codecs: tuple[Codec, ...]
    hears: bool
    speaks: bool


def read_offer(sdp: str, *, loopback: bool = True) -> Offer:
    """Read an SDP offer.

    Args:
        sdp: its text.
        loopback: addresses on loopbacks and local links may be probed too.

    Raises:
        LiveError: it is no usable offer; says what is missing.
    """
    if not isinstance(sdp, str) or len(sdp) > MOST_BYTES:
        raise LiveError(
            "offer_size", "the offer is no text of reasonable size", "send the browser's own offer"
        )
    if sdp.count("a=candidate:") > MOST_CANDIDATES:
        raise LiveError(
            "offer_candidates", "the offer names too many addresses", "send the browser's own offer"
        )
    try:
        parsed = wire.SessionDescription.parse(sdp)
    except Exception:  # the parser raises whatever a malformed line makes Python raise
        raise LiveError(
            "offer_garbled", "the offer can not be read as SDP", "send the browser's own offer"
        ) from None
    kinds = [media.kind for media in parsed.media]
    if kinds.count("audio") != 1:
        raise LiveError(
            "offer_audio",
            "the offer has no sound" if "audio" not in kinds else "the offer has sound more than once",
            "offer one audio section, and one video section where a picture is wanted",
        )
    if kinds.count("video") > 1 or len(kinds) != kinds.count("audio") + kinds.count("video"):
        raise LiveError(
            "offer_sections",
            "the offer asks for more than one voice and one picture",
            "offer one audio and one video section, and no data channel",
        )
    identity: list[str] = []
    codecs: tuple[Codec, ...] = ()
    hears = speaks = False
    for media in parsed.media:
        ice = media.ice
        if ice is None or not ice.usernameFragment or not ice.password or media.dtls is None:
            raise LiveError("offer_security", "the offer lacks ICE or DTLS", "use WebRTC as browsers do")
        if not media.dtls.fingerprints or not media.rtcp_mux or not media.rtp.muxId:
            raise LiveError(
                "offer_security", "the offer lacks fingerprint, mux or mid", "use WebRTC as browsers do"
            )
        identity += [ice.usernameFragment, *(f.value for f in media.dtls.fingerprints)]
        try:
            common = find_common_codecs(CODECS[media.kind], media.rtp.codecs)
        except Exception:  # parameters that make no sense
            common = []
        if media.kind == "audio":
            if not any(codec.name.lower() == "opus" for codec in common):
                raise LiveError(
                    "offer_codec", "the offer's sound is not Opus", "offer Opus, which browsers all know"
                )
            hears, speaks = media.direction in _HEARING, media.direction in _SPEAKING
        elif media.direction in _HEARING:
            codecs = _video(common)
            if not codecs:
                raise LiveError(
                    "offer_codec", "no common video codec", "offer VP8, or H.264 baseline with mode 1"
                )
    return Offer(
        sdp=_probed(sdp, loopback),
        identity=tuple(identity),
        has_video="video" in kinds,
        codecs=codecs,
        hears=hears,
        speaks=speaks,
    )


def _probed(sdp: str, loopback: bool) -> str:
    """Leave out addresses that nobody is to be made to send packets to, and those beyond `LOOKED_AT`."""
    kept, lines = 0, []
    for line in sdp.splitlines():
        if line.startswith("a=candidate:"):
            if kept >= LOOKED_AT or not _may_be_probed(line.split(), loopback):
                continue
            kept += 1
        lines.append(line)
    return "\r\n".join(lines) + "\r\n"


def _may_be_probed(words: list[str], loopback: bool) -> bool:
    if len(words) < 8 or words[2].lower() != "udp":  # the other end is reached over UDP only
        return False
    try:
        address = ip_address(words[4])
    except ValueError:
        return words[4].endswith(".local")  # a name that a browser has made up to hide its address
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_multicast or address.is_unspecified or address == BROADCAST:
        return False
    return loopback or not (address.is_loopback or address.is_link_local)


def _video(common: list[RTCRtpCodecParameters]) -> tuple[Codec, ...]:
    found: list[Codec] = []
    for codec in common:
        name: Codec | None = {"VP8": "VP8", "H264": "H264"}.get(codec.name)  # type: ignore[assignment]
        if name is not None and name not in found:
            found.append(name)
    return tuple(found)
