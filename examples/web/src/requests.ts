/** Every request of the page to the Todo service. Nothing here knows React. */
import { generateNKeysBetween } from "fractional-indexing";
import { ApiError, createTodoApi, ifMatch, result, type NewTask, type Task, type TodoApi } from "todo-service-client";

import { fetchToken } from "./auth";
import { API_URL } from "./config";

export type { NewTask, Task, TodoApi };
export type Status = "all" | "pending" | "completed";
export type Filters = { status: Status; q: string; tag?: string };
export type Counts = Awaited<ReturnType<typeof fetchCounts>>;
export type List = { tasks: Task[]; cursor: string | null };
export type Undo = () => Promise<unknown>;

export const PAGE = 50;
const BATCH = 100; // as many as the service takes

export function createApi(userId: string): TodoApi {
  return createTodoApi(API_URL, () => fetchToken(userId));
}

/** The first tasks that match, in the order made by hand: whole pages, until there are as many as wanted. */
export async function fetchList(api: TodoApi, filters: Filters, wanted: number): Promise<List> {
  const { tasks, next_cursor } = await fetchPage(api, filters);
  const list = { tasks, cursor: next_cursor };
  while (list.cursor && list.tasks.length < wanted) {
    const page = await fetchPage(api, filters, list.cursor);
    list.tasks.push(...page.tasks);
    list.cursor = page.next_cursor;
  }
  return list;
}

/** The browser sends the ETag of its copy by itself. If nothing has changed, a page costs an empty 304. */
export function fetchPage(api: TodoApi, { status, q, tag }: Filters, cursor?: string | null) {
  const query = {
    sort: "position",
    status,
    limit: PAGE,
    q,
    ...(tag && { tag: [tag] }),
    ...(cursor && { cursor }),
  } as const;
  return result(api.GET("/api/tasks", { params: { query } }));
}

export function fetchCounts(api: TodoApi) {
  return result(api.GET("/api/tasks/summary"));
}

/** Creates a task under an id of our own, so it may be sent again: a 412 says that it has arrived before. */
export async function create(api: TodoApi, id: string, body: NewTask): Promise<Task | undefined> {
  const params = { path: { id }, header: { "If-None-Match": "*" } } as const;
  try {
    return await result(api.PUT("/api/tasks/{id}", { params, body }));
  } catch (error) {
    if (isStatus(error, 412)) return undefined;
    throw error;
  }
}

/**
 * Changes a title if it is still the one that the person saw. Otherwise gives the task as it now is: the
 * person chooses, and `rename(api, theirs, title)` keeps their own title.
 */
export async function rename(api: TodoApi, seen: Task, title: string): Promise<Task | undefined> {
  const path = { id: seen.id };
  try {
    await result(api.PATCH("/api/tasks/{id}", { params: { path, header: ifMatch(seen) }, body: { title } }));
  } catch (error) {
    if (!isStatus(error, 412)) throw error;
    const theirs = await result(api.GET("/api/tasks/{id}", { params: { path } }));
    if (theirs.title !== seen.title) return theirs.title === title ? undefined : theirs;
    return rename(api, theirs, title); // only other fields have changed
  }
}

/** Sets `completed`: a toggle that is sent twice would undo itself. Nothing written is lost, so no If-Match. */
export function complete(api: TodoApi, { id }: Task, completed: boolean) {
  return result(api.PATCH("/api/tasks/{id}/complete", { params: { path: { id } }, body: { completed } }));
}

export async function completeAll(api: TodoApi, ids: string[]): Promise<void> {
  for (const some of batches(ids)) {
    const change = some.map((id) => ({ id, completed: true }));
    await result(api.POST("/api/tasks/batch", { body: { change } }));
  }
}

/** Moves a task to the trash. The undo is a 412 if somebody has changed the task there. */
export async function remove(api: TodoApi, { id }: Task): Promise<Undo> {
  const path = { id };
  const call = api.DELETE("/api/tasks/{id}", { params: { path } });
  await result(call);
  const tag = (await call).response.headers.get("ETag")!;
  return () => result(api.POST("/api/tasks/{id}/restore", { params: { path, header: { "If-Match": tag } } }));
}

export type Removed = { id: string; version: number }[];

/**
 * Deletes in batches, and adds to `removed`. Send again with the same list: the undo is of all batches.
 * An item that names a `version` is left alone if the task has another one by now.
 */
export async function removeAll(api: TodoApi, items: { id: string; version?: number }[], removed: Removed): Promise<Undo> {
  for (const some of batches(items)) {
    const { results } = await result(api.POST("/api/tasks/batch", { body: { delete: some } }));
    results.forEach(({ status, version }, place) => {
      if (status === 200 && version) removed.push({ id: some[place]!.id, version });
    });
  }
  return async () => {
    for (const restore of batches(removed)) await result(api.POST("/api/tasks/batch", { body: { restore } }));
  };
}

export async function removeCompleted(api: TodoApi, removed: Removed): Promise<Undo> {
  const { tasks } = await fetchList(api, { status: "completed", q: "" }, Infinity);
  const items = tasks.map(({ id, version }) => ({ id, version })); // somebody may open one again meanwhile
  return removeAll(api, items, removed);
}

export type Place = { id: string; position: string };

/** The new position of a task that gets this place among the others. It is more than one only after a tie. */
export function places(others: Task[], task: Task, place: number): Place[] {
  const above = others[place - 1]?.position ?? null;
  let end = place; // the tasks below that have the key of the one above: two clients chose it at once
  while (end < others.length && others[end]!.position === above) end += 1;
  const moved = [task, ...others.slice(place, end)];
  const keys = generateNKeysBetween(above, others[end]?.position ?? null, moved.length);
  return moved.map(({ id }, number) => ({ id, position: keys[number]! }));
}

/** A move is one request, and nearly always changes one task. */
export function move(api: TodoApi, change: Place[]): Promise<unknown> {
  const [{ id, position }, ...more] = change as [Place, ...Place[]];
  if (more.length) return result(api.POST("/api/tasks/batch", { body: { change } }));
  return result(api.PATCH("/api/tasks/{id}", { params: { path: { id } }, body: { position } }));
}

/** The order of `sort=position`: by code point, then by id. */
export function byPosition(a: Task, b: Task): number {
  const [one, other] = a.position === b.position ? [a.id, b.id] : [a.position, b.position];
  return one < other ? -1 : 1;
}

/** Sends again whenever the service is busy, and says when. */
export async function patiently<T>(send: () => Promise<T>, say: (text: string) => void): Promise<T> {
  for (;;) {
    try {
      return await send();
    } catch (error) {
      if (!isTemporary(error)) throw error;
      say(explain(error));
      await new Promise((done) => setTimeout(done, pause(error) * 1000));
    }
  }
}

/** Seconds until the next attempt; 0 if it would fail again. Without an answer nobody says how many. */
export function pause(error?: unknown): number {
  if (error instanceof ApiError && !error.temporary) return 0;
  return (error instanceof ApiError && error.retryAfter) || 5;
}

/** What the person reads. An error of the service is a sentence already. */
export function explain(error: unknown): string {
  if (isTemporary(error)) return `${error.message} Trying again in ${pause(error)} s.`;
  if (error instanceof TypeError) return "The service cannot be reached. Are you online?"; // of `fetch`
  return error instanceof Error ? error.message : String(error);
}

function isTemporary(error: unknown): error is ApiError {
  return error instanceof ApiError && error.temporary;
}

function isStatus(error: unknown, status: number): boolean {
  return error instanceof ApiError && error.status === status;
}

function batches<T>(items: T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / BATCH) }, (_, n) => items.slice(n * BATCH, (n + 1) * BATCH));
}
