/** The list on the screen, and what a person does to it. A change shows at once, and goes back if it fails. */
import { startTransition, useCallback, useEffect, useOptimistic, useRef, useState } from "react";

import * as requests from "./requests";
import type { Counts, Filters, List, Removed, Task, TodoApi, Undo } from "./requests";

export type Notice = { text: string; undo?: Undo };
type Change = (tasks: Task[]) => Task[];

const NONE: List = { tasks: [], cursor: null };

export function useTasks(api: TodoApi, filters: Filters) {
  const [list, setList] = useState<List>();
  const [counts, setCounts] = useState<Counts>();
  const [wanted, setWanted] = useState(requests.PAGE);
  const [revision, setRevision] = useState(0);
  const [trouble, setTrouble] = useState<string>(); // with the list
  const [notice, setNotice] = useState<Notice>(); // about a change
  const [tasks, foresee] = useOptimistic((list ?? NONE).tasks, (tasks, change: Change) => change(tasks));
  const turn = useRef<Promise<unknown>>(Promise.resolve());

  // Known at once, before React draws: an answer that was asked for before a change does not show it.
  const newest = useRef(0);
  const refresh = useCallback(() => setRevision((newest.current += 1)), []);
  const apply = (change: Change) => setList((list = NONE) => ({ ...list, tasks: change(list.tasks) }));

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let drawn = true;
    const isCurrent = () => drawn && revision === newest.current; // else a newer request is under way
    Promise.all([requests.fetchList(api, filters, wanted), requests.fetchCounts(api)]).then(
      ([list, counts]) => {
        if (!isCurrent()) return;
        setList(list);
        setCounts(counts);
        setTrouble(undefined);
      },
      (error) => {
        if (!isCurrent()) return;
        setTrouble(requests.explain(error));
        const seconds = requests.pause(error);
        if (seconds && navigator.onLine) timer = setTimeout(refresh, seconds * 1000); // offline, see below
      },
    );
    return () => {
      drawn = false;
      clearTimeout(timer);
    };
  }, [api, filters, wanted, revision, refresh]);

  useEffect(() => {
    const look = () => document.visibilityState === "visible" && refresh();
    document.addEventListener("visibilitychange", look);
    addEventListener("online", refresh);
    return () => {
      document.removeEventListener("visibilitychange", look);
      removeEventListener("online", refresh);
    };
  }, [refresh]);

  /** Requests go one after another, in the order of the clicks. */
  function inTurn<T>(send: () => Promise<T>): Promise<T> {
    const sent = turn.current.then(() => requests.patiently(send, (text) => setNotice({ text })));
    turn.current = sent.catch(() => {});
    return sent;
  }

  /** Shows the change, sends it, and says what was done if it can be undone. `undo`: offered again if it fails. */
  function act<T>(change: Change, send: () => Promise<T>, done?: (answer: T) => Notice, undo?: Undo) {
    startTransition(async () => {
      foresee(change);
      try {
        const answer = await inTurn(send);
        startTransition(() => apply(change));
        setNotice(done?.(answer));
      } catch (error) {
        setNotice({ text: requests.explain(error), undo: requests.pause(error) ? undo : undefined });
      }
      refresh();
    });
  }

  return {
    tasks,
    counts,
    loaded: list !== undefined,
    more: Boolean(list?.cursor),
    notice: trouble ? { text: trouble } : notice,
    say: (text: string) => setNotice({ text }),
    showMore: () => setWanted(tasks.length + 1),
    dismiss: () => (setNotice(undefined), setTrouble(undefined)),

    undo(undo: Undo) {
      setNotice(undefined); // a second click would send it twice
      act((tasks) => tasks, undo, undefined, undo);
    },

    arrived(task?: Task) {
      if (task) apply((tasks) => [task, ...tasks.filter(({ id }) => id !== task.id)]);
      refresh();
    },

    complete(task: Task, completed: boolean) {
      act(changed([task.id], { completed }), () => requests.complete(api, task, completed));
    },

    completeAll(ids: Set<string>) {
      act(changed(ids, { completed: true }), () => requests.completeAll(api, [...ids]));
    },

    remove(task: Task) {
      const done = (undo: Undo) => ({ text: `Deleted “${task.title}”.`, undo });
      act(without([task.id]), () => requests.remove(api, task), done);
    },

    removeAll(ids: Set<string>) {
      const done = (undo: Undo) => ({ text: "Deleted the selected tasks.", undo });
      const removed: Removed = [];
      const items = [...ids].map((id) => ({ id }));
      act(without(ids), () => requests.removeAll(api, items, removed), done);
    },

    removeCompleted() {
      const change: Change = (tasks) => tasks.filter(({ completed }) => !completed);
      const done = (undo: Undo) => ({ text: "Cleared what was done.", undo });
      const removed: Removed = [];
      act(change, () => requests.removeCompleted(api, removed), done);
    },

    /** Gives the task of the others if they have changed the title meanwhile. */
    async rename(seen: Task, title: string): Promise<Task | undefined> {
      const theirs = await inTurn(() => requests.rename(api, seen, title));
      setNotice(undefined);
      if (!theirs) apply(changed([seen.id], { title }));
      refresh();
      return theirs;
    },

    async move(task: Task, place: number) {
      const others = tasks.filter(({ id }) => id !== task.id);
      try {
        if (place === others.length && list?.cursor) {
          const next = await requests.fetchPage(api, filters, list.cursor);
          others.push(...next.tasks); // the end of what is shown is not the end of the list
        }
      } catch (error) {
        return setNotice({ text: requests.explain(error) });
      }
      const changes = requests.places(others, task, place);
      const positions = new Map(changes.map(({ id, position }) => [id, position]));
      const change: Change = (tasks) =>
        tasks.map((each) => ({ ...each, position: positions.get(each.id) ?? each.position })).sort(requests.byPosition);
      act(change, () => requests.move(api, changes));
    },
  };
}

function changed(ids: Iterable<string>, fields: Partial<Task>): Change {
  const those = new Set(ids);
  return (tasks) => tasks.map((task) => (those.has(task.id) ? { ...task, ...fields } : task));
}

function without(ids: Iterable<string>): Change {
  const those = new Set(ids);
  return (tasks) => tasks.filter(({ id }) => !those.has(id));
}
