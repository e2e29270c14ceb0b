// Opens /docs in a headless Chromium as a person does, and says what happened as one line of JSON.
//
//   node docs_page.mjs URL WAY [SCREENSHOT]
//
// WAY is a token to paste, or "register": then an account's answer brings the token.

import { chromium } from "playwright-core";

const [url, way, screenshot] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 1200, height: 1750 } });

const complaints = [];
const origins = new Set();
page.on("console", (said) => ["error", "warning"].includes(said.type()) && complaints.push(said.text()));
page.on("pageerror", (error) => complaints.push(String(error)));
page.on("request", (request) => request.url().startsWith("data:") || origins.add(new URL(request.url()).origin));

async function run(operation) {
  const block = page.locator(`[id$="-${operation}"]`);
  await block.locator(".opblock-summary-control").click();
  await block.getByRole("button", { name: "Execute" }).click();
  const answer = block.locator(".live-responses-table .response");
  await answer.waitFor();
  const status = (await answer.locator(".response-col_status").innerText()).split("\n")[0];
  const body = JSON.parse(await answer.locator(".highlight-code code").first().innerText());
  return { block, status: Number(status), body };
}

await page.goto(url); // leads to /docs
await page.locator(".opblock").first().waitFor();
const path = new URL(page.url()).pathname;
if (way === "register") {
  await run("createAccount");
} else {
  await page.getByRole("button", { name: "Authorize" }).first().click();
  await page.getByRole("textbox", { name: "Value" }).or(page.locator(".auth-container input")).first().fill(way);
  await page.locator(".auth-btn-wrapper button.authorize").click();
  await page.locator(".auth-btn-wrapper button.btn-done").click();
}
const created = await run("createTask");
if (screenshot) {
  await page.locator(".opblock-tag-section").first().evaluate((section) => section.scrollIntoView());
  await page.screenshot({ path: screenshot });
}
const listed = await run("listTasks");
console.log(
  JSON.stringify({
    path,
    created: [created.status, created.body.title, created.body.user_id],
    listed: [listed.status, listed.body],
    complaints,
    origins: [...origins],
  }),
);
await browser.close();
