/** Drags a row by its handle, with mouse, finger or pen. Until the drop the rows move by CSS alone. */
import { useRef, useState, type CSSProperties, type PointerEvent } from "react";

type Drag = { from: number; to: number; distance: number; height: number };

const EDGE = 60; // pixels from the top or the bottom of the window, where it scrolls

export function useDrag(drop: (from: number, to: number) => void) {
  const [drag, setDrag] = useState<Drag>();
  const start = useRef({ y: 0, middles: [] as number[] });

  function follow(drag: Drag, event: PointerEvent): Drag {
    const { y, middles } = start.current;
    const distance = event.pageY - y;
    const middle = middles[drag.from]! + distance;
    const to = middles.filter((other, place) => place !== drag.from && other < middle).length;
    return { ...drag, to, distance };
  }

  const handle = (index: number) => ({
    onPointerDown(event: PointerEvent<HTMLElement>) {
      const row = event.currentTarget.closest("li");
      if (event.button !== 0 || !row?.parentElement) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      const boxes = [...row.parentElement.children].map((each) => each.getBoundingClientRect());
      start.current = { y: event.pageY, middles: boxes.map(({ top, height }) => top + scrollY + height / 2) };
      setDrag({ from: index, to: index, distance: 0, height: row.offsetHeight });
    },
    onPointerMove(event: PointerEvent) {
      if (!drag) return;
      setDrag(follow(drag, event));
      if (event.clientY < EDGE) scrollBy(0, -EDGE / 4);
      if (event.clientY > innerHeight - EDGE) scrollBy(0, EDGE / 4);
    },
    onPointerUp(event: PointerEvent) {
      if (!drag) return;
      const { from, to } = follow(drag, event); // React may not have drawn the last move yet
      if (to !== from && index === from) drop(from, to); // else the list has changed meanwhile
      setDrag(undefined);
    },
    onPointerCancel: () => setDrag(undefined),
  });

  /** The dragged row follows the pointer; those that it passes make room. */
  function style(index: number): CSSProperties | undefined {
    if (!drag) return undefined;
    if (index === drag.from) return { transform: `translateY(${drag.distance}px)` };
    const up = index > drag.from && index <= drag.to;
    const down = index < drag.from && index >= drag.to;
    return { transform: `translateY(${up ? -drag.height : down ? drag.height : 0}px)`, transition: "transform 150ms" };
  }

  return { handle, style, dragged: drag?.from };
}
