import { useState, type FormEvent } from "react";

import { auth } from "./auth";
import { Logo } from "./icons";

export function SignIn() {
  const [isNew, setIsNew] = useState(true);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name));
    const account = { email: text("email"), password: text("password") };
    setBusy(true);
    try {
      const { error } = await (isNew
        ? auth.signUp.email({ ...account, name: text("name") })
        : auth.signIn.email(account));
      setProblem(error?.message);
    } catch {
      setProblem("The sign-in server cannot be reached. Are you online?");
    }
    setBusy(false);
  }

  return (
    <main className="sign-in">
      <h1>
        <Logo /> Todo
      </h1>
      <form className="card" onSubmit={submit}>
        <h2>{isNew ? "Create an account" : "Welcome back"}</h2>
        {isNew && (
          <label>
            Name
            <input name="name" autoComplete="name" required />
          </label>
        )}
        <label>
          Email
          <input name="email" type="email" autoComplete="email" required />
        </label>
        <label>
          Password
          <input
            name="password"
            type="password"
            autoComplete={isNew ? "new-password" : "current-password"}
            required
            aria-describedby={isNew ? "password-hint" : undefined}
          />
          {isNew && <small id="password-hint">At least 8 characters</small>}
        </label>
        <p className="problem" role="alert">
          {problem}
        </p>
        <button className="primary" disabled={busy}>
          {isNew ? "Sign up" : "Sign in"}
        </button>
      </form>
      <p>
        {isNew ? "Have you been here before?" : "Are you new here?"}{" "}
        <button className="link" onClick={() => (setIsNew(!isNew), setProblem(undefined))}>
          {isNew ? "Sign in" : "Sign up"}
        </button>
      </p>
    </main>
  );
}
