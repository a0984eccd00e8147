"""Makes docs/mails/*.png: every mail as Chromium shows it, light, dark and on a phone, each in another language.

    uv run --group browser python docs/make_mail_pictures.py [--lang pt] [--only handover] [--out FOLDER]

Needs Chromium on the machine. Everybody in the pictures is invented.
"""

from __future__ import annotations

import argparse
import base64
import struct
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from handoff_sync.emails.letters import Letter
from handoff_sync.emails.render import render
from handoff_sync.emails.samples import samples

sys.path.insert(0, str(Path(__file__).parent))
from make_pictures import arguments, chromium

SCALE = 1.0
SHEET = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 20px; width: max-content; display: flex; gap: 20px; align-items: flex-start;
        font: 600 14px system-ui, sans-serif; background: #c9d2de; color: #14211f; }}
figure {{ margin: 0; }} figcaption {{ padding: 0 2px 8px; }}
img {{ display: block; border-radius: 6px; }}
</style>{figures}"""

PIXELS = """async (picture) => {
  const image = await createImageBitmap(await (await fetch('data:image/png;base64,' + picture)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
  canvas.drawImage(image, 0, 0);
  const data = canvas.getImageData(0, 0, image.width, image.height).data;
  const key = (at) => (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
  const counts = new Map();
  for (let at = 0; at < data.length; at += 4) counts.set(key(at), (counts.get(key(at)) ?? 0) + 1);
  const far = (a, b) => [16, 8, 0].reduce((sum, by) => sum + (((a >> by) & 255) - ((b >> by) & 255)) ** 2, 0);
  const kept = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 200).map(([colour]) => colour);
  const rest = new Map([...counts.keys()].map((colour) => [colour, Math.min(...kept.map((one) => far(colour, one)))]));
  while (kept.length < 256) {  // the small and bright ones, such as emoji
    const next = [...rest].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
    kept.push(next);
    for (const [colour, before] of rest) rest.set(colour, Math.min(before, far(colour, next)));
  }
  const index = new Map(kept.map((colour, number) => [colour, number]));
  for (const colour of counts.keys())
    if (!index.has(colour))
      index.set(colour, index.get(kept.reduce((a, b) => far(colour, b) < far(colour, a) ? b : a)));
  let pixels = '';
  for (let at = 0; at < data.length; at += 4) pixels += String.fromCharCode(index.get(key(at)));
  return [image.width, image.height, kept.flatMap((c) => [c >> 16, (c >> 8) & 255, c & 255]), btoa(pixels)];
}"""


@dataclass(frozen=True, kw_only=True)
class View:
    """One column of a sheet."""

    caption: str
    language: str
    width: int
    scheme: Literal["light", "dark"]


VIEWS = (
    View(caption="light", language="en", width=660, scheme="light"),
    View(caption="dark", language="pt", width=660, scheme="dark"),
    View(caption="360 px wide", language="es", width=360, scheme="light"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lang", help="one language for all columns")
    parser.add_argument("--only", choices=list(samples()), help="one mail")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "mails")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments())
        for name, letter in samples().items():
            if given.only in (None, name):
                made = sheet(browser, letter, given.lang, given.out / f"{name}.png")
                print(f"Made {made}")
        browser.close()


def sheet(browser: Browser, letter: Letter, language: str | None, out: Path) -> Path:
    """The letter in every view, side by side."""
    figures = "".join(figure(browser, letter, view, language or view.language) for view in VIEWS)
    page = browser.new_page(device_scale_factor=SCALE)
    page.set_content(SHEET.format(figures=figures))
    picture = page.locator("body").screenshot()
    out.write_bytes(small(page, picture))
    page.close()
    return out


def small(page: Page, picture: bytes) -> bytes:
    """The same picture with at most 256 colours: a third of the size."""
    width, height, colours, pixels = page.evaluate(PIXELS, base64.b64encode(picture).decode())
    rows = base64.b64decode(pixels)
    lines = b"".join(b"\0" + rows[start : start + width] for start in range(0, width * height, width))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", bytes(colours)), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def figure(browser: Browser, letter: Letter, view: View, language: str) -> str:
    rendered = render(letter, language)
    viewport = ViewportSize(width=view.width, height=200)
    page = browser.new_page(color_scheme=view.scheme, viewport=viewport, device_scale_factor=SCALE)
    picture = base64.b64encode(shot(page, rendered.html)).decode()
    page.close()
    caption = f"{rendered.language}, {view.caption}"
    image = f'<img width="{view.width}" src="data:image/png;base64,{picture}">'
    return f"<figure><figcaption>{caption}</figcaption>{image}</figure>"


def shot(page: Page, markup: str) -> bytes:
    page.set_content(markup)
    return page.screenshot(full_page=True)


if __name__ == "__main__":
    main()
