// What the browser tests share: a real Chromium, pages that are watched, a way to fail.
//
// Argument of each script: the address of a service. Environment: CACAH_TEST_BROWSER, the browser; CACAH_TEST_NODE_MODULES, where
// playwright-core and axe-core are; CACAH_TEST_SCREENSHOTS, where pictures of pages are put.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { mkdirSync, readFileSync } from "node:fs";

export const [address] = process.argv.slice(2);
const modules = process.env.CACAH_TEST_NODE_MODULES;
const browserPath = process.env.CACAH_TEST_BROWSER;
if (!address || !modules || !browserPath) {
  console.error("usage: CACAH_TEST_NODE_MODULES=FOLDER CACAH_TEST_BROWSER=PROGRAM node SCRIPT ADDRESS");
  process.exit(2);
}
const require = createRequire(join(dirname(modules), "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const screenshots = process.env.CACAH_TEST_SCREENSHOTS ?? join(import.meta.dirname, "screenshots");
mkdirSync(screenshots, { recursive: true });

const faults = [];

/** Notes what is wrong and goes on: one run shows all faults. */
export function wrong(what) {
  faults.push(what);
  console.error(`fault: ${what}`);
}

/** Notes that something must be so. */
export function must(so, what) {
  if (!so) wrong(what);
}

/** The end of a script: what it did, or all that was wrong. */
export function finish(done) {
  if (faults.length) {
    console.error(`${faults.length} faults`);
    process.exit(1);
  }
  console.log(done);
}

/** Runs a browser for as long as something is done with it. */
export async function browsing(work) {
  const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", "--force-color-profile=srgb"] });
  try {
    await work(browser);
  } catch (error) {
    wrong(error.stack);
  } finally {
    await browser.close();
  }
}

/** A page that notes whatever is wrong on it: errors, warnings, requests to elsewhere. */
export async function watched(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.expected = new Set();
  page.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    // What is refused is asked for on purpose.
    if (page.expected.has(page.url()) && /40[0134]/.test(message.text())) return;
    wrong(`${page.url()}: the console says ${message.text()}`);
  });
  page.on("pageerror", (error) => wrong(`${page.url()}: ${error}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${address}/`) && !url.startsWith("data:") && !url.startsWith("blob:")) wrong(`${page.url()} asks ${url}`);
  });
  return page;
}

/** What axe finds, in words. */
export async function violations(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"] }),
  );
  return violations.map((one) => `${one.id} (${one.help}): ${one.nodes.slice(0, 4).map((node) => node.target.join(" ")).join(", ")}`);
}

/** Holds a page to what holds of every page, in light and dark, and keeps a picture of it. */
export async function looked(page, name) {
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    for (const found of await violations(page)) wrong(`${name} ${colorScheme}: ${found}`);
  }
  for (const width of [375, 1280, 1920]) {
    await page.setViewportSize({ width, height: 900 });
    await page.screenshot({ path: join(screenshots, `${name}-${width}.png`), fullPage: true });
    const wide = await page.evaluate((width) => document.documentElement.scrollWidth > width, width);
    must(!wide, `${name} is wider than ${width}`);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}

/** Scrolls through a page, so that its pictures come. */
export async function throughPictures(page) {
  await page.evaluate(async () => {
    for (const image of document.images) image.loading = "eager";
    await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  });
  const missing = await page.evaluate(() => [...document.images].filter((image) => !image.naturalWidth).map((image) => image.currentSrc));
  for (const source of missing) wrong(`${page.url()}: the picture ${source} does not come`);
}

/** The bytes of a download. */
export async function bytesOf(download) {
  return readFileSync(await download.path());
}
