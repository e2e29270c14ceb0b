/** New tasks that have not arrived yet. They stay in this browser until they have. */
import { useEffect, useEffectEvent, useState } from "react";

import { create, explain, pause, type NewTask, type Task, type TodoApi } from "./requests";

export type Waiting = { id: string; body: NewTask; since: number; problem?: string };

/** `onArrival` gets the new task, or nothing if an earlier attempt had brought it. */
export function useOutbox(api: TodoApi, userId: string, onArrival: (task?: Task) => void) {
  const prefix = `todo:${userId}:`; // a key for each task: tabs do not overwrite each other's
  const [waiting, setWaiting] = useState(() => read(prefix));
  const [attempt, setAttempt] = useState(0);
  const [seconds, setSeconds] = useState(0); // until the next attempt

  const update = () => setWaiting(read(prefix));
  const push = () => setAttempt((attempt) => attempt + 1);

  function keep(entry: Waiting) {
    localStorage.setItem(prefix + entry.id, JSON.stringify(entry));
    update();
  }

  function drop(id: string) {
    localStorage.removeItem(prefix + id);
    update();
  }

  /** Sends what waits, oldest first. Gives the seconds to pause if the rest has to wait. */
  const send = useEffectEvent(async () => {
    const entries = read(prefix).filter(({ problem }) => !problem);
    if (entries.length && !navigator.onLine) return pause();
    for (const entry of entries.reverse()) {
      try {
        onArrival(await create(api, entry.id, entry.body));
        drop(entry.id);
      } catch (error) {
        if (pause(error)) return pause(error);
        keep({ ...entry, problem: explain(error) });
      }
    }
    return 0;
  });

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let current = true;
    async function sendInTurn() {
      // One tab after another: the next finds nothing left, or learns that late and meets a 412.
      const seconds = await navigator.locks.request(prefix, send);
      if (!current) return;
      setSeconds(seconds);
      if (seconds) timer = setTimeout(push, seconds * 1000);
    }
    sendInTurn();
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [prefix, attempt]);

  /** Another tab has added a task here, or brought it to the service. */
  const look = useEffectEvent(({ key, newValue }: StorageEvent) => {
    if (!key?.startsWith(prefix)) return;
    update();
    if (!newValue) onArrival();
  });

  useEffect(() => {
    const onStorage = (event: StorageEvent) => look(event);
    addEventListener("online", push);
    addEventListener("focus", push); // the tab that was to send it may be closed
    addEventListener("storage", onStorage);
    return () => {
      removeEventListener("online", push);
      removeEventListener("focus", push);
      removeEventListener("storage", onStorage);
    };
  }, []);

  function add(body: NewTask) {
    keep({ id: crypto.randomUUID(), body, since: Date.now() });
    push();
  }

  return { waiting, seconds, add, drop };
}

/** What waits for this user, newest first, as new tasks stand in the list. */
function read(prefix: string): Waiting[] {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  const entries = keys.map((key): Waiting => JSON.parse(localStorage.getItem(key)!));
  return entries.sort((a, b) => b.since - a.since);
}
