/** Asking for a token, where neither the address nor the host page gave one. */

import { type FormEvent, useState } from "react";
import { announce } from "../parts/Announcer";
import { Heading } from "./site";
import { tokens } from "./tokens";

export function SignIn() {
  const [token, setToken] = useState("");
  const [wrong, setWrong] = useState(false);
  const use = (event: FormEvent) => {
    event.preventDefault();
    const given = token
      .trim()
      .replace(/^Bearer /i, "")
      .replace(/^TOKEN=/, "");
    if (/\s/.test(given)) {
      setWrong(true);
      announce("That is no token: it has spaces in it.");
    } else tokens.use(given);
  };
  return (
    <div className="sign-in">
      <Heading title="Sign in" />
      <p className="soft">
        These pages open with a token. The application that you came from gives one; for trying out,{" "}
        <code>variorum token ann</code> prints one for Ann.
      </p>
      <form className="sheet" onSubmit={use}>
        <label htmlFor="token">Token</label>
        <input
          id="token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          value={token}
          aria-invalid={wrong}
          aria-describedby={wrong ? "token-wrong" : undefined}
          onChange={(event) => setToken(event.target.value)}
        />
        {wrong && (
          <p id="token-wrong" className="wrong small">
            That is no token: it has spaces in it.
          </p>
        )}
        <div className="row actions">
          <button type="submit" className="main" disabled={token.trim() === ""}>
            Open the pages
          </button>
        </div>
      </form>
    </div>
  );
}
