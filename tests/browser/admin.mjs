// A day of an administrator: an institution comes, users are asked for and approved, one is suspended, the service is seen as he sees it,
// the log is searched, the report printed; and a reporter files his.
//
// Besides what all scripts take: CACAH_TEST_USER and CACAH_TEST_PASSWORD of an administrator, CACAH_TEST_REPORTER of a reporter with the
// same password.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { address, browsing, bytesOf, finish, looked, must, screenshots, watched } from "./harness.mjs";

const { CACAH_TEST_USER: user, CACAH_TEST_REPORTER: reporter, CACAH_TEST_PASSWORD: password } = process.env;

async function signIn(page, user, to) {
  await page.goto(`${address}${to}`);
  await page.getByLabel("User id").fill(user);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1 }).waitFor();
}

/** Opens a form that stands behind its name, fills it in and sends it. */
async function act(page, name, values) {
  const form = page.locator("details.act", { has: page.locator("summary", { hasText: name }) }).first();
  await form.locator("summary").first().click();
  for (const [label, value] of Object.entries(values)) await form.getByLabel(label).first().fill(value);
  await form.getByRole("button", { name }).click();
  await page.getByRole("status").getByText("Done").waitFor();
}

await browsing(async (browser) => {
  const page = await watched(browser);
  await signIn(page, user, "/admin?lang=en");
  await looked(page, "admin");

  await page.getByRole("link", { name: "Institutions" }).click();
  await looked(page, "admin-institutions");
  await page.getByLabel("Code").fill("BANK");
  await page.getByLabel("Name", { exact: true }).fill("Bank Nusantara");
  await page.getByLabel("Agreement number").fill("PKS-7/2024");
  await page.getByLabel("First day").fill("2024-01-01");
  await page.getByLabel("Last day").fill("2099-12-31");
  await page.getByLabel("Household").first().check();
  await page.getByRole("button", { name: "Add an institution" }).click();
  await page.getByRole("heading", { name: "BANK" }).waitFor();

  await act(page, "Request a user", {
    Name: "Wayan Sudiarta", "Employee number": "1", Position: "Analis", "Name in the institution": "wayan", "Region of the office": "34",
  });
  const file = join(screenshots, "users.csv");
  writeFileSync(file, "institution,region,employee_number,name,position,local_id\nBANK,34,2,Made,Analis,made\nBANK,nowhere,3,Nyoman,Analis,nyoman\n");
  page.expected.add(`${address}/admin/users/file?lang=en`);
  const upload = page.locator("details.act", { has: page.locator("summary", { hasText: "by a file" }) });
  await upload.locator("summary").click();
  await upload.getByLabel("File").setInputFiles(file);
  await upload.getByRole("button", { name: "by a file" }).click();
  await page.getByRole("alert").getByText("no region 'nowhere'").waitFor();
  await looked(page, "admin-users");

  await page.getByRole("checkbox", { name: "#" }).first().check();
  await page.getByRole("button", { name: "Approve those ticked" }).click();
  await page.getByText("shown this once").waitFor();
  await looked(page, "admin-handover");
  await page.getByRole("link", { name: "BANK-34-0001" }).click();
  await page.getByRole("heading", { name: "BANK-34-0001" }).waitFor();
  await looked(page, "admin-user");
  await act(page, "Suspend", { Reason: "moved", "Last day": "2098-01-01" });
  await page.getByText("suspended until 1 January 2098").first().waitFor();

  await page.getByRole("button", { name: "See the service as this user sees it" }).click();
  await page.getByText("You see what BANK-34-0001 sees.").waitFor();
  await looked(page, "seeing-as");
  page.expected.add(`${address}/tables/occupation?lang=en`);
  await page.goto(`${address}/tables/occupation?lang=en`);
  await page.getByText("not granted").waitFor();
  await page.getByRole("link", { name: "See it as yourself again" }).click();
  await page.getByRole("button", { name: "See it as yourself again" }).click();
  await page.goto(`${address}/tables/population?lang=en`);
  must((await page.getByText("You see what").count()) === 0, "he still sees as somebody else");

  await page.goto(`${address}/admin/log?lang=en&user=${user}`);
  await page.getByRole("cell", { name: "tables/population" }).first().waitFor();
  await looked(page, "admin-log");
  await page.goto(`${address}/admin/hints?lang=en`);
  await looked(page, "admin-hints");
  await page.goto(`${address}/admin/changes?lang=en`);
  await page.getByText("suspended until 2098-01-01").waitFor();
  await looked(page, "admin-changes");

  await page.goto(`${address}/usage?lang=en`);
  await page.getByRole("heading", { name: "Accesses per day" }).waitFor();
  await looked(page, "usage");
  await page.emulateMedia({ media: "print" });
  await page.screenshot({ path: join(screenshots, "usage-print.png"), fullPage: true });
  await page.emulateMedia({ media: "screen" });
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Workbook" }).click()]);
  must((await bytesOf(download)).subarray(0, 2).toString() === "PK", "the workbook is none");

  const theirs = await watched(browser);
  await signIn(theirs, reporter, "/usage?lang=en");
  await looked(theirs, "usage-reporter");
  const last = await theirs.getByLabel("Semester").locator("option").nth(1).getAttribute("value");
  await theirs.goto(`${address}/usage?lang=en&period=${last}`);
  await theirs.getByLabel("Number of the letter").fill("S-12/2024");
  await theirs.getByRole("button", { name: "File the report" }).click();
  await theirs.getByRole("cell", { name: "filed on" }).waitFor();
  finish("an administrator does a day's work");
});
