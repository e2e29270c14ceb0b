import { Icon } from "./icons";
import type { Waiting } from "./useOutbox";

type Props = { entry: Waiting; onEdit: () => void; onDiscard: () => void };

/** A new task that is not in the service yet: it waits for the network, or was refused. */
export function WaitingRow({ entry: { body, problem }, onEdit, onDiscard }: Props) {
  return (
    <li className="task waiting">
      <span className="clock" />
      <div className="text">
        <span className="title">{body.title}</span>
        <div className="tags">
          {body.tags?.map((tag) => (
            <span key={tag} className="tag">
              #{tag}
            </span>
          ))}
          {problem ? (
            <p className="problem" role="alert">
              {problem}
            </p>
          ) : (
            <span className="badge">waiting</span>
          )}
        </div>
      </div>
      {problem && (
        <>
          <button onClick={onEdit}>Edit</button>
          <button className="quiet" aria-label={`Discard “${body.title}”`} onClick={onDiscard}>
            <Icon name="close" />
          </button>
        </>
      )}
    </li>
  );
}
