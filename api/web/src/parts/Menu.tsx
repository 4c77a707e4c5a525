/** Further things to do, behind one button; Escape or going elsewhere closes it. */

import { type ReactNode, useEffect, useRef, useState } from "react";

export interface Item {
  label: string;
  do: () => void;
  bad?: boolean;
}

interface Props {
  label: string;
  items: Item[];
  children?: ReactNode;
}

export function Menu({ label, items, children = <span aria-hidden="true">⋯</span> }: Props) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    if (open) list.current?.querySelector("button")?.focus();
  }, [open]);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div
      className="menu"
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false);
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape" && open) {
          event.stopPropagation();
          close();
        }
        if (event.key === "ArrowDown" || event.key === "ArrowUp") step(event, list.current);
      }}
    >
      <button ref={button} type="button" className="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
        {children}
        <span className="heard"> {label}</span>
      </button>
      {open && (
        <ul ref={list} className="plain sheet">
          {items.map((item) => (
            <li key={item.label}>
              <button
                type="button"
                className={item.bad ? "quiet bad" : "quiet"}
                onClick={() => {
                  close();
                  item.do();
                }}
              >
                {item.label}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function step(event: React.KeyboardEvent, list: HTMLUListElement | null): void {
  const buttons = [...(list?.querySelectorAll("button") ?? [])];
  const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
  if (at < 0) return;
  event.preventDefault();
  const next = (at + (event.key === "ArrowDown" ? 1 : -1) + buttons.length) % buttons.length;
  buttons[next]?.focus();
}
