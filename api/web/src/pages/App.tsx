/** The pages: what stands around each, and which one the address names. */

import { Component, type ReactNode, useEffect, useState, useSyncExternalStore } from "react";
import { Announcer } from "../parts/Announcer";
import { Account } from "./Account";
import { SignIn } from "./SignIn";
import { onSignedOut } from "./api";
import { AuditPage } from "./audit/AuditPage";
import { ConflictsPage } from "./conflicts/ConflictsPage";
import { DraftsPage } from "./drafts/DraftsPage";
import { FormPage } from "./form/FormPage";
import { HistoryPage } from "./history/HistoryPage";
import { Link, type Route, addressOf, useRoute } from "./router";
import { Heading, SiteContext, Trouble } from "./site";
import { type Bearer, tokens } from "./tokens";

export function App() {
  const route = useRoute();
  const bearer = useSyncExternalStore(tokens.subscribe, tokens.bearer);
  const [ended, setEnded] = useState(false);
  useEffect(() => onSignedOut(() => setEnded(true)), []);
  useEffect(() => setEnded(false), [bearer]);
  return (
    <SiteContext value={{ me: bearer?.sub ?? null }}>
      <a className="skip" href="#page">
        Skip to the page
      </a>
      <Top route={route} bearer={bearer} />
      <main id="page">
        {bearer === null ? (
          <SignIn />
        ) : (
          <>
            {ended && <SignedOut />}
            <Boundary key={JSON.stringify([route, bearer.token])}>
              <CurrentPage route={route} />
            </Boundary>
          </>
        )}
      </main>
      <Announcer />
    </SiteContext>
  );
}

function CurrentPage({ route }: { route: Route }) {
  switch (route.page) {
    case "drafts":
      return <DraftsPage />;
    case "form":
      return <FormPage draft={route.draft} />;
    case "history":
      return <HistoryPage draft={route.draft} />;
    case "conflicts":
      return <ConflictsPage draft={route.draft} />;
    case "audit":
      return <AuditPage />;
    case "nowhere":
      return <Nowhere />;
  }
}

function Nowhere() {
  return (
    <>
      <Heading title="No such page" />
      <p>
        There is nothing at this address. <Link href={addressOf.drafts}>Go to your drafts</Link>
      </p>
    </>
  );
}

function Top({ route, bearer }: { route: Route; bearer: Bearer | null }) {
  const here = (page: Route["page"]) => (route.page === page ? "page" : undefined);
  return (
    <header className="top">
      <Link className="brand" href={addressOf.drafts}>
        Variorum
      </Link>
      {bearer && (
        <nav aria-label="Pages">
          {bearer.sub !== null && (
            <Link href={addressOf.drafts} aria-current={here("drafts")}>
              Your drafts
            </Link>
          )}
          {bearer.sub !== null && (
            <Link href={addressOf.audit} aria-current={here("audit")}>
              Audit
            </Link>
          )}
        </nav>
      )}
      <div className="right">
        <div id="status-place" />
        {bearer && <Account sub={bearer.sub} />}
      </div>
    </header>
  );
}

function SignedOut() {
  return (
    <div className="sheet trouble" role="status">
      <p>Your sign-in has ended. What you typed is kept on this device; sign in again to save it.</p>
      <button type="button" onClick={tokens.forget}>
        Sign in again
      </button>
    </div>
  );
}

/** Whatever breaks in a page leaves the rest standing. */
class Boundary extends Component<{ children: ReactNode }, { problem?: unknown }> {
  override state: { problem?: unknown } = {};

  static getDerivedStateFromError(problem: unknown) {
    return { problem };
  }

  override render() {
    if (this.state.problem === undefined) return this.props.children;
    return <Trouble problem={this.state.problem} retry={() => this.setState({ problem: undefined })} />;
  }
}
