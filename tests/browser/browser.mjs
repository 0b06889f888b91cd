// A headless Chromium, and pages in it that report everything that goes wrong in them.
//
// The browser is that of the environment `browser`, unpacked once beside it. On machines that it is not made for, one on
// PATH or in macOS's usual places is used. Nothing is fetched, and pages are files.

import assert from "node:assert/strict";
import { accessSync, constants, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";

const folder = process.env.BROWSER_ENVIRONMENT;
const pages = process.env.BROWSER_PAGES;
assert(folder && pages, "run `cargo xtask test browser`: it sets BROWSER_ENVIRONMENT and BROWSER_PAGES");
const packages = createRequire(join(folder, "package.json"));
const { chromium } = packages("playwright-core");

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const ELSEWHERE = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"];
// There is no sandbox for root. The other flags avoid network requests.
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];

const isProgram = (path) => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
const installed = () => {
  const onPath = (process.env.PATH ?? "").split(delimiter).flatMap((place) => NAMES.map((name) => join(place, name)));
  return [...onPath, ...ELSEWHERE].find(isProgram);
};

// The packaged browser, with its own fonts and the libraries that a minimal system lacks.
const unpacked = async () => {
  const home = join(folder, "chromium");
  mkdirSync(home, { recursive: true });
  process.env.TMPDIR = home;
  const { default: packaged, inflate } = await import(pathToFileURL(packages.resolve("@sparticuz/chromium")));
  const executablePath = await packaged.executablePath();
  const bin = join(folder, "node_modules/@sparticuz/chromium/bin");
  if (!existsSync(join(home, "al2023"))) await inflate(join(bin, "al2023.tar.br"));
  const fonts = join(home, "fonts.conf");
  writeFileSync(fonts, `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>${home}/fonts/fonts</dir><cachedir>${home}/fonts-cache</cachedir></fontconfig>`);
  const env = { ...process.env, FONTCONFIG_FILE: fonts };
  delete env.FONTCONFIG_PATH;
  return { executablePath, env, libraries: join(home, "al2023/lib") };
};

export const launch = async () => {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return chromium.launch({ executablePath: installed(), args: ARGS });
  }
  const { executablePath, env, libraries } = await unpacked();
  try {
    return await chromium.launch({ executablePath, args: ARGS, env });
  } catch (error) {
    if (!String(error).includes("shared libraries")) throw error;
    return chromium.launch({ executablePath, args: ARGS, env: { ...env, LD_LIBRARY_PATH: libraries } });
  }
};

// Opens one of the example pages, lets the test look at it, and asserts that nothing went wrong.
export const withPage = async (browser, name, { width = 1280, scheme = "light", hash = "" }, look) => {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme, reducedMotion: "reduce" });
  const wrong = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && wrong.push(message.text()));
  page.on("pageerror", (error) => wrong.push(error.stack));
  page.on("request", (request) => request.url().startsWith("file:") || request.url().startsWith("data:") || wrong.push(`asked for ${request.url()}`));
  try {
    await page.goto(pathToFileURL(join(pages, `${name}.html`)) + hash);
    await look(page);
    assert.deepEqual(wrong, []);
  } finally {
    await page.close();
  }
};

// How many pixels the page is wider than its window.
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

// Texts whose contrast with their background is lower than WCAG requires for small text.
export const faint = (page) => page.evaluate(() => {
  const channels = (color) => {
    const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = ([r, g, b, a], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a)];
  const luminance = (color) => {
    const [r, g, b] = color.map((it) => (it / 255 <= 0.04045 ? it / 255 / 12.92 : ((it / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const layers = [];
    for (let node = element; node; node = node.parentElement) {
      const color = channels(getComputedStyle(node).backgroundColor);
      layers.unshift(color);
      if (color[3] === 1) break;
    }
    return layers.reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const found = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility({ visibilityProperty: true }) || element.closest("script, style, noscript, option, .unseen")) continue;
    const ground = behind(element), ink = over(channels(getComputedStyle(element).color), ground);
    const [light, dark] = [luminance(ink), luminance(ground)].sort((one, other) => other - one);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) found.add(`${contrast.toFixed(2)} ${element.tagName}.${element.className} "${texts.currentNode.data.trim().slice(0, 30)}"`);
  }
  return [...found];
});
