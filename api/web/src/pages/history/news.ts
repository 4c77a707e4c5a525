/** What is saved elsewhere while a history is read. */

import { useEffect, useRef } from "react";
import { Following } from "../../core/following";
import type { Draft } from "../../parts/answers";
import { apiOf } from "../api";

/** Milliseconds: somebody who types saves each second; a list that moved as often could not be read. */
const CALM = 2_000;

/** Hear, now and then, that there are later versions than the draft that is shown, and by which acts. */
export function useNews({ id, version }: Draft, hear: (acts: ReadonlySet<string>) => void): void {
  const shown = useRef({ version, hear });
  shown.current = { version, hear };
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let acts = new Set<string>();
    const tell = () => {
      timer = undefined;
      shown.current.hear(acts);
      acts = new Set();
    };
    const news = (newest: number, act?: string) => {
      if (newest <= shown.current.version) return;
      if (act) acts.add(act);
      timer ??= setTimeout(tell, CALM);
    };
    // Without a device: whoever reads is not at a field, and this stream ends nobody's presence.
    const following = new Following(apiOf(), id, "", { news, present: () => undefined });
    following.start(shown.current.version);
    return () => {
      following.stop();
      clearTimeout(timer);
    };
  }, [id]);
}
