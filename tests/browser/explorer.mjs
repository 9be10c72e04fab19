// The explorer with scripts and without: what is chosen is shown, kept in the address, and found again.

import { address, browsing, finish, must, watched } from "./harness.mjs";

const grid = "table[data-grid]";

/** Choosing, counting, showing, going back. */
async function choosing(page) {
  await page.goto(`${address}/tables/labour?lang=en`);
  const counter = page.locator(".counter");
  const before = await counter.textContent();
  const loads = [];
  page.on("framenavigated", () => loads.push(page.url()));
  await page.locator("#codes-Occupation input[value=TRADE]").check();
  await page.locator("#codes-Occupation input[value=AGRI]").check();
  await page.waitForFunction((before) => document.querySelector(".counter").textContent !== before, before);
  must(!page.url().includes("TRADE"), "the choice was shown before anybody asked for it");
  must(loads.length === 0, "counting loaded the page anew");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await page.waitForFunction(() => document.querySelector("table[data-grid]").textContent.includes("Trade and own business"));
  must(page.url().includes("TRADE"), "the address does not hold the choice");
  must((await page.evaluate(() => document.activeElement.id)) === "show", "the focus was lost");
  const shown = await page.locator(grid).textContent();
  await page.reload();
  must((await page.locator(grid).textContent()) === shown, "the address leads to another table");
  await page.locator("#view-bars").click();
  await page.locator("figure img").waitFor();
  must(page.url().includes("TRADE") && page.url().includes("view=bars"), "the view forgot the choice");
  await page.goBack();
  await page.locator(grid).waitFor();
  must((await page.locator(grid).textContent()) === shown, "the way back leads elsewhere");
}

/** Turning, sorting, shading: by keyboard. */
async function turning(page) {
  await page.goto(`${address}/tables/population?lang=en&valueCodes[Region]=34,51&valueCodes[Age]=*&codelist[Age]=vs_age_five-year&valueCodes[Sex]=L,P`);
  const rows = () => page.locator(`${grid} tbody tr`).count();
  const before = await rows();
  await page.locator("#move-Sex").focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction((before) => document.querySelectorAll("table[data-grid] tbody tr").length === 2 * before, before);
  must((await page.evaluate(() => document.activeElement.id)) === "move-Sex", "the focus was lost after turning");
  await page.locator(`${grid} thead a`).first().press("Enter");
  await page.locator(`${grid} th[aria-sort=descending]`).waitFor();
  const numbers = (await page.locator(`${grid} tbody td:first-of-type`).allTextContents()).map((text) => Number(text.replaceAll(",", ""))).filter(Number.isFinite);
  must(numbers.length > 4 && numbers.every((number, at) => at === 0 || numbers[at - 1] >= number), "the rows are not in order");
  await page.locator("#shade-on").click();
  await page.locator(`${grid} td.s4`).first().waitFor();
  must((await page.locator(`${grid} td.c.s0, ${grid} td.c.s4`).count()) === 0, "what is withheld has a shade");
}

/** Walking over cells; what a mark means; copying. */
async function walking(page) {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: address });
  await page.goto(`${address}/tables/religion?lang=en&codelist[Region]=vs_region_village&valueCodes[Region]=within(3471)&valueCodes[Religion]=*`);
  const first = page.locator(`${grid} tbody td`).first();
  await first.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  const at = await page.evaluate(() => [document.activeElement.closest("tr").rowIndex, document.activeElement.tagName]);
  must(at[1] === "TD", `the arrows lead to ${at}`);
  const withheld = page.locator(`${grid} td.c`).first();
  await withheld.evaluate((cell) => { cell.tabIndex = 0; cell.focus(); });
  must((await page.getByRole("tooltip").textContent()).includes("protect people"), "[c] is not explained");
  must((await page.locator(".legend [data-mark=c]").count()) === 1, "[c] is not in the legend");
  await page.keyboard.press("Control+c");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  must(copied.split("\n").length > 10 && copied.includes("\t"), `what was copied is ${copied.slice(0, 80)}`);
}

/** Regions: walking down, whole levels, searching, pasting. */
async function regions(page) {
  await page.goto(`${address}/tables/population?lang=en&valueCodes[Region]=34&valueCodes[Age]=T`);
  await page.locator("#at-Region-3471").click();
  await page.locator("#tree-Region input[value^='children(3471']").check();
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await page.waitForFunction(() => document.querySelectorAll("table[data-grid] tbody tr").length > 10);
  must(page.url().includes("children"), "the address does not say what was ticked");
  await page.locator("#at-Region-34").click();
  await page.getByRole("button", { name: /^District \(/ }).click();
  await page.waitForFunction(() => ["Gondokusuman", "Kretek"].every((name) => document.querySelector("table[data-grid]")?.textContent.includes(name)));
  must(page.url().includes("vs_region_district"), `the level is not in the address: ${page.url()}`);
  await page.locator("#paste-Region summary").click();
  await page.locator("#pasted-Region").fill("51\n34.71  nowhere");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await page.getByRole("alert").getByText("nowhere").waitFor();
  must((await page.locator(grid).textContent()).includes("Bali"), "what was pasted is not chosen");
  await page.locator("input[name='find[Region]']").fill("gondokusuman");
  await page.locator("#find-Region").click();
  await page.locator("#found-Region input").first().waitFor();
}

/** A long table: rows come when one gets to them, and what is far away takes no part. */
async function scrolling(page) {
  await page.goto(`${address}/tables/occupation?lang=en&valueCodes[Region]=*&valueCodes[Occupation]=*&valueCodes[Sex]=*&valueCodes[Tid]=*&stub=Region,Occupation&heading=Sex,Tid,ContentsCode`);
  const cells = Number((await page.locator("#summary").textContent()).match(/[\d,]+/)[0].replaceAll(",", ""));
  const began = Date.now();
  let rows = 0;
  let most = 0;
  while (Date.now() - began < 90_000) {
    const state = await page.evaluate(async () => {
      const scroll = document.querySelector(".scroll");
      scroll.scrollTop = scroll.scrollHeight;
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 30)));
      const bodies = [...document.querySelector("table[data-grid]").tBodies];
      const kept = bodies.reduce((sum, body) => sum + (body.kept?.length ?? body.rows.length), 0);
      return [kept, document.querySelectorAll("table[data-grid] tbody tr").length, !document.querySelector("[data-next]")];
    });
    rows = state[0];
    most = Math.max(most, state[1]);
    if (state[2]) break;
  }
  const columns = await page.locator(`${grid} tbody tr`).last().locator("td").count();
  must(rows * columns === cells, `${rows} rows of ${columns} came of ${cells} cells`);
  must(most < rows, `all ${rows} rows stand in the page at once`);
  console.log(`${cells} cells, ${rows} rows scrolled through in ${Date.now() - began} ms; at most ${most} rows at a time`);
  must(Date.now() - began < 80_000, "scrolling takes more than 80 seconds");
}

/** Downloads with their sizes. */
async function downloads(page) {
  await page.goto(`${address}/tables/population?lang=en`);
  await page.locator("#downloads summary").click();
  await page.waitForFunction(() => [...document.querySelectorAll("#downloads [data-size]")].every((cell) => /\d/.test(cell.textContent)));
  const [xlsx] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Excel (XLSX)" }).click()]);
  must(xlsx.suggestedFilename().endsWith(".xlsx"), `the workbook is called ${xlsx.suggestedFilename()}`);
}

/** The table's story without scripts. */
async function withoutScripts(page) {
  await page.goto(`${address}/?lang=en`);
  await page.getByRole("link", { name: "Tables", exact: true }).click();
  await page.getByRole("link", { name: /^Productive ages: population/ }).click();
  await page.locator("#codes-Occupation input[value=TRADE]").check();
  await page.locator("#list-Age").selectOption("vs_age_broad");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  must((await page.locator(grid).textContent()).includes("Trade and own business"), "what was ticked is not shown");
  const shown = (await page.locator(`${grid} tbody td`).first().textContent()).replaceAll(",", "");
  await page.locator("#downloads summary").click();
  const csv = await page.request.get(address + (await page.getByRole("link", { name: "CSV ,", exact: true }).getAttribute("href")));
  must((await csv.text()).split("\n")[1].includes(`,${shown}`), `the table shows ${shown}, the file says ${(await csv.text()).split("\n")[1]}`);
  await page.getByRole("link", { name: "Map" }).click();
  await page.locator("figure img").waitFor();
  await page.goto(`${address}/tables/population?lang=en`);
  await page.locator("#at-Region-34").click();
  await page.locator("#at-Region-3471").click();
  must((await page.locator("#tree-Region li").count()) > 5, "the regions cannot be walked through");
  await page.goto(`${address}/?lang=en`);
  await page.getByRole("searchbox").fill("bali");
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByRole("link", { name: "Bali", exact: true }).first().click();
  await page.getByRole("heading", { name: "Bali", level: 1 }).waitFor();
  await page.goto(`${address}/dashboards/productive-age?lang=en`);
  await page.getByLabel("Region", { exact: true }).fill("bali");
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByRole("heading", { name: /^Bali · / }).waitFor();
  await page.goto(`${address}/queries/tax-ranking?lang=en`);
  await page.getByRole("button", { name: "Show" }).click();
  must((await page.locator("table tbody tr").count()) > 3, "the query has no rows");
}

await browsing(async (browser) => {
  for (const story of [choosing, turning, walking, regions, scrolling, downloads, withoutScripts]) {
    const page = await watched(browser, { javaScriptEnabled: story !== withoutScripts });
    await story(page).catch((error) => must(false, `${story.name}: ${error.stack}`));
    await page.context().close();
    console.log(story.name);
  }
  finish("what is chosen is shown and found again");
});
