"""A real video to play: VP8 frames from Chromium's own encoder, put into a WebM with an index, so that players can seek in it."""

import base64
import struct
from typing import Any

from playwright.sync_api import Browser

WIDTH, HEIGHT, FRAMES_A_SECOND = 320, 240, 10

_ENCODE = """async ([width, height, rate, seconds]) => {
  const frames = [];
  const encoder = new VideoEncoder({
    output: (chunk) => {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      frames.push([chunk.timestamp, chunk.type === "key", bytes]);
    },
    error: (error) => { throw error; },
  });
  encoder.configure({ codec: "vp8", width, height, bitrate: 8_000_000, framerate: rate, latencyMode: "realtime" });
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let number = 0; number < rate * seconds; number += 1) {
    crypto.getRandomValues(image.data.subarray(0, 60000));
    for (let at = 60000; at < image.data.length; at += 1) image.data[at] = (image.data[at - 60000] * 7 + number) & 255;
    for (let at = 3; at < image.data.length; at += 4) image.data[at] = 255;
    context.putImageData(image, 0, 0);
    const frame = new VideoFrame(canvas, { timestamp: (number * 1e6) / rate });
    encoder.encode(frame, { keyFrame: number % rate === 0 });
    frame.close();
    while (encoder.encodeQueueSize > 5) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await encoder.flush();
  const encode = (bytes) => { let text = ""; for (const byte of bytes) text += String.fromCharCode(byte); return btoa(text); };
  return frames.map(([at, isKey, bytes]) => [at, isKey, encode(bytes)]);
}"""


def record_video(chromium: Browser, url: str, seconds: int) -> bytes:
    """A WebM of noise, some hundred kilobytes a second, with a key frame and an index entry for every second."""
    page = chromium.new_page()
    try:
        # An encoder is only to be had where the page came over https or from this machine.
        page.goto(f"{url}/sign-in/")
        frames = page.evaluate(_ENCODE, [WIDTH, HEIGHT, FRAMES_A_SECOND, seconds])
    finally:
        page.close()
    return _mux([(at // 1000, is_key, base64.b64decode(data)) for at, is_key, data in frames], seconds * 1000)


def _mux(frames: list[tuple[int, bool, bytes]], duration_ms: int) -> bytes:
    """Frames (time in ms, whether it is a key frame, its bytes) as a WebM: one cluster for each key frame."""
    clusters: list[tuple[int, list[bytes]]] = []
    for at, is_key, data in frames:
        if is_key:
            clusters.append((at, []))
        start, blocks = clusters[-1]
        head = b"\x81" + struct.pack(">hB", at - start, 0x80 if is_key else 0)
        blocks.append(_element(0xA3, head + data))
    info = _element(
        0x1549A966,
        _number(0x2AD7B1, 1_000_000)
        + _element(0x4489, struct.pack(">d", duration_ms))
        + _element(0x4D80, b"test")
        + _element(0x5741, b"test"),
    )
    picture = _element(0xE0, _number(0xB0, WIDTH) + _number(0xBA, HEIGHT))
    track = _number(0xD7, 1) + _number(0x73C5, 1) + _number(0x83, 1) + _element(0x86, b"V_VP8") + picture
    tracks = _element(0x1654AE6B, _element(0xAE, track))
    bodies = [_element(0x1F43B675, _number(0xE7, at) + b"".join(blocks)) for at, blocks in clusters]
    # The index stands before the clusters and names where they begin; its own length does not depend on what it says.
    offset = len(info) + len(tracks) + len(_cues(clusters, [0] * len(clusters)))
    positions = []
    for body in bodies:
        positions.append(offset)
        offset += len(body)
    segment = info + tracks + _cues(clusters, positions) + b"".join(bodies)
    head = _element(0x1A45DFA3, _element(0x4282, b"webm") + _number(0x4287, 2) + _number(0x4285, 2))
    return head + _element(0x18538067, segment)


def _cues(clusters: list[tuple[int, Any]], positions: list[int]) -> bytes:
    points = [
        _element(0xBB, _number(0xB3, at) + _element(0xB7, _number(0xF7, 1) + _number(0xF1, position)))
        for (at, _), position in zip(clusters, positions, strict=True)
    ]
    return _element(0x1C53BB6B, b"".join(points))


def _element(identity: int, body: bytes) -> bytes:
    return identity.to_bytes((identity.bit_length() + 7) // 8, "big") + b"\x01" + len(body).to_bytes(7, "big") + body


def _number(identity: int, value: int) -> bytes:
    return _element(identity, value.to_bytes(8, "big"))
