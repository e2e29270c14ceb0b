// A real Better Auth server for the example. Its users are in memory: they are gone when it stops.

import { randomBytes } from "node:crypto";
import { createServer } from "node:http";

import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import { jwt } from "better-auth/plugins";

const { VITE_AUTH_URL: url = "http://localhost:3000", PAGE_URL: page = "http://localhost:5173" } = process.env;

const auth = betterAuth({
  baseURL: url,
  secret: randomBytes(32).toString("hex"),
  database: memoryAdapter({ user: [], session: [], account: [], verification: [], jwks: [] }),
  emailAndPassword: { enabled: true },
  trustedOrigins: [page],
  plugins: [jwt()], // makes the tokens that the Todo service accepts
});

const answer = toNodeHandler(auth);
const server = createServer((request, response) => {
  // The page has another origin than this server, and sends its cookie.
  response.setHeader("Access-Control-Allow-Origin", page);
  response.setHeader("Access-Control-Allow-Credentials", "true");
  response.setHeader("Access-Control-Allow-Headers", "Content-Type");
  if (request.method === "OPTIONS") response.writeHead(204).end();
  else answer(request, response);
});
server.listen(Number(new URL(url).port), "localhost", () => console.log(`Better Auth: ${url}`));
