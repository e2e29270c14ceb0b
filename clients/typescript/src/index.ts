/**
 * The client of the Todo service: openapi-fetch with the types in api.ts, and what every front end needs
 * besides: a fresh token after a 401, errors that are thrown, guarded changes, safe retries, a local copy.
 */
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./api.js";

type Schemas = components["schemas"];
export type Task = Schemas["Task"];
export type TaskOrDeleted = Schemas["TaskOrDeleted"];
export type NewTask = Schemas["NewTask"];
export type TaskChange = Schemas["TaskChange"];
export type TodoApi = Client<paths>;

/** An answer that is an error. If no answer came, `fetch` throws a TypeError instead. */
export class ApiError extends Error {
  readonly status: number;
  /** Which fields are not valid: with some 400s. */
  readonly fields: Schemas["FieldError"][];
  /** Seconds to wait before the request may be sent again: with a 429 or a 503. */
  readonly retryAfter: number;

  constructor({ status, headers }: Response, problem: Partial<Schemas["Problem"]>) {
    super(problem.detail ?? `HTTP ${status}`); // a proxy's error has no detail
    this.status = status;
    this.fields = problem.errors ?? [];
    this.retryAfter = Number(headers.get("Retry-After")) || 0; // a proxy may send a date
  }

  /** Whether the same request may succeed later. */
  get temporary(): boolean {
    return this.status === 429 || this.status >= 502;
  }
}

/**
 * A client that sends a token with every request. `fetchToken` gets one, for example from Better Auth: for the
 * first request, and again after a 401; then that request is sent once more. Parallel requests share a token.
 * Make a new client when the user signs in or out.
 */
export function createTodoApi(baseUrl: string, fetchToken: () => Promise<string>): TodoApi {
  let token: Promise<string> | undefined;
  const discard = (used: Promise<string>) => void (token = token === used ? undefined : token);

  async function send(request: Request): Promise<Response> {
    const used = (token ??= fetchToken());
    used.catch(() => discard(used)); // the next request asks again
    request.headers.set("Authorization", `Bearer ${await used}`);
    const answer = await fetch(request);
    if (answer.status === 401) discard(used);
    return answer;
  }

  return createClient<paths>({
    baseUrl,
    headers: { Accept: "application/json, application/problem+json" }, // errors that name the fields
    async fetch(request) {
      const copy = request.clone(); // a body can be sent once
      const answer = await send(request);
      return answer.status === 401 ? send(copy) : answer;
    },
  });
}

/** The body of a good answer; throws an ApiError for any other. */
export async function result<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw new ApiError(response, typeof error === "object" && error ? error : {});
  return data as T;
}

/** The header that lets a change happen only if nobody has changed the task since: else the answer is a 412. */
export function ifMatch({ version }: Pick<Task, "version">): { "If-Match": string } {
  return { "If-Match": `"${version}"` };
}

/** Creates a task once, however often it is sent. To go on after it has given up, call it with the same key. */
export async function createTask(api: TodoApi, body: NewTask, key: string = crypto.randomUUID()): Promise<TaskOrDeleted> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await result(api.POST("/api/tasks", { body, params: { header: { "Idempotency-Key": key } } }));
    } catch (error) {
      const mayArrive = error instanceof ApiError ? error.temporary : error instanceof TypeError; // the network
      if (!mayArrive || attempt === 4) throw error;
      const seconds = (error instanceof ApiError && error.retryAfter) || 2 ** attempt / 4;
      await new Promise((done) => setTimeout(done, seconds * 1000));
    }
  }
}

/** Brings a copy of all tasks up to date; gives the `since` of the next call. A 410: begin with an empty copy. */
export async function sync(api: TodoApi, copy: Map<string, Task>, since = ""): Promise<string> {
  for (;;) {
    const query = since ? { limit: 500, since } : { limit: 500 };
    const { changes, next, more } = await result(api.GET("/api/tasks/changes", { params: { query } }));
    for (const task of changes) task.deleted_at ? copy.delete(task.id) : copy.set(task.id, task);
    since = next;
    if (!more) return since;
  }
}
