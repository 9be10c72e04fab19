// What people come for, done as they do it: by clicking and typing, from the front page to something they can take away.

import { address, browsing, bytesOf, finish, must, watched } from "./harness.mjs";

/** The names of the files in a ZIP file, from its central directory. */
function entries(bytes) {
  const names = [];
  let at = bytes.readUInt32LE(bytes.lastIndexOf(Buffer.from("PK\x05\x06", "latin1")) + 16);
  while (bytes.readUInt32LE(at) === 0x02014b50) {
    const [name, extra, comment] = [28, 30, 32].map((offset) => bytes.readUInt16LE(at + offset));
    names.push(bytes.toString("utf8", at + 46, at + 46 + name));
    at += 46 + name + extra + comment;
  }
  return names;
}

async function download(page, link) {
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  return bytesOf(await download);
}

/** A tax officer: where people of productive age are, as a picture for a memorandum. */
async function tax(page) {
  await page.goto(`${address}/?lang=en`);
  await page.getByRole("link", { name: "Productive ages", exact: true }).click();
  await page.getByLabel("Region", { exact: true }).fill("Kota Yogyakarta");
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByRole("heading", { name: /^Kota Yogyakarta · / }).waitFor();
  const png = await download(page, page.getByRole("link", { name: /PNG.*Regions with the most active people/ }));
  must(png.subarray(1, 4).toString() === "PNG" && png.length > 10_000, "the ranking is no PNG");
  must(png.includes("Regions with the most active people"), "the PNG does not tell what it shows");
  await page.getByRole("link", { name: /Open as table.*Regions with the most active people/ }).click();
  await page.getByRole("heading", { name: /^Productive ages: population/ }).waitFor();
  must((await page.locator(".tabs [aria-current=page]").textContent()) === "Ranking", "the explorer does not show what the panel showed");
  await page.getByRole("link", { name: "The same numbers as a table" }).click();
  must((await page.locator("table[data-grid] tbody tr").count()) > 5, "the ranking has no table");
}

/** A bank's analyst: where traders of middle age live, as rows for a spreadsheet. */
async function bank(page) {
  await page.goto(`${address}/dashboards?lang=en`);
  await page.getByRole("link", { name: "Credit market" }).click();
  await page.getByLabel("Stage of life").selectOption("Y30T44");
  await page.getByLabel("Occupation group").selectOption("TRADE");
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByRole("heading", { name: /30-44 years · Trade/ }).waitFor();
  const csv = (await download(page, page.getByRole("link", { name: /CSV.*Target districts with share and growth/ }))).toString();
  must(csv.split("\n").length > 5 && csv.startsWith("rank,region"), `the rows are ${csv.slice(0, 100)}`);
  const pdf = await download(page, page.getByRole("link", { name: /PDF.*Districts with most of the target group/ }));
  must(pdf.subarray(0, 5).toString() === "%PDF-", "the ranking is no PDF");
  await page.getByRole("link", { name: "Open as query" }).click();
  must((await page.getByLabel("Occupation group").inputValue()) === "TRADE", "the query forgot the occupation");
}

/** A health planner: everything on one region, to be printed. */
async function health(page) {
  await page.goto(address);
  await page.getByRole("link", { name: "Perencanaan kesehatan" }).click();
  await page.getByLabel("Wilayah", { exact: true }).fill("Bali");
  await page.getByRole("button", { name: "Tampilkan" }).click();
  await page.getByRole("heading", { name: /^Bali · / }).waitFor();
  const names = entries(await download(page, page.getByRole("link", { name: /ZIP/ })));
  for (const ending of ["pyramid.id.svg", "pyramid.en.png", "bars.id.pdf", "captions.id.txt", "captions.en.txt", "index.id.html"]) {
    must(names.some((name) => name.endsWith(ending)), `${ending} is not among ${names.join(" ")}`);
  }
}

/** Somebody of the registry: from a name to a village. */
async function registry(page) {
  await page.goto(address);
  const search = page.getByRole("searchbox");
  await page.keyboard.press("/");
  must(await search.evaluate((one) => one === document.activeElement), "/ does not lead to the search");
  await search.pressSequentially("kota yogya");
  await page.locator(".suggestions a").first().waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Kota Yogyakarta", level: 1 }).waitFor();
  for (const level of ["district", "village"]) {
    const below = page.locator("section:has(#below) .chips a").first();
    const name = await below.textContent();
    await below.click();
    await page.getByRole("heading", { name, level: 1 }).waitFor();
    must((await page.locator(".number").count()) > 2, `the profile of a ${level} has no figures`);
  }
  must((await page.locator(".crumbs li").count()) === 4, "the way to a village has not four steps");
  const svg = (await download(page, page.getByRole("link", { name: /SVG.*Status kawin/ }))).toString();
  must(svg.startsWith("<svg") && svg.includes("<metadata>"), "the picture of a village is no SVG");
}

/** The same state in the other language, and back. */
async function languages(page) {
  await page.goto(`${address}/tables/population?valueCodes[Region]=34,51&valueCodes[Age]=Y15T64&shade=on`);
  const cells = () => page.locator("table[data-grid] tbody td").allTextContents();
  const before = await cells();
  await page.getByRole("link", { name: "English" }).click();
  await page.getByRole("link", { name: "Bahasa Indonesia" }).waitFor();
  must((await page.getAttribute("html", "lang")) === "en", "the page is not in English");
  must((await cells()).join().replaceAll(",", "") === before.join().replaceAll(".", "").replaceAll(",", ""), "the numbers are others in English");
  must(page.url().includes("shade=on"), "the language switch forgot the shading");
  await page.getByRole("link", { name: "Bahasa Indonesia" }).click();
  await page.getByRole("link", { name: "English" }).waitFor();
  must((await cells()).join() === before.join(), "the numbers are others after the way back");
}

/** Light and dark, as the reader chooses. */
async function themes(page) {
  await page.goto(`${address}/tables/population?view=pyramid&lang=en`);
  // Which picture it is a browser decides some time after the page is there.
  const picture = (theme) => page.waitForFunction((theme) => document.querySelector("figure img").currentSrc.includes(`theme=${theme}`), theme);
  await picture("light");
  await page.getByRole("button", { name: "Light/dark" }).click();
  must((await page.getAttribute("html", "data-theme")) === "dark", "the button does not make the page dark");
  await picture("dark");
  await page.reload();
  must((await page.getAttribute("html", "data-theme")) === "dark", "the choice is forgotten");
  await picture("dark");
}

/** Without a mouse: to the content, through the navigation. */
async function keyboard(page) {
  await page.goto(`${address}/?lang=en`);
  await page.keyboard.press("Tab");
  must((await page.evaluate(() => document.activeElement.className)) === "skip", "the first stop is not the way to the content");
  await page.keyboard.press("Enter");
  await page.waitForURL(/#main$/);
  const stops = [];
  for (let stop = 0; stop < 40; stop += 1) {
    await page.keyboard.press("Tab");
    stops.push(await page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.id));
  }
  must(stops.includes("search") && stops.includes("Productive ages"), `Tab leads to ${stops.join(", ")}`);
}

await browsing(async (browser) => {
  for (const story of [tax, bank, health, registry, languages, themes, keyboard]) {
    const page = await watched(browser);
    await story(page).catch((error) => must(false, `${story.name}: ${error.stack}`));
    await page.context().close();
    console.log(story.name);
  }
  finish("people reach what they came for");
});
