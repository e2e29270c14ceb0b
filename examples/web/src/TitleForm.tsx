import { useState, type FormEvent } from "react";

import { explain, type Task } from "./requests";

type Props = {
  seen: Task;
  onRename: (seen: Task, title: string) => Promise<Task | undefined>;
  onClose: () => void;
};

/** Changes a title. If somebody else has changed it meanwhile, that is a choice and not an error. */
export function TitleForm({ seen, onRename, onClose }: Props) {
  const [title, setTitle] = useState(seen.title);
  const [theirs, setTheirs] = useState<Task>();
  const [problem, setProblem] = useState<string>();

  async function save(event: FormEvent) {
    event.preventDefault();
    setProblem(undefined);
    try {
      const changed = await onRename(theirs ?? seen, title.trim());
      if (changed) setTheirs(changed);
      else onClose();
    } catch (error) {
      setProblem(explain(error));
    }
  }

  return (
    <form className="edit" onSubmit={save} onKeyDown={(event) => event.key === "Escape" && onClose()}>
      <input aria-label="Title" autoFocus value={title} onChange={(event) => setTitle(event.target.value)} />
      {theirs ? (
        <div className="conflict" role="alert">
          <p>
            Somebody has changed this task to <b>“{theirs.title}”</b> meanwhile, perhaps you in another tab.
          </p>
          <button className="primary">Keep mine</button>
          <button type="button" onClick={onClose}>
            Take theirs
          </button>
        </div>
      ) : (
        <>
          <button className="primary">Save</button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </>
      )}
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}
