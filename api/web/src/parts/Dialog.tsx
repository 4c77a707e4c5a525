/** A dialog over the page; the browser keeps the focus in it and gives it back afterwards. */

import { type ReactNode, useEffect, useId, useRef } from "react";
import { Announcer } from "./Announcer";

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
  wide?: boolean;
}

export function Dialog({ title, onClose, children, wide = false }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const before = document.activeElement;
    box.current?.showModal();
    const first = box.current?.querySelector<HTMLElement>("[data-first]") ?? box.current?.querySelector("h2");
    first?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={box}
      className={wide ? "wide" : undefined}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === box.current) onClose();
      }}
    >
      <div className="inside">
        <div className="row">
          <h2 id={heading} className="grow" tabIndex={-1}>
            {title}
          </h2>
          <button type="button" className="quiet" aria-label="Close" onClick={onClose}>
            ×
          </button>
        </div>
        {children}
      </div>
      <Announcer inDialog />
    </dialog>
  );
}
