/** react-hook-form on a draft: neither renders per key stroke nor resets on the echo of its own save. */
import { useEffect, useRef } from "react";
import type { FieldValues, Path, PathValue, UseFormReturn } from "react-hook-form";
import { asData, changesBetween, pathIn, related, type Data, type DraftSession } from "../core";

/**
 * Keep a form and a draft the same. What the draft holds goes into the form when it is opened; then what
 * is typed goes into the draft, and what others save goes into the form, only where it differs, so that
 * the field somebody is in is never touched. Members of the draft without a field stay as they are.
 */
export function useFormDraft<Values extends FieldValues>(form: UseFormReturn<Values>, session: DraftSession | null): void {
  // Not by react-hook-form's own notion of dirty, which would have the form rendered when it changes.
  const untouched = useRef<Data | null>(null);
  useEffect(() => {
    const values = (): Data => asData(form.getValues());
    untouched.current ??= values();
    if (!session) return undefined;
    const early = changesBetween(untouched.current, values());
    const show = (data: Data, first: boolean) => {
      for (const { op, path, value } of changesBetween(values(), data)) {
        const field = fieldAt<Values>(values(), path);
        // At first, what the draft lacks are default values, and some fields were typed into already.
        if (first && (op === "remove" || early.some((typed) => related(typed.path, path)))) continue;
        form.setValue(field, value as PathValue<Values, Path<Values>>);
      }
    };
    show(session.snapshot().data, true);
    const typed = () => session.change({ ...session.snapshot().data, ...values() });
    if (early.length > 0) typed();
    const stop = form.subscribe({ formState: { values: true }, callback: typed });
    const stopOthers = session.onOthers((data) => show(data, false));
    return () => {
      stop();
      stopOthers();
    };
  }, [form, session]);
}

/** The name of a field as react-hook-form has it: `/acts/id:a5/fee` is `acts.0.fee`. */
function fieldAt<Values extends FieldValues>(values: Data, path: string): Path<Values> {
  return pathIn(values, path).join(".") as Path<Values>;
}
