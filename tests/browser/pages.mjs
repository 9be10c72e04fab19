// Every page, in both languages, light and dark: nothing fails, nobody is shut out, nothing is asked elsewhere, nothing is heavy.

import { join } from "node:path";
import { address, browsing, finish, must, screenshots, throughPictures, violations, watched, wrong } from "./harness.mjs";

/** Bytes of a page without its pictures, and milliseconds of the server for it. */
const MOST_BYTES = 200_000;
const MOST_MILLISECONDS = 100;
const WIDTHS = [375, 1280, 1920];

/** The links of a page that lead to pages of a kind. */
async function links(page, path, pattern) {
  await page.goto(address + path);
  const found = await page.evaluate(() => [...document.querySelectorAll("main a")].map((link) => link.getAttribute("href")));
  return [...new Set(found.filter((href) => pattern.test(href)))];
}

/** Pages by name. Those with a name of two parts are of one kind, of which the first stands for all in pictures. */
async function pages(page) {
  const all = [["home", "/"], ["search", "/search?q=petani+kota+yogyakarta"], ["search-nothing", "/search?q=zzzz"], ["catalogue", "/tables"]];
  for (const table of await links(page, "/tables", /^\/tables\/[^?]+$/)) {
    const name = table.split("/").pop();
    all.push([`table ${name}`, table]);
    await page.goto(address + table);
    const tabs = await page.$$eval(".tabs a", (tabs) => tabs.map((tab) => [tab.id, tab.getAttribute("href")]));
    for (const [id, href] of tabs.slice(1)) all.push([`table-${id} ${name}`, href]);
  }
  let region = "/regions/34";
  for (const level of ["province", "regency", "district", "village"]) {
    all.push([`region-${level}`, region]);
    const below = await links(page, region, /^\/regions\//);
    region = below.filter((link) => link.length > region.length).pop() ?? region;
  }
  all.push(["compare", "/compare"], ["dashboards", "/dashboards"], ["queries", "/queries"], ["releases", "/releases"], ["method", "/method"], ["api", "/api"]);
  for (const dashboard of await links(page, "/dashboards", /^\/dashboards\//)) {
    all.push([`dashboard-${dashboard.split("/").pop()}`, dashboard], [`dashboard-${dashboard.split("/").pop()}-34`, `${dashboard}?region=34`]);
  }
  for (const query of await links(page, "/queries", /^\/queries\//)) all.push([`query ${query.split("/").pop()}`, query]);
  all.push(["long-table", "/tables/population?shade=on&labels=both&valueCodes[Region]=*&valueCodes[Age]=*"]);
  all.push(["withheld-table", "/tables/religion?valueCodes[Region]=within(3471)&codelist[Region]=vs_region_village&valueCodes[Religion]=*"]);
  all.push(["choice-refused", "/tables/population?valueCodes[Region]=nowhere"]);
  all.push(["not-found", "/nowhere"]);
  return all;
}

await browsing(async (browser) => {
  const page = await watched(browser);
  const all = await pages(page);
  must(all.length > 60, `there are only ${all.length} pages`);
  const pictured = new Set();
  let slowest = [0, ""];
  let heaviest = [0, ""];
  for (const [name, path] of all) {
    for (const lang of ["id", "en"]) {
      const url = `${address}${path}${lang === "id" ? "" : `${path.includes("?") ? "&" : "?"}lang=${lang}`}`;
      const status = name === "not-found" ? 404 : 200;
      if (status === 404) page.expected.add(url);
      const sizes = [];
      const weigh = async (response) => {
        const type = response.headers()["content-type"] ?? "";
        if (!type.startsWith("image/")) sizes.push(response.body().then((body) => body.length, () => 0));
      };
      page.on("response", weigh);
      await page.emulateMedia({ colorScheme: "light" });
      const response = await page.goto(url);
      must(response.status() === status, `${url} is answered with ${response.status()}`);
      await throughPictures(page);
      page.off("response", weigh);
      const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
      must(bytes < MOST_BYTES, `${url} weighs ${bytes} bytes without pictures`);
      if (bytes > heaviest[0]) heaviest = [bytes, url];
      // The first time is the server's; what follows is kept.
      const { responseStart, requestStart } = response.request().timing();
      if (responseStart - requestStart > slowest[0]) slowest = [responseStart - requestStart, url];
      must((await page.getAttribute("html", "lang")) === lang, `${url} is not in ${lang}`);
      for (const found of await violations(page)) wrong(`${url} light: ${found}`);
      await page.emulateMedia({ colorScheme: "dark" });
      for (const found of await violations(page)) wrong(`${url} dark: ${found}`);
      const kind = name.split(" ")[0];
      if (lang === "id" && !pictured.has(kind)) {
        pictured.add(kind);
        await throughPictures(page);
        await page.screenshot({ path: join(screenshots, `${kind}-1280-dark.png`), fullPage: true });
        await page.emulateMedia({ colorScheme: "light" });
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 900 });
          // What is folded together on narrow screens is so from the beginning.
          if (status === 200) await page.reload();
          await throughPictures(page);
          await page.screenshot({ path: join(screenshots, `${kind}-${width}.png`), fullPage: true });
          const wide = await page.evaluate((width) => {
            if (document.scrollingElement.scrollWidth <= width) return null;
            const beyond = [...document.querySelectorAll("main *")].filter((one) => one.getBoundingClientRect().right > width + 1 && !one.closest(".scroll"));
            return beyond.slice(0, 3).map((one) => `${one.tagName}.${one.className}`).join(", ") || "something";
          }, width);
          must(wide === null, `${url} is wider than ${width} pixels: ${wide}`);
          const head = await page.evaluate(() => document.querySelector("header.top").getBoundingClientRect().height);
          must(width > 480 || head < 125, `the head of ${url} takes ${head} pixels of a screen of ${width}`);
        }
        await page.setViewportSize({ width: 1280, height: 900 });
      }
    }
  }
  console.log(`slowest: ${slowest[0].toFixed(0)} ms, ${slowest[1]}`);
  console.log(`heaviest without pictures: ${heaviest[0]} bytes, ${heaviest[1]}`);
  must(slowest[0] < MOST_MILLISECONDS * 10, `${slowest[1]} took ${slowest[0]} ms`);
  finish(`${all.length} pages in two languages can be read by everybody`);
});
