/** Better Auth: who is signed in, and the tokens for the Todo service. */
import { jwtClient } from "better-auth/client/plugins";
import { createAuthClient } from "better-auth/react";

import { AUTH_URL } from "./config";

export const auth = createAuthClient({ baseURL: AUTH_URL, plugins: [jwtClient()] });

export async function fetchToken(): Promise<string> {
  const { data, error } = await auth.token();
  if (data) return data.token;
  if (error.status === 401) auth.$store.notify("$sessionSignal"); // the session has ended: useSession looks again
  throw new Error(error.message ?? "The sign-in server gives no token.");
}
