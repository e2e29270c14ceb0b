import type { CSSProperties } from "react";

import type { Counts as Numbers } from "./requests";

export function Counts({ counts }: { counts?: Numbers }) {
  if (!counts) return <p className="counts">…</p>;
  const { pending, completed, deleted } = counts;
  const done = { "--done": `${(100 * completed) / (pending + completed || 1)}%` } as CSSProperties;
  return (
    <p className="counts" style={done}>
      <b>{pending}</b> to do · <b>{completed}</b> done · <b>{deleted}</b> in the trash
    </p>
  );
}
