// Uses examples/web in a headless Chromium, as people do. For each line of its input, which names a scenario, it
// prints one line of JSON: null, or what was not as it should be.
//
//   PAGE, AUTH, API  the three origins: the page, Better Auth, the service
//   CHROMIUM         the browser
//   SECRET           the service accepts tokens that are signed with it
//   SCREENSHOTS      a folder for pictures, if wanted

import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

import { chromium } from "playwright-core";

const { PAGE, AUTH, API, CHROMIUM, SECRET, SCREENSHOTS } = process.env;
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const PHONE = { width: 360, height: 740 };

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });

let context; // what one person's tabs share
let expected; // The browser reports each failed request on the console. A scenario adds what it has on purpose.

async function run(scenario) {
  const complaints = [];
  const origins = new Set();
  expected = [];
  context = await browser.newContext({ viewport: { width: 1200, height: 800 }, reducedMotion: "reduce" });
  context.setDefaultTimeout(10_000);
  context.on("console", (said) => ["error", "warning"].includes(said.type()) && complaints.push(said.text()));
  context.on("weberror", (error) => complaints.push(String(error.error())));
  context.on("request", (request) => origins.add(new URL(request.url()).origin));
  try {
    await scenario();
  } finally {
    await context.close();
  }
  assert.deepEqual(
    complaints.filter((text) => !expected.some((reason) => reason.test(text))),
    [],
    "on the console",
  );
  assert.deepEqual([...origins].sort(), [API, AUTH, PAGE].sort(), "the origins that requests went to");
}

// People

async function open() {
  const page = await context.newPage();
  await page.goto(PAGE);
  return page;
}

const somebody = () => ({ name: "Ada", email: `${randomUUID()}@example.com`, password: "correct horse battery staple" });

async function signUp(person) {
  const request = { data: person, headers: { Origin: PAGE } };
  const answer = await context.request.post(`${AUTH}/api/auth/sign-up/email`, request);
  assert(answer.ok(), await answer.text());
}

/** A page of somebody who has these tasks, in this order. */
async function withTasks(...tasks) {
  await signUp(somebody());
  const create = tasks.map((task) => (typeof task === "string" ? { title: task } : task)).reverse();
  for (let at = 0; at < create.length; at += 100) {
    await call("POST", "/api/tasks/batch", { create: create.slice(at, at + 100) });
  }
  const page = await open();
  await page.getByText("Nothing to do.").or(page.getByRole("listitem").first()).waitFor();
  return page;
}

async function fillIn(page, { name, email, password }) {
  if (name) await page.getByLabel("Name").fill(name);
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
}

/** Asks the service itself, past the page. */
async function call(method, path, body) {
  const { token } = await (await context.request.get(`${AUTH}/api/auth/token`)).json();
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const answer = await fetch(API + path, { method, headers, body: body && JSON.stringify(body) });
  assert(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.json();
}

async function stored() {
  return (await call("GET", "/api/tasks?sort=position&limit=100")).tasks;
}

const title = ({ title }) => title;
const list = (page) => page.getByRole("list", { name: "Tasks" });
const row = (page, name) => list(page).getByRole("listitem").filter({ hasText: name });
const button = (page, name) => page.getByRole("button", { name, exact: true });
const add = async (page, text) => {
  await page.getByLabel("New task").fill(text);
  await page.getByLabel("New task").press("Enter");
};
const rename = async (page, from, to) => {
  await button(page, `Edit “${from}”`).click();
  await page.getByLabel("Title").fill(to);
};

/** Waits until the list shows these titles and no others. */
async function shows(page, ...titles) {
  const same = (wanted) => {
    const shown = [...document.querySelectorAll(".task .title, .edit > input")];
    return JSON.stringify(shown.map((each) => each.value || each.textContent)) === wanted;
  };
  const wanted = JSON.stringify(titles);
  await page.waitForFunction(same, wanted).catch(async (error) => {
    const shown = await page.locator(".task").allInnerTexts();
    throw new Error(`${JSON.stringify(shown)} instead of ${wanted}`, { cause: error });
  });
}

const counts = (page, text) => page.getByText(text).waitFor();

/** Presses Tab until the focus is on what has this accessible name. */
async function tabTo(page, name) {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press("Tab");
    const wanted = page.getByRole("button", { name, exact: true }).or(page.getByLabel(name, { exact: true }));
    if (await wanted.and(page.locator(":focus")).count()) return;
  }
  throw new Error(`Tab does not reach “${name}”.`);
}

async function picture(page, name) {
  if (SCREENSHOTS) await page.screenshot({ path: `${SCREENSHOTS}/${name}.png` });
}

// Scenarios

const scenarios = {};

scenarios.a_new_account_has_an_empty_list = async () => {
  const page = await open();
  await fillIn(page, somebody());
  await button(page, "Sign up").click();

  await counts(page, "0 to do · 0 done · 0 in the trash");
  await page.getByText("Nothing to do.").waitFor();
};

scenarios.who_signs_out_and_in_again_finds_the_tasks = async () => {
  const { name, ...account } = somebody();
  const page = await open();
  await fillIn(page, { name, ...account });
  await button(page, "Sign up").click();
  await add(page, "mine");
  await shows(page, "mine");
  await button(page, "Sign out").click();

  await button(page, "Sign in").click();
  await fillIn(page, { ...account, password: "wrong password" });
  expected.push(/status of 401/); // Better Auth's answer to a wrong password
  await button(page, "Sign in").click();
  await page.getByText("Invalid email or password").waitFor();
  await fillIn(page, account);
  await button(page, "Sign in").click();

  await shows(page, "mine");
};

scenarios.a_task_is_added_with_tags_and_completed = async () => {
  const page = await withTasks();

  await add(page, "Buy milk #shop #home");
  await page.getByLabel("Complete “Buy milk”").check();

  await counts(page, "0 to do · 1 done");
  const [task] = await stored();
  assert.deepEqual([task.title, task.tags, task.completed], ["Buy milk", ["shop", "home"], true]);
};

scenarios.a_deleted_task_can_be_taken_back = async () => {
  const page = await withTasks("kept", "deleted");

  await button(page, "Delete “deleted”").click();
  await shows(page, "kept");
  await counts(page, "1 to do · 0 done · 1 in the trash");
  await button(page, "Undo").dblclick(); // is one: a second request would be refused

  await shows(page, "kept", "deleted");
  await counts(page, "2 to do · 0 done · 0 in the trash");
};

scenarios.an_undo_that_fails_offline_can_be_tried_again = async () => {
  const page = await withTasks("kept", "deleted");
  await button(page, "Delete “deleted”").click();
  await counts(page, "1 to do · 0 done · 1 in the trash");
  expected.push(/net::ERR_INTERNET_DISCONNECTED/);
  await context.setOffline(true);
  await button(page, "Undo").click();
  await page.getByText("Are you online?").waitFor();
  await context.setOffline(false);

  await button(page, "Undo").click();

  await shows(page, "kept", "deleted");
};

scenarios.filters_choose_by_status_text_and_tag = async () => {
  const bread = { title: "bread", tags: ["shop"], completed: true };
  const page = await withTasks({ title: "milk", tags: ["shop"] }, bread, "rent");

  await button(page, "To do").click();
  await shows(page, "milk", "rent");
  await button(page, "Done").click();
  await shows(page, "bread");
  await button(page, "All").click();
  await button(row(page, "milk"), "#shop").click();
  await shows(page, "milk", "bread");
  await page.getByLabel("Search").fill("MIL");
  await shows(page, "milk");
  await page.getByLabel("Search").fill("nothing");
  await page.getByText("No task is like that.").waitFor();
};

scenarios.an_empty_list_without_a_filter_has_nothing_to_do = async () => {
  const page = await withTasks();

  await button(page, "Done").click();
  await page.getByText("No task is like that.").waitFor();
  await button(page, "All").click();

  await page.getByText("Nothing to do.").waitFor();
};

scenarios.more_than_a_page_is_shown_on_demand = async () => {
  const titles = Array.from({ length: 60 }, (_, number) => `task ${number}`);
  const page = await withTasks(...titles);
  await shows(page, ...titles.slice(0, 50));

  await button(page, "Show more").click();

  await shows(page, ...titles);
};

scenarios.a_title_is_edited_in_place = async () => {
  const page = await withTasks("milk");

  await rename(page, "milk", "given up");
  await page.keyboard.press("Escape");
  await shows(page, "milk");
  await rename(page, "milk", "oat milk");
  await page.keyboard.press("Enter");

  await button(page, "Edit “oat milk”").waitFor();
  assert.deepEqual((await stored()).map(title), ["oat milk"]);
};

scenarios.what_the_service_refuses_is_said_at_the_field = async () => {
  const page = await withTasks("milk");
  const tooLong = "x".repeat(201);
  expected.push(/status of 400/); // two, on purpose

  await add(page, tooLong);
  const refused = page.getByRole("list", { name: "Not saved yet" });
  await refused.getByText("title: Length must be between 1 and 200.").waitFor();
  await button(refused, "Edit").click();
  assert.equal(await page.getByLabel("New task").inputValue(), tooLong);
  await add(page, "short");
  await rename(page, "milk", tooLong);
  await button(page, "Save").click();
  await page.getByText("title: Length must be between 1 and 200.").waitFor();
  await button(page, "Cancel").click();

  await shows(page, "short", "milk");
};

/** Counts the writes that a page sends. */
function writes(page) {
  const sent = [];
  page.on("request", (request) => {
    if (request.url().startsWith(API) && !["GET", "OPTIONS"].includes(request.method())) sent.push(request.method());
  });
  return sent;
}

/** Does something, and waits until the service has answered the move: the page shows it before. */
async function moving(page, move) {
  const answer = page.waitForResponse((answer) => answer.request().method() === "PATCH");
  await move();
  assert.equal((await answer).status(), 200);
}

scenarios.a_task_is_dragged_to_a_place_by_one_change = async () => {
  const page = await withTasks("a", "b", "c", "d");
  const before = await stored();
  const sent = writes(page);

  await button(page, "Move “a”").hover();
  await page.mouse.down();
  const target = await row(page, "c").boundingBox();
  await page.mouse.move(target.x + 20, target.y + target.height - 4, { steps: 8 });
  await picture(page, "drag");
  await moving(page, () => page.mouse.up());

  await shows(page, "b", "c", "a", "d");
  await page.reload();
  await shows(page, "b", "c", "a", "d");
  assert.deepEqual(sent, ["PATCH"]);
  const others = (tasks) => tasks.filter((task) => task.title !== "a");
  assert.deepEqual(others(await stored()), others(before));
};

scenarios.a_drag_moves_nothing_if_its_task_gets_another_place_meanwhile = async () => {
  const page = await withTasks("a", "b", "c");
  const sent = writes(page);

  await button(page, "Move “a”").hover();
  await page.mouse.down();
  const target = await row(page, "c").boundingBox();
  await page.mouse.move(target.x + 20, target.y + target.height - 4, { steps: 8 });
  await call("POST", "/api/tasks", { title: "new" });
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await shows(page, "new", "a", "b", "c");
  await page.mouse.up();

  await page.getByLabel("Complete “a”").check(); // would be sent after the move
  await counts(page, "3 to do · 1 done");
  await shows(page, "new", "a", "b", "c");
  assert.deepEqual(sent, ["PATCH"]);
};

scenarios.a_task_is_dragged_by_a_finger = async () => {
  const page = await withTasks("a", "b", "c");
  await page.setViewportSize(PHONE);
  const screen = await context.newCDPSession(page);
  const touch = (type, ...touchPoints) => screen.send("Input.dispatchTouchEvent", { type, touchPoints });
  await screen.send("Emulation.setTouchEmulationEnabled", { enabled: true });
  const { x, y } = await button(page, "Move “c”").boundingBox();
  const top = (await row(page, "a").boundingBox()).y;

  await touch("touchStart", { x: x + 10, y: y + 10 });
  for (const part of [0.25, 0.5, 0.75, 1]) await touch("touchMove", { x: x + 10, y: y + 10 + part * (top - y) });
  await moving(page, () => touch("touchEnd"));

  await shows(page, "c", "a", "b");
  await page.reload();
  await shows(page, "c", "a", "b");
};

scenarios.a_task_is_moved_by_keyboard = async () => {
  const page = await withTasks("a", "b", "c");
  const sent = writes(page);

  await button(page, "Move “c”").focus();
  await moving(page, () => page.keyboard.press("ArrowUp"));
  await page.getByText("“c” is now 2 of 3.").waitFor({ state: "attached" });
  await moving(page, () => page.keyboard.press("ArrowUp"));
  await shows(page, "c", "a", "b");
  await button(page, "Edit “b”").focus();
  await moving(page, () => page.keyboard.press("Alt+ArrowUp"));

  await shows(page, "c", "b", "a");
  await page.reload();
  await shows(page, "c", "b", "a");
  assert.deepEqual(sent, ["PATCH", "PATCH", "PATCH"]);
};

scenarios.the_end_of_a_page_is_not_the_end_of_the_list = async () => {
  const titles = Array.from({ length: 52 }, (_, number) => `task ${number}`);
  const page = await withTasks(...titles);

  await button(page, "Move “task 48”").focus();
  await page.keyboard.press("ArrowDown");
  await page.getByText("is now 50 of 50.").waitFor({ state: "attached" });
  await shows(page, ...titles.slice(0, 48), "task 49", "task 48");
  await button(page, "Show more").click();

  await shows(page, ...titles.slice(0, 48), "task 49", "task 48", "task 50", "task 51");
};

scenarios.a_task_gets_between_two_with_the_same_position = async () => {
  const tie = ["a", "b"].map((title) => ({ title, position: "a0" }));
  const page = await withTasks(...tie, { title: "c", position: "a2" });
  const [first, second] = (await stored()).map(title);

  await button(page, "Move “c”").focus();
  const moved = page.waitForResponse(`${API}/api/tasks/batch`); // two tasks change
  await page.keyboard.press("ArrowUp");
  await moved;

  await shows(page, first, "c", second);
  await page.reload();
  await shows(page, first, "c", second);
};

scenarios.many_are_selected_and_completed_or_deleted_at_once = async () => {
  const page = await withTasks("a", "b", "c", "d");
  const sent = writes(page);

  await button(page, "Select").click();
  await page.getByLabel("Select “a”").check();
  await page.getByLabel("Select “c”").check();
  await page.getByText("2 selected").waitFor();
  await button(page, "Complete").click();
  await counts(page, "2 to do · 2 done");
  await button(page, "Select").click();
  await button(page.locator("footer"), "All").click();
  await button(page, "Delete").click();
  await counts(page, "0 to do · 0 done · 4 in the trash");
  await button(page, "Undo").click();

  await shows(page, "a", "b", "c", "d");
  await counts(page, "2 to do · 2 done · 0 in the trash");
  assert.deepEqual(sent, ["POST", "POST", "POST"]);
};

scenarios.all_completed_tasks_are_cleared_however_many = async () => {
  const done = Array.from({ length: 120 }, (_, number) => ({ title: `done ${number}`, completed: true }));
  const page = await withTasks("to do", ...done);

  await button(page, "Clear completed").click();
  await counts(page, "1 to do · 0 done · 120 in the trash");
  await shows(page, "to do");
  await button(page, "Undo").click();

  await counts(page, "1 to do · 120 done · 0 in the trash");
};

scenarios.a_task_that_is_opened_again_meanwhile_is_not_cleared = async () => {
  const completed = true;
  const page = await withTasks({ title: "done", completed }, { title: "opened again", completed });
  const [, { id }] = await stored();
  await page.route(`${API}/api/tasks/batch`, async (route) => {
    await call("PATCH", `/api/tasks/${id}/complete`, { completed: false });
    await route.continue();
  });

  await button(page, "Clear completed").click();

  await counts(page, "1 to do · 0 done · 1 in the trash");
  await shows(page, "opened again");
};

scenarios.an_undo_takes_all_back_though_a_503_came_between_the_batches = async () => {
  const done = Array.from({ length: 120 }, (_, number) => ({ title: `done ${number}`, completed: true }));
  const page = await withTasks("to do", ...done);
  let batches = 0;
  await busy(page, ({ href }) => href === `${API}/api/tasks/batch` && ++batches === 2);

  await button(page, "Clear completed").click();
  await page.getByText("Trying again in 3 s.").waitFor();
  await counts(page, "1 to do · 0 done · 120 in the trash");
  await button(page, "Undo").click();

  await counts(page, "1 to do · 120 done · 0 in the trash");
};

/** Two tabs show one task. The other one changes its title while this one edits it. */
async function conflict() {
  const mine = await withTasks("milk");
  const theirs = await open();
  await rename(mine, "milk", "mine");
  await rename(theirs, "milk", "theirs");
  await theirs.keyboard.press("Enter");
  await button(theirs, "Edit “theirs”").waitFor();

  expected.push(/status of 412/); // the answer that becomes a choice
  await mine.keyboard.press("Enter");
  await mine.getByText("changed this task to “theirs”").waitFor();
  return mine;
}

scenarios.of_two_edits_mine_can_be_kept = async () => {
  const page = await conflict();

  await button(page, "Keep mine").click();

  await button(page, "Edit “mine”").waitFor();
  assert.deepEqual((await stored()).map(title), ["mine"]);
};

scenarios.of_two_edits_theirs_can_be_taken = async () => {
  const page = await conflict();

  await button(page, "Take theirs").click();

  await button(page, "Edit “theirs”").waitFor();
  assert.deepEqual((await stored()).map(title), ["theirs"]);
};

scenarios.a_change_of_another_field_is_no_conflict = async () => {
  const page = await withTasks("milk");
  await rename(page, "milk", "oat milk");
  const [{ id }] = await stored();
  await call("PATCH", `/api/tasks/${id}`, { priority: "high" });

  expected.push(/status of 412/); // the page then sees that the title is the same, and sends again
  await page.keyboard.press("Enter");

  await button(page, "Edit “oat milk”").waitFor();
  const [{ title, priority }] = await stored();
  assert.deepEqual([title, priority], ["oat milk", "high"]);
};

scenarios.a_refusal_is_not_said_any_more_beside_a_choice = async () => {
  const page = await withTasks("milk");
  expected.push(/status of 400/, /status of 412/);
  await rename(page, "milk", "x".repeat(201));
  await page.keyboard.press("Enter");
  const refusal = page.getByText("title: Length must be between 1 and 200.");
  await refusal.waitFor();
  const [{ id }] = await stored();
  await call("PATCH", `/api/tasks/${id}`, { title: "theirs" });

  await page.getByLabel("Title").fill("mine");
  await page.keyboard.press("Enter");

  await page.getByText("changed this task to “theirs”").waitFor();
  assert.equal(await refusal.count(), 0);
};

scenarios.a_tab_that_becomes_visible_shows_what_others_did = async () => {
  const page = await withTasks("old");
  await call("POST", "/api/tasks", { title: "new" });

  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));

  await shows(page, "new", "old");
};

scenarios.a_task_made_offline_arrives_once_when_the_network_is_back = async () => {
  const page = await withTasks();
  await context.setOffline(true);

  await add(page, "made offline");
  await page.getByText("waiting", { exact: true }).waitFor();
  await picture(page, "offline");
  await context.setOffline(false);

  await row(page, "made offline").waitFor();
  await page.reload();
  await shows(page, "made offline");
};

scenarios.a_task_made_offline_survives_the_end_of_its_tab = async () => {
  const tab = await withTasks();
  await context.setOffline(true);
  await add(tab, "made offline");
  await tab.getByText("waiting", { exact: true }).waitFor();
  await tab.close();
  assert.deepEqual(await context.pages(), []);
  await context.setOffline(false);

  const page = await open();

  await row(page, "made offline").waitFor();
  assert.deepEqual((await stored()).map(title), ["made offline"]);
};

scenarios.a_task_made_offline_is_seen_in_all_tabs = async () => {
  const tab = await withTasks();
  const other = await open();
  await other.getByText("Nothing to do.").waitFor();
  await context.setOffline(true);

  await add(tab, "made offline");
  await other.getByText("waiting", { exact: true }).waitFor();
  expected.push(/net::ERR_INTERNET_DISCONNECTED/); // the first tab is online again a moment before the other one
  expected.push(/status of 412/); // the second one may not know yet that the first has sent it, and sends it again
  await context.setOffline(false);

  await row(other, "made offline").waitFor();
  assert.deepEqual((await stored()).map(title), ["made offline"]);
};

scenarios.a_task_that_waits_in_a_closed_tab_is_sent_by_another = async () => {
  const tab = await withTasks();
  const other = await open();
  await other.getByText("Nothing to do.").waitFor();
  expected.push(/net::ERR_FAILED/);
  await tab.route(`${API}/**`, (route) => route.abort());
  await add(tab, "patient");
  await tab.getByText("Trying again in 5 s").waitFor();
  await other.getByText("waiting", { exact: true }).waitFor();
  await tab.close();

  await other.evaluate(() => dispatchEvent(new Event("focus")));

  await row(other, "patient").waitFor();
  assert.deepEqual((await stored()).map(title), ["patient"]);
};

scenarios.a_task_waits_through_a_reload_while_the_service_is_away = async () => {
  const page = await withTasks();
  expected.push(/net::ERR_FAILED/); // what the browser reports for `abort`
  await page.route(`${API}/**`, (route) => route.abort());

  await add(page, "patient");
  await page.getByText("Trying again in 5 s").waitFor();
  await page.reload();
  await page.getByText("waiting", { exact: true }).waitFor();
  await page.unroute(`${API}/**`);
  await page.evaluate(() => dispatchEvent(new Event("online")));

  await row(page, "patient").waitFor();
  assert.deepEqual((await stored()).map(title), ["patient"]);
};

scenarios.a_create_whose_answer_is_lost_arrives_once = async () => {
  const page = await withTasks();
  expected.push(/net::ERR_FAILED/, /status of 412/); // the lost answer; then the one that says: it is there
  const lost = page.waitForEvent("requestfailed");
  await page.route(
    `${API}/api/tasks/*-*`,
    async (route) => {
      await route.fetch();
      await route.abort();
    },
    { times: 1 },
  );

  await add(page, "once");
  await lost;
  assert.deepEqual((await stored()).map(title), ["once"]);
  await page.evaluate(() => dispatchEvent(new Event("online")));

  await row(page, "once").waitFor();
  await page.getByText("waiting", { exact: true }).waitFor({ state: "detached" });
  assert.deepEqual((await stored()).map(title), ["once"]);
};

/** Lets the next request to this URL meet a 503. */
async function busy(page, url) {
  expected.push(/status of 503/);
  const { headers } = await fetch(`${API}/api/tasks`, { headers: { Origin: PAGE } }); // as the service has them
  await page.route(
    url,
    (route) => {
      const said = { "retry-after": "3", "content-type": "application/json" };
      const answer = { status: 503, headers: { ...Object.fromEntries(headers), ...said } };
      return route.fulfill({ ...answer, body: '{"error": "Busy."}' });
    },
    { times: 1 },
  );
}

scenarios.a_change_that_meets_a_503_is_sent_again_when_it_says = async () => {
  const page = await withTasks("milk");
  await busy(page, `${API}/api/tasks/*/complete`);

  await page.getByLabel("Complete “milk”").check();
  await page.getByText("Trying again in 3 s.").waitFor();

  await counts(page, "0 to do · 1 done");
  await page.getByText("Trying again").waitFor({ state: "detached" });
};

scenarios.a_list_that_meets_a_503_is_asked_for_again_when_it_says = async () => {
  const page = await withTasks("milk");
  await busy(page, `${API}/api/tasks?*`);

  await page.reload();
  await page.getByText("Trying again in 3 s.").waitFor();

  await shows(page, "milk");
  await page.getByText("Trying again").waitFor({ state: "detached" });
};

scenarios.a_create_that_meets_a_503_is_sent_again_when_it_says = async () => {
  const page = await withTasks();
  await busy(page, `${API}/api/tasks/*-*`);

  await add(page, "milk");
  await page.getByText("Trying again in 3 s.").waitFor();

  await row(page, "milk").waitFor();
  await page.getByText("Trying again").waitFor({ state: "detached" });
};

/** Better Auth's answer, but its token has expired. */
async function expired(response) {
  const [, claims] = (await response.json()).token.split(".");
  const { sub } = JSON.parse(Buffer.from(claims, "base64url"));
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const signed = `${encode({ alg: "HS256" })}.${encode({ sub, exp: 1_700_000_000 })}`;
  return { token: `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}` };
}

scenarios.an_expired_token_is_renewed_and_nobody_notices = async () => {
  const page = await withTasks("milk");
  let tokens = 0;
  await page.route(`${AUTH}/api/auth/token`, async (route) => {
    tokens += 1;
    const response = await route.fetch();
    await route.fulfill(tokens === 1 ? { response, json: await expired(response) } : { response });
  });
  const refused = [];
  page.on("response", (answer) => answer.status() === 401 && refused.push(answer.headers()["www-authenticate"]));
  expected.push(/status of 401/); // the service's answers to the expired token

  await page.reload();

  await shows(page, "milk");
  await counts(page, "1 to do");
  assert.equal(tokens, 2);
  assert(refused.length > 0 && refused.every((challenge) => challenge.includes("invalid_token")), String(refused));
};

scenarios.who_has_been_signed_out_elsewhere_is_asked_to_sign_in = async () => {
  const page = await withTasks("milk");
  await page.route(
    `${AUTH}/api/auth/token`,
    async (route) => {
      const response = await route.fetch();
      await context.clearCookies(); // the session ends, and the token with it
      await route.fulfill({ response, json: await expired(response) });
    },
    { times: 1 },
  );
  expected.push(/status of 401/); // the service's, then Better Auth's

  await page.reload();

  await page.getByRole("heading", { name: "Create an account" }).waitFor();
};

scenarios.what_waits_is_not_sent_for_somebody_else = async () => {
  const page = await withTasks();
  expected.push(/net::ERR_FAILED/, /status of 401/); // `abort`; the service's answers to the expired token
  await page.route(`${API}/**`, (route) => route.abort());
  await add(page, "private");
  await page.getByText("waiting", { exact: true }).waitFor();
  await page.unroute(`${API}/**`);
  await page.route(
    `${AUTH}/api/auth/token`,
    async (route) => {
      const response = await route.fetch();
      await signUp({ ...somebody(), name: "Grace" }); // as another page of this Better Auth may do
      await route.fulfill({ response, json: await expired(response) });
    },
    { times: 1 },
  );

  await page.reload();

  await page.getByText("Grace").waitFor();
  await page.getByText("Nothing to do.").waitFor();
  assert.deepEqual(await stored(), []);
};

scenarios.preflights_are_answered_and_headers_can_be_read = async () => {
  const page = await withTasks("milk");
  const network = await context.newCDPSession(page);
  const asked = {};
  const preflights = [];
  await counts(page, "1 to do"); // so what the list needs has come
  await network.send("Network.enable");
  network.on("Network.requestWillBeSent", ({ requestId, request }) => (asked[requestId] = request));
  network.on("Network.responseReceived", ({ requestId, type, response: { status } }) => {
    if (type === "Preflight") preflights.push([asked[requestId].headers["Access-Control-Request-Method"], status]);
  });

  await page.getByLabel("Complete “milk”").check(); // PATCH
  await counts(page, "0 to do · 1 done");
  await add(page, "new"); // PUT with If-None-Match
  await counts(page, "1 to do · 1 done");
  await button(page, "Delete “new”").click();
  await button(page, "Undo").click(); // POST with If-Match
  await shows(page, "new", "milk");

  // One for each path: the answer to the PUT's names DELETE too.
  assert.deepEqual(preflights, [
    ["PATCH", 204],
    ["PUT", 204],
    ["POST", 204],
  ]);
  const readable = await page.evaluate(
    async ([api, auth]) => {
      const { token } = await (await fetch(`${auth}/api/auth/token`, { credentials: "include" })).json();
      const answer = await fetch(`${api}/api/tasks?limit=1`, { headers: { Authorization: `Bearer ${token}` } });
      return [...answer.headers.keys()];
    },
    [API, AUTH],
  );
  for (const name of ["etag", "link", "ratelimit-remaining", "ratelimit-reset", "x-request-id"]) {
    assert(readable.includes(name), `${name} is not among ${readable}`);
  }
};

scenarios.the_whole_journey_needs_no_mouse = async () => {
  const page = await open();
  const { keyboard } = page;
  await page.getByRole("heading", { name: "Create an account" }).waitFor();
  await tabTo(page, "Name");
  await keyboard.type("Ada");
  await tabTo(page, "Email");
  await keyboard.type(`${randomUUID()}@example.com`);
  await keyboard.press("Tab");
  await keyboard.type("correct horse battery staple");
  await keyboard.press("Enter");
  await page.getByRole("heading", { name: "Your tasks" }).waitFor();

  await tabTo(page, "New task");
  for (const title of ["one", "two", "three"]) {
    await keyboard.type(title);
    await keyboard.press("Enter");
  }
  await counts(page, "3 to do · 0 done"); // all have arrived
  await shows(page, "three", "two", "one");
  await tabTo(page, "Move “three”");
  await keyboard.press("ArrowDown");
  await shows(page, "two", "three", "one");
  await tabTo(page, "Complete “three”");
  await keyboard.press("Space");
  await counts(page, "2 to do · 1 done");
  await tabTo(page, "Edit “three”");
  await keyboard.press("Enter");
  await keyboard.press("End");
  await keyboard.type("!");
  await keyboard.press("Enter");
  await button(page, "Edit “three!”").waitFor();
  await tabTo(page, "Delete “three!”");
  await keyboard.press("Enter");
  await shows(page, "two", "one");
  await tabTo(page, "Undo");
  await keyboard.press("Enter");
  await shows(page, "two", "three!", "one");
};

const LIFE = [
  { title: "Send the slides to Grace", tags: ["work"] },
  { title: "Renew the passport before the trip to Lisbon", tags: ["travel", "papers"] },
  { title: "Buy milk, bread and a lot of coffee", tags: ["shop"] },
  { title: "Call grandmother", completed: true },
  { title: "Water the plants", tags: ["home"] },
  { title: "Book a table for Friday", completed: true, tags: ["friends"] },
];

async function fits(page) {
  const width = await page.evaluate(() => document.scrollingElement.scrollWidth);
  assert(width <= PHONE.width, `${width} px`);
}

scenarios.nothing_scrolls_sideways_on_a_phone = async () => {
  const entry = await open();
  await entry.setViewportSize(PHONE);
  await button(entry, "Sign up").waitFor();
  await fits(entry);
  await picture(entry, "sign-in-phone");
  await entry.close();
  const long = [
    { title: "an_unbroken_word_".repeat(11) },
    { title: "tags", tags: ["t".repeat(50), "of", "every", "kind"] },
  ];
  const page = await withTasks(...LIFE, ...long);
  await page.setViewportSize(PHONE);

  await fits(page);
  await rename(page, "tags", "a title that is being edited");
  await fits(page);
  await picture(page, "edit-phone");
  await button(page, "Cancel").click();
  await button(page, "Delete “Water the plants”").click();
  await button(page, "Undo").waitFor();
  await fits(page);
  await button(page, "Select").click();
  await button(page.locator("footer"), "All").click();
  await fits(page);
  await picture(page, "select-phone");
};

/** Nothing that axe calls serious or critical. */
async function accessible(page) {
  await page.addScriptTag({ path: AXE });
  const { violations } = await page.evaluate(() => axe.run());
  const grave = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  assert.deepEqual(
    grave.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
    [],
  );
}

async function lookAtEverything(colorScheme) {
  const entry = await open();
  await entry.emulateMedia({ colorScheme });
  await button(entry, "Sign up").waitFor();
  await accessible(entry);
  await picture(entry, `sign-in-${colorScheme}`);
  await entry.close();

  const page = await withTasks(...LIFE);
  await page.emulateMedia({ colorScheme });
  await accessible(page);
  await picture(page, `desktop-${colorScheme}`);
  await page.setViewportSize(PHONE);
  await picture(page, `phone-${colorScheme}`);
  await button(page, "Delete “Water the plants”").click();
  await button(page, "Undo").waitFor();
  await button(page, "Select").click();
  await page.getByLabel("Select “Call grandmother”").check();
  await accessible(page);
  await picture(page, `select-${colorScheme}`);
}

scenarios.axe_finds_nothing_serious_in_light_colours = () => lookAtEverything("light");
scenarios.axe_finds_nothing_serious_in_dark_colours = () => lookAtEverything("dark");

scenarios.axe_finds_nothing_serious_where_a_choice_is_offered = async () => {
  const page = await conflict();

  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await accessible(page);
    await picture(page, `conflict-${colorScheme}`);
  }
};

for await (const name of createInterface({ input: process.stdin })) {
  const failure = await run(scenarios[name]).then(
    () => null,
    (error) => error.stack,
  );
  console.log(JSON.stringify(failure));
}
await browser.close();
