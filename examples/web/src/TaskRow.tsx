import { useEffect, useRef, useState, type ComponentProps, type CSSProperties, type KeyboardEvent } from "react";

import { Icon } from "./icons";
import type { Task } from "./requests";
import { TitleForm } from "./TitleForm";

type Props = {
  task: Task;
  picked?: boolean; // undefined while nothing is being selected
  dragged: boolean;
  style?: CSSProperties;
  handle: ComponentProps<"button">;
  onPick: () => void;
  onComplete: (completed: boolean) => void;
  onRename: (seen: Task, title: string) => Promise<Task | undefined>;
  onRemove: () => void;
  onMove: (step: -1 | 1) => void;
  onTag: (tag: string) => void;
};

export function TaskRow({
  task,
  picked,
  dragged,
  style,
  handle,
  onPick,
  onComplete,
  onRename,
  onRemove,
  onMove,
  onTag,
}: Props) {
  const [seen, setSeen] = useState<Task>(); // the task as it was when its editing began
  const title = useRef<HTMLButtonElement>(null);
  const row = useRef<HTMLLIElement>(null);
  const name = `“${task.title}”`;

  function close() {
    setSeen(undefined);
    requestAnimationFrame(() => title.current?.focus());
  }

  function move(event: KeyboardEvent) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key] as -1 | 1 | undefined;
    const onHandle = event.target instanceof Element && event.target.matches(".handle");
    if (!step || seen || !(event.altKey || onHandle)) return;
    event.preventDefault();
    onMove(step);
  }

  // A row that is moved by keyboard may leave the window.
  useEffect(() => {
    if (row.current?.contains(document.activeElement)) row.current.scrollIntoView({ block: "nearest" });
  }, [task.position]);

  function remove() {
    const next = row.current?.nextElementSibling ?? row.current?.previousElementSibling;
    (next?.querySelector<HTMLElement>(".remove") ?? document.getElementById("new-task"))?.focus();
    onRemove();
  }

  return (
    <li
      ref={row}
      className={`task ${dragged ? "dragged" : ""} ${task.completed ? "completed" : ""}`}
      style={style}
      onKeyDown={move}
    >
      {picked === undefined ? (
        <>
          <button className="handle" aria-label={`Move ${name}`} aria-describedby="how-to-move" {...handle}>
            <Icon name="grip" />
          </button>
          <input
            className="complete"
            type="checkbox"
            aria-label={`Complete ${name}`}
            checked={task.completed}
            onChange={(event) => onComplete(event.target.checked)}
          />
        </>
      ) : (
        <input className="pick" type="checkbox" aria-label={`Select ${name}`} checked={picked} onChange={onPick} />
      )}
      {seen ? (
        <TitleForm seen={seen} onRename={onRename} onClose={close} />
      ) : (
        <div className="text">
          <button ref={title} className="title" aria-label={`Edit ${name}`} onClick={() => setSeen(task)}>
            {task.title}
          </button>
          <div className="tags">
            {task.tags.map((tag) => (
              <button key={tag} className="tag" onClick={() => onTag(tag)}>
                #{tag}
              </button>
            ))}
          </div>
        </div>
      )}
      {picked === undefined && (
        <button className="quiet remove" aria-label={`Delete ${name}`} onClick={remove}>
          <Icon name="bin" />
        </button>
      )}
    </li>
  );
}
