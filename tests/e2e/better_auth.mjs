// A real Better Auth server on 127.0.0.1, its database in memory, for the end-to-end tests.
//
//   PORT                    0 or unset: any free port
//   BASE_PATH               where Better Auth lives, if not at /api/auth, e.g. /custom/auth
//   BETTER_AUTH_SECRET      read by Better Auth itself
//   ALG                     what signs: EdDSA (default), ES256, ES512, RS256, PS256
//   TRIM_PAYLOAD=1          tokens without the user's fields: sub, iat, exp, iss, aud alone
//   COOKIE_CACHE=jwt        the session_data cookie is an HS256 JWT, signed with the secret
//   SESSION_COOKIE_CACHE=1  with COOKIE_CACHE=jwt: that cookie is signed with the JWKS key instead
//   STATE_FILE              the database is loaded from it at start, if it is there, and saved on SIGTERM
//
// Once it listens it prints one line: {"url": <what to set BETTER_AUTH_URL to>, "port": <number>}.
//
// POST /test/rotate?alg=ES256&drop=1 makes a new key, which signs from then on, and answers its {"kid"}.
// Without alg it is of the kind that ALG says; with drop=1 the older keys leave the JWKS.

import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { deserialize, serialize } from "node:v8";

import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import { bearer, createJwk, jwt } from "better-auth/plugins";

const {
  PORT = 0,
  BASE_PATH = "",
  ALG = "EdDSA",
  TRIM_PAYLOAD,
  COOKIE_CACHE,
  SESSION_COOKIE_CACHE,
  STATE_FILE,
} = process.env;

const db =
  STATE_FILE && existsSync(STATE_FILE)
    ? deserialize(readFileSync(STATE_FILE))
    : { user: [], session: [], account: [], verification: [], jwks: [] };

process.on("SIGTERM", () => {
  if (STATE_FILE) writeFileSync(STATE_FILE, serialize(db));
  process.exit();
});

// Better Auth has to know its own URL, so the port comes first.
const server = createServer().listen(Number(PORT), "127.0.0.1");
await once(server, "listening");
const { port } = server.address();
const url = `http://127.0.0.1:${port}${BASE_PATH}`;

const auth = betterAuth({
  baseURL: url,
  database: memoryAdapter(db),
  emailAndPassword: { enabled: true },
  session: { cookieCache: { enabled: Boolean(COOKIE_CACHE), strategy: COOKIE_CACHE } },
  plugins: [
    jwt({
      jwks: { keyPairConfig: { alg: ALG } },
      jwt: TRIM_PAYLOAD === "1" ? { definePayload: () => ({}) } : {},
      sessionCookieCache: SESSION_COOKIE_CACHE === "1",
    }),
    bearer(),
  ],
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
});
const context = await auth.$context;

// Better Auth signs with the newest live key of its configured algorithm, even where another algorithm
// has a newer one. So the older keys expire: they stay in the JWKS (for 30 days) and no longer sign.
async function rotate({ alg = ALG, drop }) {
  const { id } = await createJwk({ context }, { jwks: { keyPairConfig: { alg } } });
  if (drop === "1") db.jwks = db.jwks.filter((key) => key.id === id);
  for (const key of db.jwks) if (key.id !== id) key.expiresAt = new Date();
  return { kid: id };
}

async function handle(request) {
  const { pathname, searchParams } = new URL(request.url);
  if (request.method === "POST" && pathname === "/test/rotate") {
    return Response.json(await rotate(Object.fromEntries(searchParams)));
  }
  return auth.handler(request);
}

server.on("request", toNodeHandler(handle));
console.log(JSON.stringify({ url, port }));
