import { useState } from "react";

import { AddTask } from "./AddTask";
import { auth } from "./auth";
import { Counts } from "./Counts";
import { Filter } from "./Filter";
import { Icon, Logo } from "./icons";
import { createApi, explain, type Filters } from "./requests";
import { TaskRow } from "./TaskRow";
import { useDrag } from "./useDrag";
import { useOutbox, type Waiting } from "./useOutbox";
import { useTasks } from "./useTasks";
import { WaitingRow } from "./WaitingRow";

const EVERYTHING: Filters = { status: "all", q: "" };

export function Tasks({ user }: { user: { id: string; name: string } }) {
  const [api] = useState(() => createApi(user.id)); // for this user: see the `key` in App.tsx
  const [filters, setFilters] = useState(EVERYTHING);
  const [draft, setDraft] = useState("");
  const [picked, setPicked] = useState<Set<string>>(); // undefined while nothing is being selected
  const [spoken, setSpoken] = useState("");
  const list = useTasks(api, filters);
  const outbox = useOutbox(api, user.id, list.arrived);
  const { tasks, counts, notice } = list;

  const drag = useDrag(moveTo);
  function moveTo(from: number, to: number) {
    const task = tasks[from];
    if (!task || to < 0 || to >= tasks.length) return;
    list.move(task, to);
    setSpoken(`“${task.title}” is now ${to + 1} of ${tasks.length}.`);
  }

  function pick(id: string) {
    const next = new Set(picked);
    if (!next.delete(id)) next.add(id);
    setPicked(next);
  }

  function finish(change: (ids: Set<string>) => void) {
    if (picked?.size) change(picked);
    setPicked(undefined);
  }

  function editAgain({ id, body }: Waiting) {
    outbox.drop(id);
    setDraft([body.title, ...(body.tags ?? []).map((tag) => `#${tag}`)].join(" "));
    document.getElementById("new-task")?.focus();
  }

  const waiting = outbox.waiting.filter(({ id }) => !tasks.some((task) => task.id === id));
  const isEmpty = list.loaded && tasks.length + waiting.length === 0;
  const isFiltered = filters.status !== "all" || filters.q || filters.tag;

  return (
    <>
      <header>
        <Logo /> Todo
        <span className="who">{user.name}</span>
        <button className="quiet" onClick={() => auth.signOut().catch((error) => list.say(explain(error)))}>
          Sign out
        </button>
      </header>
      <main>
        <h1>Your tasks</h1>
        <Counts counts={counts} />
        <AddTask text={draft} onChange={setDraft} onAdd={outbox.add} />
        <Filter filters={filters} onChange={setFilters} />

        <ul className="tasks" aria-label="Not saved yet">
          {waiting.map((entry) => (
            <WaitingRow
              key={entry.id}
              entry={entry}
              onEdit={() => editAgain(entry)}
              onDiscard={() => outbox.drop(entry.id)}
            />
          ))}
        </ul>
        <ul className="tasks" aria-label="Tasks">
          {tasks.map((task, place) => (
            <TaskRow
              key={task.id}
              task={task}
              picked={picked?.has(task.id)}
              dragged={drag.dragged === place}
              style={drag.style(place)}
              handle={drag.handle(place)}
              onPick={() => pick(task.id)}
              onComplete={(completed) => list.complete(task, completed)}
              onRename={list.rename}
              onRemove={() => list.remove(task)}
              onMove={(step) => moveTo(place, place + step)}
              onTag={(tag) => setFilters({ ...filters, tag })}
            />
          ))}
        </ul>
        {isEmpty && (
          <p className="empty">{isFiltered ? "No task is like that." : "Nothing to do. Enjoy the day."}</p>
        )}
        {list.more && (
          <button className="more" onClick={list.showMore}>
            Show more
          </button>
        )}

        <footer>
          {picked ? (
            <>
              <span>{picked.size} selected</span>
              <button onClick={() => setPicked(new Set(tasks.map(({ id }) => id)))}>All</button>
              <button onClick={() => finish(list.completeAll)}>Complete</button>
              <button onClick={() => finish(list.removeAll)}>Delete</button>
              <button className="quiet" onClick={() => setPicked(undefined)}>
                Cancel
              </button>
            </>
          ) : (
            <>
              {tasks.length > 0 && <button onClick={() => (setPicked(new Set()), list.dismiss())}>Select</button>}
              {Boolean(counts?.completed) && <button onClick={list.removeCompleted}>Clear completed</button>}
            </>
          )}
        </footer>
      </main>

      <p id="how-to-move" className="hidden">
        The arrow keys up and down move the task.
      </p>
      <p className="hidden" role="status">
        {spoken}
      </p>
      <div className="notice" role="status">
        {outbox.seconds > 0 && <p>Not everything is saved yet. Trying again in {outbox.seconds} s.</p>}
        {notice && (
          <p>
            {notice.text}
            {notice.undo && <button onClick={() => list.undo(notice.undo!)}>Undo</button>}
            <button className="quiet" aria-label="Close" onClick={list.dismiss}>
              <Icon name="close" />
            </button>
          </p>
        )}
      </div>
    </>
  );
}
