"""Opens every page of the built site in a real browser, and says what is wrong to the eye.

At the widths of a phone, a tablet and a desk no page may scroll sideways; in the light and in the dark every
word must stand out from what is behind it; formulas must be set, scripts run without an error, nothing may
come from another machine, and the search must find. Screenshots of some pages are for people to look at.
"""

from __future__ import annotations

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from playwright.sync_api import Browser, Page, sync_playwright

WIDTHS = {"phone": 390, "tablet": 820, "desk": 1440}
SCHEMES = ("light", "dark")
#: Looked at by people.
SHOWN = (
    "index", "quickstart", "in-place", "choosing-a-rule", "choosing-a-schedule", "rules/adam", "rules/index",
    "schedules/waves", "reference/optimizers", "performance", "inside", "numbers", "errors", "from/torch",
    "formulas", "command-line", "from/index",
)  # fmt: skip
LEAST_CONTRAST = 4.5  # WCAG 2, level AA

PALE = """
() => {
  const number = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const over = ([r, g, b, a = 1], below) => [r, g, b].map((c, i) => c * a + below[i] * (1 - a));
  const behind = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) layers.push(number(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const found = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement, style = getComputedStyle(node), box = node.getBoundingClientRect();
    const hidden = !box.width || style.visibility === "hidden";
    if (!text.data.trim() || hidden || node.closest("script, style, .skip-link, dialog")) continue;
    const back = behind(node), colour = node.closest("svg") ? style.fill : style.color;
    const [a, b] = [light(over(number(colour), back)), light(back)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const where = `${node.tagName}.${node.getAttribute("class") || ""}`;
    if (ratio < LEAST) found[where] = `${ratio.toFixed(2)}: ${text.data.trim().slice(0, 40)}`;
  }
  return Object.entries(found).map(([where, what]) => `${where} ${what}`);
}
""".replace("LEAST)", f"{LEAST_CONTRAST})")

WIDE = """
() => {
  const over = document.documentElement.scrollWidth - innerWidth;
  if (over <= 0) return [];
  const culprits = [...document.querySelectorAll("main *")].filter((node) => {
    for (let at = node.parentElement; at; at = at.parentElement)
      if (getComputedStyle(at).overflowX !== "visible") return false;
    return node.getBoundingClientRect().right > innerWidth + 1;
  });
  const named = culprits.slice(0, 3).map((n) => n.tagName + "." + n.className).join(", ");
  return [`${over} px too wide: ${named}`];
}
"""


def serve(site: Path) -> str:
    """Serve the site to this machine, and give its address."""

    class Silent(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(site)))
    Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def opened(browser: Browser, width: int, scheme: str, faults: list[str]) -> Page:
    """Open a window, which tells of errors and of whatever it would fetch elsewhere."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
    page.on(
        "requestfailed",  # what is given up as the next page is opened is none
        lambda request: (
            None
            if "ABORTED" in (request.failure or "")
            else faults.append(f"{page.url}: cannot get {request.url}")
        ),
    )
    page.on(
        "response",
        lambda got: faults.append(f"{page.url}: {got.status} {got.url}") if got.status >= 400 else None,
    )
    page.on(
        "request",
        lambda sent: (
            faults.append(f"{page.url} asks {sent.url}")
            if "127.0.0.1" not in sent.url and not sent.url.startswith(("data:", "blob:"))
            else None
        ),
    )
    return page


def look(browser: Browser, address: str, names: list[str], pictures: Path) -> list[str]:
    """Look at all pages, and list what is wrong."""
    faults: list[str] = []
    for device, width in WIDTHS.items():
        for scheme in SCHEMES:
            page = opened(browser, width, scheme, faults)
            for name in names:
                page.goto(f"{address}{name}.html")
                where = f"{name}, {device}, {scheme}"
                faults += [f"{where}: {fault}" for fault in page.evaluate(WIDE)]
                if device != "tablet":
                    faults += [f"{where}: pale {fault}" for fault in page.evaluate(PALE)]
                unset = page.evaluate(
                    "[...document.querySelectorAll('.formula')]"
                    ".filter((n) => !n.querySelector('math')?.getBoundingClientRect().height).length"
                )
                if unset:
                    faults.append(f"{where}: {unset} formulas are not set")
                if name in SHOWN:
                    page.screenshot(
                        path=pictures / f"{name.replace('/', '-')}-{device}-{scheme}.png",
                        full_page=device != "desk",
                    )
            page.context.close()
    return faults


def search(browser: Browser, address: str, words: dict[str, str]) -> list[str]:
    """Ask the search for words, each of which must lead to a page."""
    faults: list[str] = []
    page = opened(browser, WIDTHS["desk"], "light", faults)
    for word, name in words.items():
        page.goto(f"{address}search.html?q={word}")
        try:
            page.wait_for_selector(f"#search-results a[href*='{name}.html']", timeout=10_000)
        except Exception:
            faults.append(f"a search for {word} does not find {name}")
    page.context.close()
    return faults


def main(site: Path, pictures: Path, browser_path: str) -> None:
    """Look, and fail if anything is wrong."""
    pictures.mkdir(parents=True, exist_ok=True)
    address = serve(site)
    names = sorted(
        path.relative_to(site).with_suffix("").as_posix()
        for path in site.rglob("*.html")
        if "_static" not in path.parts
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        faults = look(browser, address, names, pictures)
        faults += search(
            browser,
            address,
            {"rebinding": "in-place", "Yogi": "rules/yogi", "clip_norm": "reference/optimizers"},
        )
        browser.close()
    print(f"{len(names)} pages at {len(WIDTHS)} widths in {len(SCHEMES)} colours; pictures are in {pictures}")
    if faults:
        raise SystemExit("\n".join(dict.fromkeys(faults)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
