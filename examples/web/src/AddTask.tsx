import { type FormEvent } from "react";

import { Icon } from "./icons";
import type { NewTask } from "./requests";

type Props = { text: string; onChange: (text: string) => void; onAdd: (task: NewTask) => void };

export function AddTask({ text, onChange, onAdd }: Props) {
  function submit(event: FormEvent) {
    event.preventDefault();
    if (!text.trim()) return;
    onAdd(parse(text));
    onChange("");
  }

  return (
    <form className="add" onSubmit={submit}>
      <input
        id="new-task"
        aria-label="New task"
        placeholder="Add a task, with #tags"
        autoComplete="off"
        value={text}
        onChange={(event) => onChange(event.target.value)}
      />
      <button className="primary" aria-label="Add">
        <Icon name="plus" />
      </button>
    </form>
  );
}

/** "Buy milk #shop" is a title and a tag. */
function parse(text: string): NewTask {
  const words = text.trim().split(/\s+/);
  const isTag = (word: string) => word.length > 1 && word.startsWith("#");
  const title = words.filter((word) => !isTag(word)).join(" ");
  const tags = new Set(words.filter(isTag).map((word) => word.slice(1)));
  return { title: title || text, tags: [...tags] };
}
