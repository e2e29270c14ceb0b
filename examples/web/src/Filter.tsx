import { useEffect, useState } from "react";

import { Icon } from "./icons";
import type { Filters, Status } from "./requests";

const STATUSES: Record<Status, string> = { all: "All", pending: "To do", completed: "Done" };
const PAUSE = 200; // milliseconds after the last key

type Props = { filters: Filters; onChange: (filters: Filters) => void };

export function Filter({ filters, onChange }: Props) {
  const [q, setQ] = useState(filters.q);

  useEffect(() => {
    if (q === filters.q) return;
    const timer = setTimeout(() => onChange({ ...filters, q }), PAUSE);
    return () => clearTimeout(timer);
  }, [q, filters, onChange]);

  return (
    <search className="filters">
      <div className="statuses" role="group" aria-label="Which tasks">
        {Object.entries(STATUSES).map(([status, name]) => (
          <button
            key={status}
            aria-pressed={filters.status === status}
            onClick={() => onChange({ ...filters, status: status as Status })}
          >
            {name}
          </button>
        ))}
      </div>
      {filters.tag && (
        <button className="tag chosen" onClick={() => onChange({ ...filters, tag: undefined })}>
          #{filters.tag} <Icon name="close" /> <span className="hidden">Show all tags</span>
        </button>
      )}
      <label className="find">
        <Icon name="search" />
        <input
          type="search"
          aria-label="Search"
          placeholder="Search"
          maxLength={200}
          value={q}
          onChange={(event) => setQ(event.target.value)}
        />
      </label>
    </search>
  );
}
