import { useState } from "react";

import { auth } from "./auth";
import { SignIn } from "./SignIn";
import { Tasks } from "./Tasks";

export function App() {
  const { data: session, isPending } = auth.useSession();
  const [asked, setAsked] = useState(false);
  if (!isPending && !asked) setAsked(true);

  if (session) return <Tasks key={session.user.id} user={session.user} />;
  return asked && <SignIn />; // it stays while the session is asked for again: somebody may be typing
}
