// Signing in for the first time, what one sees then, keys and a second factor of one's own, signing out.
//
// Besides what all scripts take: CACAH_TEST_USER and CACAH_TEST_PASSWORD, a user id with its one-time password.

import { createHmac } from "node:crypto";
import { address, browsing, finish, looked, must, watched } from "./harness.mjs";

const { CACAH_TEST_USER: user, CACAH_TEST_PASSWORD: once } = process.env;
const chosen = "long enough, and mine";

/** The code that an authenticator shows for a seed (RFC 6238), for the step before, this one or the next. */
function code(seed, later) {
  const bits = [...seed].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + later));
  const tag = createHmac("sha1", key).update(step).digest();
  return String((tag.readUInt32BE(tag[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

async function signIn(page, password, more = {}) {
  await page.getByLabel("User id").fill(user);
  await page.getByLabel("Password", { exact: true }).fill(password);
  for (const [label, value] of Object.entries(more)) await page.getByLabel(label).fill(value);
  await page.getByRole("button", { name: "Sign in" }).click();
}

await browsing(async (browser) => {
  const page = await watched(browser);
  page.expected.add(`${address}/sign-in?lang=en`).add(`${address}/regions/51?lang=en`);
  await page.goto(`${address}/tables/labour?lang=en`);
  must(page.url().startsWith(`${address}/sign-in`), `who has not signed in comes to ${page.url()}`);
  await looked(page, "sign-in");
  await signIn(page, "not the password");
  await page.getByRole("alert").getByText("wrong").waitFor();
  await signIn(page, once);
  await page.getByRole("alert").getByText("can be used once").waitFor();
  await looked(page, "sign-in-first");
  await signIn(page, once, { "New password (12 characters or more)": "short", "Repeat the new password": "short" });
  await page.getByRole("alert").getByText("12 to 128 characters").waitFor();
  await signIn(page, once, { "New password (12 characters or more)": chosen, "Repeat the new password": `${chosen}!` });
  await page.getByRole("alert").getByText("not typed the same twice").waitFor();
  await signIn(page, once, { "New password (12 characters or more)": chosen, "Repeat the new password": chosen });
  await page.getByRole("heading", { name: /^Productive ages/ }).waitFor();
  must(page.url() === `${address}/tables/labour?lang=en`, `one comes out at ${page.url()}`);
  const text = await page.locator("#choice").textContent();
  must(text.includes("Kulon Progo") && !text.includes("Denpasar"), "the choice is not that of the office's region");
  await page.goto(`${address}/regions/51?lang=en`);
  await page.getByText("51 lies outside").waitFor();
  await looked(page, "out-of-scope");

  await page.getByRole("link", { name: "Account" }).click();
  await page.getByText("Daerah Istimewa Yogyakarta").first().waitFor();
  await page.getByLabel("Name of the key").fill("nightly");
  await page.getByRole("button", { name: "Make a key" }).click();
  const key = await page.locator("code", { hasText: "cacah_" }).textContent();
  const answer = await fetch(`${address}/api/v2/tables`, { headers: { authorization: `Bearer ${key}` } });
  must(answer.status === 200, `the key is answered with ${answer.status}`);
  await looked(page, "account");
  await page.getByRole("button", { name: "Revoke nightly" }).click();
  await page.getByRole("cell", { name: "revoked" }).waitFor();

  await page.getByRole("button", { name: "Set up a second factor" }).click();
  const seed = await page.locator("form code").textContent();
  await looked(page, "second-factor");
  await page.getByLabel("Code from your authenticator").fill(code(seed, 0));
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByText("has a second factor").waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.goto(`${address}/account?lang=en`);
  must(page.url().startsWith(`${address}/sign-in`), "the account is open after signing out");
  await signIn(page, chosen);
  await page.getByRole("alert").getByText("authenticator").waitFor();
  // The code that was used is not taken again; the next one is.
  await signIn(page, chosen, { "Code from your authenticator": code(seed, 1) });
  await page.getByRole("heading", { level: 1 }).waitFor();
  must((await page.getByRole("link", { name: "Account" }).count()) === 1, "the second factor does not let in");
  finish("people sign in and see what is theirs");
});
