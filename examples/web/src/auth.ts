/** Better Auth: who is signed in, and the tokens for the Todo service. */
import { jwtClient } from "better-auth/client/plugins";
import { createAuthClient } from "better-auth/react";

import { AUTH_URL } from "./config";

export const auth = createAuthClient({ baseURL: AUTH_URL, plugins: [jwtClient()] });

/** A token of this user. If the session has ended, or is another user's by now, `useSession` looks again. */
export async function fetchToken(userId: string): Promise<string> {
  const { data, error } = await auth.token();
  if (data && subject(data.token) === userId) return data.token;
  if (data || error.status === 401) auth.$store.notify("$sessionSignal");
  throw new Error(error?.message ?? "The sign-in server gives no token of this user.");
}

function subject(token: string): unknown {
  const claims = token.split(".")[1] ?? "";
  return JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))).sub;
}
