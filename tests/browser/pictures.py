"""A mail as people see it: on a phone and on a desk, in light and in dark, and what is wrong with the sight."""

from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, Request

from tests.services.notifications.kinds_of_mail import read
from tests.services.notifications.words import texts

TAP_PIXELS = 44
"""What a finger hits (WCAG 2.2, 2.5.5)."""
FAULTS = """
(tap) => {
  const faults = [];
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) faults.push('the page is wider than the screen');
  const channel = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 };
  const parse = c => { const [r, g, b, a = 1] = c.match(/[\\d.]+/g).map(Number); return { rgb: [r, g, b], a } };
  const over = (front, back) => front.rgb.map((v, i) => v * front.a + back[i] * (1 - front.a));
  const light = rgb => { const [r, g, b] = rgb.map(channel); return 0.2126 * r + 0.7152 * g + 0.0722 * b };
  const ground = e => {
    const layers = [];
    for (let n = e; n; n = n.parentElement) layers.push(parse(getComputedStyle(n).backgroundColor));
    const page = matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
    return layers.reverse().reduce((back, layer) => over(layer, back), page);
  };
  for (const e of document.querySelectorAll('body *')) {
    const said = [...e.childNodes].filter(n => n.nodeType === 3 && n.textContent.trim());
    if (!said.length) continue;
    const short = `${e.tagName}: ${e.textContent.trim().slice(0, 40)}`;
    const style = getComputedStyle(e), back = ground(e), size = parseFloat(style.fontSize);
    const [a, b] = [light(over(parse(style.color), back)), light(back)].sort((x, y) => y - x);
    const large = size >= 24 || (size >= 18.66 && parseInt(style.fontWeight) >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) faults.push(`contrast ${ratio.toFixed(2)} of ${short}`);
    if (size < 13) faults.push(`letters of ${size} pixels in ${short}`);
    const text = document.createRange();
    for (const n of said) {
      text.selectNodeContents(n);
      for (const box of text.getClientRects())
        if (box.right > width || box.left < 0) { faults.push(`cut off: ${short}`); break; }
    }
  }
  for (const e of document.querySelectorAll('a.go')) {
    const box = e.getBoundingClientRect();
    if (box.height < tap || box.width < tap) faults.push(`a button of ${box.width} by ${box.height} pixels`);
  }
  if (document.querySelectorAll('a.go').length > 1) faults.push('more than one button');
  return faults;
}
"""


@dataclass(frozen=True)
class Sight:
    """From where a mail is looked at."""

    name: str
    width: int
    dark: bool

    async def page(self, browser: Browser) -> Page:
        """A page to show mails in; what they would fetch from elsewhere is refused."""
        context = await browser.new_context(
            viewport={"width": self.width, "height": 800},
            color_scheme="dark" if self.dark else "light",
            java_script_enabled=True,
            offline=True,
        )
        return await context.new_page()


SIGHTS = [
    Sight(f"{name}-{'dark' if dark else 'light'}", width, dark)
    for name, width in (("phone", 360), ("desk", 800))
    for dark in (False, True)
]


async def faults_of(page: Page, mail: bytes, picture: Path) -> list[str]:
    """Show a mail, keep its picture and say what is wrong with it."""
    asked: list[str] = []

    def hear(request: Request) -> None:
        asked.append(request.url)

    page.on("request", hear)
    await page.set_content(texts(read(mail))[1])
    found: list[str] = await page.evaluate(FAULTS, TAP_PIXELS)
    await page.screenshot(path=picture, full_page=True, type="jpeg", quality=80)
    page.remove_listener("request", hear)
    return found + [f"asks for {url}" for url in asked]
