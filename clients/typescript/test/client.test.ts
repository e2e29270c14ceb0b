/** The client against a service that runs at TODO_API, with local accounts: `flask run` is one. */
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import createClient from "openapi-fetch";

import type { paths } from "../src/api.js";
import { ApiError, createTask, createTodoApi, ifMatch, result, sync, type Task, type TodoApi } from "../src/index.js";

const service = process.env.TODO_API ?? "http://127.0.0.1:7860";
const { fetch } = globalThis;
let token: string;
let api: TodoApi;

async function register(): Promise<string> {
  const body = { email: `${crypto.randomUUID()}@example.com`, password: "correct horse battery staple" };
  const anyone = createClient<paths>({ baseUrl: service });
  return (await result(anyone.POST("/auth/register", { body }))).access_token;
}

/** Lets `faults` happen to the next requests, one each: a fault gets the function that sends the request. */
function meet(...faults: ((send: () => Promise<Response>) => Promise<Response>)[]) {
  globalThis.fetch = (input, init) => {
    const fault = faults.shift();
    return fault ? fault(() => fetch(input, init)) : fetch(input, init);
  };
}

async function titles(): Promise<string[]> {
  const page = await result(api.GET("/api/tasks", { params: { query: { sort: "title" } } }));
  return page.tasks.map(({ title }) => title);
}

const failure = (status: number, more: object = {}) => (error: unknown) => {
  assert(error instanceof ApiError);
  assert.deepEqual({ status: error.status, ...pick(error, more) }, { status, ...more });
  return true;
};
const pick = (from: object, like: object) =>
  Object.fromEntries(Object.keys(like).map((key) => [key, from[key as keyof typeof from]]));

beforeEach(async () => {
  globalThis.fetch = fetch;
  token = await register();
  api = createTodoApi(service, async () => token);
});

test("a task that was created is in the list", async () => {
  await createTask(api, { title: "Buy milk", tags: ["shop"] });

  assert.deepEqual(await titles(), ["Buy milk"]);
});

test("the compiler refuses what the service would refuse", async () => {
  // @ts-expect-error: a misspelled field
  await assert.rejects(createTask(api, { titel: "Buy milk" }), failure(400));
  // @ts-expect-error: an unknown order
  await assert.rejects(result(api.GET("/api/tasks", { params: { query: { sort: "size" } } })), failure(400));
});

test("an error names the fields that are not valid", async () => {
  await assert.rejects(createTask(api, { title: " " }), (error) => {
    assert(error instanceof ApiError);
    assert.deepEqual(error.fields.map(({ field }) => field), ["title"]);
    return true;
  });
});

test("after a 401 parallel requests share one new token and are sent once more", async () => {
  const tokens = ["outdated", token];
  let asked = 0;
  api = createTodoApi(service, async () => tokens[asked++] ?? "none is left");

  await Promise.all(["a", "b", "c"].map((title) => createTask(api, { title })));

  assert.deepEqual(await titles(), ["a", "b", "c"]);
  assert.equal(asked, 2);
});

test("a token that is refused twice is an error", async () => {
  api = createTodoApi(service, async () => "outdated");

  await assert.rejects(titles(), failure(401));
});

test("a token that could not be fetched is asked for again by the next request", async () => {
  const answers = [() => Promise.reject(new Error("Nobody is signed in.")), () => Promise.resolve(token)];
  api = createTodoApi(service, () => answers.shift()!());

  await assert.rejects(createTask(api, { title: "too early" }), /Nobody is signed in/);
  assert.deepEqual(await titles(), []);
});

test("a change with the version of an older state is refused", async () => {
  const task = await createTask(api, { title: "mine" });
  const rename = (title: string, seen: Pick<Task, "version">) =>
    result(api.PATCH("/api/tasks/{id}", { params: { path: { id: task.id }, header: ifMatch(seen) }, body: { title } }));

  const renamed = await rename("ours", task);

  await assert.rejects(rename("yours", task), failure(412));
  assert.equal((await rename("theirs", renamed)).title, "theirs");
});

test("a create whose answer is lost, and which then meets an error of a proxy, creates one task", async () => {
  meet(
    async (send) => {
      await send();
      throw new TypeError("fetch failed");
    },
    async () => new Response("<h1>Bad Gateway</h1>", { status: 502 }),
  );

  await createTask(api, { title: "once" });

  assert.deepEqual(await titles(), ["once"]);
});

test("a create gives up after four attempts", async () => {
  let attempts = 0;
  const busy = async () => {
    attempts += 1;
    return Response.json({ error: "Busy." }, { status: 503, headers: { "Retry-After": "0.01" } });
  };
  meet(busy, busy, busy, busy, busy);

  await assert.rejects(createTask(api, { title: "never" }), failure(503, { retryAfter: 0.01 }));
  assert.equal(attempts, 4);
});

test("a proxy that says when to come back as a date gives no number", async () => {
  const headers = { "Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT" };
  meet(async () => new Response("Unavailable", { status: 503, headers }));

  await assert.rejects(titles(), failure(503, { retryAfter: 0 }));
});

test("a copy follows what is created, changed and deleted", async () => {
  const copy = new Map<string, Task>();
  const kept = await createTask(api, { title: "kept" });
  const gone = await createTask(api, { title: "gone" });
  const since = await sync(api, copy);
  assert.deepEqual([...copy.keys()], [kept.id, gone.id]);

  const path = { id: kept.id };
  await result(api.PATCH("/api/tasks/{id}/complete", { params: { path }, body: { completed: true } }));
  await result(api.DELETE("/api/tasks/{id}", { params: { path: { id: gone.id } } }));
  await sync(api, copy, since);

  assert.deepEqual([...copy.values()].map(({ title, completed }) => [title, completed]), [["kept", true]]);
});

test("a copy of more than one page is whole", async () => {
  const create = Array.from({ length: 100 }, (_, number) => ({ title: `task ${number}` }));
  for (let batch = 0; batch < 6; batch += 1) await result(api.POST("/api/tasks/batch", { body: { create } }));

  const copy = new Map<string, Task>();
  await sync(api, copy);

  assert.equal(copy.size, 600);
});

test("a sync token of another user is an error", async () => {
  const since = await sync(createTodoApi(service, register), new Map());

  await assert.rejects(sync(api, new Map(), since), failure(400));
});
