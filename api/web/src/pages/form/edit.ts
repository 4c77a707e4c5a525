/** What the fields of the form work on: the values, a way to change them, and what is known of each place. */

import { createContext, useContext } from "react";
import type { Conflict, Data, Definition, Json } from "../../parts/answers";

export interface Edit {
  form: Definition;
  data: Data;
  /** What the open step is called. */
  step: string;
  readOnly: boolean;
  /** Set a value; undefined takes the member out. */
  set: (path: string, value: Json | undefined) => void;
  /** Who else is at this field now. */
  othersAt: (path: string) => readonly string[];
  conflicts: readonly Conflict[];
  /** Where the conflicts of this draft are settled. */
  review: string;
}

export const EditContext = createContext<Edit | null>(null);

export function useEdit(): Edit {
  const edit = useContext(EditContext);
  if (edit === null) throw new Error("A field stands outside of a form.");
  return edit;
}
