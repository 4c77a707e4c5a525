/** The input that fits a place of a form. */

import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { same } from "../core";
import type { Definition, Json } from "./answers";
import { moved } from "./caret";
import { type Kind, currencyAt, kindAt, parsed } from "./kinds";

export interface InputProps {
  id: string;
  form: Definition;
  path: string;
  value: Json | undefined;
  onChange: (value: Json | undefined) => void;
  disabled?: boolean;
  describedBy?: string | undefined;
  invalid?: boolean;
}

export function ValueInput(props: InputProps) {
  const kind = kindAt(props.form, props.path);
  if (kind === "yes") return <YesInput {...props} />;
  if (kind === "currency") return <CurrencyInput {...props} />;
  if (kind === "tags") return <TagsInput {...props} />;
  return <TypedInput {...props} kind={kind} />;
}

function common({ id, disabled, describedBy, invalid }: InputProps) {
  return {
    id,
    disabled,
    ...(describedBy !== undefined && { "aria-describedby": describedBy }),
    ...(invalid && { "aria-invalid": true }),
  };
}

const asTyped = (value: Json | undefined) => (value === undefined || value === null ? "" : String(value));

const HTML: { [kind in Kind]?: object } = {
  date: { type: "date" },
  time: { type: "time" },
  email: { type: "email", autoComplete: "off" },
  phone: { type: "tel", autoComplete: "off" },
  number: { inputMode: "decimal" },
  integer: { inputMode: "numeric" },
  money: { inputMode: "decimal" },
};

/** What is typed stays as it is typed; only a value from elsewhere replaces it. */
function TypedInput(props: InputProps & { kind: Kind }) {
  const { kind, value, onChange, form, path } = props;
  const [typed, setTyped] = useState(asTyped(value));
  const box = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const told = useRef(value);
  const caret = useRef<readonly [number, number] | null>(null);
  useEffect(() => {
    if (same(told.current, value)) return;
    told.current = value;
    caret.current = caretAfter(box.current, asTyped(value));
    setTyped(asTyped(value));
  }, [value]);
  useLayoutEffect(() => {
    if (caret.current) box.current?.setSelectionRange(...caret.current);
    caret.current = null;
  }, [typed]);
  const type = (text: string) => {
    setTyped(text);
    told.current = parsed(kind, text);
    onChange(told.current);
  };
  const shared = { ...common(props), ref: box, value: typed };
  if (kind === "long") return <textarea {...shared} rows={6} onChange={(event) => type(event.target.value)} />;
  const code = kind === "money" ? currencyAt(form, path) : undefined;
  const input = <input {...shared} {...HTML[kind]} onChange={(event) => type(event.target.value)} />;
  return code === undefined ? (
    input
  ) : (
    <span className="with-unit">
      {input}
      <span className="unit" aria-hidden="true">
        {symbolOf(code)}
      </span>
    </span>
  );
}

/** Where the caret, or the selection, belongs once another text stands in the box; null where there is none. */
function caretAfter(box: HTMLInputElement | HTMLTextAreaElement | null, next: string): [number, number] | null {
  if (!box || document.activeElement !== box || box.selectionStart === null) return null;
  return [moved(box.selectionStart, box.value, next), moved(box.selectionEnd ?? box.selectionStart, box.value, next)];
}

export function symbolOf(code: string): string {
  const parts = new Intl.NumberFormat("en", {
    style: "currency",
    currency: code,
    currencyDisplay: "narrowSymbol",
  }).formatToParts(0);
  return parts.find((part) => part.type === "currency")?.value ?? code;
}

function YesInput(props: InputProps) {
  return (
    <input
      type="checkbox"
      {...common(props)}
      checked={props.value === true}
      onChange={(event) => props.onChange(event.target.checked)}
    />
  );
}

const CODES = ["EUR", "GBP", "USD", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK"];

function CurrencyInput(props: InputProps) {
  const now = asTyped(props.value);
  const codes = now === "" || CODES.includes(now) ? CODES : [now, ...CODES];
  return (
    <select
      {...common(props)}
      value={now}
      onChange={(event) => props.onChange(event.target.value === "" ? undefined : event.target.value)}
    >
      <option value="">None</option>
      {codes.map((code) => (
        <option key={code} value={code}>
          {code}
        </option>
      ))}
    </select>
  );
}

/** Short words in a list: Enter or a comma adds one, Backspace in the empty box takes the last away. */
function TagsInput(props: InputProps) {
  const { value, onChange, id } = props;
  const [typed, setTyped] = useState("");
  const tags = Array.isArray(value) ? value : [];
  const add = () => {
    const word = typed.replaceAll(",", " ").trim();
    if (word !== "" && !tags.includes(word)) onChange([...tags, word]);
    setTyped("");
  };
  return (
    <div className="tags">
      <ul className="plain" aria-label="Chosen">
        {tags.map((tag) => (
          <li key={String(tag)} className="pill">
            {String(tag)}
            <button
              type="button"
              className="quiet"
              disabled={props.disabled}
              aria-label={`Remove ${String(tag)}`}
              onClick={() => onChange(tags.filter((one) => one !== tag))}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
      <input
        {...common(props)}
        value={typed}
        placeholder={tags.length === 0 ? "Type a word, then Enter" : "Another"}
        onBlur={add}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" || event.key === ",") {
            event.preventDefault();
            add();
          }
          if (event.key === "Backspace" && typed === "" && tags.length > 0) onChange(tags.slice(0, -1));
        }}
      />
      <span className="heard" id={`${id}-how`}>
        Enter adds a word
      </span>
    </div>
  );
}
